//! Lists of accounts for administrators.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, TestApp, get, post};

/// Admits the sign-ups of the tests.
const ADMIT_ALL: (&str, &str) = ("USER_SIGNUP_RATE_LIMIT_IP", "100000");

/// An instance with this many accounts, made one millisecond after another, besides the administrator,
/// who is the oldest.
async fn with_accounts(number: usize) -> (TestApp, String) {
    let app = TestApp::with(&[ADMIT_ALL]).await;
    let admin = app.sign_up("root@example.com").await;
    app.grant(&admin.text("/user/id"), &["admin"]).await;
    for n in 0..number {
        app.clock.advance(Duration::from_millis(1));
        app.sign_up(&format!("u{n:05}@example.com")).await;
    }
    (app, admin.token())
}

async fn list(app: &TestApp, token: &str, target: &str) -> Answer {
    let answer = app.call(get(target).bearer(token)).await;
    assert_eq!(answer.status, 200, "{target}: {answer:?}");
    answer
}

fn emails(answer: &Answer) -> Vec<String> {
    let users = answer.body.as_array().unwrap().iter();
    users
        .map(|user| user["email"].as_str().unwrap().to_owned())
        .collect()
}

/// The target of the `Link` to the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(target.to_owned())
}

/// The emails of all pages, and the size of each page.
async fn list_all(app: &TestApp, token: &str, target: &str) -> (Vec<String>, Vec<usize>) {
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    let mut target = Some(target.to_owned());
    while let Some(page) = target {
        let answer = list(app, token, &page).await;
        sizes.push(emails(&answer).len());
        all.extend(emails(&answer));
        target = next(&answer);
    }
    (all, sizes)
}

#[tokio::test]
async fn accounts_are_listed_by_time_in_either_order() {
    let (app, token) = with_accounts(40).await;
    let mut oldest: Vec<_> = (0..40).map(|n| format!("u{n:05}@example.com")).collect();
    oldest.insert(0, "root@example.com".to_owned());
    let newest: Vec<_> = oldest.iter().rev().cloned().collect();

    for (query, expected) in [
        ("?sort=created:1&limit=100", &oldest),
        ("?sort=created:-1&limit=100", &newest),
        ("?sort=created%3A-1&limit=100", &newest),
    ] {
        let listed = list(&app, &token, &format!("/users{query}")).await;
        assert_eq!(&emails(&listed), expected);
        assert_eq!(next(&listed), None);
    }
    let first = list(&app, &token, "/users").await;
    assert_eq!(emails(&first), newest[..30]);
    assert!(next(&first).is_some());
}

#[tokio::test]
async fn a_listed_account_is_as_when_it_is_read_by_its_id() {
    let (app, token) = with_accounts(1).await;

    let listed = list(&app, &token, "/users").await;

    for user in listed.body.as_array().unwrap() {
        let id = user["id"].as_str().unwrap();
        let read = list(&app, &token, &format!("/users/{id}")).await;
        assert_eq!(&read.body, user);
    }
}

#[tokio::test]
async fn following_the_links_lists_each_account_exactly_once() {
    let (app, token) = with_accounts(130).await;
    for (limit, pages) in [(1, 131), (7, 19), (100, 2)] {
        for sort in ["created:1", "created:-1"] {
            let target = format!("/users?limit={limit}&sort={sort}");
            let (all, sizes) = list_all(&app, &token, &target).await;

            assert_eq!(all.len(), 131);
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 131);
            assert!(all.is_sorted() || all.iter().rev().is_sorted() || all[0].starts_with("root"));
            assert_eq!(sizes.len(), pages, "{sizes:?}");
        }
    }
}

#[tokio::test]
async fn a_page_goes_on_after_its_last_account_was_deleted_and_others_signed_up() {
    let (app, token) = with_accounts(20).await;
    let first = list(&app, &token, "/users?limit=5").await;
    for user in first.body.as_array().unwrap() {
        let deletion = json!({ "id": user["id"] });
        app.operate("delete-account", deletion).await.unwrap();
    }
    app.clock.advance(Duration::from_millis(1));
    app.sign_up("late@example.com").await;

    let (rest, _) = list_all(&app, &token, &next(&first).unwrap()).await;

    let expected = (0..15).rev().map(|n| format!("u{n:05}@example.com"));
    assert_eq!(rest[..15], expected.collect::<Vec<_>>());
    assert_eq!(rest[15..], ["root@example.com"]);
    let (all, _) = list_all(&app, &token, "/users").await;
    assert_eq!(all.len(), 17);
    assert_eq!(all[0], "late@example.com");
}

