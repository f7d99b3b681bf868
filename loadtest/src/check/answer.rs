//! The answers to scans.

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use serde::Deserialize;

use crate::http::{Response, excerpt};

/// What the answer to one request must say.
#[derive(Clone, Debug)]
pub enum Expected {
    /// A body of so many bytes.
    Bytes(usize),
    /// JSON about this code, its label ours, its verdict `genuine` where that is known beforehand.
    Genuine {
        /// The code.
        code: String,
        /// Whether nothing speaks against the goods.
        sound: bool,
    },
    /// JSON that says `forged`.
    Forged(String),
    /// A page about this code: green where nothing speaks against the goods.
    GenuinePage {
        /// The code.
        code: String,
    },
    /// A page that warns of this code.
    ForgedPage(String),
}

#[derive(Deserialize)]
struct Scan {
    code: String,
    genuine: bool,
    verdict: String,
}

impl Expected {
    /// Compares an answer with what is expected.
    ///
    /// # Errors
    /// Where it says something else, with the start of what it says.
    pub fn check(&self, response: Response<'_>) -> Result<()> {
        let Response { status, body } = response;
        ensure!(status == 200, "status {status} found where 200 is expected: {}", excerpt(body));
        match self {
            Self::Bytes(bytes) => ensure!(body.len() == *bytes, "{} bytes, expected {bytes}", body.len()),
            Self::Genuine { code, sound } => check_json(body, code, true, sound.then_some("genuine"))?,
            Self::Forged(code) => check_json(body, code, false, Some("forged"))?,
            Self::GenuinePage { code } => check_page(body, code, "good")?,
            Self::ForgedPage(code) => check_page(body, code, "stop")?,
        }
        Ok(())
    }
}

fn check_json(body: &[u8], code: &str, genuine: bool, verdict: Option<&str>) -> Result<()> {
    // The members stand like this today, and comparing costs nothing; whatever their order, the parser decides.
    if let Some(rest) = body.strip_prefix(b"{\"code\":\"").and_then(|rest| rest.strip_prefix(code.as_bytes()))
        && let Some(rest) = rest.strip_prefix(b"\",\"genuine\":")
        && let Some(rest) =
            rest.strip_prefix(if genuine { &b"true,\"verdict\":\""[..] } else { b"false,\"verdict\":\"" })
        && verdict
            .is_none_or(|verdict| rest.strip_prefix(verdict.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'"')))
        && body.ends_with(b"}")
    {
        return Ok(());
    }
    let scan: Scan = serde_json::from_slice(body).with_context(|| format!("not a scan: {}", excerpt(body)))?;
    let expected = verdict.unwrap_or(&scan.verdict);
    if scan.code != code || scan.genuine != genuine || scan.verdict != expected {
        bail!(
            "code {}, genuine {}, verdict {} found where {code}, {genuine}, {expected} are expected",
            scan.code,
            scan.genuine,
            scan.verdict
        );
    }
    Ok(())
}

/// The colour stands in the class of the body, the code in groups of four further down.
fn check_page(body: &[u8], code: &str, tone: &str) -> Result<()> {
    let class = format!("<body class=\"{tone}\">");
    let grouped: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    for wanted in [class, grouped.join(" ")] {
        if memmem::find(body, wanted.as_bytes()).is_none() {
            bail!("{code}: the page has no {wanted:?}");
        }
    }
    ensure!(body.trim_ascii_end().ends_with(b"</html>"), "{code}: the page breaks off");
    Ok(())
}

/// A code like `code` with another tag: its last digit is the next one.
pub fn tampered(code: &str) -> String {
    const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ0";
    let mut text = code.to_owned();
    let last = text.pop().unwrap_or('0');
    let next = DIGITS.chars().skip_while(|digit| *digit != last).nth(1).unwrap_or('0');
    text.push(next);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "00000300000ABCDEFGHJ";

    fn check(expected: &Expected, body: &str) -> Result<()> {
        expected.check(Response { status: 200, body: body.as_bytes() })
    }

    fn genuine() -> Expected {
        Expected::Genuine { code: CODE.to_owned(), sound: true }
    }

    #[test]
    fn members_may_stand_in_any_order() {
        let forged = Expected::Forged(CODE.to_owned());
        for (expected, body) in [
            (&genuine(), format!(r#"{{"code":"{CODE}","genuine":true,"verdict":"genuine","more":1}}"#)),
            (&genuine(), format!(r#"{{"verdict":"genuine","genuine":true,"code":"{CODE}"}}"#)),
            (&forged, format!(r#"{{"code":"{CODE}","genuine":false,"verdict":"forged"}}"#)),
        ] {
            check(expected, &body).unwrap();
        }
    }

    #[test]
    fn another_verdict_another_code_or_half_an_answer_is_refused() {
        for body in [
            format!(r#"{{"code":"{CODE}","genuine":false,"verdict":"forged"}}"#),
            format!(r#"{{"code":"{CODE}","genuine":true,"verdict":"genuinely"}}"#),
            r#"{"code":"00000300000ABCDEFGHK","genuine":true,"verdict":"genuine"}"#.to_owned(),
            format!(r#"{{"code":"{CODE}","genuine":true,"verdict":"genuine""#),
            "Hello, World!".to_owned(),
        ] {
            assert!(check(&genuine(), &body).is_err(), "{body}");
        }
        let refused = Response { status: 429, body: b"" };
        assert!(genuine().check(refused).unwrap_err().to_string().contains("status 429"));
    }

    #[test]
    fn where_something_may_speak_against_the_goods_the_label_must_still_be_ours() {
        let expected = Expected::Genuine { code: CODE.to_owned(), sound: false };
        check(&expected, &format!(r#"{{"code":"{CODE}","genuine":true,"verdict":"expired"}}"#)).unwrap();
        assert!(check(&expected, &format!(r#"{{"code":"{CODE}","genuine":false,"verdict":"expired"}}"#)).is_err());
    }

    #[test]
    fn a_page_is_green_tells_the_code_and_has_an_end() {
        let expected = Expected::GenuinePage { code: CODE.to_owned() };
        let page = "<html><body class=\"good\">0000 0300 000A BCDE FGHJ</body></html>\n";
        check(&expected, page).unwrap();
        for page in [page.replace("good", "stop"), page.replace("FGHJ", "FGHK"), page.replace("</html>", "")] {
            assert!(check(&expected, &page).is_err(), "{page}");
        }
    }

    #[test]
    fn a_tampered_code_differs_in_one_digit() {
        assert_eq!(tampered("0001"), "0002");
        assert_eq!(tampered("000H"), "000J");
        assert_eq!(tampered("000Z"), "0000");
    }
}
