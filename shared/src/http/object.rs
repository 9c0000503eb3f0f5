//! A JSON body, read field by field.
//!
//! Unknown fields are ignored; a known one may stand once, and what is wrong with it is said with
//! its name and without its value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::HttpError;

/// The fields of a JSON object, repeated ones included.
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// Parses a body. An empty one counts as `{}`; nesting deeper than 128 is malformed.
    pub fn parse(body: &[u8]) -> Result<Self, HttpError> {
        if body.is_empty() {
            return Ok(Self(Vec::new()));
        }
        serde_json::from_slice(body).map_err(|_| HttpError::MalformedJson)
    }

    /// A string that must be there.
    pub fn string(&mut self, name: &'static str) -> Result<String, HttpError> {
        self.optional_string(name)?
            .ok_or(HttpError::Field(name, Problem::Missing))
    }

    /// A string that may be absent, or null.
    pub fn optional_string(&mut self, name: &'static str) -> Result<Option<String>, HttpError> {
        match self.take(name)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(HttpError::Field(name, Problem::NotAString)),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Option<Value>, HttpError> {
        let mut found = self.0.extract_if(.., |(field, _)| field == name);
        let value = found.next().map(|(_, value)| value);
        if found.next().is_some() {
            return Err(HttpError::Field(name, Problem::Repeated));
        }
        Ok(value)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(redacted)")
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// It must be there.
    Missing,
    /// It must be a string.
    NotAString,
    /// It stands twice.
    Repeated,
    /// It must be an email address.
    NotAnEmail,
    /// It must not be longer than this many characters.
    TooLong(usize),
    /// It holds characters a username may not.
    NotAUsername,
    /// A username with `@` must be the account's own email.
    AnotherEmail,
    /// A password must be of at least this many characters.
    PasswordTooShort(usize),
    /// A password must be of at most this many bytes.
    PasswordTooLong(usize),
    /// A password must not be a common one.
    PasswordCommon,
    /// A password must not contain the account's names.
    PasswordHoldsName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_one_object_is_malformed() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for body in [
            "[]",
            "\"a\"",
            "null",
            "1",
            "{",
            "{\"a\":1",
            "{\"a\":1}{}",
            "{'a':1}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":01}",
            " ",
            deep.as_str(),
        ] {
            let parsed = Object::parse(body.as_bytes());

            assert!(matches!(parsed, Err(HttpError::MalformedJson)), "{body}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_known_field_may_stand_once() {
        let mut object = Object::parse(br#"{"a":"1","a":"2","b":1,"b":2}"#).unwrap();

        assert!(matches!(
            object.string("a"),
            Err(HttpError::Field("a", Problem::Repeated))
        ));
    }

    #[test]
    fn null_counts_as_absent_and_other_types_do_not() {
        let mut object = Object::parse(br#"{"a":null,"b":1,"c":["x"],"d":"x"}"#).unwrap();

        assert!(matches!(object.optional_string("a"), Ok(None)));
        assert!(matches!(
            object.string("missing"),
            Err(HttpError::Field("missing", Problem::Missing))
        ));
        for name in ["b", "c"] {
            assert!(matches!(
                object.string(name),
                Err(HttpError::Field(_, Problem::NotAString))
            ));
        }
        assert_eq!(object.string("d").unwrap(), "x");
    }
}
