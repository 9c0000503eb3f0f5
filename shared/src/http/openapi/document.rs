//! Builds one document from all endpoints.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, Ref, RefOr, Response, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::asks::{API_KEY, TOKEN};
use super::refusals::Answer;
use super::{Operation, headers, json};
use crate::http::code::Code;
use crate::http::family::{AppmixerError, Family, ManagementError, OAuthError};

const DESCRIPTION: &str = "\
Accounts, bearer tokens, sessions, profiles and API keys: two published APIs over one account store, and OAuth's introspection and revocation. \
A user created through one API can sign in through both, and both accept the other's tokens and API \
keys.

* A body is a JSON object; below `/oauth/` it is a form. `Content-Type` may be absent, `application/json` or `application/*+json`, and `application/x-www-form-urlencoded` for a form. An \
empty body counts as `{}`. `null` in an optional field counts as absent unless documented otherwise. \
Unknown fields are ignored; a repeated known field is refused.
* The service checks, in this order: route, size, content type, credentials, permission, body, limits, \
state. The first check that fails decides the response.
* An unknown path gets 404; a known path with another method gets 405 and `Allow`.
* If a request has a token and an API key, both must be valid and belong to one account, and the key's \
permissions still apply.
* Retrying after a 503 is safe, except for creating an API key or a setting: check first whether it \
exists.";

/// Method (upper case), path (with `{name}` for a variable segment) and operation.
pub type Endpoint = (&'static str, &'static str, Operation);

#[must_use]
pub fn document(endpoints: impl IntoIterator<Item = Endpoint>) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme(TOKEN, bearer())
        .security_scheme(API_KEY, api_key())
        .schema("Code", codes());
    for family in Family::ALL {
        components = components.schema(family.error_schema(), error(family));
    }
    for (name, header) in headers::all() {
        components = components.header(name, header);
    }
    let mut endpoints: Vec<Endpoint> = endpoints.into_iter().collect();
    let refusals: Vec<Vec<Answer>> = endpoints
        .iter_mut()
        .map(|(_, path, operation)| operation.refusals(Family::of_path(path)))
        .collect();
    let shared = shared(&refusals);
    components = components.responses_from_iter(shared.clone());
    for ((method, path, operation), refusals) in endpoints.into_iter().zip(refusals) {
        let refusals = refusals.into_iter().map(|answer| refer(answer, &shared));
        let (operation, schemas) = operation.describe(Family::of_path(path), refusals.collect());
        paths = paths.path(path, PathItem::new(http_method(method), operation));
        components = components.schemas_from_iter(schemas);
    }
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Latchkey")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(
                    LicenseBuilder::new()
                        .name("MIT OR Apache-2.0")
                        .identifier(Some("MIT OR Apache-2.0"))
                        .build(),
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(Family::ALL.map(|family| {
            TagBuilder::new()
                .name(family.name())
                .description(Some(family.description()))
                .build()
        })))
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

/// The schema of a family's error envelope.
fn error(family: Family) -> RefOr<Schema> {
    let mut schema = match family {
        Family::Appmixer => AppmixerError::schema(),
        Family::Management => {
            let mut schema = ManagementError::schema();
            if let RefOr::T(Schema::Object(error)) = &mut schema {
                let failure = json::only(Type::Boolean, json!(false));
                error
                    .properties
                    .insert("success".to_owned(), failure.into());
            }
            schema
        }
        Family::OAuth => OAuthError::schema(),
    };
    json::close(&mut schema);
    schema
}

/// The responses that several operations share, by name. If two differ under one name, the first.
fn shared(operations: &[Vec<Answer>]) -> BTreeMap<String, Response> {
    let mut seen = Vec::new();
    let mut shared = BTreeMap::new();
    for answer in operations.iter().flatten() {
        if seen.contains(&&answer.response) {
            shared
                .entry(answer.name.clone())
                .or_insert_with(|| answer.response.clone());
        } else {
            seen.push(&answer.response);
        }
    }
    shared
}

fn refer(answer: Answer, shared: &BTreeMap<String, Response>) -> (String, RefOr<Response>) {
    let response = match shared.get(&answer.name) {
        Some(shared) if *shared == answer.response => {
            RefOr::Ref(Ref::from_response_name(answer.name))
        }
        _ => answer.response.into(),
    };
    (answer.status.as_str().to_owned(), response)
}

fn bearer() -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "A token from `POST /user`, `POST /user/auth` or `POST /v1/auth/login`.",
        ));
    SecurityScheme::Http(scheme.build())
}

fn api_key() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "x-api-key",
        "A key from `POST /v1/api-keys`: `api_` and 24 letters and digits. Its permissions are a \
         sum of Read 1, Write 2, Delete 4 and Create 8.",
    )))
}

fn http_method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The enumeration of codes, with names for generated clients.
fn codes() -> Schema {
    let mut description =
        "The outcome of a request. A number never changes its meaning.\n".to_owned();
    for (code, meaning) in Code::ALL {
        let _ = write!(
            description,
            "\n* {} {}:{meaning}",
            *code as u16,
            code.name()
        );
    }
    let names: Vec<&str> = Code::ALL.iter().map(|(code, _)| code.name()).collect();
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some(description))
        .enum_values(Some(Code::ALL.iter().map(|(code, _)| json!(code))))
        .extensions(Some(Extensions::from_iter([("x-enum-varnames", names)])))
        .build()
        .into()
}

impl Family {
    pub(super) fn error_schema(self) -> &'static str {
        match self {
            Self::Appmixer => "AppmixerError",
            Self::Management => "ManagementError",
            Self::OAuth => "OAuthError",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Appmixer => "The authentication API of Appmixer 6.0.",
            Self::Management => {
                "The management authentication API of the Babel Licensing Service 11.5, and API keys."
            }
            Self::OAuth => "Introspection and revocation of tokens (RFC 7662, RFC 7009).",
        }
    }
}

impl ToSchema for Code {}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        codes().into()
    }
}
