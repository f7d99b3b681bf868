//! Absolute URIs as the GS1 JSON schema's `format: uri` asks for them.

/// Whether the text is an absolute URI (RFC 3986, section 3): a scheme, and only characters that a
/// URI may have, each `%` followed by two hexadecimal digits.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    scheme_ok && rest_is_uri(rest)
}

fn rest_is_uri(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    let mut fragments = 0;
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
                if !(hex(bytes.next()) && hex(bytes.next())) {
                    return false;
                }
            }
            b'#' => fragments += 1,
            // Only an IPv6 address has brackets.
            b'[' | b']' => {
                if !rest.starts_with("//[") {
                    return false;
                }
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(&byte) => {}
            _ => return false,
        }
    }
    fragments <= 1 && (!rest.is_empty())
}
