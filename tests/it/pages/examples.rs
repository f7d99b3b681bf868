//! Believable pages for the tests and for the pictures of the README.

use coldproof::cold_chain::{Interval, Limits, Reading, Series, Temperature, TemperatureReport, fold};
use coldproof::config::Config;
use coldproof::pages::{
    Batch, CameFrom, Class, ClassPage, DateRange, Document, Journey, JourneyLine, Lang, Level, MadeOf, Measure, Party,
    Product, ScanPage, Step, Temperatures,
};
use coldproof::trace::{State, Verdict};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::{TimeZone, offset};

/// What the example code looks like; it proves nothing.
pub const CODE: &str = "00003G7K2M9QX4TBW8HE";

/// The page of a code on a bag of shrimp, with the verdicts given, gravest first.
pub fn scan(lang: Lang, verdicts: &[Verdict]) -> ScanPage {
    let verdict = verdicts[0];
    let known = !matches!(verdict, Verdict::Forged | Verdict::NotIssued);
    ScanPage {
        lang,
        link_prefix: "https://demo.coldproof.example/01/06901234000016/21/".to_owned(),
        verdict,
        verdicts: verdicts.to_vec(),
        reasons: verdicts.iter().filter_map(|&verdict| reason(lang, verdict)).collect(),
        measures: verdicts.iter().filter_map(|&verdict| measure(lang, verdict)).collect(),
        state: known.then(|| state(verdict)),
        product: known.then(|| shrimp(lang)),
        batch: known.then(|| if verdicts.contains(&Verdict::Expired) { old_batch(lang) } else { shrimp_batch(lang) }),
        temperatures: matches!(verdict, Verdict::ColdChainBroken | Verdict::Genuine)
            .then(|| temperatures(verdict == Verdict::ColdChainBroken)),
        made_of: None,
        documents: if known { documents(lang) } else { Vec::new() },
        journey: if known { journey(lang) } else { Journey::default() },
        retired_key: false,
        data_as_of: None,
    }
}

/// The page of a portion that a shop split off a case of that shrimp.
pub fn portion(lang: Lang) -> ScanPage {
    let mut page = scan(lang, &[Verdict::Genuine]);
    let at = date(2026, 11, 20).at(7, 40, 0, 0);
    page.product = Some(Product {
        net_weight: Some("0.5 kg".to_owned()),
        level: Some(Level::Portion),
        expires: Some(date(2026, 12, 20)),
        ..page.product.unwrap_or_default()
    });
    let came_from = |level, content: Option<&str>, product, batch, report| CameFrom {
        product,
        batch,
        level,
        content: content.map(str::to_owned),
        at,
        report,
    };
    let raw = Product { name_zh: Some("冷冻虾原料".to_owned()), name_en: None, ..Product::default() };
    let lot = Batch { lot: Some("RAW-7".to_owned()), ..Batch::default() };
    page.made_of = Some(MadeOf {
        came_from: vec![
            came_from(Some(Level::Case), Some("20 kg"), shrimp(lang), shrimp_batch(lang), false),
            came_from(None, None, raw, lot, true),
        ],
        further: 3,
    });
    let shop = || Party::Named(pick(lang, "湘江生鲜超市", "Xiangjiang Fresh Supermarket"));
    page.journey.lines.iter_mut().for_each(|line| line.before = true);
    let line = |step| JourneyLine { at, step, place: None, party: shop(), report: false, before: false };
    page.journey.lines.splice(0..0, [line(Step::Split), line(Step::Issued)]);
    page.journey.lines.push(JourneyLine { before: true, ..line(Step::Opened) });
    page
}

