//! Raw events: any JSON in place of one, as no API Gateway would send it. See [`crate::exchange`]
//! for what must hold; beyond that, the answer is in one of the two envelopes, because the path
//! that chooses between them is the input's to choose.

use crate::description::Answer;
use crate::exchange::{Exchange, route_of};
use crate::world::{Settings, with_secrets};

/// Every status that some route's description has.
const STATUSES: [u16; 10] = [200, 400, 401, 403, 404, 409, 413, 415, 429, 503];

/// Runs one input: a function's name and a plan on a line, then an event.
pub fn run(input: &[u8]) {
    let _ = answered(input);
}

/// The function that was invoked, and its status; `None` for an input that Lambda would not hand
/// over.
#[must_use]
pub fn answered(input: &[u8]) -> Option<(&'static str, u16)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let (line, event) = input.split_at(end);
    let space = line.iter().position(|byte| *byte == b' ');
    let (function, plan) = line.split_at(space.unwrap_or(line.len()));
    let exchange = Exchange {
        route: route_of(function),
        event: &with_secrets(std::str::from_utf8(event).ok()?),
        plan: plan.get(1..).unwrap_or_default(),
        raw: "",
        settings: Settings::Default,
    };
    let answer = exchange.run()?;
    assert_is_in_an_envelope(&answer);
    Some((exchange.route.0, answer.status))
}

fn assert_is_in_an_envelope(answer: &Answer) {
    let Answer { status, body, .. } = answer;
    assert!(*status == 500 || STATUSES.contains(status), "{answer:?}");
    if *status == 200 {
        return;
    }
    let fields = body.as_object().map_or(0, serde_json::Map::len);
    let is_appmixer = body["statusCode"] == *status && body["error"].is_string();
    let is_management = body["success"] == false && body["code"].is_u64();
    assert!(fields == 3 && (is_appmixer || is_management), "{answer:?}");
    assert!(body["message"].is_string(), "{answer:?}");
}
