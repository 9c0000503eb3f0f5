//! How DynamoDB's answers go wrong: a character for each call, in the order they are made.

use serde_json::{Map, Value, json};

/// How one call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// As it should.
    Good,
    /// A read, with none of the items that are there.
    Absent,
    /// The connection breaks.
    Cut,
    /// With a fault of DynamoDB's.
    Fault,
    /// It is throttled.
    Throttled,
    /// It meets another's transaction.
    Conflict,
    /// Keys are left unread.
    Unread,
    /// With what is no JSON.
    NotJson,
    /// DynamoDB refuses the request.
    Invalid,
    /// With items of a schema version to come.
    Foreign,
    /// With the attribute of this place gone from each item.
    Dropped(u8),
    /// With the attribute of this place of another type in each item.
    Mistyped(u8),
    /// With what the input says.
    Raw,
}

/// What may come of a plan, at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worst {
    /// Neither 500 nor 503.
    Good,
    /// 503, and no 500.
    Outage,
    /// Either.
    Broken,
    /// Either; and nothing that the store says can be believed.
    Forged,
}

/// The steps that characters stand for. Whatever else stands there is [`Step::Good`].
pub(crate) fn parse(text: &[u8]) -> Vec<Step> {
    let step = |byte: &u8| match byte {
        b'a' => Step::Absent,
        b'x' => Step::Cut,
        b'5' => Step::Fault,
        b't' => Step::Throttled,
        b'c' => Step::Conflict,
        b'u' => Step::Unread,
        b'j' => Step::NotJson,
        b'i' => Step::Invalid,
        b'v' => Step::Foreign,
        b'A'..=b'M' => Step::Dropped(byte - b'A'),
        b'N'..=b'Z' => Step::Mistyped(byte - b'N'),
        b'r' => Step::Raw,
        _ => Step::Good,
    };
    text.iter().take(32).map(step).collect()
}

impl Step {
    /// What may come of it, at worst.
    pub(crate) fn worst(self) -> Worst {
        match self {
            Self::Good | Self::Absent => Worst::Good,
            Self::Cut
            | Self::Fault
            | Self::Throttled
            | Self::Conflict
            | Self::Unread
            | Self::NotJson => Worst::Outage,
            Self::Invalid | Self::Foreign | Self::Dropped(_) | Self::Mistyped(_) => Worst::Broken,
            Self::Raw => Worst::Forged,
        }
    }

    /// Spoils the items of an answer.
    pub(crate) fn spoil(self, answer: &mut Value) {
        if self == Self::Absent && answer.get("__type").is_none() {
            if answer.get("Item").is_some() {
                *answer = json!({});
            }
            if let Some(tables) = answer.get_mut("Responses") {
                *tables = json!({});
            }
            return;
        }
        for name in ["Item", "Attributes"] {
            if let Some(Value::Object(item)) = answer.get_mut(name) {
                self.spoil_item(item);
            }
        }
        let tables = answer.get_mut("Responses").and_then(Value::as_object_mut);
        let tables = tables.into_iter().flat_map(Map::values_mut);
        for item in tables.filter_map(Value::as_array_mut).flatten() {
            if let Value::Object(item) = item {
                self.spoil_item(item);
            }
        }
    }

    fn spoil_item(self, item: &mut Map<String, Value>) {
        let name_at = |place: u8| {
            let place = usize::from(place) % item.len().max(1);
            item.keys().nth(place).cloned().unwrap_or_default()
        };
        match self {
            Self::Foreign => {
                item.insert("v".to_owned(), json!({"N": "2"}));
            }
            Self::Dropped(place) => {
                item.remove(&name_at(place));
            }
            Self::Mistyped(place) => {
                item.insert(name_at(place), json!({"BS": ["AA=="]}));
            }
            _ => {}
        }
    }
}
