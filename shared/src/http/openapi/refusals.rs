//! An operation's error responses by status, built from the replies themselves. Each has the
//! family's envelope and an example for each code.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_http::http::StatusCode;
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};

use super::{NOW, headers};
use crate::auth::{AuthError, LimitExceeded};
use crate::domain::{Limit, RateLimitPolicy, RateLimitStatus, Tally};
use crate::http::HttpError;
use crate::http::code::Code;
use crate::http::family::Family;

/// The errors that every operation can return.
pub(super) const EVERYWHERE: [HttpError; 2] = [HttpError::Panicked, HttpError::TimedOut];

/// The errors that every operation can return that reads bodies of up to `max` bytes.
pub(super) fn of_body(max: usize) -> [HttpError; 4] {
    [
        HttpError::Unreadable,
        HttpError::MalformedJson,
        HttpError::TooLarge(max),
        HttpError::UnsupportedMediaType,
    ]
}

/// An attempt beyond the policy's limit.
#[must_use]
pub fn limited(policy: RateLimitPolicy) -> HttpError {
    HttpError::Auth(AuthError::Limited(LimitExceeded {
        policy,
        status: status(51),
        at: NOW,
    }))
}

/// A counted sign-up whose email or username is taken.
#[must_use]
pub fn taken() -> HttpError {
    let rate_limits = vec![(RateLimitPolicy::SignUpIp, status(1))];
    HttpError::Auth(AuthError::Taken { rate_limits })
}

fn status(count: u64) -> RateLimitStatus {
    let limit = Limit {
        max: 50,
        window: Duration::from_hours(1),
    };
    limit.status(Tally { opened: NOW, count })
}

/// An operation's response for one status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The component's name if several operations share the response.
    pub(super) name: String,
    pub(super) response: Response,
}

/// Groups the errors into one response for each status.
pub(super) fn by_status(family: Family, refusals: impl Iterator<Item = HttpError>) -> Vec<Answer> {
    let mut statuses: BTreeMap<StatusCode, Vec<HttpError>> = BTreeMap::new();
    for refusal in refusals {
        let (status, ..) = refusal.row(family);
        statuses.entry(status).or_default().push(refusal);
    }
    statuses
        .into_iter()
        .map(|(status, refusals)| answer(family, status, refusals))
        .collect()
}

fn answer(family: Family, status: StatusCode, refusals: Vec<HttpError>) -> Answer {
    let mut response = ResponseBuilder::new();
    let mut codes = Vec::new();
    let mut examples = Vec::new();
    for refusal in refusals {
        let (_, code, _) = refusal.row(family);
        let reply = refusal.into_reply(family, NOW);
        response = headers::add(response, &reply.headers);
        if !codes.contains(&code) {
            codes.push(code);
        }
        let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let example = ExampleBuilder::new()
            .summary(meaning(code))
            .value(Some(body));
        examples.push((code.name(), example.build()));
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(family.error_schema())))
        .examples_from_iter(examples);
    Answer {
        status,
        name: format!("{}{}", family.name(), name(status, &codes)),
        response: response
            .description(described(&codes))
            .content("application/json", content.build())
            .build(),
    }
}

fn name(status: StatusCode, codes: &[Code]) -> String {
    match codes {
        [code] => code.name().to_owned(),
        _ => status
            .canonical_reason()
            .unwrap_or_default()
            .replace(' ', ""),
    }
}

fn described(codes: &[Code]) -> String {
    match codes {
        [code] => meaning(*code).to_owned(),
        codes => codes
            .iter()
            .map(|code| format!("* {}", meaning(*code)))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

pub(super) fn meaning(code: Code) -> &'static str {
    let known = Code::ALL.iter().find(|(known, _)| *known == code);
    known.map_or("", |(_, meaning)| meaning.trim())
}
