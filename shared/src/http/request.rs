//! A request's body, credentials and source address.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use lambda_http::Request;
pub use lambda_http::http::header::AUTHORIZATION;
use lambda_http::http::header::{CONTENT_TYPE, USER_AGENT};
pub use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
pub use url::form_urlencoded;

use super::HttpError;
use super::body;
use super::problem::Problem;
use crate::app::App;
use crate::auth::{self, ApiKeyHeader, Authorization, Caller, Credentials, Need, Proof, Scheme};
use crate::config::TrustedProxies;
use crate::crypto::PlainApiKey;
use crate::domain::{Client, Metadata, Password, Profile, SourceIp, UserAgent, is_hex};

/// The largest body of most routes, in bytes after base64 decoding.
pub const SMALL_BODY: usize = 16 * 1024;

/// The largest body of a profile update, in bytes after base64 decoding.
pub const PROFILE_BODY: usize = 512 * 1024;

/// A body whose size and media type are checked. Endpoints report wrong credentials before an invalid body.
pub struct JsonBody<'r>(&'r [u8]);

impl fmt::Debug for JsonBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonBody(redacted)")
    }
}

impl<'r> JsonBody<'r> {
    /// `max` is in bytes.
    pub fn of(request: &'r Request, max: usize) -> Result<Self, HttpError> {
        checked(request, max, is_json).map(Self)
    }

    pub fn read<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        body::read(self.0)
    }

    /// See [`body::read_unwrapped`].
    pub fn read_unwrapped<T: DeserializeOwned>(self, outer: &'static str) -> Result<T, HttpError> {
        body::read_unwrapped(self.0, outer)
    }
}

/// Like [`JsonBody`], for a form.
pub struct FormBody<'r>(&'r [u8]);

impl<'r> FormBody<'r> {
    /// `max` is in bytes.
    pub fn of(request: &'r Request, max: usize) -> Result<Self, HttpError> {
        let is_form = |media_type: &str| media_type == "application/x-www-form-urlencoded";
        checked(request, max, is_form).map(Self)
    }

    pub fn read<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        body::read_form(self.0)
    }
}

/// Returns the body. Fails if it has more than `max` bytes, or another media type than expected. A missing media type is
/// accepted. `is_expected` gets it in lower case and without parameters.
fn checked(
    request: &Request,
    max: usize,
    is_expected: impl FnOnce(&str) -> bool,
) -> Result<&[u8], HttpError> {
    if request.body().len() > max {
        return Err(HttpError::TooLarge(max));
    }
    if media_type(request.headers()).is_some_and(|media_type| !is_expected(&media_type)) {
        return Err(HttpError::UnsupportedMediaType);
    }
    Ok(request.body().as_ref())
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?;
    let essence = value.to_str().unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    Some(essence.to_ascii_lowercase())
}

/// `application/json` or `application/*+json`.
fn is_json(media_type: &str) -> bool {
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        subtype == "json"
            || subtype
                .strip_suffix("+json")
                .is_some_and(|prefix| !prefix.is_empty() && prefix.chars().all(token))
    })
}

/// Authenticates the caller: see [`auth::authenticate`].
pub async fn caller(app: &App, request: &Request, need: Need) -> Result<Caller, HttpError> {
    Ok(auth::authenticate(app, credentials_of(app, request), need).await?)
}

/// Like [`caller`], and reads the caller's metadata in the same round trip.
pub async fn caller_with_metadata(
    app: &App,
    request: &Request,
    need: Need,
) -> Result<(Caller, Option<Metadata>), HttpError> {
    Ok(auth::authenticate_with_metadata(app, credentials_of(app, request), need).await?)
}

/// Like [`caller`], and reads the caller's profile in the same round trip.
pub async fn caller_with_profile(
    app: &App,
    request: &Request,
    need: Need,
) -> Result<(Caller, Profile), HttpError> {
    Ok(auth::authenticate_with_profile(app, credentials_of(app, request), need).await?)
}

