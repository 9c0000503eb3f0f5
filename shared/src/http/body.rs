//! Reads a body, JSON or a form, into the struct that declares it.
//!
//! An endpoint declares its body once, as a struct that derives `Deserialize` and `ToSchema`. This
//! reader and the API's description both follow that struct. A field's type means:
//!
//! | in the struct | in the body |
//! | --- | --- |
//! | `String`, `i64`, `bool`, a struct | required; `null` counts as absent; `15.0` is the integer `15` |
//! | `Option<T>` | optional; `null` counts as absent |
//! | [`Given<T>`] | optional; `null` and absent differ |
//! | [`JsonObject`] | any JSON object, in which each field is there once |
//! | `Vec<T>` with `#[serde(default)]` | a list of objects, empty if absent |
//! | [`Strings`], [`OneOrMoreStrings`] | a list of strings; the second also takes a string |
//! | `IgnoredAny` | a known field with an ignored value |
//!
//! Fields are read in the struct's order. The first one that is missing, repeated or of another
//! type is the error. Unknown fields are ignored. An error names the field and never shows its
//! value, so serde's own messages never leave this module.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use url::form_urlencoded;
use utoipa::openapi::schema::OneOfBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::HttpError;
use super::json::{Json, RepeatedField, into_map};
use super::problem::{FieldName, Problem};

/// Reads a body. An empty one counts as `{}`; nesting deeper than 128 is malformed.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    Ok(T::deserialize(Object::parse(body)?)?)
}

/// Reads a form (`application/x-www-form-urlencoded`), whose fields are all text: a struct has `String` and
/// `Option<String>` alone. A field without a value counts as absent (RFC 6749 section 3.2).
pub fn read_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    let pairs = form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty());
    let fields = pairs.map(|(name, value)| (name.into_owned(), Json::String(value.into_owned())));
    let form = Object {
        within: None,
        fields: fields.collect(),
    };
    Ok(T::deserialize(form)?)
}

/// Reads the object in the field `outer`, or the body itself if that field is absent or `null`.
/// Other fields beside `outer` are ignored, like unknown ones.
pub fn read_unwrapped<T: DeserializeOwned>(
    body: &[u8],
    outer: &'static str,
) -> Result<T, HttpError> {
    let mut body = Object::parse(body)?;
    let wrapped = body.take(outer)?;
    Ok(match wrapped.json {
        None | Some(Json::Null) => T::deserialize(body)?,
        Some(_) => T::deserialize(wrapped.into_object()?)?,
    })
}

/// Any JSON object; its fields are ignored.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Empty {}

/// An optional field in which `null` and absent differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Given<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    /// `None` keeps the stored value, `Some(None)` clears it, `Some(Some(_))` sets it.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GivenVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for GivenVisitor<T> {
            type Value = Given<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an optional field")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Given::Absent)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Given::Null)
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
                T::deserialize(value).map(Given::Value)
            }
        }

        deserializer.deserialize_option(GivenVisitor(std::marker::PhantomData))
    }
}

/// Any JSON object.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// A list of strings.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Strings(pub Vec<String>);

/// A list of strings, or one string.
#[derive(Debug, Deserialize)]
pub struct OneOrMoreStrings(pub Vec<String>);

impl PartialSchema for OneOrMoreStrings {
    fn schema() -> RefOr<Schema> {
        let either = OneOfBuilder::new()
            .item(String::schema())
            .item(Vec::<String>::schema());
        Schema::OneOf(either.build()).into()
    }
}

impl ToSchema for OneOrMoreStrings {}

#[derive(Debug)]
enum Unreadable {
    Field(FieldName, Problem),
    /// The struct has a field whose type is not in the table above: a programming error.
    Undeclared,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unreadable body")
    }
}

impl std::error::Error for Unreadable {}

impl serde::de::Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Undeclared
    }
}

impl From<Unreadable> for HttpError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Field(name, problem) => Self::Field(name, problem),
            Unreadable::Undeclared => Self::MalformedJson,
        }
    }
}

/// A JSON object, or a form, that keeps repeated fields.
struct Object {
    /// The name of the list that contains this object, as a prefix in error messages.
    within: Option<&'static str>,
    fields: Vec<(String, Json)>,
}

impl Object {
    fn parse(body: &[u8]) -> Result<Self, HttpError> {
        let fields = if body.is_empty() {
            Vec::new()
        } else {
            match serde_json::from_slice(body) {
                Ok(Json::Object(fields)) => fields,
                _ => return Err(HttpError::MalformedJson),
            }
        };
        let within = None;
        Ok(Self { within, fields })
    }

