//! What the functions' policies grant.

use serde_json::Value;

use super::{Document, Resource, TemplateError, name_of};

/// What a function may do to a table or the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The function's name.
    pub function: String,
    /// The actions, such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// The table's name, or the secret's in the template.
    pub resource: String,
    /// The keys of a table's items: each a pattern that ends in `*`.
    pub keys: Vec<String>,
}

/// The statements of a function's policies: each of actions on one table, narrowed to keys, or on
/// the secret.
pub(super) fn grants_of(
    document: &Document,
    function: &Resource,
) -> Result<Vec<Grant>, TemplateError> {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    let name = name_of(function)?;
    let policies = function
        .properties
        .get("Policies")
        .and_then(Value::as_array);
    policies
        .into_iter()
        .flatten()
        .filter_map(|policy| policy.get("Statement")?.as_array())
        .flatten()
        .map(|statement| {
            let table = text(statement, "/Resource/Fn::GetAtt/0");
            let table = table.and_then(|table| document.resolve_reference(table));
            let secret = text(statement, "/Resource/Ref").map(str::to_owned);
            let unclear = || TemplateError(format!("{name}: a policy that names no resource"));
            Ok(Grant {
                function: name.to_owned(),
                actions: texts(statement.pointer("/Action")),
                resource: table.or(secret).ok_or_else(unclear)?,
                keys: texts(statement.pointer(KEYS)),
            })
        })
        .collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}
