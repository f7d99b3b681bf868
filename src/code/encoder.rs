//! Codes in bulk: the lines of a run, appended to a buffer in constant memory.

use std::ops::Range;
use std::str::FromStr;

use super::layout::{TAIL_DIGITS, tail_ascii};
use super::tag::TAGS_PER_MAC;
use super::{LinkPrefix, RUN_DIGITS, RunKey, Serial};
use crate::limits::RUN_CODES_MAX;

/// What a line of a stream of codes looks like (`docs/spec/trace-code.md`). Every line ends in a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text of the QR symbol, byte for byte.
    Uri,
    /// The 20 digits.
    Code,
    /// `code,serial,uri`.
    Csv,
    /// `{"code":"...","serial":0,"uri":"..."}`.
    Ndjson,
}

/// A form that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("form: {found:?} found where uri, code, csv or ndjson is expected")]
pub struct FormError {
    /// What was found.
    pub found: String,
}

impl Form {
    /// The line that a stream begins with: empty but for CSV.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Csv => "code,serial,uri\n",
            Self::Uri | Self::Code | Self::Ndjson => "",
        }
    }
}

impl FromStr for Form {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        match text {
            "uri" => Ok(Self::Uri),
            "code" => Ok(Self::Code),
            "csv" => Ok(Self::Csv),
            "ndjson" => Ok(Self::Ndjson),
            _ => Err(FormError { found: text.to_owned() }),
        }
    }
}

/// Writes the codes of a range of one run, in order, as lines.
#[derive(Debug)]
pub struct Encoder {
    key: RunKey,
    run: [u8; RUN_DIGITS],
    prefix: LinkPrefix,
    form: Form,
    serials: Range<u32>,
}

impl Encoder {
    /// Of the run of `key`, `codes` codes from the serial `first` on, and none beyond the run's last.
    pub fn new(key: RunKey, prefix: LinkPrefix, form: Form, first: Serial, codes: u32) -> Self {
        let end = first.get().saturating_add(codes).min(RUN_CODES_MAX);
        Self { run: key.run().to_ascii(), key, prefix, form, serials: first.get()..end }
    }

    /// Serials not written yet; empty at the end.
    pub fn remaining(&self) -> Range<u32> {
        self.serials.clone()
    }

    /// Bytes that no line is longer than.
    pub fn line_bytes_max(&self) -> usize {
        // Two codes, a serial and the text around them.
        self.prefix.as_str().len() + 96
    }

