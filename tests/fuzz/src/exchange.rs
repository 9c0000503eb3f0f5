//! One event in, one response out. Whatever the event is and whatever DynamoDB does:
//!
//! - nothing panics, also where that would have been caught;
//! - the status, the headers, the code and the fields are those that the API's description has for
//!   the route;
//! - a 503 comes of an outage alone, and a 500 only of what DynamoDB should never do;
//! - no password, token or key that was sent comes back, unless it was sent as something else;
//! - nobody is let in who presents no credentials that let them in.

use std::cell::Cell;
use std::sync::{Arc, Once};

use serde_json::Value;
use shared::app::App;
use shared::http::event::{ApiGatewayV2httpRequest, answer};

use crate::description::{Answer, assert_covers};
use crate::engine::Engine;
use crate::plan::{self, Worst};
use crate::world::{self, SECRETS, Settings};

/// An endpoint: its function, method and path, and whether nobody gets a 200 without credentials.
pub(crate) type Route = (&'static str, &'static str, &'static str, bool);

/// Every route. The suite holds these against the template.
pub const ROUTES: [Route; 10] = [
    ("create-api-key", "POST", "/v1/api-keys", true),
    ("create-user", "POST", "/user", false),
    ("get-profile", "GET", "/v1/auth/user", true),
    ("get-user", "GET", "/user", true),
    ("list-api-keys", "GET", "/v1/api-keys", true),
    ("log-in", "POST", "/v1/auth/login", true),
    ("log-out", "POST", "/v1/auth/logout", true),
    ("revoke-api-key", "DELETE", "/v1/api-keys/{id}", true),
    ("sign-in", "POST", "/user/auth", true),
    ("update-profile", "POST", "/v1/auth/user", true),
];

/// The route of a function; of a name that is none, one of them all the same.
pub(crate) fn route_of(function: &[u8]) -> Route {
    let named = ROUTES.iter().find(|route| route.0.as_bytes() == function);
    let sum = function
        .iter()
        .map(|byte| usize::from(*byte))
        .sum::<usize>();
    *named.unwrap_or(&ROUTES[sum % ROUTES.len()])
}

async fn invoke(function: &str, app: &Arc<App>, event: ApiGatewayV2httpRequest) -> Value {
    let response = match function {
        "create-api-key" => answer(app, event, create_api_key::handle).await,
        "create-user" => answer(app, event, create_user::handle).await,
        "get-profile" => answer(app, event, get_profile::handle).await,
        "get-user" => answer(app, event, get_user::handle).await,
        "list-api-keys" => answer(app, event, list_api_keys::handle).await,
        "log-in" => answer(app, event, log_in::handle).await,
        "log-out" => answer(app, event, log_out::handle).await,
        "revoke-api-key" => answer(app, event, revoke_api_key::handle).await,
        "sign-in" => answer(app, event, sign_in::handle).await,
        _ => answer(app, event, update_profile::handle).await,
    };
    serde_json::to_value(&response).expect("a response in JSON")
}

/// An event and what it meets.
#[derive(Debug)]
pub(crate) struct Exchange<'e> {
    pub(crate) route: Route,
    /// The event as Lambda hands it over, with the secrets in place.
    pub(crate) event: &'e str,
    /// The characters of the plan.
    pub(crate) plan: &'e [u8],
    /// What DynamoDB says where the plan says so.
    pub(crate) raw: &'e str,
    pub(crate) settings: Settings,
}

impl Exchange<'_> {
    /// Has the event answered; `None` if it is no JSON, or holds what no value can, neither of which
    /// Lambda would hand over.
    pub(crate) fn run(&self) -> Option<Answer> {
        let event: ApiGatewayV2httpRequest = serde_json::from_str(self.event).ok()?;
        let mut plan = plan::parse(self.plan);
        if self.raw.contains("argon2") {
            // A hash may say that it takes all the memory there is.
            plan.retain(|step| step.worst() < Worst::Forged);
        }
        let worst = plan.iter().map(|step| step.worst()).max();
        let worst = worst.unwrap_or(Worst::Good);
        let engine = Engine::new(world::tables(), &plan, self.raw.as_bytes());
        let app = world::app(self.settings, &engine);
        let response = without_panic(|| world::run(invoke(self.route.0, &app, event)));
        let answer = Answer::of(&response);

        let (_, _, _, is_closed) = self.route;
        assert!(worst > Worst::Outage || answer.status != 500, "{self:?}");
        assert!(worst > Worst::Good || answer.status != 503, "{self:?}");
        if worst < Worst::Forged {
            self.assert_keeps_secrets(&answer);
            assert!(
                answer.status != 200 || !is_closed || self.lets_in(),
                "let in: {self:?} {answer:?}"
            );
        }
        Some(answer)
    }

    /// The same, of an event that is for its route as API Gateway makes them.
    pub(crate) fn run_as_described(&self) -> Option<Answer> {
        let answer = self.run()?;
        let (_, method, path, _) = self.route;
        assert_covers(method, path, &answer);
        Some(answer)
    }

    fn assert_keeps_secrets(&self, answer: &Answer) {
        let echoed = if answer.status == 200 {
            echoed_of(self.event)
        } else {
            String::new()
        };
        for (name, secret, _) in SECRETS.iter() {
            let is_in_headers = answer
                .headers
                .iter()
                .any(|(_, value)| value.contains(secret));
            let is_in_body = answer.text.contains(secret) && !echoed.contains(secret);
            assert!(!is_in_headers && !is_in_body, "{name}: {self:?} {answer:?}");
        }
    }

    fn lets_in(&self) -> bool {
        let mut secrets = SECRETS.iter();
        secrets.any(|(_, secret, lets_in)| *lets_in && self.presents(secret))
    }

    /// Whether a secret is in the event, in whatever way JSON or base64 can write it; as it is, where
    /// a member that nobody looks at holds what is no value.
    fn presents(&self, secret: &str) -> bool {
        let event: Value = serde_json::from_str(self.event).unwrap_or_else(|_| self.event.into());
        let body = body_of(&event).unwrap_or_default();
        let values: Value = serde_json::from_slice(&body).unwrap_or_default();
        event.to_string().contains(secret) || values.to_string().contains(secret)
    }
}

/// What of an event's body may come back: all but the password. Where a member that nobody looks at
/// makes the event no value, it is not searched for what that is.
fn echoed_of(text: &str) -> String {
    let Ok(event) = serde_json::from_str(text) else {
        return text.to_owned();
    };
    let body = body_of(&event).unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("password");
    }
    body.to_string()
}

fn body_of(event: &Value) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text = event["body"].as_str()?;
    if event["isBase64Encoded"] == true {
        let engine = base64::engine::general_purpose::STANDARD;
        return engine.decode(text).ok();
    }
    Some(text.as_bytes().to_vec())
}

thread_local! {
    static HAS_PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Panics if anything on this thread does, caught or not.
fn without_panic<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            HAS_PANICKED.set(true);
            before(panic);
        }));
    });
    HAS_PANICKED.set(false);
    let result = run();
    assert!(!HAS_PANICKED.get(), "an endpoint panicked");
    result
}
