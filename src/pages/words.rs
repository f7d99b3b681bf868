//! The labels of the pages, Chinese and English side by side.

use jiff::civil::DateTime;

use super::{Class, Failure, Lang, Level, Product, Step};
use crate::trace::State;

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// Every label in one language.
        pub(super) struct Words {
            lang: Lang,
            $(pub(super) $name: &'static str,)*
        }

        static ZH: Words = Words { lang: Lang::Zh, $($name: $zh,)* };
        static EN: Words = Words { lang: Lang::En, $($name: $en,)* };
    };
}

words! {
    tagline: "冷链食品追溯", "cold-chain food, traced";
    switch_label: "语言", "Language";
    also: "另外", "Also";
    what_to_do: "怎么办", "What to do";
    why: "说明", "Details";
    code: "追溯码", "Code";
    measure_recall: "召回措施", "Recall";
    measure_hold: "暂停销售措施", "Hold";
    measure_number: "编号", "No.";
    measure_since: "生效时间", "In force since";
    measure_notice: "公告", "Notice";
    state: "当前状态", "State";
    product: "商品", "Product";
    picture_of: "商品图片", "Picture of the product";
    net_weight: "净含量", "Net weight";
    level: "包装", "Package";
    specification: "规格", "Specification";
    brand: "品牌", "Brand";
    storage: "贮存条件", "Keep";
    gtin: "商品条码", "GTIN";
    batch: "产地与批次", "Origin and batch";
    origin: "原产国（地区）", "Origin";
    lot: "批号", "Lot";
    produced: "生产日期", "Produced";
    expires: "保质期至", "Use by";
    producer: "境外生产企业", "Producer";
    registration: "在华注册编号", "Registered in China as";
    importer: "进口商", "Importer";
    port: "进境口岸", "Port of entry";
    entered: "进境日期", "Entered";
    came_from: "来源商品", "Comes from";
    used_at: "拆包或投料", "Opened or used";
    portion_expires: "此分装品保质期至", "Use this portion by";
    sources_further: "项来源未列出", "sources are not shown";
    before: "分装、加工前", "before the split or processing";
    quantity: "本批数量", "Quantity of the batch";
    temperatures: "温度记录", "Temperatures";
    warmest: "最高", "Warmest";
    coldest: "最低", "Coldest";
    mean: "平均", "Mean";
    recorded: "记录时段", "Recorded";
    outside: "超出范围", "Outside the limits";
    gaps: "记录中断", "Gaps in the record";
    excursions: "超温时段", "When it was outside";
    unconfirmed_hint: "这些温度由无权确认的一方报告，不影响查询结果。", "Reported by somebody who may not confirm it; it does not change the verdict.";
    documents: "单证", "Documents";
    view: "查看", "View";
    journey: "流转过程", "Journey";
    private_party: "某经营者（未公开名称）", "a business (not public)";
    report: "未经确认", "not confirmed";
    further: "条更早的记录未列出", "earlier lines are not shown";
    scans: "扫码记录", "Scans";
    scans_hint: "若包装未开封而扫码次数很多，标签可能被复制。", "A sealed package whose code was scanned many times may carry a copied label.";
    retired_key: "此码由已停用的旧密钥签发，仍可核验。", "This code was issued under a key that has since been retired; it still verifies.";
    data_as_of: "数据截至", "Data as of";
    another: "查询另一个追溯码", "Check another code";
    hotline: "发现问题请保留包装并拨打 12315。", "Something wrong? Keep the package and call 12315 (China).";
    batch_lead: "此页介绍整批商品，不能证明您手中的商品为真。请扫描商品上的追溯码。", "This page is about the whole batch and proves nothing about the package in your hand. Scan the code on it.";
    lot_lead: "此页介绍该批号的商品，不能证明您手中的商品为真。请扫描商品上的追溯码。", "This page is about the whole lot and proves nothing about the package in your hand. Scan the code on it.";
    product_lead: "此页介绍该商品，不能证明您手中的商品为真。请扫描商品上的追溯码。", "This page is about the product and proves nothing about the package in your hand. Scan the code on it.";
    batches_further: "个批次未列出", "batches are not shown";
    start_title: "查一查手中的冷链食品", "Check the food in your hand";
    start_lead: "用手机扫描包装上的二维码，或在此输入 20 位追溯码。", "Point your camera at the QR code on the package, or type its 20 characters here.";
    start_field: "追溯码", "Code on the label";
    start_hint: "五组、每组四个字符；不分大小写，空格与连字符可省略。", "Five groups of four. Case, spaces and hyphens do not matter.";
    start_button: "查询", "Check";
    start_see_1: "是不是正品", "Is it genuine?";
    start_see_1_text: "每个追溯码都带有无法伪造的校验。", "Every code carries a proof that cannot be forged.";
    start_see_2: "能不能放心吃", "Is it safe?";
    start_see_2_text: "召回、暂停销售与过期一目了然。", "A recall, a hold or an expiry date is shown at once.";
    start_see_3: "从哪里来", "Where is it from?";
    start_see_3_text: "产地、进口商、检疫单证与流转过程。", "Origin, importer, quarantine papers and journey.";
    api_docs: "接口文档", "API";
    api_title: "接口文档", "API reference";
    api_raw: "OpenAPI 原文", "OpenAPI document";
    api_parameters: "参数", "Parameters";
    api_body: "请求体", "Request body";
    api_responses: "响应", "Responses";
    api_schemas: "数据结构", "Schemas";
    api_required: "必填", "required";
    request_id: "请求编号", "Request";
    retry_after: "请在以下秒数后重试：", "Seconds until you can try again:";
}

