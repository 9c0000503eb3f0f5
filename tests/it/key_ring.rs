//! The cached key ring of an instance: loaded once, reloaded, and kept while a reload fails.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tests::app::{PASSWORD, TestApp};
use tests::wire::Fault;

use crate::key_rotation::{MINUTE, ask, fresh_token, kid_of, reads, two_instances};
use crate::tokens::sign_with;

#[tokio::test]
async fn the_key_ring_is_loaded_once_and_reloaded_after_five_minutes() {
    let (one, _, _) = two_instances(&[]).await;
    let token = fresh_token(&one).await;
    assert_eq!(reads(&one), 1);

    one.clock
        .advance(4 * MINUTE + Duration::from_millis(59_999));
    one.user(&token).await;
    assert_eq!(reads(&one), 0);

    one.clock.advance(Duration::from_millis(1));
    one.user(&token).await;
    one.user(&token).await;
    assert_eq!(reads(&one), 1);
}

#[tokio::test]
async fn unknown_key_ids_reload_the_key_ring_at_most_once_a_minute() {
    let (one, _, _) = two_instances(&[]).await;
    let made_up = ["a", "b"].map(|kid| {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": kid});
        sign_with(&[7; 32], &header, "{}")
    });
    reads(&one);

    for _ in 0..3 {
        for token in &made_up {
            assert_eq!(one.user(token).await.status, 401);
        }
    }
    assert_eq!(reads(&one), 1);

    one.clock.advance(MINUTE);
    one.user(&made_up[0]).await;
    assert_eq!(reads(&one), 1);
}

#[tokio::test]
async fn the_cached_key_ring_is_used_while_reloading_fails() {
    let (one, other, operator) = two_instances(&[]).await;
    let token = fresh_token(&one).await;
    fresh_token(&other).await;
    other.clock.advance(10 * MINUTE);
    reads(&one);

    for fault in [
        Fault::Answer(500, json!({"__type": "InternalServiceError"})),
        Fault::Answer(400, json!({"__type": "AccessDeniedException"})),
        Fault::Answer(200, json!({"VersionId": "x", "SecretString": "not a ring"})),
        Fault::Break,
    ] {
        one.wire.fail_next("GetSecretValue", usize::MAX, fault);
        assert_eq!(one.user(&token).await.status, 200);
        fresh_token(&one).await;
        one.clock.advance(MINUTE);
    }

    // Without a reload, the instance cannot tell whether an unknown key id is valid.
    ask(&operator, json!({"action": "replace"})).await.unwrap();
    let newer = fresh_token(&other).await;
    let answer = one.user(&newer).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");

    one.wire.heal();
    one.clock.advance(MINUTE);
    assert_eq!(one.user(&newer).await.status, 200);
    assert_eq!(one.user(&token).await.status, 401);
}

#[tokio::test]
async fn an_instance_that_cannot_reload_its_key_ring_for_an_hour_answers_503_and_recovers() {
    let (one, _, _) = two_instances(&[]).await;
    let token = fresh_token(&one).await;
    let fault = Fault::Answer(500, json!({}));
    one.wire.fail_next("GetSecretValue", usize::MAX, fault);

    one.clock
        .advance(59 * MINUTE + Duration::from_millis(59_999));
    assert_eq!(one.user(&token).await.status, 200);
    one.clock.advance(Duration::from_millis(1));
    reads(&one);
    for _ in 0..3 {
        assert_eq!(one.user(&token).await.status, 503);
        assert_eq!(one.sign_in("abc@example.com", PASSWORD).await.status, 503);
    }
    assert_eq!(reads(&one), 0, "it tries once a minute");

    one.wire.heal();
    one.clock.advance(MINUTE);
    assert_eq!(one.user(&token).await.status, 200);
}

#[tokio::test]
async fn an_instance_that_cannot_load_its_key_ring_answers_503_and_recovers() {
    let (one, other, _) = two_instances(&[]).await;
    let token = fresh_token(&one).await;
    let fault = Fault::Answer(500, json!({}));
    other.wire.fail_next("GetSecretValue", usize::MAX, fault);

    assert_eq!(other.user(&token).await.status, 503);
    assert_eq!(other.sign_in("abc@example.com", PASSWORD).await.status, 503);

    other.wire.heal();
    assert_eq!(other.user(&token).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_without_a_key_ring_does_not_count_as_an_attempt() {
    let (_, other, _) = two_instances(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "1")]).await;
    let fault = Fault::Answer(500, json!({}));
    other.wire.fail_next("GetSecretValue", usize::MAX, fault);
    for _ in 0..2 {
        let answer = other.sign_in("abc@example.com", PASSWORD).await;
        assert_eq!(answer.status, 503, "{answer:?}");
    }

    other.wire.heal();
    assert_eq!(other.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_key_ring_file_is_reloaded_and_cannot_be_rotated() {
    let folder = std::env::temp_dir().join(format!("latchkey-ring-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("keys.json");
    let write = |active: &str, other: &str, state: &str| {
        let key = |fill: &str| fill.repeat(44);
        let ring = json!({"keys": [
            {"kid": active, "state": "active", "key": key(&active[..1])},
            {"kid": other, "state": state, "key": key(&other[..1])},
        ]});
        std::fs::write(&path, ring.to_string()).unwrap();
    };
    write("a", "b", "pending");
    let app = TestApp::with(&[("JWT_KEYS_FILE", path.to_str().unwrap())]).await;
    let old = app.sign_up("abc@example.com").await.token();

    write("b", "a", "revoked");
    assert_eq!(app.user(&old).await.status, 200);
    app.clock.advance(5 * MINUTE);

    assert_eq!(app.user(&old).await.status, 401);
    assert_eq!(kid_of(&fresh_token(&app).await), "b");
    let refused = ask(&app, json!({"action": "list"})).await.unwrap_err();
    assert!(refused.contains("change its file"), "{refused}");
    std::fs::remove_dir_all(&folder).unwrap();
}
