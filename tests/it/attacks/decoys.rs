//! Decoys: after a change of the hash's cost, the work of a failed sign-in does not show whether an
//! account has the identifier.

use std::collections::BTreeSet;

use serde_json::json;
use tests::app::{PASSWORD, TestApp, post};

use super::see;
use crate::key_rotation::{MINUTE, ask, rotate, secrets, two_instances, with_secret};

/// The work of a hash of the cost in [`settings`].
const NEW: u64 = 16;
/// The work of a hash of the cost before, which is also that of a `TestApp`.
const OLD: u64 = 8;

fn settings(share: &str) -> [(&str, &str); 3] {
    [
        ("ARGON2_MEMORY_KIB", "16"),
        ("ARGON2_PREVIOUS", "8,1,1"),
        ("ARGON2_PREVIOUS_SHARE", share),
    ]
}

/// The work of a failed sign-in for each of 90 identifiers that no account has: emails, usernames,
/// and some that are neither.
async fn works(app: &TestApp) -> Vec<u64> {
    let mut works = Vec::new();
    for n in 0..90 {
        let identifier = match n % 3 {
            0 => format!("nobody{n}@example.com"),
            1 => format!("nobody{n}"),
            _ => format!("no body {n}"),
        };
        let before = app.app.hasher.work();
        let ip = format!("192.0.2.{n}");
        let answer = app.sign_in_from(&ip, &identifier, "guess1").await;
        assert_eq!(answer.status, 403);
        works.push(app.app.hasher.work() - before);
    }
    works
}

#[tokio::test]
async fn unknown_identifiers_cost_an_old_hash_in_the_stated_share() {
    for (share, expected) in [("0", 0..=0), ("50", 20..=70), ("100", 90..=90)] {
        let (app, _, operator) = two_instances(&settings(share)).await;
        rotate(&operator, "version-1").await;
        app.clock.advance(5 * MINUTE);

        let works = works(&app).await;

        assert!(works.iter().all(|work| [OLD, NEW].contains(work)));
        let old = works.iter().filter(|work| **work == OLD).count();
        assert!(expected.contains(&old), "{share} %: {old} of 90");
    }
}

#[tokio::test]
async fn the_cost_of_an_unknown_identifier_is_fixed_until_the_key_ring_is_replaced() {
    let (app, other, operator) = two_instances(&settings("50")).await;
    rotate(&operator, "version-1").await;
    app.clock.advance(10 * MINUTE);
    let first = works(&app).await;
    assert_eq!(works(&other).await, first);

    for version in ["version-2", "version-3"] {
        rotate(&operator, version).await;
        app.clock.advance(10 * MINUTE);
        assert_eq!(works(&app).await, first, "{version}");
    }

    ask(&operator, json!({"action": "replace"})).await.unwrap();
    app.clock.advance(10 * MINUTE);
    let replaced = works(&app).await;
    assert_ne!(replaced, first);
    assert_eq!(works(&other).await, replaced);
}

#[tokio::test]
async fn lowering_the_share_only_moves_identifiers_to_the_new_cost() {
    let (app, _) = TestApp::with_user().await;
    let secrets = secrets().await;
    rotate(&with_secret(&app, &secrets, &[]), "version-1").await;
    let mut before: BTreeSet<usize> = (0..90).collect();

    for share in ["90", "60", "30"] {
        let app = with_secret(&app, &secrets, &settings(share));
        let works = works(&app).await.into_iter().enumerate();
        let old = works.filter(|(_, work)| *work == OLD).map(|(n, _)| n);
        let old: BTreeSet<_> = old.collect();

        assert!(old.is_subset(&before), "{share} %");
        assert!(old.len() < before.len());
        before = old;
        app.clock.advance(15 * MINUTE);
    }
}

#[tokio::test]
async fn an_unknown_user_costs_the_same_work_as_an_account_with_an_old_hash() {
    let (app, _) = TestApp::with_user().await;
    let secrets = secrets().await;
    rotate(&with_secret(&app, &secrets, &[]), "version-1").await;
    let attempt = |ip: &str, username: &str| {
        post(
            "/user/auth",
            &json!({"username": username, "password": "guess1"}),
        )
        .from(ip)
    };

    let before = with_secret(&app, &secrets, &settings("100"));
    before.sign_in("def@example.com", PASSWORD).await;
    let known = see(&before, attempt("192.0.2.20", "abc@example.com")).await;
    let unknown = see(&before, attempt("192.0.2.21", "abd@example.com")).await;
    assert_eq!(known.work, OLD);
    assert_eq!(unknown, known);

    // The sign-in replaces the hash.
    let after = with_secret(&app, &secrets, &settings("0"));
    assert_eq!(after.sign_in("abc@example.com", PASSWORD).await.status, 200);
    let known = see(&after, attempt("192.0.2.22", "abc@example.com")).await;
    let unknown = see(&after, attempt("192.0.2.23", "abd@example.com")).await;
    assert_eq!(known.work, NEW);
    assert_eq!(unknown, known);
}
