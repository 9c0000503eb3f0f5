//! `GET /user/export`: what is stored of the caller's account, but for secrets.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, Caller, Need};
use shared::domain::Timestamp;
use shared::http::body::Empty;
use shared::http::profile::UserObject;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::ManagedUser;
use shared::http::{HttpError, Reply, Request};
use shared::store::ListedSession;
use utoipa::ToSchema;

const NEED: Need = Need::RECENT_SIGN_IN;

#[derive(Serialize, ToSchema)]
struct Response<'a> {
    #[schema(format = DateTime)]
    exported: Option<String>,
    account: ManagedUser<'a>,
    /// When the account is gone unless its email is verified. Only if it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    expires: Option<String>,
    /// With the live API keys and the latest others, masked.
    profile: UserObject<'a>,
    /// The newest 1000, newest first. Some may have ended.
    sessions: Vec<ExportedSession<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportedSession<'a> {
    id: &'a str,
    #[schema(format = DateTime)]
    created: Option<String>,
    /// When it was last refreshed; else when it began.
    #[schema(format = DateTime)]
    last_refreshed: Option<String>,
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// The address that signed in; of an IPv6 address, the /64 network.
    ip: &'a str,
    user_agent: Option<&'a str>,
    /// Whether its tokens are valid.
    live: bool,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let sessions = auth::stored_sessions(&app, &caller).await?;
    let now = app.clock.now();
    let sessions = sessions.iter().map(|one| shown(one, &caller, now));
    Reply::ok(&Response {
        exported: now.to_rfc3339(),
        account: ManagedUser::with_metadata(&caller.account, profile.metadata.as_ref()),
        expires: caller.account.expires_at.and_then(Timestamp::to_rfc3339),
        profile: UserObject::of(&caller.account, &profile, now),
        sessions: sessions.collect(),
    })
}

fn shown<'a>(session: &'a ListedSession, caller: &Caller, now: Timestamp) -> ExportedSession<'a> {
    let generation = caller.account.session_generation;
    ExportedSession {
        id: &session.id,
        created: session.state.created_at.to_rfc3339(),
        last_refreshed: session.state.last_refreshed().to_rfc3339(),
        expires: session.state.expires_at.to_rfc3339(),
        ip: &session.source,
        user_agent: session.user_agent.as_deref(),
        live: session.state.is_live(generation, now),
    }
}
