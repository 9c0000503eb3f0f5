//! The permissions that the functions' policies grant: managed policies and inline ones.

use serde_json::Value;

use super::{Document, Resource, TemplateError, name_of};

/// A statement: a function's permissions on a table, a secret, a queue, or the identities of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The function's folder under `functions/`.
    pub function: String,
    /// Such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// The table's name, that of an index as `table/index/name`; of a secret or queue, the logical id in
    /// the template; `ses` for identities.
    pub resource: String,
    /// Patterns of the allowed partition keys, each ending in `*`; empty unless it is a table.
    pub keys: Vec<String>,
}

/// All statements that apply to a function.
pub(super) fn grants_of(
    document: &Document,
    function: &Resource,
) -> Result<Vec<Grant>, TemplateError> {
    let name = name_of(function)?;
    let policies = function
        .properties
        .get("Policies")
        .and_then(Value::as_array);
    let mut grants = Vec::new();
    for policy in policies.into_iter().flatten() {
        let statements = statements_of(document, policy)
            .ok_or_else(|| TemplateError(format!("{name}: a policy without statements")))?;
        for statement in statements {
            let grant = grant_of(document, name, statement)
                .ok_or_else(|| TemplateError(format!("{name}: {statement} cannot be read")))?;
            grants.push(grant);
        }
    }
    Ok(grants)
}

/// The statements of an inline or a referenced policy.
fn statements_of<'d>(document: &'d Document, policy: &'d Value) -> Option<&'d Vec<Value>> {
    let policy = match text(policy, "/Ref") {
        Some(name) => {
            let managed = document.resources.get(name)?;
            (managed.r#type == "AWS::IAM::ManagedPolicy").then_some(())?;
            managed.properties.get("PolicyDocument")?
        }
        None => policy,
    };
    policy.get("Statement")?.as_array()
}

/// Reads a statement about some keys of one table, or about another resource.
fn grant_of(document: &Document, function: &str, statement: &Value) -> Option<Grant> {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    let actions = texts(statement.get("Action")?)?;
    let (resource, keys) = match text(statement, "/Resource/Fn::GetAtt/0") {
        Some(name) if actions.iter().all(|action| action.starts_with("sqs:")) => {
            (name.to_owned(), Vec::new())
        }
        Some(table) => (
            document.resolve_reference(table)?,
            texts(statement.pointer(KEYS)?)?,
        ),
        None => match text(statement, "/Resource/Fn::Sub") {
            Some(arn) if arn.contains(":ses:") => ("ses".to_owned(), Vec::new()),
            Some(arn) => (document.index(arn)?, texts(statement.pointer(KEYS)?)?),
            None => (text(statement, "/Resource/Ref")?.to_owned(), Vec::new()),
        },
    };
    Some(Grant {
        function: function.to_owned(),
        actions,
        resource,
        keys,
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

fn texts(list: &Value) -> Option<Vec<String>> {
    let texts = list.as_array()?.iter();
    texts.map(|text| text.as_str().map(str::to_owned)).collect()
}
