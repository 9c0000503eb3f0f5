//! Key rotation: it needs no deployment and invalidates no token.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use local::functions::operate;
use local::secrets::Secrets;
use serde_json::{Value, json};
use shared::config::KeySource;
use tests::app::{PASSWORD, TestApp};

use crate::tokens::sign_with;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// A Secrets Manager with the secret that the stack generates: one key.
pub(crate) async fn secrets() -> Secrets {
    let generated = json!({"key": "bGF0Y2hrZXktdGVzdC1rZXktbm90LWEtc2VjcmV0LSE"});
    let host = Ipv4Addr::LOCALHOST.into();
    Secrets::start(host, &generated.to_string()).await.unwrap()
}

/// An instance over the tables of `app` that loads its keys from `secrets`.
pub(crate) fn with_secret(app: &TestApp, secrets: &Secrets, settings: &[(&str, &str)]) -> TestApp {
    let there = secrets.variables();
    let mut all = vec![
        ("JWT_KEYS_FILE", ""),
        ("CODE_KEY_FILE", ""),
        ("WEBHOOK_KEY_FILE", ""),
    ];
    all.extend(there.iter().map(|(name, value)| (*name, value.as_str())));
    all.extend(settings);
    app.another(&all)
}

/// The event that Secrets Manager sends for a rotation step.
pub(crate) fn step_of(version: &str, step: &str) -> Value {
    json!({"Step": step, "SecretId": "arn", "ClientRequestToken": version})
}

pub(crate) async fn ask(app: &TestApp, request: Value) -> Result<Value, String> {
    operate("rotate-keys", &app.app, request).await.unwrap()
}

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

pub(crate) async fn rotate(app: &TestApp, version: &str) {
    for step in STEPS {
        ask(app, step_of(version, step)).await.unwrap();
    }
}

/// The states of the ring's keys, oldest first.
async fn states(app: &TestApp) -> Vec<String> {
    let ring = ask(app, json!({"action": "list"})).await.unwrap();
    let keys = ring["keys"].as_array().unwrap();
    let state = |key: &Value| key["state"].as_str().unwrap().to_owned();
    keys.iter().map(state).collect()
}

pub(crate) async fn active_kid(app: &TestApp) -> String {
    let ring = ask(app, json!({"action": "list"})).await.unwrap();
    let keys = ring["keys"].as_array().unwrap();
    let active = keys.iter().find(|key| key["state"] == "active");
    active.unwrap()["kid"].as_str().unwrap().to_owned()
}

pub(crate) async fn fresh_token(app: &TestApp) -> String {
    app.sign_in("abc@example.com", PASSWORD).await.token()
}

/// How often the secret was read since the calls were last taken.
pub(crate) fn reads(app: &TestApp) -> usize {
    let calls = app.wire.take_calls();
    let of_secret = calls
        .iter()
        .filter(|call| call.operation == "GetSecretValue");
    of_secret.count()
}

/// Two instances that share a secret, and an operator's. abc@example.com has signed up.
pub(crate) async fn two_instances(settings: &[(&str, &str)]) -> (TestApp, TestApp, TestApp) {
    let app = TestApp::new().await;
    let secrets = secrets().await;
    let one = with_secret(&app, &secrets, settings);
    assert_eq!(one.sign_up("abc@example.com").await.status, 200);
    let other = with_secret(&app, &secrets, settings);
    let operator = with_secret(&app, &secrets, settings);
    (one, other, operator)
}

