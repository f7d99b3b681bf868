//! Who takes part in the demo's world, and where: places are real, enterprises are not.

/// An enterprise.
#[derive(Debug)]
pub struct Party {
    /// The name in the register.
    pub legal_name: &'static str,
    /// The name that the public may see.
    pub public_name: Option<&'static str>,
    /// The administrative division of its credit code.
    pub division: &'static str,
}

const fn party(legal_name: &'static str, public_name: Option<&'static str>, division: &'static str) -> Party {
    Party { legal_name, public_name, division }
}

/// Importers; each has consignments of its own.
pub const IMPORTERS: &[Party] = &[
    party("湖南湘澜国际冷链食品有限公司", Some("湘澜冷链"), "430104"),
    party("长沙霜禾进出口贸易有限公司", None, "430121"),
    party("上海澜泊水产进出口有限公司", Some("澜泊水产"), "310115"),
    party("青岛礁石海产贸易有限公司", None, "370212"),
    party("广州南穗鲜果进口有限公司", Some("南穗鲜果"), "440115"),
    party("天津津牧肉类进出口有限公司", Some("津牧"), "120116"),
    party("大连北屿远洋食品有限公司", None, "210211"),
    party("宁波禾汐乳品贸易有限公司", Some("禾汐乳品"), "330206"),
    party("深圳鹏寰国际食品供应链有限公司", Some("鹏寰食品"), "440308"),
];

/// Carriers with reefers.
pub const CARRIERS: &[Party] = &[
    party("湖南霜途冷链运输有限公司", Some("霜途冷运"), "430121"),
    party("上海冰驿冷藏运输有限公司", Some("冰驿冷运"), "310115"),
    party("广州岭寒冷链物流有限公司", None, "440115"),
    party("青岛沧凌冷藏车队有限公司", Some("沧凌冷运"), "370211"),
];

/// Distributors: a small world has the first four.
pub const DISTRIBUTORS: &[Party] = &[
    party("长沙凛仓冷链物流有限公司", Some("凛仓冷链"), "430112"),
    party("广州南屿生鲜供应链有限公司", Some("南屿生鲜"), "440111"),
    party("衡阳雁城生鲜配送有限公司", Some("雁城生鲜"), "430405"),
    party("岳阳洞庭冷鲜配送有限公司", None, "430602"),
    party("株洲芦淞冰港仓储有限公司", None, "430203"),
    party("常德德山冷链配送有限公司", Some("德山冷配"), "430702"),
    party("郴州北湖冷链交易有限公司", None, "431002"),
    party("武汉江夏鲜达冷链有限公司", Some("鲜达冷链"), "420115"),
    party("南昌赣北冻品批发有限公司", None, "360108"),
    party("上海沪冻食品配送有限公司", Some("沪冻配送"), "310113"),
    party("杭州钱塘冷鲜供应链有限公司", Some("钱塘冷鲜"), "330114"),
    party("南宁邕江冻品有限公司", None, "450107"),
    party("成都锦里冷链配送有限公司", Some("锦里冷配"), "510114"),
    party("深圳鹏港生鲜配送有限公司", Some("鹏港生鲜"), "440307"),
];

/// Where shops are: the city, and its division up to the district.
pub const SHOP_CITIES: &[(&str, &str)] = &[
    ("长沙", "430105"),
    ("广州", "440106"),
    ("株洲", "430211"),
    ("岳阳", "430602"),
    ("衡阳", "430407"),
    ("湘潭", "430302"),
    ("常德", "430702"),
    ("郴州", "431003"),
    ("益阳", "430902"),
    ("娄底", "431302"),
    ("武汉", "420106"),
    ("南昌", "360102"),
    ("上海", "310105"),
    ("杭州", "330106"),
    ("南宁", "450103"),
    ("成都", "510107"),
    ("深圳", "440305"),
];

/// Kinds of shops: the brand, the word for its legal person, and whether the brand is public on the demo's pages.
pub const SHOP_BRANDS: &[(&str, &str, bool)] = &[
    ("家鲜超市", "连锁超市有限公司", true),
    ("邻里鲜生", "商贸有限公司", true),
    ("渔歌海鲜", "水产经营部", false),
    ("百味冻品", "食品商行", false),
    ("惠民生鲜", "农产品超市有限公司", true),
];

/// Names of branches.
pub const SHOP_ROADS: &[&str] =
    &["湘府路", "解放路", "滨江", "人民路", "书院路", "中山路", "体育馆", "高铁站", "大学城"];

