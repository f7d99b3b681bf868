//! Where an enterprise is registered, as far as its credit code says so: the administrative division of GB/T 2260 in its
//! third to eighth digit (GB 32100-2015, clause 4).

use super::Uscc;

/// A city or a province, by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct City {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

/// The city in which an enterprise is registered; where the table lacks it, the province. `None` where it is in neither, as for
/// enterprises registered with the central authority.
pub fn city_of(uscc: &Uscc) -> Option<&'static City> {
    let division = uscc.as_str().get(2..8)?;
    let find = |digits: usize| {
        let code = division.get(..digits)?;
        let at = CITIES.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
        CITIES.get(at).map(|(_, city)| city)
    };
    find(4).or_else(|| find(2))
}

const fn city(code: &'static str, zh: &'static str, en: &'static str) -> (&'static str, City) {
    (code, City { zh, en })
}

/// Provinces by two digits, and by four digits the cities whose names people expect: capitals of provinces, ports, and
/// the cities of Hunan. In ascending order.
const CITIES: &[(&str, City)] = &[
    city("11", "北京", "Beijing"),
    city("12", "天津", "Tianjin"),
    city("13", "河北", "Hebei"),
    city("1301", "石家庄", "Shijiazhuang"),
    city("14", "山西", "Shanxi"),
    city("1401", "太原", "Taiyuan"),
    city("15", "内蒙古", "Inner Mongolia"),
    city("1501", "呼和浩特", "Hohhot"),
    city("21", "辽宁", "Liaoning"),
    city("2101", "沈阳", "Shenyang"),
    city("2102", "大连", "Dalian"),
    city("22", "吉林", "Jilin"),
    city("2201", "长春", "Changchun"),
    city("23", "黑龙江", "Heilongjiang"),
    city("2301", "哈尔滨", "Harbin"),
    city("31", "上海", "Shanghai"),
    city("32", "江苏", "Jiangsu"),
    city("3201", "南京", "Nanjing"),
    city("3202", "无锡", "Wuxi"),
    city("3205", "苏州", "Suzhou"),
    city("33", "浙江", "Zhejiang"),
    city("3301", "杭州", "Hangzhou"),
    city("3302", "宁波", "Ningbo"),
    city("34", "安徽", "Anhui"),
    city("3401", "合肥", "Hefei"),
    city("35", "福建", "Fujian"),
    city("3501", "福州", "Fuzhou"),
    city("3502", "厦门", "Xiamen"),
    city("36", "江西", "Jiangxi"),
    city("3601", "南昌", "Nanchang"),
    city("37", "山东", "Shandong"),
    city("3701", "济南", "Jinan"),
    city("3702", "青岛", "Qingdao"),
    city("3706", "烟台", "Yantai"),
    city("41", "河南", "Henan"),
    city("4101", "郑州", "Zhengzhou"),
    city("42", "湖北", "Hubei"),
    city("4201", "武汉", "Wuhan"),
    city("43", "湖南", "Hunan"),
    city("4301", "长沙", "Changsha"),
    city("4302", "株洲", "Zhuzhou"),
    city("4303", "湘潭", "Xiangtan"),
    city("4304", "衡阳", "Hengyang"),
    city("4305", "邵阳", "Shaoyang"),
    city("4306", "岳阳", "Yueyang"),
    city("4307", "常德", "Changde"),
    city("4308", "张家界", "Zhangjiajie"),
    city("4309", "益阳", "Yiyang"),
    city("4310", "郴州", "Chenzhou"),
    city("4311", "永州", "Yongzhou"),
    city("4312", "怀化", "Huaihua"),
    city("4313", "娄底", "Loudi"),
    city("4331", "湘西", "Xiangxi"),
    city("44", "广东", "Guangdong"),
    city("4401", "广州", "Guangzhou"),
    city("4403", "深圳", "Shenzhen"),
    city("4404", "珠海", "Zhuhai"),
    city("45", "广西", "Guangxi"),
    city("4501", "南宁", "Nanning"),
    city("46", "海南", "Hainan"),
    city("4601", "海口", "Haikou"),
    city("50", "重庆", "Chongqing"),
    city("51", "四川", "Sichuan"),
    city("5101", "成都", "Chengdu"),
    city("52", "贵州", "Guizhou"),
    city("5201", "贵阳", "Guiyang"),
    city("53", "云南", "Yunnan"),
    city("5301", "昆明", "Kunming"),
    city("54", "西藏", "Xizang"),
    city("61", "陕西", "Shaanxi"),
    city("6101", "西安", "Xi'an"),
    city("62", "甘肃", "Gansu"),
    city("6201", "兰州", "Lanzhou"),
    city("63", "青海", "Qinghai"),
    city("64", "宁夏", "Ningxia"),
    city("65", "新疆", "Xinjiang"),
    city("6501", "乌鲁木齐", "Urumqi"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_city_is_in_a_province_of_it() {
        assert!(CITIES.is_sorted_by(|a, b| a.0 < b.0));
        for (code, _) in CITIES {
            assert!(CITIES.iter().any(|(province, _)| *province == &code[..2]), "{code}");
        }
    }

    #[test]
    fn an_enterprise_is_in_its_city_or_else_in_its_province() {
        let found = |text: &str| city_of(&Uscc::parse(text).unwrap()).map(|city| city.zh);
        assert_eq!(found("914403001922038216"), Some("深圳"));
        assert_eq!(found("91110000600037341L"), Some("北京"));
    }
}
