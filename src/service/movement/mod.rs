//! Movements: goods packed, unpacked, shipped, received, sold, returned or destroyed, without writing EPCIS. Each becomes
//! one event, captured through the same door as anybody's.

mod goods;

use std::collections::{HashMap, hash_map::Entry};

use self::goods::Moved;
use super::{
    Basis, Caller, Service,
    capture::{CaptureError, Captured},
    gather::Units,
};
use crate::{
    code::{Code, Gtin},
    epcis::{
        Action, BizStep, Disposition, DocumentError, Event,
        shapes::{self, Movement, NamedParty, Occasion},
    },
    limits::MOVEMENT_MARKS_MAX,
    registration::{FieldError, Kind, ValueError},
    store,
    trace::{Bearing, EventHash, Instance, Mark, OrganizationId, Owners},
};

/// What is done to goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementKind {
    /// Put into a parent.
    Pack,
    /// Taken out of it.
    Unpack,
    /// Sent to somebody.
    Ship,
    /// Taken from somebody.
    Receive,
    /// Sold to a consumer.
    Sell,
    /// Taken back.
    Return,
    /// Destroyed.
    Destroy,
}

impl MovementKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Pack, Self::Unpack, Self::Ship, Self::Receive, Self::Sell, Self::Return, Self::Destroy];

    /// Its word in the interface.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Unpack => "unpack",
            Self::Ship => "ship",
            Self::Receive => "receive",
            Self::Sell => "sell",
            Self::Return => "return",
            Self::Destroy => "destroy",
        }
    }

    /// Business step, and the disposition that holds from then on (CBV 2.0, clauses 7.1 and 7.2).
    fn words(self) -> (BizStep, Option<Disposition>) {
        match self {
            Self::Pack => (BizStep::Packing, None),
            Self::Unpack => (BizStep::Unpacking, None),
            Self::Ship => (BizStep::Shipping, Some(Disposition::InTransit)),
            Self::Receive => (BizStep::Receiving, Some(Disposition::InProgress)),
            Self::Sell => (BizStep::RetailSelling, Some(Disposition::RetailSold)),
            Self::Return => (BizStep::Receiving, Some(Disposition::Returned)),
            Self::Destroy => (BizStep::Destroying, Some(Disposition::Destroyed)),
        }
    }

    fn has_parent(self) -> bool {
        matches!(self, Self::Pack | Self::Unpack)
    }
}

/// Goods as somebody names them; codes are not proved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// One code, with the GTIN that its link claims.
    Code(Code, Option<Gtin>),
    /// Codes from the first to the last.
    Span(Code, Code),
    /// A unit by its canonical URI.
    Unit(String),
}

/// A movement to be reported.
#[derive(Clone, Debug)]
pub struct MovementOrder {
    /// What is done.
    pub kind: MovementKind,
    /// To which goods, at most `MOVEMENT_GOODS_MAX`; none for all of a parent.
    pub what: Vec<Named>,
    /// Into what, or out of what: a unit or one code.
    pub parent: Option<Named>,
    /// Who takes them.
    pub to: Option<NamedParty>,
    /// Who had them.
    pub from: Option<NamedParty>,
    /// When, milliseconds since 1970-01-01 UTC; now where left out.
    pub at_ms: Option<i64>,
    /// Where, as a URI.
    pub place: Option<String>,
}

/// Why a movement was not reported. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum MovementError {
    /// Fields are not what they must be.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// Its event may not be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl From<store::Error> for MovementError {
    fn from(error: store::Error) -> Self {
        Self::Capture(error.into())
    }
}

impl From<DocumentError> for MovementError {
    fn from(error: DocumentError) -> Self {
        Self::Capture(error.into())
    }
}

/// What a movement counts for now, for some of its goods.
#[derive(Clone, Debug)]
pub struct Counted {
    /// A code, which stands for its span, or a unit.
    pub of: Instance,
    /// Whether it took effect.
    pub bearing: Option<Bearing>,
    /// Whether others agree, where it speaks of custody.
    pub mark: Option<Mark>,
}

/// A reported movement.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The capture of its event.
    pub captured: Captured,
    /// What it counts for, of the first code of each span and of each unit, at most `MOVEMENT_MARKS_MAX`.
    pub counted: Vec<Counted>,
}

