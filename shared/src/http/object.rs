//! A JSON object, read field by field.
//!
//! Unknown fields are ignored; a known one may stand once, and what is wrong with it is said with
//! its name and without its value.

use std::fmt;

use super::HttpError;
use super::json::Json;
use super::problem::{FieldName, Problem};

/// The fields of a JSON object, repeated ones included.
pub struct Object {
    /// The field that holds this object, for the names of its own.
    within: Option<&'static str>,
    fields: Vec<(String, Json)>,
}

/// What an optional field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given<T> {
    /// Nothing: it is not there.
    Absent,
    /// `null`.
    Null,
    /// A value.
    Value(T),
}

impl<T> Given<T> {
    /// The value, where `null` counts as absent.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// What to change: nothing, to nothing, or to a value.
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl Object {
    /// Parses a body. An empty one counts as `{}`; nesting deeper than 128 is malformed.
    pub fn parse(body: &[u8]) -> Result<Self, HttpError> {
        if body.is_empty() {
            return Ok(Self::of(Vec::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Json::Object(object)) => Ok(object),
            _ => Err(HttpError::MalformedJson),
        }
    }

    pub(super) fn of(fields: Vec<(String, Json)>) -> Self {
        Self {
            within: None,
            fields,
        }
    }

    /// A string that must be there.
    pub fn string(&mut self, name: &'static str) -> Result<String, HttpError> {
        self.optional_string(name)?
            .ok_or_else(|| self.error(name, Problem::Missing))
    }

    /// A string that may be absent, or null.
    pub fn optional_string(&mut self, name: &'static str) -> Result<Option<String>, HttpError> {
        Ok(self.given_string(name)?.value())
    }

    /// A string that may be absent, or null, which is not the same.
    pub fn given_string(&mut self, name: &'static str) -> Result<Given<String>, HttpError> {
        self.given(name, Problem::NotAString, |json| match json {
            Json::String(text) => Some(text),
            _ => None,
        })
    }

    /// A whole number that must be there.
    pub fn integer(&mut self, name: &'static str) -> Result<i64, HttpError> {
        self.optional_integer(name)?
            .ok_or_else(|| self.error(name, Problem::Missing))
    }

    /// A whole number that may be absent, or null.
    pub fn optional_integer(&mut self, name: &'static str) -> Result<Option<i64>, HttpError> {
        let given = self.given(name, Problem::NotAnInteger, |json| match json {
            Json::Integer(number) => Some(number),
            _ => None,
        })?;
        Ok(given.value())
    }

    /// An object that must be there.
    pub fn object(&mut self, name: &'static str) -> Result<Self, HttpError> {
        let given = self.given(name, Problem::NotAnObject, |json| match json {
            Json::Object(object) => Some(object),
            _ => None,
        })?;
        given
            .value()
            .ok_or_else(|| self.error(name, Problem::Missing))
    }

    /// A list of objects that may be absent, but not null.
    pub fn optional_objects(&mut self, name: &'static str) -> Result<Vec<Self>, HttpError> {
        let given = self.given(name, Problem::NotAList, |json| match json {
            Json::Array(values) => values
                .into_iter()
                .map(|value| match value {
                    Json::Object(object) => Some(Self {
                        within: Some(name),
                        ..object
                    }),
                    _ => None,
                })
                .collect(),
            _ => None,
        })?;
        match given {
            Given::Absent => Ok(Vec::new()),
            Given::Null => Err(self.error(name, Problem::NotAList)),
            Given::Value(objects) => Ok(objects),
        }
    }

    /// A field that is known and ignored, whatever it is.
    pub fn ignored(&mut self, name: &'static str) -> Result<(), HttpError> {
        self.take(name).map(|_| ())
    }

    fn given<T>(
        &mut self,
        name: &'static str,
        otherwise: Problem,
        read: impl FnOnce(Json) -> Option<T>,
    ) -> Result<Given<T>, HttpError> {
        match self.take(name)? {
            None => Ok(Given::Absent),
            Some(Json::Null) => Ok(Given::Null),
            Some(json) => read(json)
                .map(Given::Value)
                .ok_or_else(|| self.error(name, otherwise)),
        }
    }

    fn take(&mut self, name: &'static str) -> Result<Option<Json>, HttpError> {
        let mut found = self.fields.extract_if(.., |(field, _)| field == name);
        let value = found.next().map(|(_, value)| value);
        if found.next().is_some() {
            drop(found);
            return Err(self.error(name, Problem::Repeated));
        }
        Ok(value)
    }

    /// What is wrong with a field of this object.
    pub fn error(&self, name: &'static str, problem: impl Into<Problem>) -> HttpError {
        let name = FieldName {
            within: self.within,
            name,
        };
        HttpError::Field(name, problem.into())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(redacted)")
    }
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
            Err(HttpError::Field(_, Problem::Repeated))
        ));
    }

    #[test]
    fn null_counts_as_absent_and_other_types_do_not() {
        let mut object = Object::parse(br#"{"a":null,"b":1,"c":["x"],"d":"x"}"#).unwrap();

        assert!(matches!(object.optional_string("a"), Ok(None)));
        assert!(matches!(
            object.string("missing"),
            Err(HttpError::Field(_, Problem::Missing))
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
