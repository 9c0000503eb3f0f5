//! `GET /.well-known/jwks.json`, `/.well-known/openid-configuration` and
//! `/.well-known/oauth-authorization-server`: what others need to verify tokens. Anybody may ask, and caches may
//! keep the answers.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth;
use shared::crypto::Jwk;
use shared::domain::SigningAlgorithm;
use shared::http::request::path;
use shared::http::route::matches;
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

/// The path of the key set.
const KEY_SET: &str = "/.well-known/jwks.json";

/// How long caches may keep the answers, in seconds.
const MAX_AGE: u32 = 300;

/// A JWK set (RFC 7517 section 5).
#[derive(Serialize, ToSchema)]
struct KeySet<'k> {
    /// The public keys; none if tokens are signed with HS256.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<&'k Jwk>,
}

/// The metadata of an authorization server, as far as they apply (RFC 8414 section 2; section 3 of `OpenID` Connect
/// Discovery 1.0).
#[derive(Serialize, ToSchema)]
struct Metadata<'c> {
    issuer: &'c str,
    jwks_uri: String,
    /// There is no authorization endpoint.
    response_types_supported: Vec<&'static str>,
    grant_types_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let reply = if matches(KEY_SET, path(&request)) {
        let (keys, now) = auth::current_keys(&app).await?;
        Reply::ok(&KeySet {
            keys: keys.public_keys(now),
        })
    } else {
        metadata(&app.config.issuer, app.config.algorithm)
    };
    Ok(reply?.cached_for(MAX_AGE))
}

fn metadata(issuer: &str, algorithm: SigningAlgorithm) -> Result<Reply, HttpError> {
    if !algorithm.is_asymmetric() {
        return Err(HttpError::NotFound);
    }
    Reply::ok(&Metadata {
        issuer,
        jwks_uri: format!("{issuer}{KEY_SET}"),
        response_types_supported: Vec::new(),
        grant_types_supported: Vec::new(),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: vec![algorithm.name()],
    })
}