/// A port of entry.
#[derive(Debug)]
pub struct Port {
    /// Its name.
    pub name: &'static str,
    /// Where it is: the first four digits of its administrative division.
    pub city: &'static str,
    /// The customs office there: the first four digits of a declaration, with the digits that follow in certificates.
    pub office: &'static str,
    /// Who inspects there.
    pub customs: &'static str,
    /// Whether goods come in by air.
    pub air: bool,
}

/// Ports of entry.
pub const PORTS: &[Port] = &[
    Port { name: "上海洋山港", city: "3101", office: "2248", customs: "洋山海关", air: false },
    Port { name: "深圳盐田港", city: "4403", office: "5316", customs: "大鹏海关", air: false },
    Port { name: "天津新港", city: "1201", office: "0202", customs: "新港海关", air: false },
    Port { name: "青岛前湾港", city: "3702", office: "4258", customs: "黄岛海关", air: false },
    Port { name: "大连大窑湾港", city: "2102", office: "0908", customs: "大窑湾海关", air: false },
    Port { name: "宁波北仑港", city: "3302", office: "3104", customs: "北仑海关", air: false },
    Port { name: "广州南沙港", city: "4401", office: "5165", customs: "南沙海关", air: false },
    Port {
        name: "长沙黄花国际机场", city: "4301", office: "4902", customs: "长沙黄花机场海关", air: true
    },
    Port {
        name: "上海浦东国际机场", city: "3101", office: "2233", customs: "上海浦东国际机场海关", air: true
    },
];

/// A central supervision warehouse (集中监管仓): imported cold-chain food is tested and disinfected here before it goes on.
#[derive(Debug)]
pub struct Warehouse {
    /// Its name.
    pub name: &'static str,
    /// Who runs it.
    pub party: Party,
    /// The warehouse that goods reach first from it.
    pub first: &'static str,
}

const fn warehouse(name: &'static str, party: Party, first: &'static str) -> Warehouse {
    Warehouse { name, party, first }
}

/// Central supervision warehouses.
pub const WAREHOUSES: &[Warehouse] = &[
    warehouse(
        "长沙市进口冷链食品集中监管仓(黄花)",
        party("长沙黄花集中监管仓运营有限公司", Some("长沙市进口冷链食品集中监管仓(黄花)"), "430121"),
        "长沙凛仓冷链物流有限公司黄花一号库",
    ),
    warehouse(
        "株洲市进口冷链食品集中监管仓(芦淞)",
        party("株洲芦淞集中监管仓运营有限公司", Some("株洲市进口冷链食品集中监管仓(芦淞)"), "430203"),
        "株洲芦淞冰港仓储有限公司",
    ),
    warehouse(
        "衡阳市进口冷链食品集中监管仓(白沙洲)",
        party("衡阳白沙洲集中监管仓运营有限公司", Some("衡阳市进口冷链食品集中监管仓(白沙洲)"), "430405"),
        "衡阳雁城生鲜配送有限公司白沙洲库",
    ),
    warehouse(
        "岳阳市进口冷链食品集中监管仓(城陵矶)",
        party("岳阳城陵矶集中监管仓运营有限公司", Some("岳阳市进口冷链食品集中监管仓(城陵矶)"), "430602"),
        "岳阳洞庭冷鲜配送有限公司中心库",
    ),
    warehouse(
        "常德市进口冷链食品集中监管仓(德山)",
        party("常德德山集中监管仓运营有限公司", Some("常德市进口冷链食品集中监管仓(德山)"), "430702"),
        "常德德山冷链配送有限公司",
    ),
    warehouse(
        "湘潭市进口冷链食品集中监管仓(九华)",
        party("湘潭九华集中监管仓运营有限公司", Some("湘潭市进口冷链食品集中监管仓(九华)"), "430302"),
        "湘潭九华冷库",
    ),
    warehouse(
        "郴州市进口冷链食品集中监管仓(北湖)",
        party("郴州北湖集中监管仓运营有限公司", Some("郴州市进口冷链食品集中监管仓(北湖)"), "431002"),
        "郴州北湖冷链交易有限公司",
    ),
];

/// Owners of containers: three letters that begin with the demo's own.
pub const CONTAINER_OWNERS: &[&str] = &["CPD", "CPF", "CPR"];

/// Where vehicles are registered: province and city of a plate.
pub const PLATES: &[&str] = &["湘A", "湘B", "湘D", "湘F", "沪A", "粤B", "鲁B", "津C"];