impl Words {
    /// The labels of a language.
    pub(super) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::Zh => &ZH,
            Lang::En => &EN,
        }
    }
    /// Chooses by language.
    const fn pick(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// A state, as a consumer would say it.
    pub(super) fn state(&self, state: &State) -> &'static str {
        match state {
            State::Reserved => self.pick("已签发，未贴标", "issued, not yet applied"),
            State::Active => self.pick("已贴标", "label applied"),
            State::InTransit => self.pick("运输中", "in transit"),
            State::Stored => self.pick("在库", "in storage"),
            State::OnSale => self.pick("在售", "on sale"),
            State::Sold => self.pick("已售出", "sold"),
            State::Returned => self.pick("已退回", "returned"),
            State::Opened => self.pick("已拆箱", "opened"),
            State::Destroyed => self.pick("已销毁", "destroyed"),
            State::Void => self.pick("已作废", "void"),
        }
    }

    /// A packaging level.
    pub(super) fn level(&self, level: &Level) -> &'static str {
        match level {
            Level::Item => self.pick("零售单件", "Retail item"),
            Level::Case => self.pick("整箱", "Case"),
            Level::Display => self.pick("陈列盒", "Display tray"),
            Level::Portion => self.pick("拆零分装", "Portion of an opened package"),
        }
    }

    /// A step of the journey.
    pub(super) fn step<'a>(&self, step: &'a Step) -> &'a str {
        match step {
            Step::Registered => self.pick("批次登记", "Batch registered"),
            Step::Issued => self.pick("签发追溯码", "Codes issued"),
            Step::Applied => self.pick("贴标启用", "Label applied"),
            Step::Voided => self.pick("标签作废", "Label declared void"),
            Step::PackedForExport => self.pick("境外装箱", "Packed for export"),
            Step::Departed => self.pick("启运", "Departed"),
            Step::Arrived => self.pick("到港", "Arrived"),
            Step::Inspected => self.pick("检验", "Inspected"),
            Step::Passed => self.pick("检验检疫合格", "Inspected and found in order"),
            Step::Failed => self.pick("检验不合格", "Inspected, failed"),
            Step::Released => self.pick("解除监管，准予销售", "Released for sale"),
            Step::Packed => self.pick("装入大包装", "Packed"),
            Step::Unpacked => self.pick("拆出大包装", "Unpacked"),
            Step::Loaded => self.pick("装车装箱", "Loaded"),
            Step::Unloaded => self.pick("卸车卸箱", "Unloaded"),
            Step::Split => self.pick("分装", "Split into smaller packages"),
            Step::Opened => self.pick("拆包", "Package opened"),
            Step::Shipped => self.pick("发货", "Shipped"),
            Step::Received => self.pick("收货", "Received"),
            Step::Stored => self.pick("入库", "Stored"),
            Step::Offered => self.pick("上架销售", "Offered for sale"),
            Step::Sold => self.pick("售出", "Sold"),
            Step::Returned => self.pick("退回", "Returned"),
            Step::Destroyed => self.pick("销毁", "Destroyed"),
            Step::Held => self.pick("暂停销售", "Put on hold"),
            Step::Recalled => self.pick("召回", "Recalled"),
            Step::Lifted => self.pick("解除措施", "Measure lifted"),
            Step::Temperature => self.pick("温度记录", "Temperature recorded"),
            Step::DeclaredInError => self.pick("更正：先前的记录有误", "Correction: an earlier report was wrong"),
            Step::Other(name) => name,
        }
    }

    /// Title and sentence of a page that gives no answer.
    pub(super) fn failure(&self, failure: &Failure) -> (&'static str, &'static str) {
        match failure {
            Failure::BadLink(_) => (
                self.pick("链接有误", "Unreadable link"),
                self.pick("此链接不符合 GS1 Digital Link 的写法，无法查询。请重新扫描，或手工输入追溯码。",
                    "This link does not follow GS1 Digital Link. Scan again, or type the code by hand.",
                ),
            ),
            Failure::NotFound => (
                self.pick("没有找到", "Not found"),
                self.pick("本系统没有此链接所指的商品或页面。请核对链接，或输入 20 位追溯码。",
                    "Nothing known here goes by this link. Check it, or type the 20 characters of the code.",
                ),
            ),
            Failure::TooMany { .. } => (
                self.pick("查询过于频繁", "Too many requests"),
                self.pick("您所在网络的查询次数过多，请稍后再试。这不说明商品有问题。",
                    "Too many checks came from your network. Try again shortly. This says nothing about the goods.",
                ),
            ),
            Failure::Unavailable => (
                self.pick("暂时无法确认安全", "Safety not confirmed"),
                self.pick("系统暂时无法读取最新数据，不能确认此商品是否被召回。请稍后重新扫描，确认之前请勿食用。",
                    "The service cannot read the latest data and cannot rule out a recall. Scan again later; until then, do not eat the product.",
                ),
            ),
        }
    }

    /// What a page about goods without a code says of itself.
    pub(super) fn lead(&self, class: &Class) -> &'static str {
        match class {
            Class::Product => self.product_lead,
            Class::Lot => self.lot_lead,
            Class::Batch => self.batch_lead,
        }
    }

    /// The storage limits; `None` where there are none.
    pub(super) fn storage(&self, product: &Product) -> Option<String> {
        let celsius = |value: f64| format!("{value}\u{a0}°C").replace('-', "\u{2212}");
        match (product.storage_min_celsius.map(celsius), product.storage_max_celsius.map(celsius), self.lang) {
            (None, None, _) => None,
            (None, Some(max), Lang::Zh) => Some(format!("{max} 及以下")),
            (None, Some(max), Lang::En) => Some(format!("at or below {max}")),
            (Some(min), None, Lang::Zh) => Some(format!("{min} 及以上")),
            (Some(min), None, Lang::En) => Some(format!("at or above {min}")),
            (Some(min), Some(max), Lang::Zh) => Some(format!("{min} 至 {max}")),
            (Some(min), Some(max), Lang::En) => Some(format!("{min} to {max}")),
        }
    }

    /// The product's name in the page's language, else in the other.
    pub(super) fn name<'a>(&self, product: &'a Product) -> Option<&'a str> {
        let (first, second) = self.names(product);
        first.or(second)
    }

    /// The product's other name, where it has both.
    pub(super) fn other_name<'a>(&self, product: &'a Product) -> Option<&'a str> {
        let (first, second) = self.names(product);
        first.and(second)
    }

    fn names<'a>(&self, product: &'a Product) -> (Option<&'a str>, Option<&'a str>) {
        let (zh, en) = (product.name_zh.as_deref(), product.name_en.as_deref());
        match self.lang {
            Lang::Zh => (zh, en),
            Lang::En => (en, zh),
        }
    }
}

/// A time to the minute: `2026-05-01 14:03`.
pub(super) fn minute(at: &DateTime) -> String {
    format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// A path on this host, or nothing: neither another scheme nor another host gets into a link.
pub(super) fn local(path: &Option<String>) -> Option<&str> {
    path.as_deref().filter(|path| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'))
}
