//! Goods in one part of an event: the list of EPCs, the quantities, and the spans beside them. All event types name
//! their goods so; only the fields' names differ.

use super::{
    Class, ClassQuantity, CodeAt, GoodsList, Hosts,
    context::Context,
    epc::{self, Named},
    error::{Checked, Fault, Reason, Under},
    event::Position,
    fields, gs1_uri,
    json::Json,
};
use crate::{
    code::{Code, lot_class},
    limits::{EVENT_SUBJECTS_MAX, EVENT_URIS_BYTES_MAX},
    trace::Span,
};

impl GoodsList {
    const ALL: [Self; 4] = [Self::Objects, Self::Children, Self::Inputs, Self::Outputs];

    /// The field of the list of EPCs.
    pub(super) fn epcs(self) -> &'static str {
        match self {
            Self::Objects => "epcList",
            Self::Children => "childEPCs",
            Self::Inputs => "inputEPCList",
            Self::Outputs => "outputEPCList",
        }
    }

    /// The extension that names spans, as its full IRI.
    pub(super) fn spans(self) -> &'static str {
        match self {
            Self::Objects | Self::Children => "https://w3id.org/coldproof/1/spans",
            Self::Inputs => "https://w3id.org/coldproof/1/inputSpans",
            Self::Outputs => "https://w3id.org/coldproof/1/outputSpans",
        }
    }

    /// Whether the extension names spans in any type of event.
    pub(super) fn is_spans(name: &str) -> bool {
        Self::ALL.iter().any(|list| list.spans() == name)
    }
}

/// How much one event names, in all its parts together.
#[derive(Debug, Default)]
pub(super) struct Size {
    subjects: usize,
    /// Bytes of the URIs of EPCs and classes.
    uris_bytes: usize,
}

impl Size {
    pub(super) fn add_subjects(&mut self, more: usize) -> Checked<()> {
        self.subjects += more;
        if self.subjects > EVENT_SUBJECTS_MAX {
            let (what, found) = ("EPCs, classes and spans", self.subjects);
            return Err(Fault::new(Reason::TooMany { what, found, max: EVENT_SUBJECTS_MAX }));
        }
        Ok(())
    }

    pub(super) fn add_uri(&mut self, uri: &str) -> Checked<()> {
        self.uris_bytes += uri.len();
        if self.uris_bytes > EVENT_URIS_BYTES_MAX {
            let what = "bytes of EPCs and classes in one event";
            return Err(Fault::new(Reason::TooMany { what, found: self.uris_bytes, max: EVENT_URIS_BYTES_MAX }));
        }
        Ok(())
    }
}

/// What the document says of the goods in one part of an event.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) list: GoodsList,
    /// How many EPCs are listed, where the list is there.
    pub(super) epcs: Option<usize>,
    pub(super) codes: Vec<CodeAt>,
    pub(super) classes: Vec<ClassQuantity>,
    /// In the order of the spans' extension, from it alone.
    pub(super) spans: Vec<Span>,
    /// The name of the spans' extension as the document writes it, where it is there.
    pub(super) spans_field: Option<String>,
}

impl Listing {
    pub(super) fn new(list: GoodsList) -> Self {
        Self { list, epcs: None, codes: Vec::new(), classes: Vec::new(), spans: Vec::new(), spans_field: None }
    }

    /// Whether an EPC or a quantity is named: what the JSON schema asks for where goods are required. Spans stand
    /// beside the quantities that count them.
    pub(super) fn names_any(&self) -> bool {
        self.epcs.is_some_and(|count| count > 0) || !self.classes.is_empty()
    }

    pub(super) fn read_epcs(
        &mut self,
        value: &mut Json<'_>,
        size: &mut Size,
        context: &Context,
        hosts: &Hosts,
    ) -> Checked<()> {
        let items = fields::array(value, "an array of EPCs")?;
        size.add_subjects(items.len())?;
        self.epcs = Some(items.len());
        for (at, item) in items.iter_mut().enumerate() {
            let position = Position::Epc(self.list, at);
            self.codes.extend(read_instance(item, position, size, context, hosts).under_index(at)?);
        }
        Ok(())
    }

    pub(super) fn read_quantities(
        &mut self,
        value: &mut Json<'_>,
        size: &mut Size,
        context: &Context,
        hosts: &Hosts,
    ) -> Checked<()> {
        let items = fields::array(value, "an array of quantity elements")?;
        for (at, item) in items.iter_mut().enumerate() {
            let class = read_quantity(item, size, context, hosts).under_index(at)?;
            self.classes.push(class);
        }
        Ok(())
    }

    /// Reads the spans' extension; `written` is its name in the document.
    pub(super) fn read_spans(
        &mut self,
        written: &str,
        value: &mut Json<'_>,
        size: &mut Size,
        hosts: &Hosts,
    ) -> Checked<()> {
        const EXPECTED: &str = "an array of at least one span";
        let items = fields::array(value, EXPECTED)?;
        size.add_subjects(items.len())?;
        self.spans_field = Some(written.to_owned());
        if items.is_empty() {
            return Err(Fault::unexpected("an empty array", EXPECTED));
        }
        for (at, item) in items.iter_mut().enumerate() {
            self.read_span(item, at, hosts).under_index(at)?;
        }
        Ok(())
    }