impl Service {
    /// Reports a movement for a caller.
    ///
    /// # Errors
    /// Which fields are wrong; and as for a captured document.
    pub async fn report_movement(&self, caller: &Caller, order: &MovementOrder) -> Result<Reported, MovementError> {
        let mut faults = order.faults(caller.organization);
        for (field, party) in [("/to", order.to), ("/from", order.from)] {
            if let Some(NamedParty::Organization(id)) = party
                && self.statement(Kind::Organization, id.0).await?.is_none()
            {
                faults.push(FieldError::new(field, ValueError::out_of_range(id, "the number of an organization")));
            }
        }
        let moved = self.moved(order, &mut faults).await?;
        if !faults.is_empty() {
            return Err(MovementError::Invalid(faults));
        }
        let event = self.movement_event(caller, order, &moved)?;
        let captured = self.capture_canonical(caller, &event.body).await?;
        let counted = self.counted(caller, event.hash, &moved).await?;
        Ok(Reported { captured, counted })
    }

    fn movement_event(&self, caller: &Caller, order: &MovementOrder, moved: &Moved) -> Result<Event, DocumentError> {
        let goods = moved.goods();
        let (biz_step, disposition) = order.kind.words();
        let occasion = self.occasion(order.at_ms.unwrap_or_else(|| self.now_ms()));
        let occasion = Occasion { read_point: order.place.clone(), ..occasion };
        if let Some(parent) = &moved.parent {
            let action = if order.kind == MovementKind::Pack { Action::Add } else { Action::Delete };
            return shapes::aggregation(&occasion, action, parent, &goods, &biz_step, &self.hosts);
        }
        let own = Some(NamedParty::Organization(caller.organization));
        let (from, to) = match order.kind {
            MovementKind::Ship => (own, order.to),
            MovementKind::Receive | MovementKind::Return => (order.from, own),
            _ => (None, None),
        };
        // Goods on the way are at no place from then on.
        let biz_location = order.place.clone().filter(|_| order.kind != MovementKind::Ship);
        let transactions = Vec::new();
        let movement = Movement { biz_step, disposition, goods, from, to, biz_location, transactions };
        shapes::movement(&occasion, &movement, &self.hosts)
    }

    /// What an event counts for now.
    async fn counted(&self, caller: &Caller, event: EventHash, moved: &Moved) -> store::Result<Vec<Counted>> {
        let (mut counted, mut wholes, mut units) = (Vec::new(), HashMap::new(), Units::default());
        for of in moved.instances().take(MOVEMENT_MARKS_MAX) {
            let lines = match &of {
                Instance::Code { run, .. } => {
                    let Some(run) = self.run(*run).await? else { continue };
                    if let Entry::Vacant(unknown) = wholes.entry(run.batch) {
                        unknown.insert(self.whole_status(run.batch).await?);
                    }
                    let Some(Some((importer, whole))) = wholes.get(&run.batch) else { continue };
                    let owners = Owners { issuer: run.organization, importer: *importer };
                    let own = self.instance_entries(&of, i64::MIN).await?;
                    let own: Vec<_> = own.iter().collect();
                    self.gather(&own, whole, owners, &mut units, &mut Basis::default()).await?.lines
                }
                Instance::Epc(_) => match self.one_unit(&of).await? {
                    Some(unit) => unit.gathered.lines,
                    None => continue,
                },
            };
            let said = |entry: &crate::trace::Entry| {
                entry.event == event && entry.organization == caller.organization && !entry.declares_error
            };
            let line = lines.iter().find(|line| said(&line.entry));
            counted.push(Counted { of, bearing: line.map(|line| line.bearing), mark: line.and_then(|line| line.mark) });
        }
        Ok(counted)
    }
}

impl MovementOrder {
    /// Fields that are missing, or stand where they mean nothing.
    fn faults(&self, caller: OrganizationId) -> Vec<FieldError> {
        let (kind, mut faults) = (self.kind.word(), Vec::new());
        let mut fault = |field: &str, found: &str, expected: String| {
            faults.push(FieldError::new(field, ValueError::out_of_range(found, expected)));
        };
        match (&self.parent, self.kind.has_parent()) {
            (None, true) => fault("/parent", "none", format!("a unit or a case's code: {kind} needs one")),
            (Some(_), false) => fault("/parent", "one", format!("none beside {kind}")),
            _ => {}
        }
        if self.what.is_empty() && self.kind != MovementKind::Unpack {
            fault("/what", "nothing", "codes, spans or units".to_owned());
        }
        match (self.to, self.kind) {
            (None, MovementKind::Ship) => fault("/to", "none", "the organization that takes them".to_owned()),
            (Some(NamedParty::Organization(to)), MovementKind::Ship) if to == caller => {
                fault("/to", "the own organization", "another".to_owned());
            }
            (Some(_), kind) if kind != MovementKind::Ship => {
                fault("/to", "one", format!("none beside {}", kind.word()));
            }
            _ => {}
        }
        if self.from.is_some() && !matches!(self.kind, MovementKind::Receive | MovementKind::Return) {
            fault("/from", "one", format!("none beside {kind}"));
        }
        faults
    }
}
