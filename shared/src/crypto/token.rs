//! Bearer tokens: JWTs signed with HMAC-SHA-256 (RFC 7519, RFC 8725).
//!
//! The library splits and signs; the decisions are here. The algorithm comes from the key, no
//! claim is looked at before the signature holds, every claim is required, and times are compared
//! with our clock and without leeway.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, crypto, encode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::hmac_provider;
use super::key_ring::{Key, KeyRing};
use crate::domain::{Account, AccountId, Lifetime, Timestamp};

/// A signed token, on its way to its owner.
pub struct Token(String);

impl Token {
    /// The token itself, for the one answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose token it is.
    pub account: AccountId,
    /// The token's own id, by which it is revoked.
    pub token_id: String,
    /// The generation of tokens it belongs to.
    pub generation: u64,
    /// When it dies by itself.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ClaimSet {
    id: String,
    sub: String,
    scope: Vec<String>,
    jti: String,
    #[serde(rename = "gen")]
    generation: u64,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// The header parameters that are looked at (RFC 7515 section 4.1): `jku`, `x5u`, `jwk` and all
/// others are not.
#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: String,
    /// Extensions the signer wants understood; `null` wants it too.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// Issues and verifies tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
}

/// How far another instance's clock may run ahead of ours.
const NOT_BEFORE_SKEW_SECS: i64 = 5;

/// A token id becomes part of a key in DynamoDB.
const MAX_TOKEN_ID_BYTES: usize = 255;

impl Tokens {
    /// Tokens of this issuer for this audience.
    #[must_use]
    pub fn new(issuer: String, audience: String) -> Self {
        hmac_provider::install();
        Self { issuer, audience }
    }

    /// Issues a token, signed with the ring's active key, that lives for `lifetime` from `now`.
    pub fn issue(
        &self,
        keys: &KeyRing,
        account: &Account,
        token_id: String,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Token, InvalidToken> {
        let key = keys.signing().ok_or(InvalidToken::Signature)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.kid.clone());
        let claims = ClaimSet {
            id: account.id.to_string(),
            sub: account.id.to_string(),
            scope: account.scopes.iter().map(str::to_owned).collect(),
            jti: token_id,
            generation: account.generation,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: now.secs(),
            nbf: now.secs(),
            exp: now.plus(lifetime.duration()).secs(),
        };
        encode(&header, &claims, &key.encoding)
            .map(Token)
            .map_err(|_| InvalidToken::Signature)
    }

    /// Verifies everything about a token that can be known without the store.
    pub fn verify(
        &self,
        keys: &KeyRing,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims, InvalidToken> {
        let parts = split(token).ok_or(InvalidToken::Format)?;
        let kid = parts.kid().ok_or(InvalidToken::Signature)?;
        let key = keys.find(&kid).ok_or(InvalidToken::UnknownKey)?;
        let claims = (key.verifies(now).then(|| self.claims(&parts, key)))
            .flatten()
            .ok_or(InvalidToken::Signature)?;
        let expires_at = Timestamp::from_secs(claims.exp);
        if now >= expires_at {
            return Err(InvalidToken::Expired(expires_at));
        }
        if claims.nbf > now.secs().saturating_add(NOT_BEFORE_SKEW_SECS) {
            return Err(InvalidToken::NotActive);
        }
        Ok(Claims {
            account: AccountId::parse(&claims.id).map_err(|_| InvalidToken::Signature)?,
            token_id: claims.jti,
            generation: claims.generation,
            expires_at,
        })
    }

    /// The claims, where the signature is this key's and they are meant for us.
    fn claims(&self, parts: &Parts<'_>, key: &Key) -> Option<ClaimSet> {
        let message = parts.message.as_bytes();
        let holds = crypto::verify(parts.tag, message, &key.decoding, Algorithm::HS256);
        if !holds.ok()? {
            return None;
        }
        let claims: ClaimSet = parse(parts.payload)?;
        let is_ours = claims.iss == self.issuer
            && claims.aud == self.audience
            && claims.id == claims.sub
            && (1..=MAX_TOKEN_ID_BYTES).contains(&claims.jti.len());
        is_ours.then_some(claims)
    }
}

/// The parts of a token; the message is the header and the payload.
struct Parts<'t> {
    message: &'t str,
    header: &'t str,
    payload: &'t str,
    tag: &'t str,
}

impl Parts<'_> {
    /// The id of the key that is said to have signed, of a token of our kind.
    fn kid(&self) -> Option<String> {
        let header: JoseHeader = parse(self.header)?;
        (header.alg == "HS256" && header.crit.is_none()).then_some(header.kid)
    }
}

/// A token's parts, if it has three.
fn split(token: &str) -> Option<Parts<'_>> {
    let (message, tag) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let stray = |c: char| c == ',' || c.is_whitespace();
    if header.is_empty() || payload.contains('.') || token.contains(stray) {
        return None;
    }
    Some(Parts {
        message,
        header,
        payload,
        tag,
    })
}

/// A part of a token: base64url without padding, of a JSON object.
fn parse<T: DeserializeOwned>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    // A struct may be read from an array as well, which is no JOSE header and no claims set.
    json.starts_with(b"{")
        .then(|| serde_json::from_slice(&json).ok())?
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not three dot-separated parts.
    #[error("not three dot-separated parts")]
    Format,
    /// Not signed by a key of ours, or not a complete token of ours.
    #[error("key or signature is invalid")]
    Signature,
    /// Said to be signed by a key that is not in the ring.
    #[error("the key is not known")]
    UnknownKey,
    /// Past its `exp`.
    #[error("expired")]
    Expired(Timestamp),
    /// Before its `nbf`.
    #[error("not active")]
    NotActive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_token() {
        let token = Token("a.b.c".to_owned());

        assert_eq!(format!("{token:?}"), "Token(redacted)");
    }
}
