//! What API Gateway sends, read once and as far as anybody looks.
//!
//! Reading fails for what is no JSON, or holds what no value here can (half of a surrogate pair, a
//! number beyond a double); Lambda hands over neither. Whatever else comes is read to its end, and
//! marked unsound where a member is not of its type: a caller is owed an answer, and nothing is
//! copied for the sake of a second try.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An event. Host, query string and cookies are left out: no route looks at them.
#[derive(Default)]
pub(super) struct Incoming {
    /// The route that matched, such as `GET /user`.
    pub(super) route: Option<String>,
    pub(super) path: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) path_parameters: HashMap<String, String>,
    pub(super) context: Context,
    pub(super) body: Option<String>,
    pub(super) is_base64_encoded: bool,
    /// Whether everything above is of the type it should be.
    pub(super) is_sound: bool,
}

/// An event's `requestContext`.
#[derive(Default)]
pub(super) struct Context {
    pub(super) request_id: Option<String>,
    pub(super) http: Http,
}

/// What API Gateway saw of the connection.
#[derive(Default)]
pub(super) struct Http {
    pub(super) method: Option<Method>,
    pub(super) source_ip: Option<String>,
}

impl<'de> Deserialize<'de> for Incoming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Found::deserialize(deserializer)? {
            Found::Object(incoming, is_sound) => Self {
                is_sound,
                ..incoming
            },
            _ => Self::default(),
        })
    }
}

impl Members for Incoming {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        event: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "routeKey" => text(event, &mut self.route),
            "rawPath" => text(event, &mut self.path),
            "headers" => object(event, &mut self.headers),
            "pathParameters" => object(event, &mut self.path_parameters),
            "requestContext" => object(event, &mut self.context),
            "body" => text(event, &mut self.body),
            "isBase64Encoded" => flag(event, &mut self.is_base64_encoded),
            _ => ignored(event),
        }
    }
}

impl Members for Context {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        context: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "requestId" => text(context, &mut self.request_id),
            "http" => object(context, &mut self.http),
            _ => ignored(context),
        }
    }
}

impl Members for Http {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        http: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "method" => {
                let mut method = None;
                text(http, &mut method)?;
                self.method = method.and_then(|method| method.parse().ok());
                Ok(self.method.is_some())
            }
            "sourceIp" => text(http, &mut self.source_ip),
            _ => ignored(http),
        }
    }
}

impl Members for HeaderMap {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        headers: &mut A,
    ) -> Result<bool, A::Error> {
        let (name, value) = (HeaderName::try_from(name), headers.next_value()?);
        let (Ok(name), Found::<()>::Text(value)) = (name, value) else {
            return Ok(false);
        };
        let value = HeaderValue::from_str(&value);
        Ok(value.is_ok_and(|value| self.try_append(name, value).is_ok()))
    }
}

impl Members for HashMap<String, String> {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        let mut value = None;
        let is_sound = text(map, &mut value)?;
        self.extend(value.map(|value| (name.to_owned(), value)));
        Ok(is_sound)
    }
}

impl Members for () {
    fn member<'de, A: MapAccess<'de>>(&mut self, _: &str, rest: &mut A) -> Result<bool, A::Error> {
        ignored(rest)
    }
}

/// What an object is read into, a member at a time.
trait Members: Default {
    /// Reads the value of a member; `false` if something else stands there.
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        rest: &mut A,
    ) -> Result<bool, A::Error>;
}

fn text<'de, A: MapAccess<'de>>(rest: &mut A, text: &mut Option<String>) -> Result<bool, A::Error> {
    match rest.next_value::<Found<'_, ()>>()? {
        Found::Text(value) => *text = Some(value.into_owned()),
        Found::Null => *text = None,
        _ => return Ok(false),
    }
    Ok(true)
}

fn flag<'de, A: MapAccess<'de>>(rest: &mut A, flag: &mut bool) -> Result<bool, A::Error> {
    let Found::Flag(value) = rest.next_value::<Found<'_, ()>>()? else {
        return Ok(false);
    };
    *flag = value;
    Ok(true)
}

fn object<'de, A: MapAccess<'de>, T: Members>(
    rest: &mut A,
    object: &mut T,
) -> Result<bool, A::Error> {
    match rest.next_value()? {
        Found::Object(members, is_sound) => {
            *object = members;
            Ok(is_sound)
        }
        Found::Null => Ok(true),
        _ => Ok(false),
    }
}

fn ignored<'de, A: MapAccess<'de>>(rest: &mut A) -> Result<bool, A::Error> {
    rest.next_value::<IgnoredAny>()?;
    Ok(true)
}

/// What stands in some place of an event, borrowed where it can be.
enum Found<'de, T> {
    Null,
    Flag(bool),
    Text(Cow<'de, str>),
    /// An object, and whether its members are what they should be.
    Object(T, bool),
    /// A number or an array.
    Other,
}

impl<'de, T: Members> Deserialize<'de> for Found<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Members> Visitor<'de> for Reader<T> {
    type Value = Found<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Found::Flag(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Found::Text(Cow::Borrowed(value)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut is_sound) = (T::default(), true);
        while let Some(name) = map.next_key::<Found<'_, ()>>()? {
            let Found::Text(name) = name else {
                is_sound = false;
                ignored(&mut map)?;
                continue;
            };
            is_sound &= members.member(&name, &mut map)?;
        }
        Ok(Found::Object(members, is_sound))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Found::Other)
    }
}
