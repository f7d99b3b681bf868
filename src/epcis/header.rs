//! The header of a document (EPCIS 2.0, clause 9.5). Master data in it is checked and not kept: products and places are
//! registered, not captured.

use super::{
    context::Context,
    error::{Checked, Fault, Under},
    fields,
    json::Json,
};

/// Checks an `epcisHeader`.
pub(super) fn read(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    for (name, value) in fields::object(value, "an object with epcisMasterData")?.iter_mut() {
        if name == "epcisMasterData" {
            master_data(value, context).under(name)?;
        } else {
            fields::extension(name, value, context)?;
        }
    }
    Ok(())
}

fn master_data(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    for (name, value) in fields::object(value, "master data")?.iter_mut() {
        if name == "vocabularyList" {
            each(value, |item| vocabulary(item, context)).under(name)?;
        }
    }
    Ok(())
}

fn vocabulary(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    let mut has_type = false;
    for (name, value) in fields::object(value, "a vocabulary")?.iter_mut() {
        match name.as_ref() {
            "type" => {
                has_type = true;
                fields::uri(value, context).under(name)?;
            }
            "vocabularyElementList" => each(value, |item| element(item, context)).under(name)?,
            _ => {}
        }
    }
    if has_type { Ok(()) } else { Err(fields::missing("type", "the vocabulary's URI")) }
}

fn element(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    let mut has_id = false;
    for (name, value) in fields::object(value, "an element of a vocabulary")?.iter_mut() {
        match name.as_ref() {
            "id" => {
                has_id = true;
                fields::uri(value, context).under(name)?;
            }
            "attributes" => each(value, |item| attribute(item, context)).under(name)?,
            "children" => drop(fields::uris(value, context).under(name)?),
            _ => {}
        }
    }
    if has_id { Ok(()) } else { Err(fields::missing("id", "the element's URI")) }
}

fn attribute(value: &mut Json<'_>, context: &Context) -> Checked<()> {
    let mut has_id = false;
    for (name, value) in fields::object(value, "an attribute")?.iter_mut() {
        match (name.as_ref(), &*value) {
            ("id", _) => {
                has_id = true;
                fields::uri(value, context).under(name)?;
            }
            ("attribute", Json::Null | Json::Bool(_) | Json::Array(_)) => {
                return Err(Fault::unexpected(value.describe(), "a number, a string or an object")).under(name);
            }
            _ => {}
        }
    }
    if has_id { Ok(()) } else { Err(fields::missing("id", "the attribute's URI")) }
}

fn each(value: &mut Json<'_>, mut check: impl FnMut(&mut Json<'_>) -> Checked<()>) -> Checked<()> {
    let items = fields::array(value, "an array")?;
    items.iter_mut().enumerate().try_for_each(|(at, item)| check(item).under_index(at))
}
