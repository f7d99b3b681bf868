//! The lines of a stream of codes.

use anyhow::{Context, Result, bail, ensure};

use crate::demo::Run;

/// Digits of the run's name, and of all that follows it.
const RUN_DIGITS: usize = 6;
const TAIL_DIGITS: usize = 14;
/// No QR symbol of ours says more.
const LINE_BYTES_MAX: usize = 512;
/// Value of each digit by its byte; 0xFF where it is none.
const VALUES: [u8; 256] = values();

/// Checks a stream of one run's codes, each line the text of a QR symbol, however it is cut.
#[derive(Debug)]
pub struct Lines {
    run: Run,
    /// What every line begins with: taken from the first, which must end in the run's first code.
    start: Vec<u8>,
    /// The start of a line whose end has not come yet.
    cut: Vec<u8>,
    serial: u32,
    sample_every: u32,
    /// Every so many codes one, to be asked about.
    pub sample: Vec<String>,
}

impl Lines {
    /// Nothing read yet. `sample` codes are kept at most.
    pub fn new(run: &Run, sample: u32) -> Self {
        let sample_every = run.count.div_ceil(sample.max(1)).max(1);
        Self { run: run.clone(), start: Vec::new(), cut: Vec::new(), serial: 0, sample_every, sample: Vec::new() }
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// At the first line that is not well formed or whose serial is not the next.
    pub fn read(&mut self, mut bytes: &[u8]) -> Result<()> {
        if !self.cut.is_empty() || self.start.is_empty() {
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                ensure!(self.cut.len() + bytes.len() < LINE_BYTES_MAX, "a line does not end");
                self.cut.extend_from_slice(bytes);
                return Ok(());
            };
            let (head, rest) = bytes.split_at(end + 1);
            let mut line = std::mem::take(&mut self.cut);
            line.extend_from_slice(head);
            if self.start.is_empty() {
                self.begin(&line)?;
            }
            self.line(&line)?;
            bytes = rest;
        }
        // All lines of a run are equally long.
        let lines = bytes.chunks_exact(self.start.len() + TAIL_DIGITS + 1);
        let rest = lines.remainder();
        for line in lines {
            self.line(line)?;
        }
        self.cut.extend_from_slice(rest);
        Ok(())
    }

    /// The end of the stream: all codes of the run must have been read.
    ///
    /// # Errors
    /// Where some are missing, or a line has no end.
    pub fn end(&self) -> Result<()> {
        ensure!(self.cut.is_empty(), "the last line does not end");
        ensure!(self.serial == self.run.count, "{} codes found where {} are expected", self.serial, self.run.count);
        Ok(())
    }

    /// The URI up to the code: what every line of the run begins with.
    pub fn prefix(&self) -> String {
        let end = self.start.len().saturating_sub(RUN_DIGITS);
        String::from_utf8_lossy(self.start.get(..end).unwrap_or_default()).into_owned()
    }

    fn begin(&mut self, line: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(line).context("the first line is not text")?.trim_end();
        let Some(prefix) = text.strip_suffix(&self.run.first) else {
            bail!("the first line {text:?} does not end in the run's first code {}", self.run.first);
        };
        let is_link = prefix.to_ascii_lowercase().starts_with("https://") && prefix.ends_with('/');
        ensure!(is_link, "the first line {text:?} is no link");
        self.start = [prefix, &self.run.run].concat().into_bytes();
        Ok(())
    }

    #[inline]
    fn line(&mut self, line: &[u8]) -> Result<()> {
        let Some(serial) = line.strip_prefix(self.start.as_slice()).and_then(serial_of) else {
            bail!("line {}: {:?} is none of this run", self.serial, String::from_utf8_lossy(line));
        };
        if serial != self.serial {
            bail!("serial {serial} found where {} is expected", self.serial);
        }
        if serial.is_multiple_of(self.sample_every) {
            let code = line.get(self.start.len() - RUN_DIGITS..line.len() - 1).unwrap_or_default();
            self.sample.push(String::from_utf8_lossy(code).into_owned());
        }
        self.serial += 1;
        Ok(())
    }
}

/// The serial in the 14 digits and the line feed behind a run's name: 22 bits, then 48 of the tag.
#[inline]
fn serial_of(tail: &[u8]) -> Option<u32> {
    let digits = <&[u8; TAIL_DIGITS]>::try_from(tail.strip_suffix(b"\n")?).ok()?;
    let values = digits.map(value_of);
    if values.iter().fold(0, |all, value| all | value) > 31 {
        return None;
    }
    let [a, b, c, d, e, ..] = values.map(u32::from);
    Some((((a << 5 | b) << 5 | c) << 5 | d) << 2 | e >> 3)
}

#[inline]
fn value_of(digit: u8) -> u8 {
    *VALUES.get(usize::from(digit)).unwrap_or(&0xFF)
}

#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled, where a slip fails the build")]
const fn values() -> [u8; 256] {
    let digits = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut values = [0xFF; 256];
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a run as the specification lays codes out; the tag is any.
    fn stream(serials: impl Iterator<Item = u64>) -> String {
        serials.map(|serial| format!("HTTPS://COLD.EXAMPLE/01/09506000134352/21/{}\n", code(serial))).collect()
    }

    fn code(serial: u64) -> String {
        let bits = u128::from(serial) << 48 | u128::from(serial * 0x9E37_79B9 % (1 << 48));
        let digit = |at: u32| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(bits >> (5 * at)) as usize & 31]);
        format!("00000K{}", (0..14).rev().map(digit).collect::<String>())
    }

    fn lines(count: u32) -> Lines {
        let (run, last) = ("00000K".to_owned(), code(u64::from(count) - 1));
        Lines::new(&Run { run, count, first: code(0), last }, 4)
    }

    #[test]
    fn a_stream_is_read_however_it_is_cut() {
        let text = stream(0..100);
        for piece in [1, 7, 62, 63, 64, 1000, text.len()] {
            let mut lines = lines(100);
            text.as_bytes().chunks(piece).for_each(|bytes| lines.read(bytes).unwrap());
            lines.end().unwrap();
            assert_eq!(lines.sample, [0, 25, 50, 75].map(code));
            assert_eq!(lines.prefix(), "HTTPS://COLD.EXAMPLE/01/09506000134352/21/");
        }
    }

    #[test]
    fn serials_are_read_up_to_the_highest() {
        for serial in [0, 1, 7, 8, 31, 32, 4_194_303] {
            assert_eq!(serial_of(format!("{}\n", &code(serial)[6..]).as_bytes()), Some(serial as u32));
        }
    }

    #[test]
    fn a_code_too_few_too_many_twice_or_misspelt_is_found() {
        for (text, message) in [
            (stream(0..99), "99 codes found where 100 are expected"),
            (stream(0..101), "101 codes found"),
            (stream((0..50).chain(49..99)), "serial 49 found where 50 is expected"),
            (stream((0..50).chain(51..101)), "serial 51 found where 50 is expected"),
            (stream(0..100).replacen("/21/00000K0002", "/21/00000K000U", 1), "is none of this run"),
            (stream(0..100).replacen("/21/00000K0002", "/21/00000M0002", 1), "is none of this run"),
            (stream(0..100).trim_end().to_owned(), "the last line does not end"),
            (stream(1..101), "does not end in the run's first code"),
        ] {
            let mut lines = lines(100);
            let read = text.as_bytes().chunks(1000).try_for_each(|bytes| lines.read(bytes));
            let error = read.and_then(|()| lines.end()).unwrap_err();
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
    }
}
