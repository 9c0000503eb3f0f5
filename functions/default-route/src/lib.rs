//! API Gateway's `$default` route, for requests that no other route matches: `GET /`, unknown paths,
//! and known paths with another method.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::http::request::path;
use shared::http::route::matches;
use shared::http::{HttpError, Reply, Request};

/// The methods and paths of all other routes.
const ROUTES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// `GET /`, which published clients ask for.
#[derive(Serialize)]
struct About {
    name: &'static str,
    version: &'static str,
}

const ABOUT: About = About {
    name: "latchkey",
    version: env!("CARGO_PKG_VERSION"),
};

#[expect(clippy::unused_async, reason = "`serve` takes an async function")]
pub async fn handle(_: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    answer(request.method().as_str(), path(&request))
}

fn answer(method: &str, path: &str) -> Result<Reply, HttpError> {
    let routes = ROUTES.iter().chain(&[("GET", "/")]);
    let of_path: Vec<_> = routes.filter(|(_, route)| matches(route, path)).collect();
    // `/users/count` is a resource of its own beside `/users/{id}`.
    let is_variable = |route: &str| route.contains('{');
    let all_variable = of_path.iter().all(|(_, route)| is_variable(route));
    let of_path = of_path
        .into_iter()
        .filter(|(_, route)| all_variable || !is_variable(route));
    let methods: BTreeSet<&str> = of_path.map(|(method, _)| *method).collect();
    if matches("/", path) && methods.contains(method) {
        Reply::ok(&ABOUT)
    } else if methods.is_empty() {
        Err(HttpError::NotFound)
    } else {
        let allowed: Vec<_> = methods.into_iter().collect();
        Err(HttpError::MethodNotAllowed(allowed.join(", ")))
    }
}
