//! Look-alikes: two names are the same if they differ only in case, width or normal form. No
//! other name signs in to the account, however similar it looks.

use tests::app::{PASSWORD, TestApp};

use super::{id_of, sign_up_as};

/// An app with the account `mike`, and its id.
async fn with_mike() -> (TestApp, String) {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1000")]).await;
    let mike = sign_up_as(&app, "mike", "mike@example.com", PASSWORD).await;
    let id = id_of(&mike);
    (app, id)
}

const EVE_S: &str = "eve-s-password";

/// Other spellings of `mike`, as a username and before the `@` of an email.
const FOLDED: [&str; 6] = ["MIKE", "Mike", "ｍｉｋｅ", "ＭＩＫＥ", "mIKE", "miKe"];

/// Names that only look like `mike`.
const HOMOGRAPHS: [&str; 12] = [
    "m\u{456}ke",   // Cyrillic i
    "\u{43c}ike",   // Cyrillic m
    "mik\u{435}",   // Cyrillic e
    "m\u{3b9}ke",   // Greek iota
    "m\u{131}ke",   // dotless i, whose capital is I
    "m\u{130}ke",   // dotted capital I, whose small letter is two
    "mike\u{301}",  // an accent
    "mi\u{138}e",   // kra
    "m\u{1d5c}ke",  // a modifier letter
    "\u{217f}ike",  // the Roman numeral
    "m\u{1d48a}ke", // a mathematical i
    "rnike",
];

/// Characters that are invisible, or only affect their neighbours.
const INVISIBLE: [&str; 10] = [
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}",
    "\u{202e}",
    "\u{2060}",
    "\u{ad}",
    "\u{feff}",
    "\u{0}",
    "\u{e0061}",
];

#[tokio::test]
async fn a_name_in_another_case_or_width_is_the_same_name() {
    let (app, mike) = with_mike().await;

    for name in FOLDED {
        let taken = sign_up_as(&app, name, "eve@example.com", EVE_S).await;
        assert_eq!(taken.message(), "User already exists.", "{name}");
        let taken = sign_up_as(&app, "eve", &format!("{name}@example.com"), EVE_S).await;
        assert_eq!(taken.message(), "User already exists.", "{name}");
        for presented in [name.to_owned(), format!("{name}@example.com")] {
            let signed_in = app.sign_in(&presented, PASSWORD).await;
            assert_eq!(id_of(&signed_in), mike, "{presented}");
            assert_eq!(app.sign_in(&presented, EVE_S).await.status, 403);
        }
    }
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn a_homograph_is_a_different_name_or_refused() {
    let (app, mike) = with_mike().await;
    let mut others = 0;

    for (n, name) in HOMOGRAPHS.into_iter().enumerate() {
        assert_eq!(app.sign_in(name, PASSWORD).await.status, 403, "{name}");
        let eve = sign_up_as(&app, name, &format!("eve{n}@example.com"), EVE_S).await;
        match eve.status {
            200 => {
                others += 1;
                assert_ne!(id_of(&eve), mike, "{name}");
                assert_eq!(eve.body["user"]["username"], name, "as it was typed");
                assert_eq!(id_of(&app.sign_in(name, EVE_S).await), id_of(&eve));
            }
            status => assert_eq!(status, 400, "{name}"),
        }
        assert_eq!(app.sign_in("mike", EVE_S).await.status, 403, "{name}");
        assert_eq!(id_of(&app.sign_in("mike", PASSWORD).await), mike);
    }

    assert!(others > 5, "only {others} signed up");
}

#[tokio::test]
async fn an_email_with_a_wide_at_sign_is_refused_as_a_username() {
    let (app, _) = with_mike().await;

    for (at, name) in [
        ("full", "mike\u{ff20}example.com"),
        ("small", "mike\u{fe6b}example.com"),
    ] {
        let eve = sign_up_as(&app, name, "eve@example.com", EVE_S).await;
        assert_eq!(eve.status, 400, "{at}: {}", eve.message());
    }
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn a_look_alike_domain_is_a_different_domain() {
    let (app, mike) = with_mike().await;

    for (n, domain) in [
        "ex\u{430}mple.com",
        "example.c\u{43e}m",
        "xn--exmple-4nf.com",
        "examp\u{131}e.com",
        "example.com.evil.example",
        "examp1e.com",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("mike@{domain}");
        assert_eq!(app.sign_in(&email, PASSWORD).await.status, 403, "{domain}");
        let eve = sign_up_as(&app, &format!("eve{n}"), &email, EVE_S).await;
        assert!(eve.status == 400 || id_of(&eve) != mike, "{domain}");
        assert_eq!(app.sign_in("mike@example.com", EVE_S).await.status, 403);
    }
}

#[tokio::test]
async fn every_unicode_form_of_a_domain_signs_in_to_the_same_account() {
    let (app, mike) = with_mike().await;

    for domain in [
        "EXAMPLE.COM",
        "ｅｘａｍｐｌｅ.com",
        "example\u{3002}com",
        "example\u{ff0e}com",
    ] {
        let signed_in = app.sign_in(&format!("mike@{domain}"), PASSWORD).await;

        assert_eq!(id_of(&signed_in), mike, "{domain}");
    }
}

#[tokio::test]
async fn names_with_invisible_characters_are_refused() {
    let (app, _) = with_mike().await;

    for invisible in INVISIBLE {
        for name in [
            format!("mi{invisible}ke"),
            format!("{invisible}mike"),
            format!("mike{invisible}"),
        ] {
            let username = sign_up_as(&app, &name, "eve@example.com", EVE_S).await;
            assert_eq!(username.status, 400, "{name:?}");
            let email = sign_up_as(&app, "eve", &format!("{name}@example.com"), EVE_S).await;
            assert_eq!(email.status, 400, "{name:?}");
            assert_eq!(app.sign_in(&name, PASSWORD).await.status, 403, "{name:?}");
            // Reset the counters: an identifier may fail ten times, an address a hundred times.
            app.sign_in("mike", PASSWORD).await;
            let address = "sign-in-ip#192.0.2.1";
            app.delete(&app.app.config.tables.rate_limits, address)
                .await;
        }
    }
    assert_eq!(app.account_count().await, 1);
}