/// The page of the batch, the lot or the product of that bag.
pub fn class(lang: Lang, class: Class, verdicts: &[Verdict]) -> ClassPage {
    let batches = match class {
        Class::Product => Vec::new(),
        Class::Lot => vec![shrimp_batch(lang), Batch { entered: Some(date(2026, 7, 2)), ..shrimp_batch(lang) }],
        Class::Batch => vec![shrimp_batch(lang)],
    };
    let whole = class == Class::Batch;
    ClassPage {
        lang,
        class,
        verdicts: verdicts.to_vec(),
        reasons: verdicts.iter().filter_map(|&verdict| reason(lang, verdict)).collect(),
        measures: verdicts.iter().filter_map(|&verdict| measure(lang, verdict)).collect(),
        product: Product { net_weight: None, level: None, ..shrimp(lang) },
        batches,
        batches_further: u64::from(class == Class::Lot) * 3,
        temperatures: whole.then(|| Temperatures { confirmed: false, ..temperatures(false) }),
        made_of: None,
        documents: if whole { documents(lang) } else { Vec::new() },
        journey: if whole { journey(lang) } else { Journey::default() },
    }
}

/// Forty days in a container and a store, at five-minute steps, with a gap; `warm` with two excursions.
fn temperatures(warm: bool) -> Temperatures {
    let mut noise = 7_u32;
    let mut readings = Vec::new();
    for at in (0..11_520_i64).filter(|at| !(6_000..6_300).contains(at)) {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave = ((at % 96) - 48).abs() / 4 + i64::from(noise >> 24) % 40;
        let excursion = match at {
            2_000..2_010 if warm => 900,
            8_700..8_745 if warm => 600 + (at - 8_700) * 12,
            _ => 0,
        };
        let temperature = Temperature::from_hundredths(-2_080 + wave * 5 + excursion).unwrap();
        readings.push(Reading { time_ms: 1_780_963_200_000 + at * 300_000, temperature });
    }
    let report = TemperatureReport::of(Series::new(&readings).unwrap(), None);
    let limits = Limits { min: None, max: Temperature::from_celsius(-18.0) };
    let rule = Config::default_values().unwrap().cold_chain.rule();
    let chain = fold(&[(&report, Interval::ALWAYS)], limits, &rule).unwrap();
    Temperatures { chain, confirmed: true, zone: TimeZone::fixed(offset(8)) }
}

fn pick(lang: Lang, zh: &str, en: &str) -> String {
    match lang {
        Lang::Zh => zh.to_owned(),
        Lang::En => en.to_owned(),
    }
}

fn state(verdict: Verdict) -> State {
    match verdict {
        Verdict::NotActivated | Verdict::Void => State::Reserved,
        Verdict::Destroyed => State::Destroyed,
        _ => State::OnSale,
    }
}

fn reason(lang: Lang, verdict: Verdict) -> Option<String> {
    (verdict == Verdict::Expired)
        .then(|| pick(lang, "保质期至 2026-10-31，已过 22 天。", "Its use-by date was 2026-10-31, 22 days ago."))
}

/// Whoever makes a measure writes in the language of those whom it concerns; the page adds its own words.
fn measure(lang: Lang, verdict: Verdict) -> Option<Measure> {
    match verdict {
        Verdict::Recalled => Some(Measure {
            number: Some(12),
            recall: true,
            since: date(2026, 11, 18).at(9, 30, 0, 0),
            notice: Some(pick(
                lang,
                "抽检检出副溶血性弧菌，整批召回。",
                "Vibrio parahaemolyticus was found in a sample; the whole batch is recalled.",
            )),
            advice: Some(pick(
                lang,
                "请勿食用，退回购买处并领取退款。",
                "Do not eat it. Bring it back to where you bought it for a refund.",
            )),
        }),
        Verdict::OnHold => Some(Measure {
            number: Some(9),
            recall: false,
            since: date(2026, 11, 20).at(16, 5, 0, 0),
            notice: Some(pick(lang, "等待复检结果。", "A second test is awaited.")),
            advice: None,
        }),
        _ => None,
    }
}

fn shrimp(lang: Lang) -> Product {
    Product {
        name_zh: Some("冷冻南美白虾（整虾）".to_owned()),
        name_en: Some("Frozen whole vannamei shrimp".to_owned()),
        picture: Some("/pictures/shrimp.svg".to_owned()),
        net_weight: Some(pick(lang, "400 克", "400 g")),
        level: Some(Level::Item),
        expires: None,
        specification: Some(pick(lang, "40/50 只/千克，20 袋/箱", "40/50 per kg, 20 bags a case")),
        brand: Some("Costa Fría".to_owned()),
        storage_min_celsius: None,
        storage_max_celsius: Some(-18.0),
        gtin: Some("06901234000016".to_owned()),
    }
}

