//! `GET /.well-known/jwks.json`, `/.well-known/openid-configuration` and
//! `/.well-known/oauth-authorization-server`: what others need to verify tokens. Anybody may ask, and caches may
//! keep the answers.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth;
use shared::crypto::{Jwk, Published};
use shared::http::request::path;
use shared::http::route::matches;
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

/// The path of the key set.
const KEY_SET: &str = "/.well-known/jwks.json";

/// The paths of other functions that the metadata names.
const INTROSPECTION: &str = "/oauth/introspect";
const REVOCATION: &str = "/oauth/revoke";

/// How long caches may keep the answers, in seconds.
const MAX_AGE: u32 = 300;

/// A JWK set (RFC 7517 section 5).
#[derive(Serialize, ToSchema)]
struct KeySet<'k> {
    /// Keys of HS256 are not among them.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<&'k Jwk>,
}

/// The metadata of an authorization server that apply to Latchkey (RFC 8414 section 2; section 3 of `OpenID` Connect
/// Discovery 1.0).
#[derive(Serialize, ToSchema)]
struct Metadata<'k> {
    issuer: &'k str,
    jwks_uri: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let (keys, now) = auth::current_keys(&app).await?;
    let reply = if matches(KEY_SET, path(&request)) {
        Reply::ok(&KeySet {
            keys: keys.public_keys(now),
        })
    } else {
        let published = keys.published(now).ok_or(HttpError::NotFound)?;
        Reply::ok(&metadata(&published, &app.config.issuer))
    };
    Ok(reply?.cached_for(MAX_AGE))
}

fn metadata<'k>(published: &Published<'k>, configured: &'k str) -> Metadata<'k> {
    let issuer = published.issuer.unwrap_or(configured);
    let algorithms = published.algorithms.iter();
    Metadata {
        issuer,
        jwks_uri: format!("{issuer}{KEY_SET}"),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: algorithms.map(|one| one.name()).collect(),
        introspection_endpoint: format!("{issuer}{INTROSPECTION}"),
        introspection_endpoint_auth_methods_supported: ["Bearer"],
        revocation_endpoint: format!("{issuer}{REVOCATION}"),
        revocation_endpoint_auth_methods_supported: ["none"],
    }
}
