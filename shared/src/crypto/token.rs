//! Bearer tokens: signed JWTs (RFC 7519, RFC 8725), in the form that the algorithm of their key calls for.
//!
//! | key | `typ` | `scope` | besides |
//! | --- | --- | --- | --- |
//! | symmetric | `JWT` | an array, as in Appmixer's tokens | |
//! | asymmetric | `at+jwt` | a string, separated by spaces (RFC 9068) | `client_id`, the audience |
//!
//! `jsonwebtoken` verifies the signature, the algorithm, the issuer and the audience. Its defaults
//! are lax, so this module requires every claim and compares times itself, with the given clock:
//! `exp` without leeway, `nbf` with five seconds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Validation, decode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::key_ring::{Key, KeyRing, library_name};
use crate::domain::{Account, AccountId, Timestamp};

#[derive(Debug)]
pub struct Token(SecretString);

impl Token {
    pub(super) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The token itself, for the response that issues it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a new token says, besides its account.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// `jti`.
    pub id: String,
    /// `sid`.
    pub session: &'a str,
    /// `auth_time`.
    pub authenticated_at: Timestamp,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The claims of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`.
    pub issuer: String,
    /// `jti`.
    pub id: String,
    pub account: AccountId,
    /// `sid`: the session, which must be stored for the token to be valid.
    pub session: String,
    /// `auth_time`: when the account's password was last proved.
    pub authenticated_at: Timestamp,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct ClaimSet {
    id: String,
    sub: String,
    scope: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    jti: String,
    sid: String,
    auth_time: i64,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Issues and verifies tokens for one audience. The issuer is that of the key.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    audience: String,
}

/// The header of a token that is issued.
#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    alg: &'static str,
    kid: &'a str,
}

/// The `typ` of an access token that others verify (RFC 9068 section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// How far another instance's clock may run ahead of this one's.
const NOT_BEFORE_SKEW_SECS: i64 = 5;

/// A session id becomes part of a DynamoDB key.
const MAX_SESSION_ID_BYTES: usize = 255;

impl Tokens {
    #[must_use]
    pub fn new(issuer: String, audience: String) -> Self {
        Self { issuer, audience }
    }

    /// Signs a token with the ring's active key.
    pub fn issue(
        &self,
        keys: &KeyRing,
        account: &Account,
        new: NewToken<'_>,
    ) -> Result<Token, InvalidToken> {
        let key = keys.signing().ok_or(InvalidToken::Signature)?;
        let is_asymmetric = key.algorithm.is_asymmetric();
        let header = Header {
            typ: if is_asymmetric { ACCESS_TOKEN } else { "JWT" },
            alg: key.algorithm.name(),
            kid: &key.kid,
        };
        let claims = ClaimSet {
            id: account.id.to_string(),
            sub: account.id.to_string(),
            scope: if is_asymmetric {
                account.scopes.joined().into()
            } else {
                account.scopes.iter().collect()
            },
            client_id: is_asymmetric.then(|| self.audience.clone()),
            jti: new.id,
            sid: new.session.to_owned(),
            auth_time: new.authenticated_at.secs(),
            iss: self.issuer_of(key).to_owned(),
            aud: self.audience.clone(),
            iat: new.issued_at.secs(),
            nbf: new.issued_at.secs(),
            exp: new.expires_at.secs(),
        };
        let signed = signed(key, &header, &claims).ok_or(InvalidToken::Signature)?;
        Ok(Token::new(signed))
    }

    /// Verifies the signature, the claims and the times. The caller looks the session up.
    pub fn verify(
        &self,
        keys: &KeyRing,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims, InvalidToken> {
        let header = header_part(token).ok_or(InvalidToken::Format)?;
        let header = parse_header(header).ok_or(InvalidToken::Signature)?;
        let key = keys.find(&header.kid).ok_or(InvalidToken::UnknownKey)?;
        let decoding = key.decoding(now).ok_or(InvalidToken::Signature)?;
        let claims = decode::<ClaimSet>(token, decoding, &self.validation(key))
            .map_err(|_| InvalidToken::Signature)?
            .claims;
        if claims.id != claims.sub
            || !(1..=MAX_SESSION_ID_BYTES).contains(&claims.sid.len())
            || !self.has_form_of(key, &header, &claims)
        {
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
            issuer: claims.iss,
            id: claims.jti,
            account: AccountId::parse(&claims.id).map_err(|_| InvalidToken::Signature)?,
            session: claims.sid,
            authenticated_at: Timestamp::from_secs(claims.auth_time),
            issued_at: Timestamp::from_secs(claims.iat),
            expires_at,
        })
    }
}

impl Tokens {
    fn issuer_of<'a>(&'a self, key: &'a Key) -> &'a str {
        key.issuer.as_deref().unwrap_or(&self.issuer)
    }

    /// What the library checks of a token of this key.
    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(library_name(key.algorithm));
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[self.issuer_of(key)]);
        validation.set_audience(&[&self.audience]);
        // `verify` compares times with the given clock. The library would read the system clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }

    /// Whether a verified token has the form of the tokens that this key signs.
    fn has_form_of(&self, key: &Key, header: &ReadHeader, claims: &ClaimSet) -> bool {
        if header.alg != key.algorithm.name() {
            return false;
        }
        if key.algorithm.is_asymmetric() {
            header.typ.as_deref() == Some(ACCESS_TOKEN)
                && claims.scope.is_string()
                && claims.client_id.as_ref() == Some(&self.audience)
        } else {
            let scopes = claims.scope.as_array();
            scopes.is_some_and(|scopes| scopes.iter().all(Value::is_string))
        }
    }
}

/// The compact serialization (RFC 7515 section 3.1).
fn signed(key: &Key, header: &Header<'_>, claims: &ClaimSet) -> Option<String> {
    let part = |json: serde_json::Result<Vec<u8>>| Some(URL_SAFE_NO_PAD.encode(json.ok()?));
    let header = part(serde_json::to_vec(header))?;
    let claims = part(serde_json::to_vec(claims))?;
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?);
    Some(format!("{message}.{signature}"))
}

/// The header; `None` unless `token` has three dot-separated parts.
fn header_part(token: &str) -> Option<&str> {
    let (header, rest) = token.split_once('.')?;
    let (_, signature) = rest.split_once('.')?;
    let is_stray = |c: char| c == ',' || c.is_whitespace();
    let has_three_parts = !header.is_empty() && !signature.contains('.');
    (has_three_parts && !token.contains(is_stray)).then_some(header)
}

/// The header fields that this module reads (RFC 7515 section 4.1).
#[derive(Deserialize)]
struct ReadHeader {
    /// The library reads it too, and does not insist on a string.
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that a verifier must understand. None are supported, so any `crit` is refused,
    /// even `null`, which the library treats as absent.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// The fields, not verified yet; `None` if the header has a `crit`.
fn parse_header(header: &str) -> Option<ReadHeader> {
    let json = URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: ReadHeader = serde_json::from_slice(&json).ok()?;
    header.crit.is_none().then_some(header)
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
