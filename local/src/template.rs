//! Reads routes, tables and settings from `template.yaml`, so that the local server and the tests
//! use what is deployed.

mod grants;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use self::grants::Grant;
use self::grants::grants_of;

/// The local stack's name, a prefix of the tables' names.
const STACK_NAME: &str = "latchkey";

/// The parts of the template that the local server and the tests use.
#[derive(Debug)]
pub struct Template {
    /// Sorted by path and method.
    pub routes: Vec<Route>,
    pub tables: Vec<Table>,
    /// The functions' environment, with each parameter at its default.
    pub variables: BTreeMap<String, String>,
    /// The parameters that set environment variables, by the variable's name.
    pub parameters: BTreeMap<String, Parameter>,
    /// The assertions about combinations of parameters, in CloudFormation's functions.
    pub rules: Vec<Value>,
    /// Every function's name, with or without a route.
    pub functions: Vec<String>,
    /// The memory of every function, in megabytes.
    pub memory_mb: BTreeMap<String, u32>,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method, upper case.
    pub method: String,
    /// The path, with `{name}` for a variable segment.
    pub path: String,
    /// The function's name: the last part of its `CodeUri`.
    pub function: String,
}

impl Route {
    /// See [`shared::http::route::matches`].
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        shared::http::route::matches(&self.path, path)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// The input of `CreateTable`.
    pub create: Value,
    /// The `TimeToLiveSpecification` of `UpdateTimeToLive`.
    pub time_to_live: Option<Value>,
}

/// The template has a form that this reader does not know.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml: {0}")]
pub struct TemplateError(String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    rules: BTreeMap<String, Rule>,
    globals: Globals,
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    assertions: Vec<Assertion>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assertion {
    assert: Value,
}

/// A parameter and its constraints.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    default: Option<Value>,
    pub min_value: Option<u64>,
    pub max_value: Option<u64>,
    pub allowed_values: Option<Vec<Value>>,
    /// A regular expression that the whole value must match.
    pub allowed_pattern: Option<String>,
    /// In characters.
    pub max_length: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    function: GlobalFunction,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlobalFunction {
    memory_size: u32,
    environment: Environment,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    properties: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    r#type: String,
    properties: EventProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventProperties {
    method: Option<String>,
    path: Option<String>,
}

impl Template {
    /// The template at build time.
    pub fn checked_in() -> Result<Self, TemplateError> {
        Self::parse(include_str!("../../template.yaml"))
    }

    /// Reads a template without YAML's short forms of intrinsic functions.
    pub fn parse(yaml: &str) -> Result<Self, TemplateError> {
        let document: Document =
            serde_saphyr::from_str(yaml).map_err(|error| TemplateError(error.to_string()))?;
        let mut routes = Vec::new();
        let mut tables = Vec::new();
        let mut functions = Vec::new();
        let mut memory_mb = BTreeMap::new();
        let mut grants = Vec::new();
        for resource in document.resources.values() {
            match resource.r#type.as_str() {
                "AWS::Serverless::Function" => {
                    let name = name_of(resource)?.to_owned();
                    memory_mb.insert(name.clone(), document.memory_mb(resource)?);
                    functions.push(name);
                    routes.extend(routes_of(resource)?);
                    grants.extend(grants_of(&document, resource)?);
                }
                "AWS::DynamoDB::Table" => tables.push(table_of(&document, resource)?),
                _ => {}
            }
        }
        routes.sort_by(|a: &Route, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
        let environment = &document.globals.function.environment.variables;
        let parameter = |value: &Value| {
            let name = value.get("Ref")?.as_str()?;
            document.parameters.get(name).cloned()
        };
        let parameters = environment
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), parameter(value)?)))
            .collect();
        let rules = document.rules.values();
        let assertions = rules.flat_map(|rule| rule.assertions.clone());
        let variables = environment
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), document.resolve(value)?)))
            .collect();
        Ok(Self {
            routes,
            tables,
            variables,
            parameters,
            rules: assertions.map(|assertion| assertion.assert).collect(),
            functions,
            memory_mb,
            grants,
        })
    }
}

