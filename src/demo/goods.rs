//! Kinds of goods: what is really shipped, by makers and brands that do not exist.

use super::picture::Motif;
use crate::registration::Category;

/// A kind of goods of one maker.
#[derive(Debug)]
pub struct Kind {
    /// Origin, alpha-2.
    pub origin: &'static str,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// Name in English, with the species where it is one.
    pub name_en: &'static str,
    /// What kind of food.
    pub category: Category,
    /// Ten digits of the Chinese tariff.
    pub hs_code: &'static str,
    /// The specification.
    pub specification: &'static str,
    /// Net weight of what bears a code, in grams.
    pub net_grams: u64,
    /// Of those in one carton; 0 where the carton itself bears the code and there is no GTIN.
    pub per_case: u32,
    /// Lowest and highest storage temperature.
    pub storage_celsius: (Option<i8>, i8),
    /// From production to expiry, in days.
    pub shelf_days: u32,
    /// From the end of production to entry, least and most, in days.
    pub transit_days: (u32, u32),
    /// The brand.
    pub brand: &'static str,
    /// The maker.
    pub producer: &'static str,
    /// Its registration with the Chinese customs.
    pub registration: &'static str,
    /// What its picture shows, and the colour behind it.
    pub picture: (Motif, [u8; 3]),
}

const FROZEN: (Option<i8>, i8) = (None, -18);
const SEA: (u32, u32) = (24, 48);
const AIR: (u32, u32) = (1, 3);

macro_rules! kinds {
    ($($origin:literal $category:ident $hs:literal $zh:literal, $en:literal, $spec:literal, $grams:literal x $per_case:literal,
       $storage:expr, $shelf:literal days, $transit:expr, $brand:literal, $producer:literal $registration:literal,
       $motif:ident $colour:expr;)*) => {
        /// All kinds, those of one origin together.
        pub const KINDS: &[Kind] = &[$(Kind {
            origin: $origin,
            name_zh: $zh,
            name_en: $en,
            category: Category::$category,
            hs_code: $hs,
            specification: $spec,
            net_grams: $grams,
            per_case: $per_case,
            storage_celsius: $storage,
            shelf_days: $shelf,
            transit_days: $transit,
            brand: $brand,
            producer: $producer,
            registration: $registration,
            picture: (Motif::$motif, $colour),
        }),*];
    };
}

