//! What a request needs to be allowed.

use std::collections::BTreeSet;

use serde_json::Value;

/// One thing that IAM allows or not: an action on the items of a table whose keys start so, or on a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The action, such as `dynamodb:GetItem`.
    pub action: String,
    /// The table's name, or the secret's.
    pub resource: String,
    /// The key up to and with its `#`, of an item.
    pub prefix: String,
}

/// What a request needs. Members of a transaction need the action they would alone.
pub(super) fn of(operation: &str, body: &Value) -> BTreeSet<Use> {
    let one = |action: &str, table: &Value, key: &Value| {
        let key = key["pk"]["S"].as_str().unwrap_or_default();
        let prefix = key.split_inclusive('#').next().unwrap_or_default();
        Use {
            action: format!("dynamodb:{action}"),
            resource: table.as_str().unwrap_or_default().to_owned(),
            prefix: prefix.to_owned(),
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    match operation {
        "TransactWriteItems" => list(&body["TransactItems"])
            .iter()
            .flat_map(fields)
            .map(|(member, write)| {
                let key = if member == "Put" {
                    &write["Item"]
                } else {
                    &write["Key"]
                };
                one(&format!("{member}Item"), &write["TableName"], key)
            })
            .collect(),
        "BatchGetItem" => fields(&body["RequestItems"])
            .iter()
            .flat_map(|(table, request)| {
                let keys = list(&request["Keys"]);
                let table = Value::from(table.as_str());
                keys.into_iter()
                    .map(move |key| one("BatchGetItem", &table, &key))
            })
            .collect(),
        "GetSecretValue" | "PutSecretValue" | "UpdateSecretVersionStage" => BTreeSet::from([Use {
            action: format!("secretsmanager:{operation}"),
            resource: body["SecretId"].as_str().unwrap_or_default().to_owned(),
            prefix: String::new(),
        }]),
        "PutItem" => BTreeSet::from([one(operation, &body["TableName"], &body["Item"])]),
        _ => BTreeSet::from([one(operation, &body["TableName"], &body["Key"])]),
    }
}
