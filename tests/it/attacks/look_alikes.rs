//! Look-alikes: a name is the same as another by case, width and normal form, and by nothing else.
//! Whatever it looks like, nobody signs in with it as somebody else.

use tests::app::{PASSWORD, TestApp};

use super::{id_of, sign_up_as};

/// Mike, whose username is `mike`.
async fn with_mike() -> (TestApp, String) {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1000")]).await;
    let mike = sign_up_as(&app, "mike", "mike@example.com", PASSWORD).await;
    let id = id_of(&mike);
    (app, id)
}

const EVE_S: &str = "eve-s-password";

/// Other spellings of `mike` and of what stands before the `@` of his address.
const FOLDED: [&str; 6] = ["MIKE", "Mike", "ｍｉｋｅ", "ＭＩＫＥ", "mIKE", "miKe"];

/// Not `mike`, whatever a font or a database makes of it.
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

/// What shows nothing, or only its effect on what stands beside it.
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
async fn case_and_width_make_nobody_else() {
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
async fn what_only_looks_the_same_is_somebody_else_or_nobody() {
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

    assert!(others > 5, "only {others} were let in");
}

#[tokio::test]
async fn an_at_sign_of_another_width_makes_no_username_of_somebody_s_address() {
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
async fn a_domain_in_other_letters_is_another_domain() {
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
async fn the_domain_in_all_its_own_forms_is_his() {
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
async fn nothing_invisible_hides_in_a_name() {
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
            // Ten failures are allowed for each identifier, and a hundred for an address.
            app.sign_in("mike", PASSWORD).await;
            let address = "sign-in-ip#192.0.2.1";
            app.delete(&app.app.config.tables.rate_limits, address)
                .await;
        }
    }
    assert_eq!(app.account_count().await, 1);
}