fn shrimp_batch(lang: Lang) -> Batch {
    let days = |first: Date, last: Date| Some(DateRange { first, last });
    Batch {
        lot: Some("EC26-0417/B".to_owned()),
        produced: days(date(2026, 4, 15), date(2026, 4, 17)),
        expires: days(date(2028, 4, 14), date(2028, 4, 16)),
        origin: Some(pick(lang, "厄瓜多尔", "Ecuador")),
        producer: Some("Empacadora Costa Fría del Pacífico S.A.".to_owned()),
        producer_registration: Some("CECU16022306140021".to_owned()),
        importer: Some(pick(lang, "湖南湘寒食品进出口有限公司", "Hunan Xianghan Food Import & Export Co., Ltd.")),
        port: Some(pick(lang, "岳阳城陵矶港", "Chenglingji, Yueyang")),
        entered: Some(date(2026, 6, 9)),
        quantity: Some(pick(lang, "2,600 箱，20,800 千克", "2,600 cases, 20,800 kg")),
    }
}

fn old_batch(lang: Lang) -> Batch {
    let days = |year| Some(DateRange { first: date(year, 10, 29), last: date(year, 10, 31) });
    Batch { produced: days(2024), expires: days(2026), ..shrimp_batch(lang) }
}

fn documents(lang: Lang) -> Vec<Document> {
    let paper = |zh, en, number: &str, issuer: String, issued, rendition: Option<&str>| Document {
        kind: pick(lang, zh, en),
        number_masked: Some(number.to_owned()),
        issuer: Some(issuer),
        issued: Some(issued),
        rendition: rendition.map(str::to_owned),
    };
    let customs = || pick(lang, "中华人民共和国岳阳海关", "Yueyang Customs, P. R. China");
    vec![
        paper("进口货物报关单", "Customs declaration", "4917********0362", customs(), date(2026, 6, 9), None),
        paper(
            "入境货物检验检疫证明",
            "Inspection and quarantine certificate",
            "1260******4417",
            customs(),
            date(2026, 6, 12),
            Some("/documents/2/public"),
        ),
        paper(
            "原产地证书",
            "Certificate of origin",
            "EC-2026-***318",
            pick(lang, "厄瓜多尔生产贸易部", "Ministerio de Producción, Ecuador"),
            date(2026, 4, 29),
            None,
        ),
    ]
}

fn journey(lang: Lang) -> Journey {
    let line = |at: DateTime, step, place: Option<String>, party| JourneyLine {
        at,
        step,
        place,
        party,
        report: false,
        before: false,
    };
    let importer =
        || Party::Named(pick(lang, "湖南湘寒食品进出口有限公司", "Hunan Xianghan Food Import & Export Co., Ltd."));
    let changsha = || Some(pick(lang, "湖南长沙", "Changsha, Hunan"));
    let supermarket = || Party::Named(pick(lang, "湘江生鲜超市", "Xiangjiang Fresh Supermarket"));
    Journey {
        lines: vec![
            line(date(2026, 11, 16).at(8, 30, 0, 0), Step::Offered, changsha(), supermarket()),
            line(date(2026, 11, 15).at(5, 12, 0, 0), Step::Received, changsha(), supermarket()),
            JourneyLine {
                report: true,
                ..line(date(2026, 11, 14).at(22, 40, 0, 0), Step::Shipped, changsha(), Party::Private)
            },
            line(date(2026, 6, 14).at(16, 5, 0, 0), Step::Stored, changsha(), Party::Private),
            line(
                date(2026, 6, 12).at(10, 20, 0, 0),
                Step::Inspected,
                Some(pick(lang, "岳阳城陵矶港", "Chenglingji, Yueyang")),
                Party::Named(pick(lang, "岳阳海关", "Yueyang Customs")),
            ),
            line(date(2026, 6, 9).at(14, 48, 0, 0), Step::Applied, None, importer()),
            line(date(2026, 6, 9).at(11, 2, 0, 0), Step::Issued, None, importer()),
        ],
        further: 2,
    }
}
