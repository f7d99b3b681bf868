//! Free text and dates as they come from outside.

use jiff::civil::Date;

use super::ValueError;

/// Names, brands, specifications, issuers: characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Numbers of papers, and lots: characters.
pub const NUMBER_CHARS_MAX: usize = 100;

/// A text of 1 to `chars_max` characters without control characters; white space around it is left out.
///
/// # Errors
/// Where nothing is left, it is longer, or it has a control character.
pub fn text(value: &str, chars_max: usize) -> Result<String, ValueError> {
    let value = value.trim();
    if value.is_empty() {
        return Err(ValueError::malformed(value, "a text that is not empty"));
    }
    if value.chars().any(char::is_control) {
        return Err(ValueError::malformed(value, "a text of one line, without control characters"));
    }
    let chars = value.chars().count();
    if chars > chars_max {
        return Err(ValueError::out_of_range(format!("{chars} characters"), format!("at most {chars_max}")));
    }
    Ok(value.to_owned())
}

/// A day as `2024-05-31`.
///
/// # Errors
/// Where it has another form or does not exist.
pub fn date(value: &str) -> Result<Date, ValueError> {
    let refused = || ValueError::malformed(value, "a date that exists, as YYYY-MM-DD");
    let bytes = value.as_bytes();
    let form = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    if !form {
        return Err(refused());
    }
    value.parse().map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        assert!(date("2024-02-29").is_ok());
        for text in ["2023-02-29", "2024-13-01", "2024-1-01", "20240101", "2024-01-01T00:00", "", "-024-01-01"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_is_one_line_of_a_limited_length() {
        assert_eq!(text("  冷冻虾 ", 3), Ok("冷冻虾".to_owned()));
        for (value, chars_max) in [("", 9), ("  ", 9), ("a\nb", 9), ("abcd", 3), ("a\u{0}", 9)] {
            assert!(text(value, chars_max).is_err(), "{value:?}");
        }
    }
}
