//! The headers of answers.

use lambda_http::http::HeaderMap;
use lambda_http::http::header::CONTENT_TYPE;
use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, ResponseBuilder};

use super::json::only;

/// Adds the headers a reply has, by reference; its media type is said elsewhere.
pub(super) fn add(response: ResponseBuilder, headers: &HeaderMap) -> ResponseBuilder {
    let names = headers.keys().filter(|name| *name != CONTENT_TYPE);
    names.fold(response, |response, name| refer(response, name.as_str()))
}

/// Adds where the caller stands against limits.
pub(super) fn add_rate_limit(response: ResponseBuilder) -> ResponseBuilder {
    refer(refer(response, "ratelimit"), "ratelimit-policy")
}

fn refer(response: ResponseBuilder, name: &str) -> ResponseBuilder {
    match NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(name) => {
            let place = format!("#/components/headers/{name}");
            response.header_ref(*name, Ref::new(place))
        }
        None => response,
    }
}

const NAMES: [&str; 6] = [
    "Cache-Control",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Content-Type-Options",
];

/// Every header, described.
pub(super) fn all() -> [(&'static str, Header); 6] {
    NAMES.map(|name| (name, describe(name)))
}

fn describe(name: &str) -> Header {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let (schema, description) = match name {
        "Cache-Control" => (only(Type::String, json!("no-store")), "No answer is kept."),
        "X-Content-Type-Options" => (
            only(Type::String, json!("nosniff")),
            "An answer is what its media type says.",
        ),
        "Retry-After" => (
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .build(),
            "In how many seconds to try again.",
        ),
        "WWW-Authenticate" => (
            text().pattern(Some("^Bearer( error=\".+\")?$")).build(),
            "What is asked for, and what is wrong with the token that was sent (RFC 6750).",
        ),
        "RateLimit-Policy" => (
            text()
                .examples([json!("\"ip\";q=50;w=3600, \"email\";q=10;w=3600")])
                .build(),
            "The limits an attempt was counted against: so many (`q`) within so many seconds (`w`). \
             A list of structured fields (draft-ietf-httpapi-ratelimit-headers). Not sent to whom \
             no limits apply.",
        ),
        _ => (
            text()
                .examples([json!("\"ip\";r=49;t=3600, \"email\";r=9;t=3600")])
                .build(),
            "Where the caller stands against each: so many are left (`r`) for so many seconds (`t`).",
        ),
    };
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}
