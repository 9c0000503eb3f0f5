//! Requests that change one account at once, in every order of their calls to DynamoDB that the random
//! schedules find: what they did is what they would have done one after another.
//!
//! A schedule decides whose next call is made. `PROPTEST_CASES` says how many there are.

use std::sync::Arc;

use axum::body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::json;
use tests::app::{Call, MAIL, PASSWORD, get, post};
use tests::wire::Fault;
use tokio::sync::{Semaphore, watch};

use crate::scene::Scene;
use crate::schedules::{block_on, config};

const OLD_EMAIL: &str = "abc@example.com";
const NEW_EMAIL: &str = "abc.new@example.com";
const BY_CODE: &str = "chosen-by-code-1";
const BY_OWNER: &str = "chosen-by-owner-1";
const BY_ADMIN: &str = "chosen-by-admin-1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    ResetByCode,
    ChangePassword,
    ConfirmEmail,
    SignIn,
    Delete,
    Disable,
    ResetByAdmin,
}

const ACTS: [Act; 7] = [
    Act::ResetByCode,
    Act::ChangePassword,
    Act::ConfirmEmail,
    Act::SignIn,
    Act::Delete,
    Act::Disable,
    Act::ResetByAdmin,
];

impl Act {
    /// Whether it takes the current password.
    fn is_proved(self) -> bool {
        matches!(self, Self::ChangePassword | Self::Delete)
    }
}

/// The account, as far as these requests change it.
#[expect(clippy::struct_excessive_bools, reason = "each is seen by itself")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    is_deleted: bool,
    is_disabled: bool,
    password: &'static str,
    email: &'static str,
    /// Whether the session is live from which the owner acts.
    is_owner_in: bool,
    /// Whether the session is live that [`Act::SignIn`] began.
    is_guest_in: bool,
    is_key_live: bool,
    is_reset_code_valid: bool,
    is_email_code_valid: bool,
}

impl State {
    fn new() -> Self {
        Self {
            is_deleted: false,
            is_disabled: false,
            password: PASSWORD,
            email: OLD_EMAIL,
            is_owner_in: true,
            is_guest_in: false,
            is_key_live: true,
            is_reset_code_valid: true,
            is_email_code_valid: true,
        }
    }

    /// Whether the request succeeds, and the state after it.
    fn after(self, act: Act) -> (bool, Self) {
        let is_open = !self.is_deleted && !self.is_disabled;
        let is_proved = is_open && self.is_owner_in && self.password == PASSWORD;
        let without_codes = Self {
            is_reset_code_valid: false,
            is_email_code_valid: false,
            ..self
        };
        let without_sessions = Self {
            is_owner_in: false,
            is_guest_in: false,
            ..without_codes
        };
        let (succeeds, next) = match act {
            Act::ResetByCode => {
                let reset = Self {
                    password: BY_CODE,
                    is_key_live: false,
                    ..without_sessions
                };
                (is_open && self.is_reset_code_valid, reset)
            }
            Act::ChangePassword => {
                let changed = Self {
                    password: BY_OWNER,
                    is_guest_in: false,
                    ..without_codes
                };
                (is_proved, changed)
            }
            Act::ConfirmEmail => {
                let changed = Self {
                    email: NEW_EMAIL,
                    ..without_codes
                };
                let is_in = is_open && self.is_owner_in;
                (is_in && self.is_email_code_valid, changed)
            }
            Act::SignIn => {
                let signed_in = Self {
                    is_guest_in: true,
                    ..self
                };
                (is_open && self.password == PASSWORD, signed_in)
            }
            Act::Delete => {
                let deleted = Self {
                    is_deleted: true,
                    is_key_live: false,
                    ..without_sessions
                };
                (is_proved, deleted)
            }
            Act::Disable => {
                let disabled = Self {
                    is_disabled: true,
                    ..without_sessions
                };
                (!self.is_deleted, disabled)
            }
            Act::ResetByAdmin => {
                let reset = Self {
                    password: BY_ADMIN,
                    ..without_sessions
                };
                (!self.is_deleted && self.email == OLD_EMAIL, reset)
            }
        };
        (succeeds, if succeeds { next } else { self })
    }

    /// Whether these requests, one after another in some order, succeed or fail as told, and lead to what
    /// was seen.
    ///
    /// A password is checked under the account's email. If that changes meanwhile, the request may be refused
    /// although the password is right.
    fn explains(self, left: &[(Act, bool)], seen: &Seen) -> bool {
        if left.is_empty() {
            return self.seen() == *seen;
        }
        (0..left.len()).any(|n| {
            let mut others = left.to_vec();
            let (act, told) = others.remove(n);
            let (succeeds, next) = self.after(act);
            let is_as_told = succeeds == told && next.explains(&others, seen);
            let may_be_refused = !told && act.is_proved() && self.email == NEW_EMAIL;
            is_as_told || may_be_refused && self.explains(&others, seen)
        })
    }

    fn seen(self) -> Seen {
        let is_open = !self.is_deleted && !self.is_disabled;
        Seen {
            signs_in: is_open.then_some(self.password),
            account: (!self.is_deleted).then(|| (self.email.to_owned(), self.is_disabled)),
            is_owner_in: is_open && self.is_owner_in,
            is_guest_in: is_open && self.is_guest_in,
            is_key_live: is_open && self.is_key_live,
        }
    }
}

/// What a user and an administrator see of the account.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// The password that signs in.
    signs_in: Option<&'static str>,
    /// The email, and whether the account is disabled.
    account: Option<(String, bool)>,
    is_owner_in: bool,
    is_guest_in: bool,
    is_key_live: bool,
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn racing_changes_of_an_account_end_as_they_would_one_after_another(
        acts in subsequence(ACTS.to_vec(), 2..=5), schedule in vec(0..5_usize, 0..60),
    ) {
        block_on(run(&acts, &schedule));
    }
}

