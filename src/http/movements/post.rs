//! `POST /v1/movements`.

use std::fmt;

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use utoipa::ToSchema;

use super::named;
use crate::{
    code::{Code, Gln},
    epcis::{Hosts, canonical_epc, event_id, shapes::NamedParty},
    http::{App, error::Problem, extract::Json, given::Fields, runs::spans::SpanBody, text_or::TextOr},
    limits::{CLOCK_SKEW_MS_MAX, MOVEMENT_FAULTS_MAX, MOVEMENT_GOODS_MAX, READINGS_EARLIEST_S, URI_BYTES_MAX},
    registration::ValueError,
    service::{
        Caller, Service,
        capture::heavy,
        movement::{Counted, MovementKind, MovementOrder, Named},
    },
    trace::{Bearing, Mark, OrganizationId, Role},
};

/// Goods that are packed, unpacked, shipped, received, sold, returned or destroyed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovementBody {
    /// `pack`, `unpack`, `ship`, `receive`, `sell`, `return` or `destroy`.
    #[schema(value_type = String, example = "ship")]
    pub action: ActionBody,
    /// Which goods, at most 100,000: codes and units as text (20 characters, SSCC digits, container numbers, GRAIs,
    /// links, EPC URIs), and spans as `{"first", "last"}`. May be left out for `unpack`: all that is inside.
    #[schema(value_type = Vec<Object>)]
    #[serde(default)]
    pub what: Vec<TextOr<SpanBody>>,
    /// The unit, or a case's code, that they are packed into or taken out of.
    pub parent: Option<String>,
    /// Who takes shipped goods: number of an organization, or a GLN as text.
    #[schema(value_type = Option<Object>)]
    pub to: Option<PartyBody>,
    /// Who sent received or returned goods; may be left out.
    #[schema(value_type = Option<Object>)]
    pub from: Option<PartyBody>,
    /// When, RFC 3339; now where left out.
    #[schema(format = DateTime)]
    pub at: Option<String>,
    /// Where: the GLN of a place, or a URI.
    pub place: Option<String>,
}

/// What is done to goods.
#[derive(Clone, Copy, Debug)]
pub struct ActionBody(MovementKind);

/// A party.
#[derive(Debug)]
pub enum PartyBody {
    /// Number of an organization.
    Number(u64),
    /// A GLN, or its link.
    Text(String),
}

/// What a movement became.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovementJson {
    /// The public ids of the events that were made.
    pub events: Vec<String>,
    /// The capture that they came in.
    pub capture: String,
    /// What they count for now: of the first code of each span and of each unit, at most 100.
    pub marks: Vec<MarkJson>,
}

/// What a movement counts for now.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkJson {
    /// A code, or the URI of a unit.
    pub of: String,
    /// `effective`, or `report` where the goods are not in the organization's hands.
    #[schema(value_type = Option<String>)]
    pub bearing: Option<Bearing>,
    /// Of a shipment, receipt, return or sale: `confirmed`, `unconfirmed` until the other party reports it too, or how
    /// another report contradicts it.
    pub mark: Option<&'static str>,
}

