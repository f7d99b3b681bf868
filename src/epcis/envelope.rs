//! What stands beside the events of a document that is read as a stream.

use std::{borrow::Cow, collections::HashSet};

use super::{
    context::Context,
    document,
    error::{Checked, Fault, Reason},
    fields,
    json::{Json, Members},
};
use crate::limits::ENVELOPE_BYTES_MAX;

/// Members beside the body, at most `ENVELOPE_BYTES_MAX`.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// Names of all members so far.
    names: HashSet<String>,
    /// Members before the body, as they stand there.
    before: Vec<(String, String)>,
    bytes: usize,
    /// The document's prefixes, once the body has begun.
    pub(super) context: Option<Context<'static>>,
}

impl Envelope {
    pub(super) fn name(&mut self, name: &str) -> Checked<()> {
        self.bytes += name.len();
        if self.bytes > ENVELOPE_BYTES_MAX {
            return Err(too_many("bytes beside the events", self.bytes, ENVELOPE_BYTES_MAX));
        }
        match self.names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(Fault::new(Reason::DuplicateName { name: super::error::quote(name) })),
        }
    }

    /// A member before or behind the body.
    pub(super) fn add(&mut self, name: String, text: String) -> Checked<()> {
        self.bytes += text.len();
        self.name(&name)?;
        match &self.context {
            None => self.before.push((name, text)),
            Some(context) => document::read_member(Cow::Owned(name), parsed(&text, 1)?, context)?,
        }
        Ok(())
    }

    fn members(&self) -> Checked<Members<'_>> {
        self.before.iter().map(|(name, text)| Ok((Cow::Borrowed(name.as_str()), parsed(text, 1)?))).collect()
    }

    pub(super) fn begin_body(&mut self) -> Checked<()> {
        const EXPECTED: &str = "EPCIS's context, and one's own prefixes, before epcisBody in a document of this size";
        let members = self.members()?;
        if !members.iter().any(|(name, _)| name == "@context") {
            return Err(fields::missing("@context", EXPECTED));
        }
        let context = document::envelope_context(&members)?;
        for (name, value) in members {
            document::read_member(name, value, &context)?;
        }
        self.before.clear();
        self.context = Some(context);
        Ok(())
    }

    pub(super) fn finish(&self) -> Checked<()> {
        match self.context {
            Some(_) => document::require_members(|name| self.names.contains(name)),
            None => document::read_envelope(self.members()?).map(drop),
        }
    }
}

/// What a text says that was read before.
pub(super) fn parsed(text: &str, depth: usize) -> Checked<Json<'_>> {
    Ok(Json::parse_prefix(text, depth)?.0)
}

pub(super) fn too_many(what: &'static str, found: usize, max: usize) -> Fault {
    Fault::new(Reason::TooMany { what, found, max })
}
