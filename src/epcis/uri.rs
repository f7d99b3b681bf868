//! Absolute URIs as the GS1 JSON schema's `format: uri` asks for them.

use core::net::Ipv6Addr;

/// Whether the text is an absolute URI (RFC 3986, section 3): a scheme, and only characters that a
/// URI may have, each `%` followed by two hexadecimal digits.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    scheme_ok && rest_is_uri(rest)
}

fn rest_is_uri(rest: &str) -> bool {
    match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            is_authority(authority) && is_path(path)
        }
        None => is_path(rest) && !rest.is_empty(),
    }
}

/// Path, query and fragment.
fn is_path(text: &str) -> bool {
    let marks = text.bytes().filter(|byte| *byte == b'#').count();
    marks <= 1 && has_only(text, b"-._~:/?@!$&'()*+,;=#")
}

/// User, host and port (RFC 3986, section 3.2).
fn is_authority(text: &str) -> bool {
    let (user, host) = text.split_once('@').unwrap_or(("", text));
    let (host_ok, port) = match host.strip_prefix('[') {
        Some(literal) => {
            let Some((address, port)) = literal.split_once(']') else { return false };
            (address.parse::<Ipv6Addr>().is_ok() || is_future_address(address), port)
        }
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at(end);
            (has_only(name, b"-._~!$&'()*+,;="), port)
        }
    };
    let port_ok =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    host_ok && port_ok && has_only(user, b"-._~!$&'()*+,;=:")
}

/// `v`, a version in hexadecimal digits, a dot, and an address.
fn is_future_address(text: &str) -> bool {
    let Some((version, address)) = text.strip_prefix(['v', 'V']).and_then(|text| text.split_once('.')) else {
        return false;
    };
    let hexadecimal = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal && !address.is_empty() && !address.contains('%') && has_only(address, b"-._~!$&'()*+,;=:")
}

/// Whether there are only letters, digits, these marks, and escapes of two hexadecimal digits.
fn has_only(text: &str, marks: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let known = match byte {
            b'%' => {
                let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                hex(bytes.next()) && hex(bytes.next())
            }
            _ => byte.is_ascii_alphanumeric() || marks.contains(&byte),
        };
        if !known {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_uri;

    #[test]
    fn uris_are_those_of_rfc_3986() {
        for uri in [
            "urn:epc:id:sgtin:9506000.013435.%2F1",
            "https://example.com",
            "https://user:pass@example.com:8080/a/b?c=d/?#e",
            "http://[2001:db8::7]:80/",
            "http://[v1.a:b]/",
            "http://127.0.0.1:/",
            "file:///a",
            "a+b-c.9:x",
            "ni:///sha-256;ab?ver=CBV2.0",
            "tel:+86-731",
        ] {
            assert!(is_uri(uri), "{uri}");
        }
        for text in [
            "",
            "a",
            ":a",
            "1a:b",
            "a_b:c",
            "urn:",
            "urn:a b",
            "urn:é",
            "urn:a%2",
            "urn:a%zz",
            "urn:a#b#c",
            "urn:a[b]",
            "urn:a\\b",
            "urn:a\"b",
            "urn:<a>",
            "urn:{a}",
            "urn:a|b",
            "urn:a^b",
            "urn:a`b",
            "http://a:b/",
            "http://a@b@c/",
            "http://[::1/",
            "http://[::g]/",
            "http://[::1]x/",
            "http://a[b]/",
            "http://[v.a]/",
            "http://a/[b]",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }
}