/// Reports a movement of goods. An event is made of it and captured.
#[utoipa::path(post, path = "/v1/movements", tag = "goods", request_body = MovementBody,
    responses((status = 201, body = MovementJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<MovementBody>,
) -> Result<(StatusCode, AxumJson<MovementJson>), Problem> {
    caller.require(&[Role::Operator, Role::Importer])?;
    let order = heavy(body.what.len() * 24, || body.read(&app.service))?;
    let order = MovementOrder {
        to: registered(&app.service, order.to).await?,
        from: registered(&app.service, order.from).await?,
        ..order
    };
    let reported = app.service.report_movement(&caller, &order).await?;
    let mark = |counted: Counted| MarkJson {
        of: app.service.instance_text(&counted.of),
        bearing: counted.bearing,
        mark: counted.mark.map(Mark::word),
    };
    let body = MovementJson {
        events: reported.captured.events.into_iter().map(event_id).collect(),
        capture: reported.captured.capture.id.to_string(),
        marks: reported.counted.into_iter().map(mark).collect(),
    };
    Ok((StatusCode::CREATED, AxumJson(body)))
}

/// A GLN of an organization that is registered here is that organization.
async fn registered(service: &Service, party: Option<NamedParty>) -> Result<Option<NamedParty>, Problem> {
    let Some(NamedParty::Gln(gln)) = party else { return Ok(party) };
    Ok(service.organization_of_gln(&gln).await?.map(NamedParty::Organization).or(party))
}

impl MovementBody {
    /// The movement, with every field well formed.
    ///
    /// # Errors
    /// The fields at fault.
    fn read(self, service: &Service) -> Result<MovementOrder, Problem> {
        let (mut fields, hosts) = (Fields::default(), &service.hosts);
        let what = fields.inside("/what", |fields| read_goods(fields, self.what, hosts));
        let parent = self.parent.and_then(|parent| fields.keep("/parent", named(&parent, hosts)));
        let to = self.to.and_then(|party| fields.keep("/to", party.read(hosts)));
        let from = self.from.and_then(|party| fields.keep("/from", party.read(hosts)));
        let at_ms = self.at.and_then(|at| fields.keep("/at", read_time(&at, service.now_ms())));
        let place = self.place.and_then(|place| fields.keep("/place", read_place(&place)));
        fields.finish()?;
        let (kind, what) = (self.action.0, what.unwrap_or_default());
        Ok(MovementOrder { kind, what, parent, to, from, at_ms, place })
    }
}

fn read_goods(fields: &mut Fields, goods: Vec<TextOr<SpanBody>>, hosts: &Hosts) -> Option<Vec<Named>> {
    if goods.len() > MOVEMENT_GOODS_MAX {
        let found = format!("{} of them", goods.len());
        fields.refuse("", ValueError::out_of_range(found, format!("at most {MOVEMENT_GOODS_MAX}")));
        return None;
    }
    let (mut read, mut faults) = (Vec::with_capacity(goods.len()), 0);
    for (at, goods) in goods.into_iter().enumerate() {
        match fields.inside(&format!("/{at}"), |fields| read_one(goods, fields, hosts)) {
            Some(named) => read.push(named),
            None => faults += 1,
        }
        if faults >= MOVEMENT_FAULTS_MAX {
            return None;
        }
    }
    Some(read)
}

fn read_one(goods: TextOr<SpanBody>, fields: &mut Fields, hosts: &Hosts) -> Option<Named> {
    match goods {
        TextOr::Text(text) => fields.keep("", named(&text, hosts)),
        TextOr::Parts(SpanBody { first, last }) => {
            let code = |text: &str| match named(text, hosts)? {
                Named::Code(code, _) => Ok(code),
                _ => Err(ValueError::out_of_range(text, "a code")),
            };
            let (first, last): (Option<Code>, _) =
                (fields.keep("/first", code(&first)), fields.keep("/last", code(&last)));
            Some(Named::Span(first?, last?))
        }
    }
}

impl PartyBody {
    fn read(self, hosts: &Hosts) -> Result<NamedParty, ValueError> {
        const EXPECTED: &str = "the number of an organization, or a GLN of 13 digits";
        let text = match self {
            Self::Number(number) => return Ok(NamedParty::Organization(OrganizationId(number))),
            Self::Text(text) => text,
        };
        let canonical = canonical_epc(&text, hosts);
        let linked = canonical.as_deref().and_then(|uri| uri.strip_prefix("https://id.gs1.org/417/"));
        match linked.unwrap_or(&text) {
            gln if gln.len() == 13 => Ok(NamedParty::Gln(gln.parse::<Gln>()?)),
            number => match number.parse() {
                Ok(number) => Ok(NamedParty::Organization(OrganizationId(number))),
                Err(_) => Err(ValueError::malformed(&text, EXPECTED)),
            },
        }
    }
}

fn read_time(text: &str, now_ms: i64) -> Result<i64, ValueError> {
    const EXPECTED: &str = "a time like 2026-05-31T10:00:00+08:00";
    let at: Timestamp = text.parse().map_err(|_| ValueError::malformed(text, EXPECTED))?;
    let at_ms = at.as_millisecond();
    if at_ms > now_ms + CLOCK_SKEW_MS_MAX || at_ms < READINGS_EARLIEST_S * 1_000 {
        return Err(ValueError::out_of_range(at, "a time since 2000 and at most one day after now"));
    }
    Ok(at_ms)
}

fn read_place(text: &str) -> Result<String, ValueError> {
    if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.parse::<Gln>()?.place_uri());
    }
    if text.len() <= URI_BYTES_MAX && text.contains(':') {
        return Ok(text.to_owned());
    }
    Err(ValueError::malformed(text, "a GLN of 13 digits, or a URI"))
}

impl<'de> Deserialize<'de> for ActionBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        let known = MovementKind::ALL.into_iter().find(|kind| kind.word() == word);
        known.map(Self).ok_or_else(|| {
            let expected = "pack, unpack, ship, receive, sell, return or destroy";
            serde::de::Error::custom(format!("found {:?}, expected {expected}", crate::http::extract::cut(&word)))
        })
    }
}

impl<'de> Deserialize<'de> for PartyBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct EitherForm;

        impl Visitor<'_> for EitherForm {
            type Value = PartyBody;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of an organization, or a GLN as text")
            }
            fn visit_u64<E>(self, number: u64) -> Result<PartyBody, E> {
                Ok(PartyBody::Number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<PartyBody, E> {
                Ok(PartyBody::Text(text.to_owned()))
            }
        }

        from.deserialize_any(EitherForm)
    }
}