/// An account with a session, an API key and two codes, and an administrator.
struct Prepared {
    scene: Scene,
    key: String,
    reset_code: String,
    email_code: String,
}

impl Prepared {
    async fn new() -> Self {
        let scene = Scene::with(&MAIL, "abc").await;
        let app = &scene.app;
        let key = app.api_key(&scene.token, 15).await;
        app.deliver().await;
        app.forget_password(OLD_EMAIL).await;
        let reset_code = app.mailed_code().await;
        app.ask_for_email(&scene.token, NEW_EMAIL).await;
        let email_code = app.mailed_code().await;
        Self {
            scene,
            key,
            reset_code,
            email_code,
        }
    }

    fn call(&self, act: Act) -> Call {
        let (owner, admin) = (&self.scene.token, &self.scene.admin);
        let user = format!("/users/{}", self.scene.id);
        match act {
            Act::ResetByCode => {
                let body = json!({"code": self.reset_code, "password": BY_CODE});
                post("/user/forgot-password/reset", &body)
            }
            Act::ChangePassword => {
                let body = json!({"oldPassword": PASSWORD, "newPassword": BY_OWNER});
                post("/user/change-password", &body).bearer(owner)
            }
            Act::ConfirmEmail => {
                let body = json!({ "code": self.email_code });
                post("/user/change-email/confirm", &body).bearer(owner)
            }
            Act::SignIn => {
                let body = json!({"username": "abc", "password": PASSWORD});
                post("/user/auth", &body)
            }
            Act::Delete => {
                let body = json!({ "password": PASSWORD }).to_string();
                Call::new("DELETE", "/user", body.into()).bearer(owner)
            }
            Act::Disable => {
                let body = Body::from(json!({"disabled": true}).to_string());
                Call::new("PUT", &user, body).bearer(admin)
            }
            Act::ResetByAdmin => {
                let body = json!({"email": OLD_EMAIL, "password": BY_ADMIN});
                post("/user/reset-password", &body).bearer(admin)
            }
        }
    }

    async fn seen(&self, guest: Option<&str>) -> Seen {
        let app = &self.scene.app;
        let mut signs_in = None;
        for password in [PASSWORD, BY_CODE, BY_OWNER, BY_ADMIN] {
            if app.sign_in("abc", password).await.status == 200 {
                assert_eq!(signs_in.replace(password), None);
            }
        }
        let user = get(&format!("/users/{}", self.scene.id));
        let user = app.call(user.bearer(&self.scene.admin)).await;
        let account = (user.status == 200).then(|| {
            let is_disabled = user.body["disabled"] == true;
            (user.text("/email"), is_disabled)
        });
        let is_in = async |token| app.user(token).await.status == 200;
        Seen {
            signs_in,
            account,
            is_owner_in: is_in(&self.scene.token).await,
            is_guest_in: match guest {
                Some(token) => is_in(token).await,
                None => false,
            },
            is_key_live: app.call(get("/user").api_key(&self.key)).await.status == 200,
        }
    }
}

/// A request whose calls to DynamoDB are made one by one.
struct Racer {
    act: Act,
    running: tokio::task::JoinHandle<tests::app::Answer>,
    /// Has a permit for each call that may be made.
    gate: Arc<Semaphore>,
    /// How many calls wait at the gate or have passed it.
    arrived: watch::Receiver<usize>,
    passed: usize,
}

impl Racer {
    fn start(prepared: &Prepared, act: Act) -> Self {
        let app = prepared.scene.app.another(&MAIL);
        let gate = Arc::new(Semaphore::new(0));
        let (arriving, arrived) = watch::channel(0);
        let held = Arc::clone(&gate);
        app.wire.on_request(move |_, _| {
            arriving.send_modify(|number| *number += 1);
            Some(Fault::Hold(Arc::clone(&held)))
        });
        let call = prepared.call(act);
        Self {
            act,
            running: tokio::spawn(async move { app.call(call).await }),
            gate,
            arrived,
            passed: 0,
        }
    }

    /// Lets the next call be made, and waits until another one waits or the request has its answer.
    async fn step(&mut self) {
        let passed = self.passed;
        // Fails once the request has its answer, because that drops the sender.
        if self
            .arrived
            .wait_for(|arrived| *arrived > passed)
            .await
            .is_err()
        {
            return;
        }
        self.passed += 1;
        self.gate.add_permits(1);
        let passed = self.passed;
        let _ = self.arrived.wait_for(|arrived| *arrived > passed).await;
    }
}

async fn run(acts: &[Act], schedule: &[usize]) {
    let prepared = Prepared::new().await;
    let mut racers: Vec<_> = acts
        .iter()
        .map(|act| Racer::start(&prepared, *act))
        .collect();
    for turn in schedule {
        let turn = turn % racers.len();
        racers[turn].step().await;
    }
    let (mut told, mut guest) = (Vec::new(), None);
    for racer in &racers {
        racer.gate.add_permits(1_000);
    }
    for racer in racers {
        let answer = racer.running.await.unwrap();
        let succeeded = answer.status == 200;
        if racer.act == Act::SignIn && succeeded {
            guest = Some(answer.token());
        }
        told.push((racer.act, succeeded));
    }
    let seen = prepared.seen(guest.as_deref()).await;

    assert!(
        State::new().explains(&told, &seen),
        "no order explains {told:?} and {seen:?}"
    );
}
