//! Each route is made to return every common error status that the OpenAPI document lists for it.

use std::collections::BTreeSet;

use local::template::{Route, Template};
use serde_json::{Value, json};
use tests::app::{Call, PASSWORD, TestApp, post, post_form};
use tests::description;
use tests::wire::Fault;

use crate::events::sample_requests;

/// Statuses that more than one route returns for the same reasons.
const COMMON: [u16; 7] = [400, 401, 413, 415, 429, 500, 503];

/// The statuses that a route returns to every kind of bad request and to failures of DynamoDB.
async fn provoked(route: &Route) -> BTreeSet<u16> {
    let (first, token) = TestApp::with_administrator().await;
    let id = first.user_id(&token).await;
    first.grant(&id, &["admin", "introspect"]).await;
    let app = first.another(&[("SIGNIN_RATE_LIMIT_IP", "1")]);
    let path = route.path.replace("{id}", "1");
    let call = |body: &str| Call::new(&route.method, &path, body.to_owned().into());
    let log_in = json!({"username": "abc@example.com", "password": PASSWORD, "refresh": true});
    let logged_in = first.call(post("/v1/auth/login", &log_in)).await;
    let refresh = json!({"refreshToken": logged_in.body["refreshToken"]});
    let good = || {
        if route.function == "refresh-session" {
            return post(&route.path, &refresh);
        }
        if route.function == "revoke-token" {
            return post_form(&route.path, &[("token", &token)]);
        }
        let mut calls = sample_requests(&token).into_iter();
        calls.find(|call| call.is_for(route)).unwrap()
    };
    let guess = format!("api_{}", "a".repeat(24));
    let wrong = json!({"username": "nobody", "password": "wrong"}).to_string();
    let mut statuses = BTreeSet::new();
    for bad in [
        call("{").bearer(&token),
        call(&" ".repeat(600 * 1024)),
        call("{}").header("content-type", "text/plain"),
        good().api_key("nonsense"),
        good().api_key(&guess),
        good().api_key(&guess),
        call(&wrong),
        call(&wrong),
        call(&json!({"refreshToken": "unknown"}).to_string()),
    ] {
        statuses.insert(app.call(bad).await.status);
    }
    for fault in [Fault::broken(), Fault::service_error("ValidationException")] {
        fail_all(&first, fault);
        statuses.insert(first.call(good()).await.status);
    }
    statuses
}

fn fail_all(app: &TestApp, fault: Fault) {
    app.wire.on_request(move |_, _| Some(fault.clone()));
}

#[tokio::test]
async fn each_route_returns_exactly_the_common_statuses_it_documents() {
    for route in Template::checked_in().unwrap().routes {
        let provoked = provoked(&route).await;

        let described = description::of(&route.method, &route.path).unwrap();
        let described = described["responses"].as_object().unwrap().keys();
        let described: BTreeSet<u16> = described.map(|status| status.parse().unwrap()).collect();
        let mut common = BTreeSet::from(COMMON);
        if route.function == "well-known" {
            // Reads no item, and the metadata not even the ring.
            common.retain(|status| *status < 500);
        }
        assert_eq!(&provoked & &common, &described & &common, "{route:?}");
    }
}

/// The JSON pointer of each documented field of a body, except those that are ignored.
fn fields(schema: &'static Value, within: &str) -> Vec<String> {
    let schema = description::resolved(schema);
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices
            .iter()
            .flat_map(|choice| fields(choice, within))
            .collect();
    }
    let mut found = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{within}/{name}");
        let field = description::resolved(field);
        found.extend(fields(field, &place));
        if field["items"].is_object() {
            found.extend(fields(&field["items"], &format!("{place}/0")));
        }
        if field["type"] != Value::Null {
            found.push(place);
        }
    }
    found
}

#[tokio::test]
async fn every_documented_request_field_is_validated() {
    let (app, token) = TestApp::with_administrator().await;
    let mut read = 0;
    for route in Template::checked_in().unwrap().routes {
        let described = description::of(&route.method, &route.path).unwrap();
        let body = &described["requestBody"]["content"]["application/json"];
        for place in fields(&body["schema"], "") {
            let (within, name) = place.rsplit_once('/').unwrap();
            let mut wrong = body["example"].clone();
            if wrong.pointer(within).is_none() {
                wrong = json!({&within[1..]: wrong});
            }
            let field = &mut wrong.pointer_mut(within).unwrap()[name];
            *field = match field {
                Value::Bool(_) => json!("x"),
                Value::Null => json!(1.5),
                _ => json!(true),
            };

            let call = Call::new(&route.method, &route.path, wrong.to_string().into());
            let answer = app.call(call.bearer(&token)).await;

            let complaint = format!("{name}\" must be ");
            assert_eq!(answer.status, 400, "{} {place}", route.path);
            assert!(answer.message().contains(&complaint), "{place}: {answer:?}");
            read += 1;
        }
    }
    assert!(read > 30, "only {read} fields");
}