kinds! {
    "EC" Seafood "0306172900" "厄瓜多尔冷冻南美白虾(带头带壳)", "Frozen vannamei shrimp, head on, shell on (Penaeus vannamei)",
        "30/40 只/kg", 400 x 24, FROZEN, 730 days, SEA, "Costa Verde", "Camaronera Costa Verde S.A." "CECU16011907230041",
        Shrimp [38, 128, 150];
    "EC" Seafood "0306172900" "厄瓜多尔冷冻南美白虾仁", "Frozen peeled vannamei shrimp (Penaeus vannamei)",
        "41/50 只/磅, 去肠线", 500 x 20, FROZEN, 730 days, SEA, "Isla Clara", "Empacadora Isla Clara S.A." "CECU16012103150017",
        Shrimp [64, 110, 168];
    "EC" Seafood "0303490000" "厄瓜多尔冷冻黄鳍金枪鱼段", "Frozen yellowfin tuna loins (Thunnus albacares)",
        "300-500 g/段, 去皮", 450 x 20, FROZEN, 720 days, SEA, "Costa Verde", "Pesquera Punta Brisa S.A." "CECU16012005190026",
        Fish [44, 92, 140];
    "NO" Seafood "0302141000" "挪威冰鲜大西洋鲑(三文鱼)", "Chilled Atlantic salmon, head on, gutted (Salmo salar)",
        "5-6 kg/条, 去内脏", 5500 x 4, (Some(0), 4), 21 days, AIR, "Fjordlys", "Fjordlys Laks AS" "CNOR16021809110008",
        Fish [228, 128, 96];
    "NO" Seafood "0302510000" "挪威冰鲜鳕鱼背肉", "Chilled cod loins, skinless (Gadus morhua)",
        "400-700 g/块, 去皮去骨", 600 x 8, (Some(0), 2), 14 days, AIR, "Fjordlys", "Fjordlys Hvitfisk AS" "CNOR16022003250005",
        Fish [92, 140, 160];
    "NO" Seafood "0303630000" "挪威冷冻大西洋鳕鱼", "Frozen Atlantic cod, headed and gutted (Gadus morhua)",
        "1-2 kg/条, 单冻", 1500 x 12, FROZEN, 730 days, SEA, "Nordhav", "Nordhav Fiskeri AS" "CNOR16021612050033",
        Fish [70, 118, 158];
    "NO" Seafood "0303541000" "挪威冷冻大西洋鲭鱼", "Frozen Atlantic mackerel (Scomber scombrus)",
        "400-600 g/条", 500 x 40, FROZEN, 540 days, SEA, "Nordhav", "Nordhav Fiskeri AS" "CNOR16021612050033",
        Fish [52, 100, 122];
    "NO" Seafood "0306149011" "挪威熟冻帝王蟹腿", "Cooked frozen red king crab legs (Paralithodes camtschaticus)",
        "L5, 400-500 g/簇", 450 x 22, FROZEN, 730 days, SEA, "Polarkrone", "Polarkrone Kongekrabbe AS" "CNOR16022004270012",
        Crab [196, 82, 66];
    "NZ" Meat "0204420000" "新西兰冷冻羊排(带骨)", "Frozen lamb rack, bone in (Ovis aries)",
        "8 肋, 法式", 800 x 12, FROZEN, 730 days, SEA, "Tussock Ridge", "Tussock Ridge Meats Ltd" "CNZL07011703090021",
        Meat [176, 92, 88];
    "NZ" Dairy "0405100000" "新西兰无盐黄油", "Unsalted butter",
        "乳脂 82%", 454 x 20, (None, -15), 720 days, SEA, "Pukeko Farms", "Pukeko Farms Dairy Ltd" "CNZL05011511020007",
        Butter [240, 206, 112];
    "NZ" Dairy "0401500000" "新西兰稀奶油", "Whipping cream, UHT",
        "脂肪 35.5%", 1020 x 12, (Some(2), 8), 270 days, SEA, "Pukeko Farms", "Pukeko Farms Dairy Ltd" "CNZL05011511020007",
        Carton [150, 190, 222];
    "NZ" Meat "0202200090" "新西兰冷冻带骨牛四分体(后)", "Frozen beef hindquarter, bone in (Bos taurus)",
        "草饲, 布袋包装", 55000 x 0, FROZEN, 730 days, SEA, "Tussock Ridge", "Tussock Ridge Meats Ltd" "CNZL07011703090021",
        Meat [158, 62, 60];
    "NZ" IceCream "2105000000" "新西兰香草冰淇淋", "Vanilla ice cream",
        "乳脂 14%, 桶装", 475 x 8, (None, -22), 730 days, SEA, "Kōwhai Bay", "Kowhai Bay Ice Cream Ltd" "CNZL27012208300003",
        IceCream [232, 190, 200];
    "NZ" Dairy "0406900000" "新西兰切达干酪", "Cheddar cheese",
        "块状, 熟成 9 个月", 250 x 24, (Some(2), 6), 365 days, SEA, "Harakeke", "Harakeke Cheese Company Ltd" "CNZL05011906180015",
        Cheese [236, 176, 76];
    "CL" Fruit "0809290000" "智利鲜车厘子", "Fresh cherries (Prunus avium), Santina",
        "JJ 28-30 mm, 箱装", 2500 x 2, (Some(-1), 2), 60 days, (20, 24), "Valle Alto", "Frutícola Valle Alto SpA" "CCHL13082109060052",
        Cherry [150, 36, 62];
    "CL" Seafood "0304810000" "智利冷冻三文鱼柳", "Frozen Atlantic salmon fillets (Salmo salar)",
        "D 级去骨, 1-2 kg/片", 1400 x 10, FROZEN, 730 days, SEA, "Austral Sur", "Salmones Austral Sur SpA" "CCHL16021705120019",
        Fish [232, 140, 110];
    "CL" Meat "0203290010" "智利冷冻猪梅花肉", "Frozen pork collar, boneless (Sus scrofa domesticus)",
        "2-2.5 kg/块, 去骨", 2200 x 9, FROZEN, 720 days, SEA, "Maitén", "Faenadora El Maitén SpA" "CCHL07011408210010",
        Meat [206, 124, 120];
    "CL" Fruit "0811909090" "智利冷冻蓝莓", "Frozen blueberries (Vaccinium corymbosum)",
        "单冻 IQF, 12 mm+", 1000 x 10, FROZEN, 730 days, SEA, "Valle Alto", "Frutícola Valle Alto SpA" "CCHL13082109060052",
        Cherry [72, 84, 150];
    "AR" Seafood "0306172900" "阿根廷红虾(船冻)", "Argentine red shrimp, frozen at sea (Pleoticus muelleri)",
        "L1, 10-20 只/kg", 2000 x 6, FROZEN, 730 days, SEA, "Mar Bravo", "Pesquera Mar Bravo S.A." "CARG16022003040028",
        Shrimp [188, 72, 58];
    "AR" Meat "0202300090" "阿根廷冷冻去骨牛腱", "Frozen beef shin, boneless (Bos taurus)",
        "1.8 kg 以上/块", 20000 x 0, FROZEN, 730 days, SEA, "Estancia Lobos", "Frigorífico Estancia Lobos S.A." "CARG07011510090013",
        Meat [150, 60, 62];
    "AR" Seafood "0307432000" "阿根廷冷冻鱿鱼", "Frozen shortfin squid (Illex argentinus)",
        "S 200-300 g/条, 船冻", 10000 x 0, FROZEN, 730 days, SEA, "Mar Bravo", "Pesquera Mar Bravo S.A." "CARG16022003040028",
        Squid [128, 108, 156];
    "BR" Meat "0202200090" "巴西冷冻带骨牛四分体(前)", "Frozen beef forequarter, bone in (Bos indicus)",
        "四分体, 布袋包装", 60000 x 0, FROZEN, 730 days, SEA, "Campo Belo", "Frigorífico Campo Belo S.A." "CBRA07011702130044",
        Meat [160, 56, 58];
    "BR" Meat "0202300090" "巴西冷冻牛霖", "Frozen beef knuckle, boneless (Bos indicus)",
        "4-5 kg/块", 25000 x 0, FROZEN, 730 days, SEA, "Campo Belo", "Frigorífico Campo Belo S.A." "CBRA07011702130044",
        Meat [172, 72, 70];
    "BR" Poultry "0207142100" "巴西冷冻鸡翅中", "Frozen chicken mid-joint wings (Gallus gallus domesticus)",
        "40-50 g/个", 1000 x 12, FROZEN, 540 days, SEA, "Serra Azul", "Avícola Serra Azul Ltda." "CBRA07021809250031",
        Drumstick [226, 178, 104];
    "AU" Meat "0202300090" "澳大利亚冷冻谷饲牛腩", "Frozen beef brisket, grain fed (Bos taurus)",
        "M2, 4-6 kg/块", 22000 x 0, FROZEN, 730 days, SEA, "Coolibah", "Coolibah Pastoral Pty Ltd" "CAUS07011604110036",
        Meat [140, 52, 56];
    "AU" Meat "0201300090" "澳大利亚冰鲜西冷牛排", "Chilled striploin steak, vacuum packed (Bos taurus)",
        "M5, 2 cm 切片", 300 x 20, (Some(-1), 2), 120 days, (4, 9), "Coolibah", "Coolibah Pastoral Pty Ltd" "CAUS07011604110036",
        Meat [178, 58, 64];
    "AU" Dairy "0401200000" "澳大利亚全脂纯牛奶", "Full cream milk, UHT",
        "脂肪 3.6%", 1030 x 12, (Some(2), 25), 270 days, SEA, "Mulga Creek", "Mulga Creek Dairies Pty Ltd" "CAUS05011910220009",
        Carton [120, 178, 214];
    "ES" Meat "0203290010" "西班牙冷冻猪五花", "Frozen pork belly, boneless, rindless (Sus scrofa domesticus)",
        "3.5-4.5 kg/块", 4000 x 5, FROZEN, 720 days, SEA, "Encina Real", "Cárnicas Encina Real S.L." "CESP07011312160022",
        Meat [214, 136, 130];
    "ES" Meat "0203220000" "西班牙冷冻带骨猪前腿", "Frozen pork shoulder, bone in (Sus scrofa domesticus)",
        "4-6 kg/只", 20000 x 0, FROZEN, 720 days, SEA, "Encina Real", "Cárnicas Encina Real S.L." "CESP07011312160022",
        Meat [204, 118, 112];
    "RU" Seafood "0303670000" "俄罗斯冷冻狭鳕鱼", "Frozen Alaska pollock, headed and gutted (Gadus chalcogrammus)",
        "25 cm+, 块冻", 22000 x 0, FROZEN, 720 days, (12, 24), "Vostok Bay", "Vostok Bay Fishing JSC" "CRUS16021503080047",
        Fish [88, 124, 150];
    "RU" Seafood "0303630000" "俄罗斯冷冻太平洋鳕鱼", "Frozen Pacific cod, headed and gutted (Gadus macrocephalus)",
        "M 1.5-2.5 kg/条", 2000 x 10, FROZEN, 720 days, (12, 24), "Vostok Bay", "Vostok Bay Fishing JSC" "CRUS16021503080047",
        Fish [76, 108, 142];
    "TH" Fruit "0810600000" "泰国鲜榴莲(金枕)", "Fresh durian, Monthong (Durio zibethinus)",
        "A 级, 2-5 kg/个", 3200 x 5, (Some(13), 15), 28 days, (3, 6), "Suan Thong", "Suan Thong Fruit Co., Ltd." "CTHA13082205170061",
        Durian [150, 158, 70];
    "TH" Fruit "0811909060" "泰国冷冻榴莲果肉", "Frozen durian pulp, Monthong (Durio zibethinus)",
        "无核, 300 g/盒", 300 x 30, FROZEN, 730 days, (8, 16), "Suan Thong", "Suan Thong Fruit Co., Ltd." "CTHA13082205170061",
        Durian [196, 176, 84];
    "FR" Dairy "0406400000" "法国蓝纹干酪", "Blue-veined cheese, sheep's milk",
        "三角块, 脂肪 31%", 150 x 16, (Some(2), 6), 120 days, AIR, "Causse Bleu", "Laiterie du Causse Bleu SAS" "CFRA05011808060018",
        Cheese [160, 180, 196];
    "FR" Dairy "0406900000" "法国布里干酪", "Brie, soft ripened cheese",
        "脂肪 30%", 125 x 24, (Some(2), 6), 60 days, AIR, "Val Fleuri", "Fromagerie Val Fleuri SAS" "CFRA05012101290006",
        Cheese [238, 214, 150];
    "FR" Dairy "0405100000" "法国发酵黄油", "Cultured butter, unsalted",
        "乳脂 82%, 卷状", 200 x 30, (Some(0), 4), 120 days, AIR, "Val Fleuri", "Fromagerie Val Fleuri SAS" "CFRA05012101290006",
        Butter [236, 196, 96];
    "US" Poultry "0207142200" "美国冷冻鸡爪", "Frozen chicken paws (Gallus gallus domesticus)",
        "A 级, 35 g+/只", 15000 x 0, FROZEN, 720 days, SEA, "Prairie Crest", "Prairie Crest Poultry LLC" "CUSA07021911040025",
        Drumstick [222, 168, 110];
    "US" Meat "0203290010" "美国冷冻猪颈背肉", "Frozen pork butt, boneless (Sus scrofa domesticus)",
        "3-4 kg/块", 3500 x 6, FROZEN, 720 days, SEA, "Prairie Crest", "Prairie Crest Pork LLC" "CUSA07011911040038",
        Meat [198, 116, 116];
}

/// Where consignments come from, in turn, and whether by air.
pub const ROUTES: &[(&str, bool)] = &[
    ("EC", false),
    ("NO", true),
    ("NZ", false),
    ("CL", false),
    ("AR", false),
    ("BR", false),
    ("AU", false),
    ("TH", true),
    ("NO", false),
    ("ES", false),
    ("RU", false),
    ("FR", true),
    ("US", false),
    ("TH", false),
    ("AU", true),
];

/// Longest way by air and from the farm to the aircraft, in days.
const AIR_DAYS_MAX: u32 = 9;

/// The kinds that take a route, as their places among all.
pub fn kinds_of(origin: &str, air: bool) -> Vec<usize> {
    let takes = |kind: &Kind| kind.origin == origin && (kind.transit_days.1 <= AIR_DAYS_MAX) == air;
    KINDS.iter().enumerate().filter(|(_, kind)| takes(kind)).map(|(at, _)| at).collect()
}
