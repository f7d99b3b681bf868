//! GS1 Digital Links on any host, made canonical for the event hash: `id.gs1.org`, numeric AIs, GTINs of 14 digits,
//! the finest level only, no query. Forms outside the reference generator's grammar stay as they are.

/// Primary keys in the order in which they are looked for.
const KEYS: [&str; 14] =
    ["00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018"];

/// The Application Identifier that a path element names, by number or by the short name of older links.
fn numbered(element: &str) -> Option<&'static str> {
    Some(match element {
        "sscc" => "00",
        "gtin" => "01",
        "gdti" => "253",
        "gcn" => "255",
        "ginc" => "401",
        "gsin" => "402",
        "gln" => "414",
        "party" => "417",
        "grai" => "8003",
        "giai" => "8004",
        "itip" => "8006",
        "cpid" => "8010",
        "gsrnp" => "8017",
        "gsrn" => "8018",
        "cpv" => "22",
        "lot" => "10",
        "ser" => "21",
        number => KEYS.into_iter().find(|key| *key == number)?,
    })
}

/// See the module.
pub(super) fn canonical(uri: &str) -> Option<String> {
    // Most links are canonical already.
    let numeric_key = |path: &&str| path.starts_with("/01/") || path.starts_with("/00/") || path.starts_with("/414/");
    let path = uri.strip_prefix("https://id.gs1.org").filter(numeric_key);
    if path.is_some_and(|path| !path.contains('?') && is_canonical(path)) {
        return Some(uri.to_owned());
    }
    let rest = uri.strip_prefix("https:").or_else(|| uri.strip_prefix("http:"))?;
    if !names_a_key(rest) {
        return None;
    }
    let uri = uri.split('?').next().unwrap_or(uri);
    let path = numbered_path(uri)?;
    let path = pad_gtin(path);
    let path = without_lot(without_variant(path));
    is_canonical(&path).then(|| format!("https://id.gs1.org{path}"))
}

/// Whether the path has a primary key with a value of at least five characters, four digits first; or is compressed.
fn names_a_key(rest: &str) -> bool {
    let path_end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (mut at, mut named) = (0, false);
    let mut elements = rest.split('/').peekable();
    while let Some(element) = elements.next() {
        let is_key = at > 0 && at <= path_end && numbered(element).is_some_and(|ai| KEYS.contains(&ai));
        let value = elements.peek().map_or("", |value| value);
        let digits = value.bytes().take(4).filter(u8::is_ascii_digit).count() == 4;
        named |= is_key && digits && value.len() > 4;
        at += element.len() + 1;
    }
    named || is_compressed(rest)
}

/// A path of one element of ten letters: an old form of compressed link.
fn is_compressed(rest: &str) -> bool {
    rest.rsplit_once('/').is_some_and(|(_, last)| {
        last.len() == 10 && last.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-')
    })
}

/// The path from its primary key on, short names replaced.
fn numbered_path(uri: &str) -> Option<String> {
    let mut elements: Vec<&str> = uri.split('/').collect();
    let inner = 1..elements.len().saturating_sub(1);
    for element in elements.get_mut(inner.clone())? {
        *element = numbered(element).unwrap_or(element);
    }
    // On `id.gs1.org` itself the key stands first.
    let home = match elements.as_slice() {
        ["https:", "", "id.gs1.org", key, _, ..] => KEYS.contains(key).then_some(3),
        _ => None,
    };
    let inner = elements.get(inner)?;
    let first = || KEYS.iter().find_map(|key| Some(inner.iter().position(|element| element == key)? + 1));
    let at = home.or_else(first)?;
    Some(format!("/{}", elements.get(at..)?.join("/")))
}

/// GTIN-8, -12 and -13 become 14 digits.
fn pad_gtin(path: String) -> String {
    let Some(rest) = path.strip_prefix("/01/") else { return path };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let zeros = match digits {
        14.. => "",
        13 => "0",
        12 => "00",
        8..=11 => "000000",
        _ => "",
    };
    format!("/01/{zeros}{rest}")
}

/// Without AI 22: a consumer product variant is no level of identity.
fn without_variant(path: String) -> String {
    let Some((head, rest)) = path.split_once("/22/") else { return path };
    if !is_item_key(head) {
        return path;
    }
    match rest.split_once('/') {
        None if is_value(rest, 20) => head.to_owned(),
        Some((_, finer)) if rest.len() <= 20 && rest.split('/').all(|part| is_value(part, 20)) => {
            format!("{head}/{finer}")
        }
        _ => path,
    }
}

/// Where a serial follows, without the lot.
fn without_lot(path: String) -> String {
    let Some((head, rest)) = path.split_once("/10/") else { return path };
    match rest.split_once("/21/") {
        Some((lot, serial)) if is_item_key(head) && is_value(lot, 20) && is_value(serial, 20) => {
            format!("{head}/21/{serial}")
        }
        _ => path,
    }
}

/// `/01/` and 14 digits, or `/8006/` and 18.
fn is_item_key(path: &str) -> bool {
    path.strip_prefix("/01/").is_some_and(|gtin| is_number(gtin, 14))
        || path.strip_prefix("/8006/").is_some_and(|itip| is_number(itip, 18))
}

fn is_canonical(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let with_text = |text: &str, digits: usize, max: usize| {
        text.get(..digits).is_some_and(|head| is_number(head, digits))
            && text.get(digits..).is_some_and(|tail| is_value(tail, max))
    };
    match parts.as_slice() {
        ["00" | "8017" | "8018" | "8006", key] => is_number(key, 18),
        ["01", gtin] => is_number(gtin, 14),
        ["01", gtin, "21" | "10", value] => is_number(gtin, 14) && is_value(value, 20),
        ["01", gtin, "235", value] => is_number(gtin, 14) && is_value(value, 28),
        ["253", key] => with_text(key, 13, 17),
        ["255", key] => key.len() >= 13 && key.len() <= 25 && is_number(key, key.len()),
        ["401" | "8004", key] => is_value(key, 30),
        ["402", key] => is_number(key, 17),
        ["414" | "417", key] => is_number(key, 13),
        ["414", key, "254", extension] => is_number(key, 13) && is_value(extension, 20),
        ["8003", key] => with_text(key, 14, 16),
        ["8006", key, "21" | "10", value] => is_number(key, 18) && is_value(value, 20),
        ["8010", part] => is_part(part),
        ["8010", part, "8011", serial] => is_part(part) && serial.len() <= 12 && is_number(serial, serial.len()),
        _ => false,
    }
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// At most `max` characters of those that set 82 and a path share unescaped.
fn is_value(text: &str, max: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"\"'-.;<=>?_".contains(&byte);
    text.len() <= max && text.bytes().all(known)
}

fn is_part(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"#-".contains(&byte);
    text.len() <= 30 && text.bytes().all(known)
}
