//! Bytes of a file to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// UTF-8 with or without a byte order mark, UTF-16 with one, GB 18030 (what Chinese systems call ANSI), or Windows-1252
/// where a degree sign is all that is not ASCII. `None` for what is none of them.
pub(super) fn decode(file: &[u8]) -> Option<Cow<'_, str>> {
    let (encoding, marked) = match Encoding::for_bom(file) {
        Some((encoding, _)) if encoding == UTF_8 || encoding == UTF_16LE || encoding == UTF_16BE => (encoding, true),
        _ if std::str::from_utf8(file).is_ok() => (UTF_8, false),
        // In GB 18030 a degree sign of Windows-1252 would take the letter behind it along.
        _ if file.iter().all(|byte| byte.is_ascii() || *byte == 0xb0) => (WINDOWS_1252, false),
        _ => (GB18030, false),
    };
    let (text, faults) =
        if marked { encoding.decode_with_bom_removal(file) } else { encoding.decode_without_bom_handling(file) };
    (!faults && !text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_encodings_of_loggers_are_read() {
        let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            mark.iter().copied().chain("时间,°C".encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
        };
        for file in [
            "时间,°C".as_bytes().to_vec(),
            ["\u{feff}".as_bytes(), "时间,°C".as_bytes()].concat(),
            utf16(&[0xff, 0xfe], u16::to_le_bytes),
            utf16(&[0xfe, 0xff], u16::to_be_bytes),
            // GBK.
            b"\xca\xb1\xbc\xe4,\xa1\xe3C".to_vec(),
        ] {
            assert_eq!(decode(&file).as_deref(), Some("时间,°C"), "{file:?}");
        }
        assert_eq!(decode(b"Temp,\xb0C").as_deref(), Some("Temp,°C"));
        for file in [&b"\xff\xfe\x00"[..], b"\x00\x01", b"\xff\xff\xff", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\xff"] {
            assert_eq!(decode(file), None, "{file:?}");
        }
    }
}
