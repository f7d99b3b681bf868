//! Where a JSON value ends in a text that is still coming, by its brackets and quotes alone; and where in the whole text
//! that is. Whether it is JSON is the parser's to say.

use super::error::{Checked, Fault, Reason};
use crate::limits::JSON_DEPTH_MAX;

/// How far a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes; where it is no value, the parser will find that out within them.
    Whole(usize),
    /// It is no value, as the parser will find out within so many bytes.
    Broken(usize),
    /// Its end has not come.
    Open,
}

/// A search for the end of one value, which goes on where it stood when more has come.
#[derive(Debug, Default)]
pub(super) struct Scan {
    at: usize,
    depth: usize,
    /// Which of the open brackets are those of arrays, the innermost lowest.
    arrays: u64,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Goes on in `text`, which begins with the value and has grown at its end at most. `outside` is how many brackets are open
    /// around it, `ended` whether no more comes.
    pub(super) fn run(&mut self, text: &[u8], outside: usize, ended: bool) -> Extent {
        while let Some(rest) = text.get(self.at..)
            && let Some(byte) = rest.first().copied()
        {
            if self.in_string {
                let plain = if self.escaped { 0 } else { rest.iter().take_while(|byte| is_plain(**byte)).count() };
                if plain > 0 {
                    self.at += plain;
                    continue;
                }
            }
            let extent = if self.in_string { self.string_byte(byte) } else { self.byte(byte, outside) };
            if let Some(extent) = extent {
                return extent;
            }
            self.at += 1;
        }
        if ended { Extent::Broken(text.len()) } else { Extent::Open }
    }

    fn string_byte(&mut self, byte: u8) -> Option<Extent> {
        match byte {
            0..=0x1f => return Some(Extent::Broken(self.at + 1)),
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                return (self.depth == 0).then_some(Extent::Whole(self.at + 1));
            }
            _ => {}
        }
        None
    }

    fn byte(&mut self, byte: u8, outside: usize) -> Option<Extent> {
        // A number or a word ends before anything that is not part of it.
        let ends_plain = self.depth == 0 && self.at > 0;
        match byte {
            b'"' | b'{' | b'[' | b'}' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if ends_plain => {
                return Some(Extent::Whole(self.at));
            }
            b'"' => self.in_string = true,
            b'{' | b'[' if outside + self.depth == JSON_DEPTH_MAX => return Some(Extent::Broken(self.at + 1)),
            b'{' | b'[' => {
                self.depth += 1;
                self.arrays = self.arrays << 1 | u64::from(byte == b'[');
            }
            b'}' | b']' => {
                if self.depth == 0 || (self.arrays & 1 == 1) != (byte == b']') {
                    return Some(Extent::Broken(self.at + 1));
                }
                self.depth -= 1;
                self.arrays >>= 1;
                return (self.depth == 0).then_some(Extent::Whole(self.at + 1));
            }
            _ => {}
        }
        None
    }
}

fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Bytes before it.
    offset: usize,
    /// From 1.
    line: usize,
    /// In bytes, from 1.
    column: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }
}

impl Place {
    /// Moves behind `text`, which stands here.
    pub(super) fn pass(&mut self, text: &[u8]) {
        self.offset += text.len();
        match text.iter().rposition(|byte| *byte == b'\n') {
            None => self.column += text.len(),
            Some(last) => {
                self.line += text.iter().filter(|byte| **byte == b'\n').count();
                self.column = text.len() - last;
            }
        }
    }

    /// A fault of a text that begins here, as one of the whole text.
    pub(super) fn shift(&self, mut fault: Fault) -> Fault {
        if let Reason::Syntax { line, column, .. } = &mut fault.reason {
            if *line == 1 {
                *column += self.column - 1;
            }
            *line += self.line - 1;
        }
        fault
    }

    /// What stands here cannot stand here.
    pub(super) fn syntax(&self, rest: &[u8], expected: &'static str) -> Fault {
        let character = rest.get(..rest.len().min(4)).unwrap_or_default();
        let found = match character.utf8_chunks().next() {
            None => "the end of the text".to_owned(),
            Some(chunk) => match chunk.valid().chars().next() {
                Some(found) => format!("{found:?}"),
                None => return not_utf8(self.offset),
            },
        };
        Fault::new(Reason::Syntax { line: self.line, column: self.column, found, expected })
    }
}

/// The text that begins at a place.
pub(super) fn text_of(bytes: &[u8], place: Place) -> Checked<&str> {
    std::str::from_utf8(bytes).map_err(|error| not_utf8(place.offset + error.valid_up_to()))
}

fn not_utf8(offset: usize) -> Fault {
    let found = "a byte that is not UTF-8".to_owned();
    Fault::new(Reason::Syntax { line: 1, column: offset + 1, found, expected: "UTF-8 text" })
}

impl Fault {
    /// Whether it is one of the whole text, wherever it was met.
    pub(super) fn is_of_document(&self) -> bool {
        matches!(self.reason, Reason::Syntax { expected: "UTF-8 text", .. })
    }
}
