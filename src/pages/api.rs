//! The interface as a page shows it: the OpenAPI value, flattened.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ArrayItems, SchemaType, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, Response, Schema};

use super::words::Words;

/// The whole interface.
pub(super) struct Api<'a> {
    pub(super) title: &'a str,
    pub(super) version: &'a str,
    pub(super) description: &'a str,
    pub(super) groups: BTreeMap<&'a str, Vec<Call<'a>>>,
    pub(super) schemas: Vec<Shape<'a>>,
}

/// One method of one path.
pub(super) struct Call<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
    pub(super) parameters: Vec<Field<'a>>,
    pub(super) bodies: Vec<Field<'a>>,
    pub(super) responses: Vec<Field<'a>>,
}

/// A named schema with its properties.
pub(super) struct Shape<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) kind: String,
    pub(super) properties: Vec<Field<'a>>,
}

/// A parameter, a property, a body or a response.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// Its type, or where a parameter stands.
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) description: &'a str,
}

impl<'a> Api<'a> {
    /// Flattens an OpenAPI value; calls stand under their first tag, in the order of their paths.
    pub(super) fn new(openapi: &'a OpenApi) -> Self {
        let mut groups: BTreeMap<&str, Vec<Call<'_>>> = BTreeMap::new();
        for (path, item) in &openapi.paths.paths {
            for (method, operation) in operations(item) {
                let tag = operation.tags.iter().flatten().next().map_or("", String::as_str);
                groups.entry(tag).or_default().push(Call::new(method, path, operation));
            }
        }
        let schemas = openapi.components.iter().flat_map(|components| &components.schemas);
        Self {
            title: &openapi.info.title,
            version: &openapi.info.version,
            description: text(&openapi.info.description),
            groups,
            schemas: schemas.map(|(name, schema)| Shape::new(name, schema)).collect(),
        }
    }
}

impl<'a> Call<'a> {
    fn new(method: &'static str, path: &'a str, operation: &'a Operation) -> Self {
        let body = match &operation.request_body {
            Some(RefOr::T(RequestBody { content, description, required, .. })) => {
                let required = matches!(required, Some(Required::True));
                content
                    .iter()
                    .map(|(media, content)| Field::body(media, content, required, text(description)))
                    .collect()
            }
            Some(RefOr::Ref(reference)) => vec![Field::reference(reference)],
            None => Vec::new(),
        };
        Self {
            method,
            path,
            summary: text(&operation.summary),
            description: text(&operation.description),
            parameters: operation.parameters.iter().flatten().map(Field::parameter).collect(),
            bodies: body,
            responses: operation
                .responses
                .responses
                .iter()
                .map(|(status, response)| Field::response(status, response))
                .collect(),
        }
    }
}

impl Call<'_> {
    /// Its lists of fields, each under its title.
    pub(super) fn sections(&self, t: &'static Words) -> [(&'static str, &[Field<'_>]); 3] {
        [(t.api_parameters, &self.parameters), (t.api_body, &self.bodies), (t.api_responses, &self.responses)]
    }
}

impl<'a> Shape<'a> {
    fn new(name: &'a str, schema: &'a RefOr<Schema>) -> Self {
        let (properties, required): (Vec<_>, &[String]) = match schema {
            RefOr::T(Schema::Object(object)) => (object.properties.iter().collect(), &object.required),
            _ => (Vec::new(), &[]),
        };
        let property = |(name, schema): (&'a String, &'a RefOr<Schema>)| Field {
            name,
            kind: kind(schema),
            required: required.contains(name),
            description: description(schema),
        };
        Self {
            name,
            description: description(schema),
            kind: kind(schema),
            properties: properties.into_iter().map(property).collect(),
        }
    }
}

impl<'a> Field<'a> {
    fn parameter(parameter: &'a RefOr<Parameter>) -> Self {
        match parameter {
            RefOr::T(parameter) => Self {
                name: &parameter.name,
                kind: place(&parameter.parameter_in).to_owned(),
                required: parameter.required == Required::True,
                description: text(&parameter.description),
            },
            RefOr::Ref(reference) => Self::reference(reference),
        }
    }

    fn body(media: &'a str, content: &RefOr<Content>, required: bool, description: &'a str) -> Self {
        Self { name: media, kind: content_kind(content), required, description }
    }

    fn response(status: &'a str, response: &'a RefOr<Response>) -> Self {
        match response {
            RefOr::T(response) => {
                let kinds: Vec<_> = response
                    .content
                    .iter()
                    .map(|(media, content)| format!("{media} {}", content_kind(content)))
                    .collect();
                Self { name: status, kind: kinds.join(", "), required: false, description: &response.description }
            }
            RefOr::Ref(reference) => Self { name: status, ..Self::reference(reference) },
        }
    }

    fn reference(reference: &'a Ref) -> Self {
        Self { name: last(reference), kind: String::new(), required: false, description: &reference.description }
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("HEAD", &item.head),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn place(place: &ParameterIn) -> &'static str {
    match place {
        ParameterIn::Query | ParameterIn::QueryString => "query",
        ParameterIn::Path => "path",
        ParameterIn::Header => "header",
        ParameterIn::Cookie => "cookie",
    }
}

fn content_kind(content: &RefOr<Content>) -> String {
    match content {
        RefOr::T(content) => content.schema.as_ref().map_or_else(String::new, kind),
        RefOr::Ref(reference) => last(reference).to_owned(),
    }
}

/// The last name of a reference: `Product` of `#/components/schemas/Product`.
fn last(reference: &Ref) -> &str {
    reference.ref_location.rsplit('/').next().unwrap_or_default()
}

/// A schema's type in a word or two. A schema nests as deep as the types that it was made from.
fn kind(schema: &RefOr<Schema>) -> String {
    let any = |items: &[RefOr<Schema>], between: &str| items.iter().map(kind).collect::<Vec<_>>().join(between);
    match schema {
        RefOr::Ref(reference) => last(reference).to_owned(),
        RefOr::T(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => format!("{}[]", kind(items)),
            ArrayItems::False => "[]".to_owned(),
        },
        RefOr::T(Schema::Object(object)) => match &object.schema_type {
            SchemaType::Type(kind) => type_name(kind).to_owned(),
            SchemaType::Array(kinds) => kinds.iter().map(type_name).collect::<Vec<_>>().join(" | "),
            SchemaType::AnyValue => "any".to_owned(),
        },
        RefOr::T(Schema::OneOf(one)) => any(&one.items, " | "),
        RefOr::T(Schema::AnyOf(some)) => any(&some.items, " | "),
        RefOr::T(Schema::AllOf(all)) => any(&all.items, " & "),
        RefOr::T(_) => String::new(),
    }
}

fn type_name(kind: &Type) -> &'static str {
    match kind {
        Type::Object => "object",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Null => "null",
    }
}

fn description(schema: &RefOr<Schema>) -> &str {
    match schema {
        RefOr::Ref(reference) => &reference.description,
        RefOr::T(Schema::Array(array)) => text(&array.description),
        RefOr::T(Schema::Object(object)) => text(&object.description),
        RefOr::T(Schema::OneOf(one)) => text(&one.description),
        RefOr::T(Schema::AnyOf(some)) => text(&some.description),
        RefOr::T(Schema::AllOf(all)) => text(&all.description),
        RefOr::T(_) => "",
    }
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}