    fn take(&mut self, name: &'static str) -> Result<Value, Unreadable> {
        let within = self.within;
        let name = FieldName { within, name };
        let mut found = self.fields.extract_if(.., |(field, _)| field == name.name);
        let json = found.next().map(|(_, json)| json);
        match found.next() {
            None => Ok(Value { name, json }),
            Some(_) => Err(Unreadable::Field(name, Problem::Repeated)),
        }
    }
}

impl<'de> Deserializer<'de> for Object {
    type Error = Unreadable;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_map(Fields {
            of: self,
            names: fields.iter(),
            next: None,
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
        Err(Unreadable::Undeclared)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Visits every field of the struct in order, including those that are absent from the object.
struct Fields {
    of: Object,
    names: std::slice::Iter<'static, &'static str>,
    next: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        self.next = self.names.next().copied();
        self.next
            .map(|name| seed.deserialize(BorrowedStrDeserializer::new(name)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unreadable> {
        let name = self.next.take().ok_or(Unreadable::Undeclared)?;
        seed.deserialize(self.of.take(name)?)
    }
}

/// A field and its value; `None` if it is absent.
struct Value {
    name: FieldName,
    json: Option<Json>,
}

impl Value {
    fn wrong<T>(&self, problem: Problem) -> Result<T, Unreadable> {
        Err(Unreadable::Field(self.name, problem))
    }

    fn into_object(self) -> Result<Object, Unreadable> {
        let within = None;
        match self.json {
            Some(Json::Object(fields)) => Ok(Object { within, fields }),
            None | Some(Json::Null) => self.wrong(Problem::Missing),
            Some(_) => self.wrong(Problem::NotAnObject),
        }
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Unreadable;

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.json {
            Some(Json::String(text)) => visitor.visit_string(text),
            None | Some(Json::Null) => self.wrong(Problem::Missing),
            Some(_) => self.wrong(Problem::NotAString),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.json {
            None | Some(Json::Null) => self.wrong(Problem::Missing),
            Some(json) => match json.integer() {
                Some(number) => visitor.visit_i64(number),
                None => Err(Unreadable::Field(self.name, Problem::NotAnInteger)),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.json {
            Some(Json::Bool(value)) => visitor.visit_bool(value),
            None | Some(Json::Null) => self.wrong(Problem::Missing),
            Some(_) => self.wrong(Problem::NotABoolean),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.into_object()?
            .deserialize_struct(name, fields, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let name = self.name;
        let map = into_map(self.into_object()?.fields);
        let map = map.map_err(|RepeatedField| Unreadable::Field(name, Problem::RepeatedField))?;
        let fields = map.into_iter().map(|(name, value)| (name, AnyJson(value)));
        visitor.visit_map(MapDeserializer::new(fields))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let within = Some(self.name.name);
        let objects: Option<Vec<Object>> = match self.json {
            None => Some(Vec::new()),
            Some(Json::Array(values)) => values
                .into_iter()
                .map(|value| match value {
                    Json::Object(fields) => Some(Object { within, fields }),
                    _ => None,
                })
                .collect(),
            Some(_) => None,
        };
        match objects {
            Some(objects) => visitor.visit_seq(Objects(objects.into_iter())),
            None => Err(Unreadable::Field(self.name, Problem::NotAList)),
        }
    }

    /// The lists of strings are the only newtypes of bodies.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let text = |json| match json {
            Json::String(text) => Some(text),
            _ => None,
        };
        let takes_one = name == "OneOrMoreStrings";
        let strings: Option<Vec<String>> = match self.json {
            Some(Json::Array(values)) => values.into_iter().map(text).collect(),
            Some(Json::String(text)) if takes_one => Some(vec![text]),
            None | Some(Json::Null) => return self.wrong(Problem::Missing),
            Some(_) => None,
        };
        match strings {
            Some(strings) => visitor.visit_newtype_struct(strings.into_deserializer()),
            None if takes_one => Err(Unreadable::Field(self.name, Problem::NotOneOrMoreStrings)),
            None => Err(Unreadable::Field(self.name, Problem::NotStrings)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.json {
            None => visitor.visit_none(),
            Some(Json::Null) => visitor.visit_unit(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
        Err(Unreadable::Undeclared)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// A value of any type.
struct AnyJson(serde_json::Value);

impl IntoDeserializer<'_, Unreadable> for AnyJson {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for AnyJson {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let value = self.0.deserialize_any(visitor);
        value.map_err(|_| Unreadable::Undeclared)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Objects(std::vec::IntoIter<Object>);

impl<'de> SeqAccess<'de> for Objects {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        let object = self.0.next();
        object.map(|object| seed.deserialize(object)).transpose()
    }
}

#[cfg(test)]
mod tests;
