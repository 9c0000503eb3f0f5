//! The metadata of an account: a JSON object that the operator's own programs give a meaning.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest metadata, in bytes of compact JSON.
pub const MAX_METADATA_BYTES: usize = 8192;
/// How deep metadata may be nested. The object itself is the first level.
pub const MAX_METADATA_DEPTH: usize = 32;

/// A JSON object of at most [`MAX_METADATA_BYTES`] and [`MAX_METADATA_DEPTH`], with at least one field.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidMetadata {
    TooManyBytes,
    TooDeep,
}

/// What to store in place of an account's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataChange {
    Set(Metadata),
    Clear,
}

impl MetadataChange {
    /// An empty object clears the metadata.
    pub fn to(object: Map<String, Value>) -> Result<Self, InvalidMetadata> {
        if object.is_empty() {
            return Ok(Self::Clear);
        }
        if depth(object.values()) > MAX_METADATA_DEPTH {
            return Err(InvalidMetadata::TooDeep);
        }
        let metadata = Metadata(object);
        if metadata.to_json().len() > MAX_METADATA_BYTES {
            return Err(InvalidMetadata::TooManyBytes);
        }
        Ok(Self::Set(metadata))
    }

    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        match self {
            Self::Set(metadata) => Some(metadata),
            Self::Clear => None,
        }
    }
}

impl Metadata {
    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// Takes stored JSON without checking its limits. `None` if it is not an object.
    pub(crate) fn stored(json: &str) -> Option<Self> {
        serde_json::from_str(json).map(Self).ok()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metadata(redacted)")
    }
}

/// One level more than the deepest of `values`. Recursion is bounded: a body nested deeper than 128 is not
/// read.
fn depth<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let of_value = |value: &Value| match value {
        Value::Array(items) => depth(items.iter()),
        Value::Object(fields) => depth(fields.values()),
        _ => 0,
    };
    values.map(of_value).max().unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(value: Value) -> Result<MetadataChange, InvalidMetadata> {
        let Value::Object(object) = value else {
            panic!("not an object: {value}");
        };
        MetadataChange::to(object)
    }

    #[test]
    fn an_empty_object_clears_the_metadata() {
        assert_eq!(change(json!({})), Ok(MetadataChange::Clear));
    }

    #[test]
    fn the_size_is_that_of_compact_json() {
        let longest = "a".repeat(MAX_METADATA_BYTES - r#"{"a":""}"#.len());

        let change = |text: &str| change(json!({ "a": text }));

        assert!(change(&longest).is_ok());
        assert_eq!(
            change(&format!("{longest}a")),
            Err(InvalidMetadata::TooManyBytes)
        );
    }

    #[test]
    fn the_object_itself_is_the_first_level() {
        let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));

        assert!(change(nested(MAX_METADATA_DEPTH)).is_ok());
        assert_eq!(
            change(nested(MAX_METADATA_DEPTH + 1)),
            Err(InvalidMetadata::TooDeep)
        );
    }

    #[test]
    fn stored_metadata_is_read_as_it_was_written() {
        let change = change(json!({"team": "blue", "n": [1, 1.5, null, true]})).unwrap();
        let metadata = change.metadata().unwrap();

        assert_eq!(
            Metadata::stored(&metadata.to_json()).as_ref(),
            Some(metadata)
        );
        assert_eq!(Metadata::stored("[]"), None);
    }
}