fn routes_of(function: &Resource) -> Result<Vec<Route>, TemplateError> {
    let name = name_of(function)?;
    let events = function.properties.get("Events").cloned();
    let events = events.unwrap_or_else(|| Value::Object(Map::new()));
    let events: BTreeMap<String, Event> =
        serde_json::from_value(events).map_err(|error| TemplateError(error.to_string()))?;
    let routes = events
        .into_values()
        .filter(|event| event.r#type == "HttpApi")
        // The `$default` route has neither.
        .filter_map(|event| {
            Some(Route {
                method: event.properties.method?.to_uppercase(),
                path: event.properties.path?,
                function: name.to_owned(),
            })
        });
    Ok(routes.collect())
}

fn name_of(function: &Resource) -> Result<&str, TemplateError> {
    function
        .properties
        .get("CodeUri")
        .and_then(Value::as_str)
        .and_then(|uri| uri.trim_end_matches('/').rsplit('/').next())
        .ok_or_else(|| TemplateError("a function without CodeUri".to_owned()))
}

fn table_of(document: &Document, table: &Resource) -> Result<Table, TemplateError> {
    let mut create = Map::new();
    for property in [
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "GlobalSecondaryIndexes",
    ] {
        if let Some(value) = table.properties.get(property) {
            create.insert(property.to_owned(), value.clone());
        }
    }
    let name = table.properties.get("TableName");
    let name = name
        .and_then(|name| document.resolve(name))
        .ok_or_else(|| TemplateError("a table without TableName".to_owned()))?;
    create.insert("TableName".to_owned(), name.clone().into());
    if let Some(Value::Object(stream)) = table.properties.get("StreamSpecification") {
        let mut stream = stream.clone();
        stream.insert("StreamEnabled".to_owned(), true.into());
        create.insert("StreamSpecification".to_owned(), stream.into());
    }
    Ok(Table {
        name,
        create: create.into(),
        time_to_live: table.properties.get("TimeToLiveSpecification").cloned(),
    })
}

impl Document {
    fn memory_mb(&self, function: &Resource) -> Result<u32, TemplateError> {
        match function.properties.get("MemorySize") {
            Some(own) => u32::deserialize(own).map_err(|error| TemplateError(error.to_string())),
            None => Ok(self.globals.function.memory_size),
        }
    }

    /// The name of an index, from its ARN such as `${UsersTable.Arn}/index/accounts`.
    fn index(&self, arn: &str) -> Option<String> {
        let (table, index) = arn.strip_prefix("${")?.split_once(".Arn}")?;
        Some(format!("{}{index}", self.resolve_reference(table)?))
    }

    /// A value as text, or `None` if only AWS can resolve it.
    fn resolve(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Object(function) => {
                if let Some(name) = function.get("Ref").and_then(Value::as_str) {
                    return self.resolve_reference(name);
                }
                // With the parameters' defaults, the condition of each variable is false.
                if let Some(branches) = function.get("Fn::If").and_then(Value::as_array) {
                    return self.resolve(branches.last()?);
                }
                let text = function.get("Fn::Sub")?.as_str()?;
                let text = text.replace("${AWS::StackName}", STACK_NAME);
                (!text.contains("${")).then_some(text)
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    fn resolve_reference(&self, name: &str) -> Option<String> {
        if let Some(parameter) = self.parameters.get(name) {
            return self.resolve(parameter.default.as_ref()?);
        }
        let table_name = self.resources.get(name)?.properties.get("TableName")?;
        self.resolve(table_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_template_has_its_routes_tables_and_settings() {
        let template = Template::checked_in().unwrap();

        let sign_in = Route {
            method: "POST".to_owned(),
            path: "/user/auth".to_owned(),
            function: "sign-in".to_owned(),
        };
        assert!(template.routes.contains(&sign_in));
        let tables: Vec<_> = template.tables.iter().map(|table| &table.name).collect();
        let all = [
            "latchkey-rate-limits",
            "latchkey-sessions",
            "latchkey-users",
        ];
        assert_eq!(tables, all);
        let variable = |name: &str| template.variables.get(name).map(String::as_str);
        assert_eq!(variable("TABLE_USERS"), Some("latchkey-users"));
        assert_eq!(variable("USER_SIGNUP_RATE_LIMIT_IP"), Some("50"));
        assert_eq!(variable("API_USER_CREATE_SCOPE"), Some(""));
        assert_eq!(variable("JWT_KEYS_SECRET"), None, "only AWS can resolve it");
    }
}
