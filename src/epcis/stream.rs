//! An EPCIS document as a stream: bytes go in as they come, texts of events come out one by one, and never more than
//! one of them is held. It reads what [`super::parse_document`] reads, but for two things: `@context` must stand before
//! `epcisBody`, and the first fault is told, not the first kind of fault.

use super::{
    DocumentError, Draft, Hosts,
    document::{BODY_EXPECTED, BODY_FIELDS_EXPECTED},
    envelope::{Envelope, parsed, too_many},
    error::{Checked, Fault, Reason, Under},
    event_text::EventText,
    extent::{Extent, Place, Scan, text_of},
    fields,
    json::Json,
};
use crate::limits::{CAPTURE_EVENTS_MAX, ENVELOPE_BYTES_MAX, EXPANDED_BYTES_MAX, RECORD_BYTES_MAX};

/// A document under way.
#[derive(Debug)]
pub struct DocumentStream {
    /// What has come, from the first byte on that is not read yet, at `at`.
    buffer: Vec<u8>,
    at: usize,
    /// Whether all of it has come.
    ended: bool,
    place: Place,
    scan: Scan,
    level: Level,
    next: Next,
    /// The member at hand.
    name: String,
    envelope: Envelope,
    /// What the body has: `eventList` or `event`.
    body: Option<&'static str>,
    /// Something that cannot stand where it stands, told once it is known that what follows is JSON.
    pending: Option<Fault>,
    events: usize,
    /// Bytes that prefixes added to the events so far.
    expanded_bytes: usize,
}

/// In which object or array the next thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Document,
    Body,
    List,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Opening,
    /// Behind an opening bracket.
    First,
    /// Behind a comma.
    Item,
    Colon,
    Value,
    /// Behind a value.
    Behind,
    End,
}

/// What one step did.
enum Step {
    On,
    Event(EventText),
    Wait,
}

impl Default for DocumentStream {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            ended: false,
            place: Place::default(),
            scan: Scan::default(),
            level: Level::Document,
            next: Next::Opening,
            name: String::new(),
            envelope: Envelope::default(),
            body: None,
            pending: None,
            events: 0,
            expanded_bytes: 0,
        }
    }
}

impl DocumentStream {
    /// Takes the next piece of the document, of any size.
    pub fn push(&mut self, piece: &[u8]) {
        // What was read goes once it is the larger part: each byte moves a few times at most.
        if self.at > self.buffer.len() / 2 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(piece);
    }

    /// Says that no more comes.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether that was said.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next event; none where more has to come first, or behind [`DocumentStream::end`] where there is none.
    ///
    /// # Errors
    /// What is wrong with the document there. Nothing more comes afterwards; events that came before may still be read.
    pub fn next_event(&mut self) -> Result<Option<EventText>, DocumentError> {
        loop {
            let index = (self.level == Level::List).then_some(self.events);
            match self.step().map_err(|fault| self.located(fault).in_document(index))? {
                Step::On => {}
                Step::Event(event) => return Ok(Some(event)),
                Step::Wait => return Ok(None),
            }
        }
    }

    /// Reads an event of this document.
    ///
    /// # Errors
    /// What is wrong with it and where.
    pub fn read<'a>(&mut self, event: &'a EventText, hosts: &'a Hosts) -> Result<Draft<'a>, DocumentError> {
        let context = self.envelope.context.get_or_insert_default();
        context.forget_expanded();
        let draft = event.read(context, hosts);
        self.expanded_bytes = self.expanded_bytes.saturating_add(context.expanded_bytes());
        let draft = draft.and_then(|draft| match self.expanded_bytes <= EXPANDED_BYTES_MAX {
            true => Ok(draft),
            false => Err(too_many("bytes added by prefixes in one document", self.expanded_bytes, EXPANDED_BYTES_MAX)),
        });
        draft.map_err(|fault| event.located(fault))
    }