    /// Appends as many whole lines as fit into `bytes_max` further bytes, but one at least, until
    /// the range is at its end. Gives the number of lines; 0 says that all are written.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, bytes_max: usize) -> u32 {
        let lines_max = u32::try_from(bytes_max / self.line_bytes_max()).unwrap_or(u32::MAX).max(1);
        let end = self.serials.start.saturating_add(lines_max).min(self.serials.end);
        let serials = self.serials.start..end;
        self.serials.start = end;
        let lines = end - serials.start;
        buffer.reserve(lines as usize * self.line_bytes_max());
        match self.form {
            Form::Uri => {
                let start = [self.prefix.as_str().as_bytes(), &self.run].concat();
                self.for_each(serials, |_, tail| {
                    buffer.extend_from_slice(&start);
                    extend_line(buffer, tail);
                });
            }
            Form::Code => self.for_each(serials, |_, tail| {
                buffer.extend_from_slice(&self.run);
                extend_line(buffer, tail);
            }),
            Form::Csv => self.write_records(serials, buffer, ["", ",", ",", ""]),
            Form::Ndjson => {
                self.write_records(serials, buffer, [r#"{"code":""#, r#"","serial":"#, r#","uri":""#, r#""}"#]);
            }
        }
        lines
    }

    /// Writes lines of code, serial and URI with these four texts around them.
    fn write_records(&self, serials: Range<u32>, buffer: &mut Vec<u8>, around: [&str; 4]) {
        let [before, behind_code, behind_serial, behind] = around;
        let start = [before.as_bytes(), &self.run].concat();
        let uri = [behind_serial.as_bytes(), self.prefix.as_str().as_bytes(), &self.run].concat();
        self.for_each(serials, |serial, tail| {
            buffer.extend_from_slice(&start);
            buffer.extend_from_slice(&tail);
            buffer.extend_from_slice(behind_code.as_bytes());
            extend_decimal(buffer, serial);
            buffer.extend_from_slice(&uri);
            buffer.extend_from_slice(&tail);
            buffer.extend_from_slice(behind.as_bytes());
            buffer.push(b'\n');
        });
    }

    /// Calls `write` with every serial and the 14 digits that follow the run's name. One HMAC serves five.
    #[inline(always)]
    fn for_each(&self, serials: Range<u32>, mut write: impl FnMut(u32, [u8; TAIL_DIGITS])) {
        let mut serial = serials.start;
        while serial < serials.end {
            let mac = serial / TAGS_PER_MAC;
            let skipped = serial - mac * TAGS_PER_MAC;
            for tag_bits in self.key.tags(mac).into_iter().skip(skipped as usize) {
                if serial == serials.end {
                    break;
                }
                write(serial, tail_ascii(serial, tag_bits));
                serial += 1;
            }
        }
    }
}

/// Appends a serial in decimal: the formatting of the standard library took half of a line's time.
fn extend_decimal(buffer: &mut Vec<u8>, serial: u32) {
    let mut digits = [b'0'; 10];
    let (mut rest, mut length) = (serial, 0);
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    buffer.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Appends the last 14 digits and the line feed at once.
#[inline]
fn extend_line(buffer: &mut Vec<u8>, tail: [u8; TAIL_DIGITS]) {
    let mut line = [b'\n'; TAIL_DIGITS + 1];
    for (byte, digit) in line.iter_mut().zip(tail) {
        *byte = digit;
    }
    buffer.extend_from_slice(&line);
}

#[cfg(test)]
mod tests {
    use hkdf::Hkdf;
    use proptest::prelude::*;

    use super::*;
    use crate::code::{LinkCase, LinkScheme, RunId};

    fn key() -> RunKey {
        RunKey::derive(&Hkdf::new(None, &[7; 32]), RunId::from_bits(77).unwrap(), false)
    }

    fn prefix() -> LinkPrefix {
        let host = "cold.example".parse().unwrap();
        LinkPrefix::new(LinkScheme::Https, &host, "09506000134352".parse().ok(), LinkCase::Upper)
    }

    /// One line, made the plain way.
    fn line(form: Form, serial: u32) -> String {
        let code = key().code(Serial::new(serial).unwrap());
        let uri = prefix().link(code);
        match form {
            Form::Uri => format!("{uri}\n"),
            Form::Code => format!("{code}\n"),
            Form::Csv => format!("{code},{serial},{uri}\n"),
            Form::Ndjson => format!("{{\"code\":\"{code}\",\"serial\":{serial},\"uri\":\"{uri}\"}}\n"),
        }
    }

    proptest! {
        #[test]
        fn a_stream_is_every_code_once_however_it_is_cut(
            form in prop::sample::select(&[Form::Uri, Form::Code, Form::Csv, Form::Ndjson][..]),
            first in prop_oneof![0u32..40, RUN_CODES_MAX - 40..RUN_CODES_MAX],
            codes in 0u32..60,
            bytes_max in 0usize..3_000,
        ) {
            let mut encoder = Encoder::new(key(), prefix(), form, Serial::new(first).unwrap(), codes);
            let expected: String = encoder.remaining().map(|serial| line(form, serial)).collect();
            let mut stream = Vec::new();
            loop {
                let before = stream.len();
                let lines = encoder.fill(&mut stream, bytes_max);
                let added = stream.len() - before;
                prop_assert!(added <= bytes_max.max(encoder.line_bytes_max()));
                if lines == 0 {
                    prop_assert_eq!(added, 0);
                    break;
                }
            }
            prop_assert_eq!(String::from_utf8(stream).unwrap(), expected);
            prop_assert!(encoder.remaining().is_empty());
        }
    }

    #[test]
    fn no_code_stands_beyond_the_end_of_the_run() {
        let last = Serial::new(RUN_CODES_MAX - 1).unwrap();
        assert_eq!(Encoder::new(key(), prefix(), Form::Code, last, u32::MAX).remaining().len(), 1);
    }

    #[test]
    fn unknown_forms_are_named() {
        let message = "xml".parse::<Form>().unwrap_err().to_string();
        assert_eq!(message, "form: \"xml\" found where uri, code, csv or ndjson is expected");
    }
}