#[tokio::test]
async fn tokens_verify_on_every_instance_until_they_expire_across_rotations() {
    let (one, other, operator) = two_instances(&[("JWT_EXPIRES_IN", "2h")]).await;
    let instances = [&one, &other];
    let mut live: Vec<(usize, String)> = Vec::new();
    let mut kids = BTreeSet::new();
    let mut minutes_of_two_keys = 0;

    for minute in 0..6 * 60 {
        // A rotation starts every hour, with one step a minute. The instances reload the ring in
        // different minutes, so for some minutes they sign with different keys.
        let version = format!("version-{}", minute / 60);
        if let Some(step) = STEPS.get(minute % 60) {
            ask(&operator, step_of(&version, step)).await.unwrap();
        }
        if minute >= 2 && minute % 60 < 12 {
            let tokens = [fresh_token(&one).await, fresh_token(&other).await];
            let signed_with: BTreeSet<_> = tokens.iter().map(|token| kid_of(token)).collect();
            minutes_of_two_keys += usize::from(signed_with.len() == 2);
            kids.extend(signed_with);
            live.extend(tokens.map(|token| (minute, token)));
        }
        live.retain(|(issued, _)| minute < issued + 120);
        let asked = live.first().into_iter().chain(live.last());
        let asked = asked.chain(live.get(minute % live.len().max(1)));
        let asked = asked.filter(|_| minute >= 2);
        let answers = asked.flat_map(|(_, token)| instances.map(|app| app.user(token)));
        for answer in join_all(answers).await {
            assert_eq!(answer.status, 200, "minute {minute}: {answer:?}");
        }
        one.clock.advance(MINUTE);
        if minute < 2 {
            fresh_token(&one).await;
        }
    }

    assert_eq!(kids.len(), 6, "{kids:?}");
    assert!(minutes_of_two_keys > 5, "{minutes_of_two_keys}");
    // Each reloaded it once in five minutes, and never because of an unknown key id.
    for app in instances {
        assert!(reads(app) <= 6 * 60 / 5 + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_race_a_rotation_succeed() {
    let (one, other, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;
    let token = fresh_token(&one).await;
    one.clock.advance(HOUR);

    let load = async |app: &TestApp| {
        for _ in 0..30 {
            assert_eq!(app.user(&token).await.status, 200);
            let newest = fresh_token(app).await;
            assert_eq!(one.user(&newest).await.status, 200);
            assert_eq!(other.user(&newest).await.status, 200);
        }
    };
    tokio::join!(load(&one), load(&other), rotate(&operator, "version-2"));

    one.clock.advance(6 * MINUTE);
    let newest = fresh_token(&one).await;
    assert_ne!(kid_of(&newest), kid_of(&token));
    for token in [&token, &newest] {
        assert_eq!(other.user(token).await.status, 200);
    }
}

pub(crate) fn kid_of(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// The keys of the ring as whoever reads the secret sees them.
async fn leaked_keys(app: &TestApp) -> Vec<Value> {
    let config = &app.app.config;
    let sdk = config.aws.sdk_config(&config.keys);
    let client = Client::from_conf(config.aws.secrets_manager(&sdk).build());
    let id = match &config.keys {
        KeySource::Secret(id) => id,
        KeySource::File(_) => unreachable!(),
    };
    let secret = client.get_secret_value().secret_id(id).send().await;
    let ring: Value = serde_json::from_str(secret.unwrap().secret_string().unwrap()).unwrap();
    ring["keys"].as_array().unwrap().clone()
}

/// A token with the claims of `token`, signed with a key of the ring.
fn forged(token: &str, key: &Value) -> String {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let claims = String::from_utf8(decoded(token.split('.').nth(1).unwrap())).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key["kid"]});
    sign_with(&decoded(key["key"].as_str().unwrap()), &header, &claims)
}

#[tokio::test]
async fn after_a_replacement_no_key_of_a_leaked_ring_is_accepted() {
    let (one, other, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;
    one.clock.advance(HOUR);
    rotate(&operator, "version-2").await;
    let token = fresh_token(&one).await;
    assert_eq!(states(&operator).await, ["retired", "active", "pending"]);
    let keys = leaked_keys(&operator).await;
    let forgeries: Vec<_> = keys.iter().map(|key| forged(&token, key)).collect();
    for forgery in &forgeries {
        assert_eq!(other.user(forgery).await.status, 200);
    }

    ask(&operator, json!({"action": "replace"})).await.unwrap();
    one.clock.advance(5 * MINUTE);

    let newer = fresh_token(&one).await;
    for app in [&one, &other] {
        for forgery in forgeries.iter().chain([&token]) {
            assert_eq!(
                app.user(forgery).await.message(),
                "Invalid JWT: key or signature is invalid"
            );
        }
        assert_eq!(app.user(&newer).await.status, 200);
    }
    // The next rotation keeps them revoked.
    one.clock.advance(HOUR);
    rotate(&operator, "version-3").await;
    one.clock.advance(5 * MINUTE);
    for forgery in &forgeries {
        assert_eq!(one.user(forgery).await.status, 401);
    }
    assert_eq!(one.user(&newer).await.status, 200);
}

#[tokio::test]
async fn rotation_steps_are_idempotent() {
    let (_, _, operator) = two_instances(&[]).await;

    for step in STEPS {
        for _ in 0..2 {
            ask(&operator, step_of("version-1", step)).await.unwrap();
        }
    }
    for step in STEPS {
        ask(&operator, step_of("version-1", step)).await.unwrap();
    }

    assert_eq!(states(&operator).await, ["active", "pending"]);
}

#[tokio::test]
async fn a_rotation_does_not_undo_a_replacement_made_between_its_steps() {
    let (one, _, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;
    one.clock.advance(HOUR);
    ask(&operator, step_of("version-2", "createSecret"))
        .await
        .unwrap();

    ask(&operator, json!({"action": "replace"})).await.unwrap();

    let refused = ask(&operator, step_of("version-2", "finishSecret")).await;
    assert!(refused.unwrap_err().contains("rotate again"));
    let replaced = ["revoked", "revoked", "active", "pending"];
    assert_eq!(states(&operator).await, replaced);

    // Secrets Manager starts no rotation while one is pending. The replacement has ended this one,
    // and its steps are refused from now on.
    let refused = ask(&operator, step_of("version-2", "testSecret")).await;
    assert!(refused.unwrap_err().contains("no such version"));
    one.clock.advance(HOUR);
    let refused = ask(&operator, step_of("version-2", "createSecret")).await;
    assert!(refused.unwrap_err().contains("rotate again"));
    rotate(&operator, "version-3").await;
    assert_eq!(
        states(&operator).await,
        ["revoked", "revoked", "retired", "active", "pending"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_races_a_rotation_is_not_lost() {
    let (one, other, operator) = two_instances(&[]).await;
    rotate(&operator, "version-0").await;

    for round in 1..20 {
        one.clock.advance(HOUR);
        let stolen = active_kid(&operator).await;
        let version = format!("version-{round}");
        ask(&operator, step_of(&version, "createSecret"))
            .await
            .unwrap();

        let (_, replaced) = tokio::join!(
            ask(&operator, step_of(&version, "finishSecret")),
            ask(&other, json!({"action": "replace"})),
        );

        let ring = ask(&one, json!({"action": "list"})).await.unwrap();
        let mut keys = ring["keys"].as_array().unwrap().iter();
        let state = &keys.find(|key| key["kid"] == *stolen).unwrap()["state"];
        assert_eq!(replaced.is_ok(), state == "revoked", "{replaced:?} {ring}");
    }
}

#[tokio::test]
async fn a_replacement_after_a_rotation_leaves_no_rotation_pending() {
    let (app, secrets) = (TestApp::new().await, secrets().await);
    let operator = with_secret(&app, &secrets, &[]);
    rotate(&operator, "version-1").await;

    ask(&operator, json!({"action": "replace"})).await.unwrap();

    assert!(!secrets.is_rotation_pending());
}

#[tokio::test]
async fn a_rotation_within_ten_minutes_of_the_last_one_is_refused() {
    let (one, _, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;

    let refused = ask(&operator, step_of("version-2", "createSecret")).await;
    assert!(refused.unwrap_err().contains("published too recently"));

    one.clock.advance(10 * MINUTE);
    rotate(&operator, "version-3").await;
    assert_eq!(states(&operator).await, ["retired", "active", "pending"]);
}

#[tokio::test]
async fn listing_the_key_ring_reveals_no_key_material() {
    let (_, _, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;

    let ring = ask(&operator, json!({"action": "list"})).await.unwrap();

    for key in ring["keys"].as_array().unwrap() {
        let fields: Vec<_> = key.as_object().unwrap().keys().collect();
        assert!(
            fields
                .iter()
                .all(|name| ["kid", "state", "alg", "iss", "since", "until"]
                    .contains(&name.as_str()))
        );
    }
}

#[tokio::test]
async fn an_invalid_rotation_request_is_refused_and_changes_nothing() {
    let (_, _, operator) = two_instances(&[]).await;

    for request in [
        json!({}),
        json!({"action": "forget"}),
        json!({"action": "replace", "kid": "1"}),
        json!({"Step": "createSecret"}),
        json!({"Step": "deleteSecret", "ClientRequestToken": "x"}),
        step_of("never-made", "testSecret"),
        step_of("never-made", "finishSecret"),
    ] {
        assert!(ask(&operator, request.clone()).await.is_err(), "{request}");
    }
    assert_eq!(states(&operator).await, ["active"]);
}