/// Like [`caller_with_profile`], and parses and counts a profile update.
pub async fn caller_with_update<T>(
    app: &App,
    request: &Request,
    need: Need,
    parse: impl FnOnce() -> Result<T, HttpError>,
) -> Result<(Caller, Profile, T), HttpError> {
    auth::authenticate_update(app, credentials_of(app, request), need, parse).await
}

fn credentials_of<'r>(app: &App, request: &'r Request) -> Credentials<'r> {
    credentials(source_ip(request, &app.config.proxies), request.headers())
}

#[must_use]
pub fn credentials(source: SourceIp, headers: &HeaderMap) -> Credentials<'_> {
    Credentials {
        source,
        authorization: match single(headers, &AUTHORIZATION) {
            Ok(Some(value)) => authorization(value),
            Ok(None) => Authorization::Nothing,
            Err(Repeated) => Authorization::Malformed,
        },
        api_key: match single(headers, &API_KEY) {
            Ok(Some(value)) => value
                .to_str()
                .ok()
                .and_then(PlainApiKey::parse)
                .map_or(ApiKeyHeader::Malformed, ApiKeyHeader::Key),
            Ok(None) => ApiKeyHeader::Nothing,
            Err(Repeated) => ApiKeyHeader::Malformed,
        },
    }
}

pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

struct Repeated;

/// The value of a header that must appear at most once.
fn single<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'h HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Repeated),
    }
}

fn authorization(value: &HeaderValue) -> Authorization<'_> {
    let Ok(value) = value.to_str() else {
        return Authorization::Malformed;
    };
    let value = value.trim();
    let (scheme, credentials) = value.split_once(' ').unwrap_or((value, ""));
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("Bearer") {
        return Authorization::Bearer(credentials.trim_start_matches(' '));
    }
    let others = [
        ("Basic", Scheme::Basic),
        ("Digest", Scheme::Digest),
        ("Negotiate", Scheme::Negotiate),
        ("ApiKey", Scheme::ApiKey),
        ("Token", Scheme::Token),
    ];
    let other = others.into_iter().find(|(name, _)| is(name));
    match other.map(|(_, scheme)| scheme) {
        Some(Scheme::Digest) => Authorization::OtherScheme(Scheme::Digest),
        // Only Digest credentials contain commas. In other schemes a comma means that API Gateway
        // joined two headers.
        Some(scheme) if !credentials.contains(',') => Authorization::OtherScheme(scheme),
        _ => Authorization::Malformed,
    }
}

/// What the event says about the request, besides method, headers and body.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The address that API Gateway saw; `None` if it is missing or malformed.
    pub(super) peer: Option<IpAddr>,
    /// As API Gateway decoded it.
    pub(super) path: String,
    /// The variable segments of the path, by their names in the template.
    pub(super) path_parameters: HashMap<String, String>,
    /// As the caller sent it.
    pub(super) query: String,
}

fn origin(request: &Request) -> Option<&Origin> {
    request.extensions().get()
}

/// The path as API Gateway decoded it; empty if the event has none.
#[must_use]
pub fn path(request: &Request) -> &str {
    origin(request).map_or("", |origin| &origin.path)
}

/// The variable segment `name` of the path, if it is a number.
#[must_use]
pub fn path_number(request: &Request, name: &str) -> Option<u64> {
    let text = path_text(request, name)?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The variable segment `name` of the path.
#[must_use]
pub fn path_text<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let text = origin(request)?.path_parameters.get(name)?;
    Some(text)
}

/// The variable segment `name` of the path, if it is 1 to 64 hexadecimal digits, lower case.
#[must_use]
pub fn path_hex<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let text = path_text(request, name)?;
    ((1..=64).contains(&text.len()) && is_hex(text)).then_some(text)
}

/// The caller's current password, as this request sends it.
#[must_use]
pub fn proof(app: &App, request: &Request, password: String) -> Proof {
    Proof {
        source: source_ip(request, &app.config.proxies),
        password: Password::new(password),
    }
}

