//! One event of a document that is read as a stream.

use super::{
    DocumentError, Draft, Hosts,
    context::Context,
    document,
    error::{Checked, Fault},
    extent::Place,
    json::Json,
};

/// One event of a document, as it stands there.
#[derive(Debug)]
pub struct EventText {
    pub(super) text: String,
    /// Which event of the document, from 0.
    pub(super) index: usize,
    /// Whether it is the one under `event`, and not one of `eventList`.
    pub(super) single: bool,
    pub(super) place: Place,
}

impl EventText {
    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    fn depth(&self) -> usize {
        if self.single { 2 } else { 3 }
    }

    fn pointer(&self) -> String {
        if self.single { "/epcisBody/event".to_owned() } else { format!("/epcisBody/eventList/{}", self.index) }
    }

    /// What it says, with the document's prefixes.
    pub(super) fn read<'a>(&'a self, context: &Context, hosts: &'a Hosts) -> Checked<Draft<'a>> {
        let value = Json::parse_prefix(&self.text, self.depth()).map_err(|fault| self.place.shift(fault));
        let draft = document::read_event(value?.0, context, hosts)?;
        Ok(draft.placed(self.index, self.pointer()))
    }

    /// A fault of it as one of the document.
    pub(super) fn located(&self, mut fault: Fault) -> DocumentError {
        fault.pointer.insert_str(0, &self.pointer());
        fault.in_document(Some(self.index))
    }
}
