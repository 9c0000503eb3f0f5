//! The expressions that the store sends to DynamoDB: as much of the language as it uses.
//!
//! What is written otherwise panics, so that a new expression cannot be half understood.

use serde_json::{Map, Value, json};

/// An item, or a part of one, as DynamoDB's JSON has it.
pub(crate) type Item = Map<String, Value>;

/// The expressions of one write, and what their placeholders stand for.
#[derive(Debug)]
pub(crate) struct Write<'w>(pub(crate) &'w Value);

impl Write<'_> {
    /// Whether the condition holds of `item`; of none that is there, where it is empty.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        let Some(condition) = self.0["ConditionExpression"].as_str() else {
            return true;
        };
        condition.split(" AND ").all(|any| {
            unwrapped(any)
                .split(" OR ")
                .any(|term| self.is_so(term, item))
        })
    }

    fn is_so(&self, term: &str, item: &Item) -> bool {
        let call = |name: &str| term.strip_prefix(name)?.strip_suffix(')');
        if let Some(path) = call("attribute_exists(") {
            return self.get(path, item).is_some();
        }
        if let Some(path) = call("attribute_not_exists(") {
            return self.get(path, item).is_none();
        }
        let at = term.find(['=', '<', '>']).expect("a comparison");
        let (path, rest) = term.split_at(at);
        let (operator, value) = rest.split_at(rest.rfind(['=', '<', '>']).expect("one") + 1);
        let Some(seen) = self.get(path.trim(), item) else {
            return false;
        };
        let value = self.value(value);
        match operator {
            "=" => *seen == value,
            "<=" => number(seen) <= number(&value),
            ">" => number(seen) > number(&value),
            _ => panic!("{term}"),
        }
    }

    /// Makes of `item` what the update says.
    pub(crate) fn apply(&self, item: &mut Item) {
        let update = self.0["UpdateExpression"].as_str().expect("an update");
        let before = item.clone();
        for (keyword, actions) in clauses(update) {
            for action in actions {
                match keyword {
                    "SET" => {
                        let (path, operand) = action.split_once('=').expect("a value");
                        let value = self.operand(operand.trim(), &before);
                        self.set(path.trim(), value, item);
                    }
                    "REMOVE" => {
                        item.remove(&self.name(action));
                    }
                    _ => {
                        let (path, operand) = action.split_once(' ').expect("a value");
                        let seen = self.get(path, &before).map_or(0, number);
                        let sum = seen.saturating_add(number(&self.value(operand)));
                        self.set(path, json!({ "N": sum.to_string() }), item);
                    }
                }
            }
        }
    }

    fn operand(&self, operand: &str, item: &Item) -> Value {
        let call = operand.strip_prefix("if_not_exists(");
        let Some(arguments) = call.and_then(|call| call.strip_suffix(')')) else {
            return self.value(operand);
        };
        let (path, value) = arguments.split_once(',').expect("two arguments");
        let seen = self.get(path, item).cloned();
        seen.unwrap_or_else(|| self.value(value))
    }

    fn get<'i>(&self, path: &str, item: &'i Item) -> Option<&'i Value> {
        match path.split_once('.') {
            None => item.get(&self.name(path)),
            Some((map, member)) => item.get(map)?["M"].get(member),
        }
    }

    fn set(&self, path: &str, value: Value, item: &mut Item) {
        match path.split_once('.') {
            None => {
                item.insert(self.name(path), value);
            }
            Some((map, member)) => item[map]["M"][member] = value,
        }
    }

    fn name(&self, path: &str) -> String {
        if path.starts_with('#') {
            let name = self.0["ExpressionAttributeNames"][path].as_str();
            return name.expect("a name").to_owned();
        }
        path.to_owned()
    }

    fn value(&self, placeholder: &str) -> Value {
        let value = &self.0["ExpressionAttributeValues"][placeholder.trim()];
        assert!(value.is_object(), "{placeholder} stands for nothing");
        value.clone()
    }
}

/// The clauses of an update, each with its actions.
fn clauses(update: &str) -> Vec<(&str, Vec<&str>)> {
    let mut clauses: Vec<(&str, usize, usize)> = Vec::new();
    for keyword in ["SET ", "REMOVE ", "ADD "] {
        let starts = update.match_indices(keyword);
        for (at, _) in starts.filter(|(at, _)| *at == 0 || update[..*at].ends_with(' ')) {
            clauses.push((keyword.trim(), at, at + keyword.len()));
        }
    }
    clauses.sort_by_key(|(_, at, _)| *at);
    let ends: Vec<usize> = clauses
        .iter()
        .skip(1)
        .map(|(_, at, _)| *at)
        .chain([update.len()])
        .collect();
    clauses
        .into_iter()
        .zip(ends)
        .map(|((keyword, _, from), to)| (keyword, actions(&update[from..to])))
        .collect()
}

/// What commas part, but for those in parentheses.
fn actions(clause: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = clause.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(str::trim).collect()
}

fn unwrapped(text: &str) -> &str {
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    inner.unwrap_or(text)
}

fn number(value: &Value) -> i64 {
    let number = value["N"].as_str().and_then(|number| number.parse().ok());
    number.unwrap_or(0)
}
