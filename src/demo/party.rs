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
];

/// Warehouses, distributors and shops.
pub const OPERATORS: &[Party] = &[
    party("长沙凛仓冷链物流有限公司", Some("凛仓冷链"), "430112"),
    party("株洲芦淞冰港仓储有限公司", None, "430203"),
    party("衡阳雁城生鲜配送有限公司", Some("雁城生鲜"), "430405"),
    party("岳阳洞庭家鲜超市连锁有限公司", Some("家鲜超市"), "430602"),
];

/// A port of entry.
#[derive(Debug)]
pub struct Port {
    /// Its name.
    pub name: &'static str,
    /// The customs office there: the first four digits of a declaration, with the digits that follow in certificates.
    pub office: &'static str,
    /// Who inspects there.
    pub customs: &'static str,
    /// Whether goods come in by air.
    pub air: bool,
}

/// Ports of entry.
pub const PORTS: &[Port] = &[
    Port { name: "上海洋山港", office: "2248", customs: "洋山海关", air: false },
    Port { name: "深圳盐田港", office: "5316", customs: "大鹏海关", air: false },
    Port { name: "天津新港", office: "0202", customs: "新港海关", air: false },
    Port { name: "青岛前湾港", office: "4258", customs: "黄岛海关", air: false },
    Port { name: "大连大窑湾港", office: "0908", customs: "大窑湾海关", air: false },
    Port { name: "宁波北仑港", office: "3104", customs: "北仑海关", air: false },
    Port { name: "广州南沙港", office: "5165", customs: "南沙海关", air: false },
    Port { name: "长沙黄花国际机场", office: "4902", customs: "长沙黄花机场海关", air: true },
    Port { name: "上海浦东国际机场", office: "2233", customs: "上海浦东国际机场海关", air: true },
];

/// Central supervision warehouses (集中监管仓), each with the warehouse that goods reach first from it.
pub const WAREHOUSES: &[(&str, &str)] = &[
    ("长沙市进口冷链食品集中监管仓(黄花)", "长沙凛仓冷链物流有限公司黄花一号库"),
    ("株洲市进口冷链食品集中监管仓(芦淞)", "株洲芦淞冰港仓储有限公司"),
    ("衡阳市进口冷链食品集中监管仓(白沙洲)", "衡阳雁城生鲜配送有限公司白沙洲库"),
    ("岳阳市进口冷链食品集中监管仓(城陵矶)", "岳阳洞庭家鲜超市连锁有限公司中心库"),
    ("常德市进口冷链食品集中监管仓(德山)", "常德德山冷链配送中心"),
    ("湘潭市进口冷链食品集中监管仓(九华)", "湘潭九华冷库"),
    ("郴州市进口冷链食品集中监管仓(北湖)", "郴州北湖冷链交易中心"),
];

/// Owners of containers: three letters that begin with the demo's own.
pub const CONTAINER_OWNERS: &[&str] = &["CPD", "CPF", "CPR"];

/// Where vehicles are registered: province and city of a plate.
pub const PLATES: &[&str] = &["湘A", "湘B", "湘D", "湘F", "沪A", "粤B", "鲁B", "津C"];
