//! Bearer tokens: JWTs signed with HMAC-SHA-256 (RFC 7519, RFC 8725).
//!
//! `jsonwebtoken` verifies the signature, the algorithm, the issuer and the audience. Its defaults
//! are lax, so this module requires every claim and compares times itself, with the given clock:
//! `exp` without leeway, `nbf` with five seconds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::key_ring::KeyRing;
use crate::domain::{Account, AccountId, Session, Timestamp};

#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    /// The token itself, for the response that issues it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The claims of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub account: AccountId,
    /// `sid`: the session, which must be stored for the token to count.
    pub session: String,
    /// `auth_time`: when the account's password was last proved.
    pub authenticated_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ClaimSet {
    id: String,
    sub: String,
    scope: Vec<String>,
    jti: String,
    sid: String,
    auth_time: i64,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Issues and verifies tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
    validation: Validation,
}

/// How far another instance's clock may run ahead of this one's.
const NOT_BEFORE_SKEW_SECS: i64 = 5;

/// A session id becomes part of a DynamoDB key.
const MAX_SESSION_ID_BYTES: usize = 255;

impl Tokens {
    #[must_use]
    pub fn new(issuer: String, audience: String) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        // `verify` compares times with the given clock. The library would read the system clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            issuer,
            audience,
            validation,
        }
    }

    /// Signs a token of this session with the ring's active key, for a password that was proved or set
    /// when the session started.
    pub fn issue(
        &self,
        keys: &KeyRing,
        account: &Account,
        session: &Session,
        token_id: String,
    ) -> Result<Token, InvalidToken> {
        let key = keys.signing().ok_or(InvalidToken::Signature)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.kid.clone());
        let now = session.created_at;
        let claims = ClaimSet {
            id: account.id.to_string(),
            sub: account.id.to_string(),
            scope: account.scopes.iter().map(str::to_owned).collect(),
            jti: token_id,
            sid: session.id.clone(),
            auth_time: now.secs(),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: now.secs(),
            nbf: now.secs(),
            exp: session.expires_at.secs(),
        };
        encode(&header, &claims, &key.encoding)
            .map(|token| Token(token.into()))
            .map_err(|_| InvalidToken::Signature)
    }

    /// Verifies the signature, the claims and the times. The caller looks the session up.
    pub fn verify(
        &self,
        keys: &KeyRing,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims, InvalidToken> {
        let header = header_part(token).ok_or(InvalidToken::Format)?;
        let kid = kid(header).ok_or(InvalidToken::Signature)?;
        let key = keys.find(&kid).ok_or(InvalidToken::UnknownKey)?;
        if !key.verifies(now) {
            return Err(InvalidToken::Signature);
        }
        let claims = decode::<ClaimSet>(token, &key.decoding, &self.validation)
            .map_err(|_| InvalidToken::Signature)?
            .claims;
        if claims.id != claims.sub || !(1..=MAX_SESSION_ID_BYTES).contains(&claims.sid.len()) {
            return Err(InvalidToken::Signature);
        }
        let expires_at = Timestamp::from_secs(claims.exp);
        if now >= expires_at {
            return Err(InvalidToken::Expired(expires_at));
        }
        if claims.nbf > now.secs().saturating_add(NOT_BEFORE_SKEW_SECS) {
            return Err(InvalidToken::NotActive);
        }
        Ok(Claims {
            account: AccountId::parse(&claims.id).map_err(|_| InvalidToken::Signature)?,
            session: claims.sid,
            authenticated_at: Timestamp::from_secs(claims.auth_time),
            expires_at,
        })
    }
}

/// The header; `None` unless `token` has three dot-separated parts.
fn header_part(token: &str) -> Option<&str> {
    let (header, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    let is_stray = |c: char| c == ',' || c.is_whitespace();
    let has_three_parts = !header.is_empty() && !signature.contains('.');
    (has_three_parts && !token.contains(is_stray)).then_some(header)
}

/// The header fields that are read before the signature is verified (RFC 7515 section 4.1).
#[derive(Deserialize)]
struct KeyHeader {
    kid: String,
    /// Extensions that a verifier must understand. None are supported, so any `crit` is refused,
    /// even `null`, which the library treats as absent.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// The `kid`, not verified yet; `None` if the header has a `crit`.
fn kid(header: &str) -> Option<String> {
    let json = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: KeyHeader = serde_json::from_slice(&json).ok()?;
    header.crit.is_none().then_some(header.kid)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    #[error("not three dot-separated parts")]
    Format,
    /// The signature, the header or a claim is missing or wrong.
    #[error("key or signature is invalid")]
    Signature,
    /// The `kid` is not in the ring.
    #[error("the key is not known")]
    UnknownKey,
    /// Holds the time in `exp`.
    #[error("expired")]
    Expired(Timestamp),
    /// Before its `nbf`.
    #[error("not active")]
    NotActive,
}