/// The decoded parameters of the query string. A `+` is a plus sign, as in RFC 3986, and not a space: it is part of many
/// emails.
#[must_use]
pub fn query_pairs(request: &Request) -> Vec<(String, String)> {
    let query = origin(request).map_or("", |origin| &origin.query);
    let query = query.replace('+', "%2B");
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// The decoded parameter `name` of the query string.
pub fn query(request: &Request, name: &'static str) -> Result<Option<String>, HttpError> {
    let mut values = query_pairs(request)
        .into_iter()
        .filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|(_, value)| value)),
        (_, Some(_)) => Err(HttpError::field(name, Problem::Repeated)),
    }
}

/// The parameter `name` of the query string, an integer from `min` to `max`.
pub fn query_number(
    request: &Request,
    name: &'static str,
    (min, max): (usize, usize),
) -> Result<Option<usize>, HttpError> {
    let Some(text) = query(request, name)? else {
        return Ok(None);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(HttpError::field(name, Problem::NotBetween(min, max))),
    }
}

/// The source address: the peer that API Gateway saw or, if that is a trusted proxy, the address
/// that the outermost trusted proxy saw. A caller cannot choose it.
///
/// All events without an address share `::`.
#[must_use]
pub fn source_ip(request: &Request, proxies: &TrustedProxies) -> SourceIp {
    let Some(peer) = origin(request).and_then(|origin| origin.peer) else {
        return SourceIp::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    };
    let forwarded = || forwarded_for(request.headers(), proxies.hops);
    let client = if proxies.include(peer) {
        forwarded().unwrap_or(peer)
    } else {
        peer
    };
    SourceIp::new(client)
}

/// The source address and the `User-Agent`.
#[must_use]
pub fn client(request: &Request, proxies: &TrustedProxies) -> Client {
    let user_agent = request.headers().get(USER_AGENT);
    let user_agent = user_agent.and_then(|value| value.to_str().ok());
    Client {
        source: source_ip(request, proxies),
        user_agent: user_agent.and_then(UserAgent::new),
    }
}

/// Entry `hops + 1` from the right of `X-Forwarded-For`, to which API Gateway appends the peer.
fn forwarded_for(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let entries: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    // Bytes, not text: entries further left come from the caller and may be invalid UTF-8.
    let entries = entries.join(&b',');
    let entry = entries.rsplit(|byte| *byte == b',').nth(hops)?;
    str::from_utf8(entry).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(content_type: &str) -> bool {
        let value = HeaderValue::from_str(content_type).unwrap();
        let media_type = media_type(&HeaderMap::from_iter([(CONTENT_TYPE, value)]));
        is_json(&media_type.unwrap())
    }

    #[test]
    fn json_media_types_are_accepted_with_any_parameters() {
        for content_type in [
            "application/json",
            "APPLICATION/JSON; charset=utf-8",
            "application/json-patch+json",
            "application/vnd.api+json;v=1",
        ] {
            assert!(json(content_type), "{content_type}");
        }
        assert_eq!(media_type(&HeaderMap::new()), None);
    }

    #[test]
    fn other_media_types_are_refused() {
        for content_type in [
            "",
            "text/plain",
            "text/json",
            "application/xml",
            "application/+json",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/json, text/plain",
            "application/a b+json",
        ] {
            assert!(!json(content_type), "{content_type}");
        }
    }

    #[test]
    fn the_client_s_address_is_counted_from_the_right_of_the_list() {
        let headers = |list: &'static str| {
            HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), list.parse().unwrap())])
        };
        let client = |list, hops| {
            forwarded_for(&headers(list), hops).map(|address: IpAddr| address.to_string())
        };

        let list = "6.6.6.6, 192.0.2.1, 10.0.0.2,10.0.0.1";
        assert_eq!(client(list, 1).as_deref(), Some("10.0.0.2"));
        assert_eq!(client(list, 2).as_deref(), Some("192.0.2.1"));
        assert_eq!(client(list, 4), None, "a short list");
        assert_eq!(client("unknown, 10.0.0.1", 1), None);
        assert_eq!(client("192.0.2.1:99, 10.0.0.1", 1), None);
        assert_eq!(forwarded_for(&HeaderMap::new(), 1), None);
    }
}
