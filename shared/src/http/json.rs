//! JSON values that keep repeated fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Where `serde_json` reads a `Value`, it takes an object with this field for JSON in a string.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A field appears twice in an object.
pub(super) struct RepeatedField;

impl Json {
    /// `15`, `15.0` and `1.5e1` are the same integer.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an integer of at most 2^53"
    )]
    pub(super) fn integer(&self) -> Option<i64> {
        /// Up to 2^53 a double represents every integer exactly.
        const MAX: f64 = 9_007_199_254_740_992.0;
        let Self::Number(number) = self else {
            return None;
        };
        let is_exact = |number: &f64| number.fract() == 0.0 && number.abs() <= MAX;
        let of_double = || number.as_f64().filter(is_exact).map(|number| number as i64);
        number
            .as_i64()
            .or_else(|| number.is_f64().then(of_double).flatten())
    }

    fn into_value(self) -> Result<Value, RepeatedField> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Number(number) => number.into(),
            Self::String(text) => text.into(),
            Self::Array(values) => {
                let values = values.into_iter().map(Self::into_value);
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => Value::Object(into_map(fields)?),
        })
    }
}

pub(super) fn into_map(fields: Vec<(String, Json)>) -> Result<Map<String, Value>, RepeatedField> {
    let mut map = Map::new();
    for (name, value) in fields {
        if map.insert(name, value.into_value()?).is_some() {
            return Err(RepeatedField);
        }
    }
    Ok(map)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    /// JSON has no number that is not finite.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Json, E> {
        let number = Number::from_f64(number).map(Json::Number);
        number.ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, _>()? {
            if name == RAW_VALUE {
                return Err(serde::de::Error::custom("a reserved field"));
            }
            fields.push((name, value));
        }
        Ok(Json::Object(fields))
    }
}
