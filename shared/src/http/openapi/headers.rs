//! The headers of responses.

use lambda_http::http::HeaderMap;
use lambda_http::http::header::CONTENT_TYPE;
use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, ResponseBuilder};

use super::json::only;

/// Adds references to the reply's headers, except `Content-Type`, which the content declares.
pub(super) fn add(response: ResponseBuilder, headers: &HeaderMap) -> ResponseBuilder {
    let names = headers.keys().filter(|name| *name != CONTENT_TYPE);
    names.fold(response, |response, name| refer(response, name.as_str()))
}

pub(super) fn add_rate_limit(response: ResponseBuilder) -> ResponseBuilder {
    refer(refer(response, "ratelimit"), "ratelimit-policy")
}

pub(super) fn add_link(response: ResponseBuilder) -> ResponseBuilder {
    refer(response, "link")
}

/// A `Cache-Control` in place of the usual one.
pub(super) fn add_cached(response: ResponseBuilder) -> ResponseBuilder {
    let description = "Any cache may keep the response for this many seconds.";
    let value = only(Type::String, json!("public, max-age=300"));
    let header = HeaderBuilder::new()
        .schema(Some(value))
        .description(Some(description));
    response.header("Cache-Control", header.build())
}

fn refer(response: ResponseBuilder, name: &str) -> ResponseBuilder {
    match NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(name) => {
            let path = format!("#/components/headers/{name}");
            response.header_ref(*name, Ref::new(path))
        }
        None => response,
    }
}

const NAMES: [&str; 7] = [
    "Cache-Control",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Content-Type-Options",
];

pub(super) fn all() -> [(&'static str, Header); 7] {
    NAMES.map(|name| (name, describe(name)))
}

fn describe(name: &str) -> Header {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let (schema, description) = match name {
        "Cache-Control" => (
            only(Type::String, json!("no-store")),
            "Responses must not be cached.",
        ),
        "X-Content-Type-Options" => (
            only(Type::String, json!("nosniff")),
            "Browsers must not guess the media type.",
        ),
        "Link" => (
            text()
                .examples([json!("</users?limit=30&after=MDE5>; rel=\"next\"")])
                .build(),
            "The next page (RFC 8288). Absent after the last one.",
        ),
        "Retry-After" => (
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .build(),
            "Seconds to wait before a retry.",
        ),
        "WWW-Authenticate" => (
            text()
                .pattern(Some("^Bearer( error=\".+\"(, max_age=[0-9]+)?)?$"))
                .build(),
            "The required scheme, and what is wrong with the token (RFC 6750). `max_age`: how many \
             seconds ago the sign-in may have been (RFC 9470).",
        ),
        "RateLimit-Policy" => (
            text()
                .examples([json!("\"ip\";q=50;w=3600, \"email\";q=10;w=3600")])
                .build(),
            "The limits that counted this attempt: `q` attempts within `w` seconds. A structured \
             field list (draft-ietf-httpapi-ratelimit-headers). Absent if no limits apply to the \
             caller.",
        ),
        _ => (
            text()
                .examples([json!("\"ip\";r=49;t=3600, \"email\";r=9;t=3600")])
                .build(),
            "Each limit's status: `r` attempts remain in a window that ends in `t` seconds.",
        ),
    };
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}