    fn read_span(&mut self, item: &mut Json<'_>, at: usize, hosts: &Hosts) -> Checked<()> {
        let (mut first, mut last) = (None, None);
        for (name, value) in fields::object(item, "an object with first and last")?.iter_mut() {
            let (end, position) = match name.as_ref() {
                "first" => (&mut first, Position::First(self.list, at)),
                "last" => (&mut last, Position::Last(self.list, at)),
                other => return Err(fields::unknown(other, "first or last")),
            };
            const EXPECTED: &str = "one of our codes: 20 characters, or its link";
            let text = fields::text(value, EXPECTED)?;
            let code = Code::parse(text).ok().or_else(|| match epc::read(text, hosts) {
                Ok(Named::Code { code, .. }) => Some(code),
                _ => None,
            });
            let code = code.ok_or_else(|| Fault::unexpected(value.describe(), EXPECTED)).under(name)?;
            fields::replace(value, &code.to_string());
            self.codes.push(CodeAt { code, at: position, gtin: None, claims_ours: true });
            *end = Some(code);
        }
        let first = first.ok_or_else(|| fields::missing("first", "the first code of the span"))?;
        let last = last.ok_or_else(|| fields::missing("last", "the last code of the span"))?;
        if first.run != last.run {
            return Err(Fault::unexpected("codes of two runs", "first and last of one run"));
        }
        let span = Span::new(first.run, first.serial, last.serial)
            .ok_or_else(|| Fault::unexpected("a span that runs backward", "first at or before last"))?;
        self.spans.push(span);
        Ok(())
    }

    /// Quantities beside spans count what the spans name. Which batch each span is of is checked later.
    pub(super) fn check_count(&self) -> Checked<()> {
        if self.spans_field.is_none() || self.classes.is_empty() {
            return Ok(());
        }
        let named: u64 = self.spans.iter().map(|span| u64::from(span.codes())).sum();
        let counted: Option<f64> = self.classes.iter().map(count_of_batch).sum();
        // Both are below 2^53, where doubles count exactly.
        if counted == Some(named as f64) {
            return Ok(());
        }
        Err(Fault::unexpected(
            format!("quantities that differ from the {named} codes of the spans"),
            "one element per batch, its quantity the number of codes that the spans name, without uom",
        ))
        .under(self.list.quantities())
    }
}

/// Reads a URI that names one thing. What reads as an own code is given back; any other of our links becomes canonical.
pub(super) fn read_instance(
    item: &mut Json<'_>,
    at: Position,
    size: &mut Size,
    context: &Context,
    hosts: &Hosts,
) -> Checked<Option<CodeAt>> {
    let uri = fields::uri(item, context)?;
    size.add_uri(&uri)?;
    match epc::read(&uri, hosts)? {
        Named::Code { code, gtin, own_host } => Ok(Some(CodeAt { code, at, gtin, claims_ours: own_host })),
        Named::Other => {
            epc::canonical_link(item, uri, hosts);
            Ok(None)
        }
        Named::Batch(_) | Named::Lot { .. } => {
            Err(Fault::unexpected(uri, "an instance here; classes stand in lists of quantities"))
        }
        Named::Measure(_) => Err(Fault::unexpected(uri, "an EPC")),
    }
}

fn read_quantity(item: &mut Json<'_>, size: &mut Size, context: &Context, hosts: &Hosts) -> Checked<ClassQuantity> {
    let (mut class, mut quantity, mut uom) = (None, None, None);
    for (name, value) in fields::object(item, "a quantity element")?.iter_mut() {
        match name.as_ref() {
            "epcClass" => class = Some(read_class(value, size, context, hosts).under(name)?),
            "quantity" => quantity = Some(amount(value).under(name)?),
            "uom" => uom = Some(unit(value).under(name)?),
            other => return Err(fields::unknown(other, "epcClass, quantity or uom")),
        }
    }
    if uom.is_some() && quantity.is_none() {
        return Err(fields::missing("quantity", "a quantity in the unit given"));
    }
    let class = class.ok_or_else(|| fields::missing("epcClass", "the class's URI"))?;
    Ok(ClassQuantity { class, quantity, uom })
}

fn read_class(value: &mut Json<'_>, size: &mut Size, context: &Context, hosts: &Hosts) -> Checked<Class> {
    let uri = fields::uri(value, context)?;
    size.add_uri(&uri)?;
    match epc::read(&uri, hosts)? {
        Named::Batch(batch) => {
            fields::replace(value, &epc::batch_uri(batch, hosts));
            Ok(Class::Batch(batch))
        }
        Named::Lot { gtin, lot } => {
            if epc::own_link(&uri, hosts).is_some() {
                fields::replace(value, &lot_class(gtin, &lot));
            }
            Ok(Class::Lot { gtin, lot })
        }
        Named::Code { own_host: false, .. } | Named::Other => {
            let uri = epc::canonical_link(value, uri, hosts);
            Ok(Class::Other(gs1_uri::canonical(&uri).unwrap_or(uri)))
        }
        Named::Code { own_host: true, .. } | Named::Measure(_) => {
            Err(Fault::unexpected(uri, "a class here; instances stand in lists of EPCs"))
        }
    }
}

fn count_of_batch(class: &ClassQuantity) -> Option<f64> {
    match (&class.class, class.quantity, &class.uom) {
        (Class::Batch(_), Some(quantity), None) => Some(quantity),
        _ => None,
    }
}

fn amount(value: &Json<'_>) -> Checked<f64> {
    match value {
        Json::Number(amount) if *amount >= 0.0 => Ok(*amount),
        other => Err(Fault::unexpected(other.describe(), "a number from 0 up")),
    }
}

/// A unit of measure, UN/ECE Recommendation 20: two or three capital letters or digits.
fn unit(value: &Json<'_>) -> Checked<String> {
    const EXPECTED: &str = "a unit of UN/ECE Recommendation 20, such as KGM";
    let text = fields::text(value, EXPECTED)?;
    let known = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if known && (2..=3).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(Fault::unexpected(value.describe(), EXPECTED))
    }
}