    fn step(&mut self) -> Checked<Step> {
        self.skip_white_space();
        let peeked = self.rest().first().copied();
        if peeked.is_none() && !self.ended {
            return Ok(Step::Wait);
        }
        match (self.next, peeked) {
            (Next::Opening, Some(b'{')) => self.enter(Level::Document),
            (Next::Opening, _) => return self.refuse_document(),
            (Next::First, Some(b'}')) if self.level != Level::List => return self.leave(),
            (Next::First, Some(b']')) if self.level == Level::List => return self.leave(),
            (Next::First | Next::Item, _) if self.level == Level::List => return self.event(),
            (Next::First | Next::Item, Some(b'"')) => return self.member_name(),
            (Next::First | Next::Item, _) => return Err(self.syntax("a member's name")),
            (Next::Colon, Some(b':')) => self.take(Next::Value),
            (Next::Colon, _) => return Err(self.syntax("':'")),
            (Next::Value, _) if self.level == Level::Document => return self.document_value(),
            (Next::Value, _) => return self.body_value(),
            (Next::Behind, Some(b',' | b'}' | b']')) if self.is_fitting(peeked) => return self.behind(peeked),
            (Next::Behind, _) if self.level == Level::List => return Err(self.syntax("',' or ']'")),
            (Next::Behind, _) => return Err(self.syntax("',' or '}'")),
            (Next::End, None) => return self.pending.take().map_or(Ok(Step::Wait), Err),
            (Next::End, Some(_)) => return Err(self.syntax("the end of the text")),
        }
        Ok(Step::On)
    }

    /// Whether what follows a value may follow one at this level.
    fn is_fitting(&self, peeked: Option<u8>) -> bool {
        let closing = if self.level == Level::List { b']' } else { b'}' };
        peeked == Some(b',') || peeked == Some(closing)
    }

    fn behind(&mut self, peeked: Option<u8>) -> Checked<Step> {
        if let Some(fault) = self.pending.take() {
            return Err(fault);
        }
        if peeked != Some(b',') {
            return self.leave();
        }
        self.take(Next::Item);
        Ok(Step::On)
    }

    fn enter(&mut self, level: Level) {
        self.level = level;
        self.take(Next::First);
    }

    fn leave(&mut self) -> Checked<Step> {
        match self.level {
            Level::Document => {
                self.envelope.finish()?;
                self.take(Next::End);
            }
            Level::Body => {
                if self.body.is_none() {
                    return Err(fields::missing("eventList", "an array of events"));
                }
                self.level = Level::Document;
                self.take(Next::Behind);
            }
            Level::List => {
                self.level = Level::Body;
                self.take(Next::Behind);
            }
        }
        Ok(Step::On)
    }

    fn refuse_document(&mut self) -> Checked<Step> {
        let Some(text) = self.value_text(0, ENVELOPE_BYTES_MAX)? else { return Ok(Step::Wait) };
        self.pending = Some(Fault::unexpected(parsed(&text, 0)?.describe(), "an object"));
        self.next = Next::End;
        Ok(Step::On)
    }

    fn member_name(&mut self) -> Checked<Step> {
        let Some(text) = self.value_text(0, ENVELOPE_BYTES_MAX)? else { return Ok(Step::Wait) };
        if let Json::String(name) = parsed(&text, 0)? {
            self.name = name.into_owned();
        }
        self.next = Next::Colon;
        Ok(Step::On)
    }

    fn document_value(&mut self) -> Checked<Step> {
        let is_body = self.name == "epcisBody";
        if is_body && self.rest().first() == Some(&b'{') {
            self.envelope.name(&self.name)?;
            self.envelope.begin_body()?;
            self.enter(Level::Body);
            return Ok(Step::On);
        }
        let name = std::mem::take(&mut self.name);
        let Some(text) = self.value_text(1, ENVELOPE_BYTES_MAX).under(&name)? else {
            self.name = name;
            return Ok(Step::Wait);
        };
        if is_body {
            let found = parsed(&text, 1)?.describe();
            self.pending = Some(Fault::unexpected(found, BODY_EXPECTED).under("epcisBody"));
        } else {
            self.envelope.add(name, text)?;
        }
        self.next = Next::Behind;
        Ok(Step::On)
    }

    fn body_value(&mut self) -> Checked<Step> {
        let first = self.rest().first().copied();
        match (self.name.as_str(), first) {
            ("eventList", Some(b'[')) => {
                self.body_field("eventList")?;
                self.enter(Level::List);
                return Ok(Step::On);
            }
            ("event", Some(b'{')) => return self.event(),
            _ => {}
        }
        let name = std::mem::take(&mut self.name);
        let Some(text) = self.value_text(2, ENVELOPE_BYTES_MAX).under(&name)? else {
            self.name = name;
            return Ok(Step::Wait);
        };
        let found = parsed(&text, 2)?.describe();
        self.pending = Some(match name.as_str() {
            "eventList" => Fault::unexpected(found, "an array of events").under("eventList"),
            "event" => Fault::unexpected(found, "an event").under("event"),
            other => fields::unknown(other, BODY_FIELDS_EXPECTED),
        });
        self.next = Next::Behind;
        Ok(Step::On)
    }