#[tokio::test]
async fn offset_leaves_out_the_first_accounts_and_may_be_past_the_end() {
    let (app, token) = with_accounts(50).await;
    let (all, _) = list_all(&app, &token, "/users").await;
    for (offset, expected) in [
        (0, &all[..30]),
        (1, &all[1..31]),
        (40, &all[40..]),
        (50, &all[50..]),
    ] {
        let target = format!("/users?offset={offset}");
        assert_eq!(emails(&list(&app, &token, &target).await), expected);
    }
    for offset in [51, 10_000] {
        let past = list(&app, &token, &format!("/users?offset={offset}")).await;
        assert_eq!((emails(&past).len(), next(&past)), (0, None));
    }
}

#[tokio::test]
async fn a_pattern_is_found_anywhere_in_the_username_or_email_whatever_the_case() {
    let (app, token) = with_accounts(0).await;
    for (name, email) in [
        ("Zoë", "zoe@example.com"),
        ("joe.bloggs", "a@example.com"),
        ("b", "Big.JOE+news@example.org"),
    ] {
        app.clock.advance(Duration::from_millis(1));
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        assert_eq!(app.call(post("/user", &body)).await.status, 200);
    }
    for (pattern, expected) in [
        ("joe", vec!["Big.JOE+news@example.org", "a@example.com"]),
        ("joe+news", vec!["Big.JOE+news@example.org"]),
        ("joe%2Bnews", vec!["Big.JOE+news@example.org"]),
        ("joe%20news", vec![]),
        ("JOE.b", vec!["a@example.com"]),
        ("zo%C3%8B", vec!["zoe@example.com"]),
        ("%40example.org", vec!["Big.JOE+news@example.org"]),
        ("@example.org", vec!["Big.JOE+news@example.org"]),
        ("nobody", vec![]),
        ("%25", vec![]),
    ] {
        let listed = list(&app, &token, &format!("/users?pattern={pattern}")).await;
        assert_eq!(emails(&listed), expected, "{pattern}");
        let counted = list(&app, &token, &format!("/users/count?pattern={pattern}")).await;
        assert_eq!(counted.body, json!({"count": expected.len()}), "{pattern}");
    }
    assert_eq!(
        emails(&list(&app, &token, "/users?pattern=").await).len(),
        4
    );
}

#[tokio::test]
async fn a_scope_filters_and_the_count_is_exact() {
    let (app, token) = with_accounts(35).await;
    let all = list(&app, &token, "/users?limit=100").await;
    for user in all.body.as_array().unwrap().iter().step_by(3) {
        app.grant(user["id"].as_str().unwrap(), &["support"]).await;
    }

    let support = list_all(&app, &token, "/users?filter=scope:support&limit=5").await;

    let count = |query: &'static str| {
        let (app, token) = (&app, &token);
        async move { list(app, token, &format!("/users/count{query}")).await.body["count"].clone() }
    };
    assert_eq!(support.0.len(), 12);
    assert_eq!(count("?filter=scope:support").await, 12);
    assert_eq!(count("").await, 36);
    assert_eq!(count("?filter=scope:support&pattern=U0000").await, 3);
    assert_eq!(count("?filter=scope:nobody").await, 0);
}

#[tokio::test]
async fn a_forged_altered_or_old_cursor_is_refused() {
    let (app, token) = with_accounts(5).await;
    let page = list(&app, &token, "/users?limit=2").await;
    let target = next(&page).unwrap();
    let (_, cursor) = target.split_once("after=").unwrap();
    let altered = format!("N{}", &cursor[1..]);
    let forged = "MDE4MDAwMDAwMDAwMDZiMDNmODBiNTVkNTY4MzA2YTVkMGQ2YyAxODAwMDAwMDAwIDA";
    let message = "\"after\" must be that of a page of the last 24 hours";
    let refused = async |query: String| {
        let answer = app
            .call(get(&format!("/users?{query}")).bearer(&token))
            .await;
        assert_eq!((answer.status, answer.message()), (400, message), "{query}");
    };
    for bad in ["", "x", "%00", &altered, forged, &"A".repeat(4000)] {
        refused(format!("limit=2&after={bad}")).await;
    }
    refused(format!("limit=2&sort=created:1&after={cursor}")).await;
    assert_eq!(list(&app, &token, &target).await.status, 200);
    app.clock.advance(Duration::from_hours(24));
    let fresh = app.sign_in("root@example.com", PASSWORD).await.token();
    list(&app, &fresh, &target).await;
    app.clock.advance(Duration::from_secs(1));
    let old = app.call(get(&target).bearer(&fresh)).await;
    assert_eq!((old.status, old.message()), (400, message));
}

