//! What API Gateway asks, and how it is answered.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use shared::domain::{Account, SourceIp};
use shared::http::request::{API_KEY, AUTHORIZATION, HeaderMap, HeaderValue};

/// The question. Every member may be missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    version: Option<String>,
    /// Payload 1.0 has each value of a repeated header only in `multi_value_headers`.
    headers: Option<HashMap<String, String>>,
    multi_value_headers: Option<HashMap<String, Vec<String>>>,
    /// The `Authorization` header, if a REST API's authorizer is of the type `TOKEN`.
    authorization_token: Option<String>,
    method_arn: Option<String>,
    request_context: Option<RequestContext>,
}

#[derive(Debug, Deserialize)]
struct RequestContext {
    /// In payload 2.0.
    http: Option<Peer>,
    /// In payload 1.0.
    identity: Option<Peer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peer {
    source_ip: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Response {
    Simple {
        is_authorized: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context>,
    },
    Policy {
        principal_id: String,
        policy_document: PolicyDocument,
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context>,
    },
}

/// What API Gateway passes on to the integration. A REST API takes no lists, so all are strings.
#[derive(Debug, Serialize)]
pub struct Context {
    id: String,
    email: String,
    username: String,
    /// Separated by spaces.
    scope: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

impl Event {
    /// The headers with credentials, whatever the case of their names.
    pub(crate) fn credential_headers(&self) -> HeaderMap {
        let mut found = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            for header in [AUTHORIZATION, API_KEY] {
                if name.eq_ignore_ascii_case(header.as_str()) {
                    let value = HeaderValue::from_str(value);
                    let malformed = HeaderValue::from_static("malformed");
                    found.append(header, value.unwrap_or(malformed));
                }
            }
        };
        if let Some(token) = &self.authorization_token {
            add(AUTHORIZATION.as_str(), token);
        }
        if let Some(all) = &self.multi_value_headers {
            for (name, values) in all {
                for value in values {
                    add(name, value);
                }
            }
        } else {
            for (name, value) in self.headers.iter().flatten() {
                add(name, value);
            }
        }
        found
    }

    /// The address that API Gateway saw. All events without one share `::`.
    pub(crate) fn source(&self) -> SourceIp {
        let context = self.request_context.as_ref();
        let peer = context.and_then(|context| context.http.as_ref().or(context.identity.as_ref()));
        let address = peer.and_then(|peer| peer.source_ip.as_ref()?.parse().ok());
        SourceIp::new(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }

    pub(crate) fn answer(&self, account: Option<&Account>) -> Response {
        let is_simple = self.version.as_deref() == Some("2.0");
        // A policy that allows something must name it.
        let account = account.filter(|_| is_simple || self.method_arn.is_some());
        let context = account.map(|account| Context {
            id: account.id.to_string(),
            email: account.email.clone(),
            username: account.username.clone(),
            scope: account.scopes.joined(),
        });
        let is_authorized = context.is_some();
        if is_simple {
            return Response::Simple {
                is_authorized,
                context,
            };
        }
        let statement = Statement {
            action: "execute-api:Invoke",
            effect: if is_authorized { "Allow" } else { "Deny" },
            resource: self.method_arn.clone().unwrap_or_else(|| "*".to_owned()),
        };
        Response::Policy {
            principal_id: account.map_or_else(|| "anonymous".to_owned(), |one| one.id.to_string()),
            policy_document: PolicyDocument {
                version: "2012-10-17",
                statement: [statement],
            },
            context,
        }
    }
}