    fn body_field(&mut self, field: &'static str) -> Checked<()> {
        match self.body.replace(field) {
            None => Ok(()),
            Some(before) if before == field => Err(Fault::new(Reason::DuplicateName { name: field.to_owned() })),
            Some(_) => Err(Fault::unexpected("both eventList and event", "one of the two")),
        }
    }

    /// An event of the list, or the one under `event`.
    fn event(&mut self) -> Checked<Step> {
        let (single, index, place) = (self.level == Level::Body, self.events, self.place);
        if index == CAPTURE_EVENTS_MAX {
            return Err(too_many("events in one document", index + 1, CAPTURE_EVENTS_MAX));
        }
        let depth = if single { 2 } else { 3 };
        let under = if single { "event".to_owned() } else { index.to_string() };
        let is_object = self.rest().first() == Some(&b'{');
        let text = match is_object {
            true => self.object_text(depth).under(&under)?,
            false => self.value_text(depth, RECORD_BYTES_MAX).under(&under)?,
        };
        let Some(text) = text else { return Ok(Step::Wait) };
        self.next = Next::Behind;
        if !is_object {
            let found = parsed(&text, depth)?.describe();
            self.pending = Some(Fault::unexpected(found, "an event").under(&under));
            return Ok(Step::On);
        }
        if single {
            self.body_field("event")?;
        }
        self.events += 1;
        Ok(Step::Event(EventText { text, index, single, place }))
    }

    /// The text of the object at hand, unread as yet; none while its end has not come.
    fn object_text(&mut self, depth: usize) -> Checked<Option<String>> {
        let what = "bytes of JSON in one event";
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let text = match self.scan.run(rest, depth, self.ended) {
            Extent::Open if rest.len() <= RECORD_BYTES_MAX => return Ok(None),
            Extent::Open => return Err(too_many(what, rest.len(), RECORD_BYTES_MAX)),
            Extent::Whole(end) if end > RECORD_BYTES_MAX => return Err(too_many(what, end, RECORD_BYTES_MAX)),
            Extent::Whole(end) => text_of(rest.get(..end).unwrap_or_default(), self.place)?.to_owned(),
            Extent::Broken(end) => {
                let text = text_of(rest.get(..end).unwrap_or_default(), self.place)?;
                Json::parse_prefix(text, depth).map_err(|fault| self.place.shift(fault))?;
                return Err(self.syntax("an event"));
            }
        };
        self.skip(text.len());
        Ok(Some(text))
    }

    /// The text of the value at hand, which is one; none while its end has not come.
    fn value_text(&mut self, depth: usize, bytes_max: usize) -> Checked<Option<String>> {
        let what = "bytes in one value beside the events";
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        if !rest
            .first()
            .is_some_and(|byte| matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
        {
            return Err(self.syntax("a value"));
        }
        let end = match self.scan.run(rest, depth, self.ended) {
            Extent::Open if rest.len() <= bytes_max => return Ok(None),
            Extent::Open => return Err(too_many(what, rest.len(), bytes_max)),
            Extent::Whole(end) | Extent::Broken(end) if end > bytes_max => return Err(too_many(what, end, bytes_max)),
            Extent::Whole(end) | Extent::Broken(end) => end,
        };
        let text = text_of(rest.get(..end).unwrap_or_default(), self.place)?;
        // It may end before the text does: what follows it is looked at next.
        let (_, used) = Json::parse_prefix(text, depth).map_err(|fault| self.place.shift(fault))?;
        let text = text.get(..used).unwrap_or_default().to_owned();
        self.skip(used);
        Ok(Some(text))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn skip_white_space(&mut self) {
        let white = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        if white > 0 {
            self.skip(white);
        }
    }

    fn take(&mut self, next: Next) {
        self.skip(1);
        self.next = next;
    }

    fn skip(&mut self, bytes: usize) {
        let end = self.at + bytes;
        self.place.pass(self.buffer.get(self.at..end).unwrap_or_default());
        self.at = end;
        self.scan = Scan::default();
    }

    fn syntax(&self, expected: &'static str) -> Fault {
        self.place.syntax(self.rest(), expected)
    }

    /// A fault of this level as seen from the document.
    fn located(&self, fault: Fault) -> Fault {
        match self.level {
            _ if fault.is_of_document() => Fault::new(fault.reason),
            Level::Document => fault,
            Level::Body => fault.under("epcisBody"),
            Level::List => fault.under("eventList").under("epcisBody"),
        }
    }
}