#[tokio::test]
async fn each_wrong_parameter_is_refused() {
    let (app, token) = with_accounts(0).await;
    for (query, message) in [
        ("limit=0", "\"limit\" must be an integer from 1 to 100"),
        ("limit=101", "\"limit\" must be an integer from 1 to 100"),
        ("limit=-1", "\"limit\" must be an integer from 1 to 100"),
        ("limit=1.0", "\"limit\" must be an integer from 1 to 100"),
        ("limit=", "\"limit\" must be an integer from 1 to 100"),
        ("offset=-1", "\"offset\" must be an integer from 0 to 10000"),
        (
            "offset=10001",
            "\"offset\" must be an integer from 0 to 10000",
        ),
        (
            "offset=99999999999999999999",
            "\"offset\" must be an integer from 0 to 10000",
        ),
        ("sort=name:1", "\"sort\" must be created:1 or created:-1"),
        ("sort=created", "\"sort\" must be created:1 or created:-1"),
        ("filter=email:a", "\"filter\" must be scope: and a scope"),
        ("filter=scope:", "\"filter\" must be scope: and a scope"),
        (
            "filter=scope:a%20b",
            "\"filter\" must be scope: and a scope",
        ),
        ("limit=1&limit=2", "\"limit\" must appear only once"),
    ] {
        let answer = app
            .call(get(&format!("/users?{query}")).bearer(&token))
            .await;
        assert_eq!((answer.status, answer.message()), (400, message), "{query}");
    }
    let long = "x".repeat(257);
    for path in ["/users", "/users/count"] {
        let answer = app
            .call(get(&format!("{path}?pattern={long}")).bearer(&token))
            .await;
        assert_eq!(answer.status, 400);
    }
}

/// Stores this many accounts besides the administrator. One is named `needle`, the others `hay`.
async fn store_accounts(app: &TestApp, number: u32) {
    let numbers: Vec<u32> = (0..number).collect();
    let account = app.account_item().await;
    for batch in numbers.chunks(25) {
        let items = batch.iter().map(|n| {
            let id = format!("{n:024x}");
            let name = if *n == 0 { "needle" } else { "hay" };
            let changed = [
                ("pk", format!("user#{id}")),
                ("listed", format!("accounts#{}", n % 4)),
                ("listed_at", format!("{n:013}{id}")),
                ("username", name.to_owned()),
                ("email", format!("{n}@example.com")),
            ];
            let changed = changed.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
            account.clone().into_iter().chain(changed).collect()
        });
        app.put_all(items).await;
    }
}

#[tokio::test]
async fn a_search_reads_a_bounded_number_of_accounts_and_goes_on_by_its_link() {
    let (app, token) = with_accounts(0).await;
    store_accounts(&app, 6_000).await;

    let first = list(&app, &token, "/users?pattern=needle").await;

    assert_eq!(first.body, Value::Array(Vec::new()));
    let second = list(&app, &token, &next(&first).unwrap()).await;
    assert_eq!(
        (emails(&second), next(&second)),
        (vec!["0@example.com".to_owned()], None)
    );
    let counted = list(&app, &token, "/users/count").await;
    assert_eq!(counted.body["count"], 6_001);
    let (all, sizes) = list_all(&app, &token, "/users?limit=100").await;
    assert_eq!((all.len(), sizes.len()), (6_001, 61));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6_001);
}

#[tokio::test]
#[ignore = "takes ten minutes: cargo test -- --ignored"]
async fn a_hundred_thousand_accounts_are_listed_to_the_end_each_exactly_once() {
    let (app, token) = with_accounts(0).await;
    store_accounts(&app, 100_000).await;

    let (all, sizes) = list_all(&app, &token, "/users?limit=100").await;

    assert_eq!((all.len(), sizes.len()), (100_001, 1_001));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 100_001);
}
