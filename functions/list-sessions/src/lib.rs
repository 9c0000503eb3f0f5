//! `GET /user/sessions`: lists the caller's newest live sessions.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, Caller, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use shared::store::ListedSession;
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE.unverified();

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    id: &'a str,
    #[schema(format = DateTime)]
    created: Option<String>,
    /// When it was last refreshed; else when it began.
    #[schema(format = DateTime)]
    last_refreshed: Option<String>,
    /// The address that signed in; of an IPv6 address, the /64 network.
    ip: &'a str,
    /// The first 256 bytes of the browser's or program's name for itself.
    user_agent: Option<&'a str>,
    /// Whether the request uses it.
    current: bool,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let sessions = auth::list_sessions(&app, &caller).await?;
    let sessions: Vec<_> = sessions.iter().map(|one| shown(one, &caller)).collect();
    Reply::ok(&sessions)
}

fn shown<'a>(session: &'a ListedSession, caller: &Caller) -> Session<'a> {
    Session {
        id: &session.id,
        created: session.state.created_at.to_rfc3339(),
        last_refreshed: session.state.last_refreshed().to_rfc3339(),
        ip: &session.source,
        user_agent: session.user_agent.as_deref(),
        current: caller.session() == Some(&session.id),
    }
}
