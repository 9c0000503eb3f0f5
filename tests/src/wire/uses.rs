//! The IAM permissions that a request needs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A permission: an action on the items of a table whose keys have a prefix, or on a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The action, such as `dynamodb:GetItem`.
    pub action: String,
    /// The name of the table, `table/index/name` for an index, or the name of the secret.
    pub resource: String,
    /// The key of the item up to and including its `#`; empty for a secret.
    pub prefix: String,
}

/// The permissions of a request. Each write of a transaction needs the action of a single write.
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
                let action = match member.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    _ => format!("{member}Item"),
                };
                one(&action, &write["TableName"], key)
            })
            .collect(),
        // Each read of the transaction needs the action of a single read.
        "TransactGetItems" => list(&body["TransactItems"])
            .iter()
            .map(|read| one("GetItem", &read["Get"]["TableName"], &read["Get"]["Key"]))
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
        "BatchWriteItem" => fields(&body["RequestItems"])
            .iter()
            .flat_map(|(table, writes)| {
                let writes = list(writes);
                let table = Value::from(table.as_str());
                writes
                    .into_iter()
                    .map(move |write| one(operation, &table, &write["DeleteRequest"]["Key"]))
            })
            .collect(),
        // Every query is of one partition, whose key is the value `:partition`.
        "Query" => {
            let key = json!({"pk": body["ExpressionAttributeValues"][":partition"]});
            let table = body["TableName"].as_str().unwrap_or_default();
            let resource = match body["IndexName"].as_str() {
                Some(index) => format!("{table}/index/{index}"),
                None => table.to_owned(),
            };
            BTreeSet::from([one(operation, &resource.into(), &key)])
        }
        "PutItem" => BTreeSet::from([one(operation, &body["TableName"], &body["Item"])]),
        _ => BTreeSet::from([one(operation, &body["TableName"], &body["Key"])]),
    }
}
