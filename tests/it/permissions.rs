//! Each function has exactly the AWS permissions that it uses.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use local::mailbox::Fault as MailFault;
use local::secrets::{CODE_KEY_ARN, Secrets, WEBHOOK_KEY_ARN};
use local::template::{Grant, Template};
use serde_json::{Value, json};
use tests::app::{Call, MAIL, PASSWORD, TestApp, post, post_form};
use tests::receiver::{Receiver, Reply};
use tests::wire::{Fault, Use};

use crate::events::sample_requests;
use crate::key_rotation::{secrets, step_of, with_secret};

/// The secrets' logical ids in the template.
const KEY_RING: &str = "JwtKey";
const CODE_KEY: &str = "CodeKey";
const WEBHOOK_KEY: &str = "WebhookKey";

/// What Lambda itself does as the function that a queue invokes.
const OF_LAMBDA: [&str; 3] = [
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

type Uses = BTreeSet<(String, Use)>;

/// The permissions that each request needs, with the function that sends it.
type Requests = BTreeSet<(String, BTreeSet<Use>)>;

fn granted() -> Uses {
    let mut granted = Uses::new();
    for grant in Template::checked_in().unwrap().grants {
        let mut prefixes: Vec<&str> = grant.keys.iter().map(|key| prefix(key)).collect();
        if grant.keys.is_empty() {
            prefixes.push("");
        }
        let own = |action: &&String| !OF_LAMBDA.contains(&action.as_str());
        for action in grant.actions.iter().filter(own) {
            for prefix in &prefixes {
                let allowed = Use {
                    action: action.clone(),
                    resource: grant.resource.clone(),
                    prefix: (*prefix).to_owned(),
                };
                granted.insert((grant.function.clone(), allowed));
            }
        }
    }
    granted
}

/// Whether a single statement allows all keys that a request names for one action on one table.
/// IAM checks each statement against all keys, so two that allow half of them each do not suffice.
fn one_statement_allows(function: &str, request: &BTreeSet<Use>, grants: &[Grant]) -> bool {
    request.iter().all(|one| {
        let together =
            |other: &&Use| (&other.action, &other.resource) == (&one.action, &one.resource);
        let keys: Vec<&str> = request
            .iter()
            .filter(together)
            .map(|other| other.prefix.as_str())
            .collect();
        grants.iter().any(|grant| {
            let allows = |key: &&str| grant.keys.iter().any(|pattern| prefix(pattern) == *key);
            grant.function == function
                && grant.resource == one.resource
                && grant.actions.contains(&one.action)
                && (grant.keys.is_empty() || keys.iter().all(allows))
        })
    })
}

/// The prefix of the keys that a pattern matches, or the key if it matches only one.
fn prefix(pattern: &str) -> &str {
    pattern.strip_suffix('*').unwrap_or(pattern)
}

struct Recorder {
    app: TestApp,
    secrets: Secrets,
    used: Uses,
    requests: Requests,
}

impl Recorder {
    async fn operate(&mut self, function: &str, request: Value) {
        let instance = with_secret(&self.app, &self.secrets, &MAIL);
        instance.operate(function, request).await.unwrap();
        self.record(function, &instance);
    }

    fn record(&mut self, function: &str, instance: &TestApp) {
        for call in instance.wire.take_calls() {
            let used = call.uses.into_iter().map(|mut used| {
                if used.action.starts_with("secretsmanager:") {
                    let secret = match used.resource.as_str() {
                        CODE_KEY_ARN => CODE_KEY,
                        WEBHOOK_KEY_ARN => WEBHOOK_KEY,
                        _ => KEY_RING,
                    };
                    secret.clone_into(&mut used.resource);
                }
                used
            });
            let used: BTreeSet<Use> = used.collect();
            let one_by_one = used.iter().cloned();
            self.used
                .extend(one_by_one.map(|used| (function.to_owned(), used)));
            self.requests.insert((function.to_owned(), used));
        }
    }

    /// Sends a request to a new instance and records the permissions that its function used.
    async fn send(&mut self, settings: &[(&str, &str)], call: Call) -> Value {
        let function = Template::checked_in()
            .unwrap()
            .routes
            .into_iter()
            .find(|route| call.is_for(route))
            .unwrap()
            .function;
        let settings: Vec<_> = MAIL.iter().chain(settings).copied().collect();
        let instance = with_secret(&self.app, &self.secrets, &settings);
        // The first API key to be created gets a conflict on its id, and an administrator's first reset a changed
        // account, so that the functions try again.
        let mut is_first = true;
        let is_reset = function == "reset-password";
        instance.wire.on_request(move |name, body| {
            let entry = &body["TransactItems"][1]["Put"]["Item"]["sk"]["S"];
            let makes_key = entry.as_str().is_some_and(|sk| sk.starts_with("key#"));
            let resets = is_reset && name == "TransactWriteItems";
            ((makes_key || resets) && std::mem::take(&mut is_first)).then(number_taken)
        });
        let answer = instance.call(call).await;
        self.record(&function, &instance);
        answer.body
    }
}

fn number_taken() -> Fault {
    Fault::cancelled(&["None", "ConditionalCheckFailed", "None"])
}

const IPV6: &str = "2001:db8::1";

fn credentials(username: &str) -> Value {
    json!({"username": username, "password": PASSWORD})
}

/// Signs abc in and fails to, in all ways that need different permissions.
async fn sign_in(r: &mut Recorder) {
    let stronger = &[("ARGON2_ITERATIONS", "2")];
    let weaker = &[("ARGON2_ITERATIONS", "1")];
    let none = &[("SIGNIN_RATE_LIMIT_ACCOUNT", "0")];
    for path in ["/user/auth", "/v1/auth/login"] {
        for username in ["abc", "abc@example.com", "no body"] {
            r.send(stronger, post(path, &credentials(username))).await;
            r.send(weaker, post(path, &credentials(username))).await;
        }
        let wrong = json!({"username": "nobody", "password": "guess1"});
        r.send(&[], post(path, &wrong).from(IPV6)).await;
        let right = post(path, &credentials("abc")).from(IPV6);
        r.send(&[], right).await;
        r.send(none, post(path, &credentials("abc"))).await;
        // The email of abc is not verified.
        let required = &[("EMAIL_VERIFICATION", "required")];
        r.send(required, post(path, &credentials("abc"))).await;
    }
}

/// Signs in, or up if there is no such account, and returns the token.
async fn with_new_session(r: &Recorder, name: &str) -> String {
    let instance = with_secret(&r.app, &r.secrets, &[]);
    let email = format!("{name}@example.com");
    let signed_in = instance.sign_in(&email, PASSWORD).await;
    if signed_in.status == 200 {
        return signed_in.token();
    }
    let new = json!({"email": email, "username": name, "password": PASSWORD});
    instance.call(post("/user", &new)).await.token()
}

async fn grant_admin(r: &mut Recorder, token: &str) {
    let id = with_secret(&r.app, &r.secrets, &[]).user_id(token).await;
    let admin = json!({"id": id, "scopes": ["admin"]});
    r.operate("grant-scopes", admin).await;
}

/// Changes the account of `token` by an administrator in all ways that need different permissions.
async fn administer(r: &mut Recorder, token: &str, administrator: &str) {
    let id = with_secret(&r.app, &r.secrets, &[]).user_id(token).await;
    grant_admin(r, administrator).await;
    for change in [
        json!({"username": "ghi", "email": "ghi@example.com", "password": PASSWORD}),
        json!({"username": "abc", "email": "abc@example.com", "scope": ["admin"]}),
        json!({"metadata": {"a": 1}}),
        json!({"metadata": {}}),
        json!({"disabled": true}),
        json!({"disabled": false}),
    ] {
        let change = Call::new("PUT", &format!("/users/{id}"), change.to_string().into());
        r.send(&[], change.bearer(administrator)).await;
    }
    let reset = json!({"email": "abc@example.com", "password": PASSWORD});
    let reset = post("/user/reset-password", &reset);
    r.send(&[], reset.bearer(administrator)).await;
}

/// Changes and deletes the account abc in all ways that need different permissions.
async fn own_account(r: &mut Recorder) {
    let token = with_new_session(r, "abc").await;
    let other = with_new_session(r, "def").await;
    let delete = |password: &str| {
        let body = json!({ "password": password }).to_string();
        Call::new("DELETE", "/user", body.into())
    };
    let rename = |username: &str, password: &str| {
        let body = json!({"username": username, "password": password});
        post("/user/change-username", &body)
    };
    let change = json!({"oldPassword": "guess1", "newPassword": PASSWORD});
    for wrong in [
        post("/user/change-password", &change),
        rename("abc", "guess1"),
        delete("guess1"),
    ] {
        r.send(&[], wrong.bearer(&token).from(IPV6)).await;
    }
    for taken_or_own in ["def", "ABC"] {
        let rename = rename(taken_or_own, PASSWORD);
        r.send(&[], rename.bearer(&token).from(IPV6)).await;
    }
    let change = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD});
    let change = post("/user/change-password", &change).bearer(&token);
    r.send(&[], change.from(IPV6)).await;
    administer(r, &token, &other).await;
    let token = with_new_session(r, "abc").await;
    for token in [&token, &other] {
        grant_admin(r, token).await;
    }
    let instance = with_secret(&r.app, &r.secrets, &[]);
    instance.api_key(&token, 1).await;
    let end = Call::new("DELETE", "/user/sessions", Body::empty());
    r.send(&[], end.bearer(&other)).await;
    let delete = delete(PASSWORD).bearer(&token);
    r.send(&[], delete.from(IPV6)).await;
}

/// Asks for mail, delivers it, and uses its codes.
async fn mail(r: &mut Recorder) {
    let new = json!({"email": "mail@example.com", "username": "mail", "password": PASSWORD,
        "metadata": {"a": 1}});
    let expiring = [("UNVERIFIED_ACCOUNT_EXPIRES_IN", "7d")];
    r.send(&expiring, post("/user", &new).from(IPV6)).await;
    let forgotten = json!({"email": "mail@example.com"});
    r.send(&[], post("/user/forgot-password", &forgotten).from(IPV6))
        .await;
    let instance = with_secret(&r.app, &r.secrets, &MAIL);
    let throttled = MailFault::Answer(429, "TooManyRequestsException");
    instance.mailbox().fail_next(3, &throttled);
    let keys = instance.take_outbox();
    for key in &keys {
        instance.deliver_messages(&[(key, 1)]).await;
        instance.deliver_messages(&[(key, 2)]).await;
    }
    r.record("deliver", &instance);
    assert!(!instance.mailbox().take_pauses().is_empty());
    for (action, resource) in [
        ("sqs:ChangeMessageVisibility", "MailQueue"),
        ("ses:SendEmail", "ses"),
    ] {
        let used = Use {
            action: action.to_owned(),
            resource: resource.to_owned(),
            prefix: String::new(),
        };
        r.used.insert(("deliver".to_owned(), used));
    }
    let code = |path: &str| {
        let mut mails = instance.mails().into_iter().rev();
        let mail = mails.find(|mail| mail.to == "mail@example.com" && mail.text.contains(path));
        mail.unwrap().code().unwrap()
    };
    for code in [code("/verify-email"), "unknown".to_owned()] {
        let confirm = post("/user/verify-email/confirm", &json!({ "code": code }));
        r.send(&[], confirm.from(IPV6)).await;
    }
    let signed_in = json!({"username": "mail@example.com", "password": PASSWORD});
    let token = instance.call(post("/user/auth", &signed_in)).await.token();
    let _ = instance.wire.take_calls();
    for new in ["MAIL@example.com", "mail2@example.com"] {
        let wrong = json!({"email": new, "password": "guess1"});
        let wrong = post("/user/change-email", &wrong).bearer(&token);
        r.send(&[], wrong.from(IPV6)).await;
        let ask = json!({"email": new, "password": PASSWORD});
        let ask = post("/user/change-email", &ask).bearer(&token);
        r.send(&[], ask.from(IPV6)).await;
        instance.deliver().await;
        r.record("deliver", &instance);
        let mut mails = instance.mails().into_iter().rev();
        let code = mails.find_map(|mail| mail.code()).unwrap();
        for code in [code, "unknown".to_owned()] {
            let confirm = post("/user/change-email/confirm", &json!({ "code": code }));
            let confirm = confirm.bearer(&token).from(IPV6);
            r.send(&[], confirm).await;
        }
    }
    r.app.clock.advance(Duration::from_millis(1));
    let forgotten = json!({"email": "mail2@example.com"});
    r.send(&[], post("/user/forgot-password", &forgotten)).await;
    instance.deliver().await;
    r.record("deliver", &instance);
    let code = |path: &str| {
        let mut mails = instance.mails().into_iter().rev();
        let mail = mails.find(|mail| mail.text.contains(path));
        mail.unwrap().code().unwrap()
    };
    for code in [code("/reset-password"), "unknown".to_owned()] {
        let reset = json!({"code": code, "password": PASSWORD});
        let reset = post("/user/forgot-password/reset", &reset);
        r.send(&[], reset.from(IPV6)).await;
    }
}

/// Asks for webhooks and delivers them, to a receiver that does not take the first.
async fn webhooks(r: &mut Recorder) {
    let receiver = Receiver::start(local::secrets::WEBHOOK_KEY).await;
    receiver.reply_next(Reply::Status(500));
    let url = receiver.url();
    let settings = [
        ("WEBHOOK_USER_CREATED", url.as_str()),
        ("WEBHOOK_USER_FORGOT_PASSWORD", url.as_str()),
        ("WEBHOOK_ANY_ADDRESS", "true"),
    ];
    let new = json!({"email": "hook@example.com", "password": PASSWORD});
    r.send(&settings, post("/user", &new).from(IPV6)).await;
    let forgotten = json!({"email": "hook@example.com"});
    let forgotten = post("/user/forgot-password", &forgotten);
    r.send(&settings, forgotten.from(IPV6)).await;
    let settings: Vec<_> = MAIL.into_iter().chain(settings).collect();
    let instance = with_secret(&r.app, &r.secrets, &settings);
    for key in instance.take_webhooks() {
        instance.deliver_webhook(&key, 1).await;
    }
    r.record("deliver-webhook", &instance);
    assert!(!instance.mailbox().take_pauses().is_empty());
    let used = Use {
        action: "sqs:ChangeMessageVisibility".to_owned(),
        resource: "WebhookQueue".to_owned(),
        prefix: String::new(),
    };
    r.used.insert(("deliver-webhook".to_owned(), used));
}

/// Lets the authorizer check a token of a stale session, an API key and a guess.
async fn authorize(r: &mut Recorder, stale: &str, key: &str, guess: &str) {
    for (name, value) in [
        ("authorization", format!("Bearer {stale}")),
        ("x-api-key", key.to_owned()),
        ("x-api-key", guess.to_owned()),
    ] {
        let peer = json!({"http": {"sourceIp": IPV6}});
        let event = json!({"version": "2.0", "headers": {name: value}, "requestContext": peer});
        r.operate("authorize", event).await;
    }
}

/// Refreshes a session, uses the token again, and does the same after the account's sessions have ended.
async fn refresh(r: &mut Recorder) {
    with_new_session(r, "refresher").await;
    let mut log_in = credentials("refresher@example.com");
    log_in["refresh"] = true.into();
    for is_stale in [false, true] {
        let first = r.send(&[], post("/v1/auth/login", &log_in)).await;
        assert_eq!(first["code"], 0, "{first}");
        let token = json!({"refreshToken": first["refreshToken"]});
        r.send(&[], post("/v1/auth/refresh", &token)).await;
        if is_stale {
            let instance = with_secret(&r.app, &r.secrets, &[]);
            let id = instance.user_id(first["token"].as_str().unwrap()).await;
            r.operate("end-sessions", json!({"id": id})).await;
        }
        r.app.clock.advance(Duration::from_mins(1));
        // Used again, so it ends the session.
        r.send(&[], post("/v1/auth/refresh", &token)).await;
    }
}

/// Signs abc in and returns the token. Its session has another generation than the account, so each
/// request reads both a second time.
async fn with_stale_session(r: &mut Recorder) -> String {
    r.app.clock.advance(Duration::from_secs(1));
    let answer = r.send(&[], post("/user/auth", &credentials("abc"))).await;
    let of_account = format!("session#{}/", answer["user"]["id"].as_str().unwrap());
    let mut sessions = r.app.session_keys().await.into_iter();
    let newest = sessions.rfind(|key| key.starts_with(&of_account));
    let (update, condition) = ("SET generation = :other", "attribute_exists(pk)");
    r.app
        .update_user(&newest.unwrap(), update, condition, (":other", "9"))
        .await;
    answer["token"].as_str().unwrap().to_owned()
}

/// Invokes each function for operators on abc, who has API keys and sessions.
async fn operate(r: &mut Recorder) {
    let token = with_new_session(r, "abc").await;
    let instance = with_secret(&r.app, &r.secrets, &[]);
    let id = instance.user_id(&token).await;
    instance.api_key(&token, 1).await;
    for name in [
        json!({"id": id}),
        json!({"username": "abc"}),
        json!({"email": "abc@example.com"}),
    ] {
        r.operate("find-account", name).await;
    }
    let created_before = "2100-01-01T00:00:00Z";
    for grant in [
        json!({"id": id, "scopes": ["admin"]}),
        json!({"email": "abc@example.com", "createdBefore": created_before, "scopes": ["admin"]}),
    ] {
        r.operate("grant-scopes", grant).await;
    }
    let expiring = with_secret(
        &r.app,
        &r.secrets,
        &[("UNVERIFIED_ACCOUNT_EXPIRES_IN", "7d")],
    );
    let new = json!({"email": "jkl@example.com", "username": "jkl", "password": PASSWORD});
    let token = expiring.call(post("/user", &new)).await.token();
    grant_admin(r, &token).await;
    let all_keys = json!({"id": id, "apiKeys": true});
    r.operate("end-sessions", all_keys).await;
    r.operate("set-password", json!({"id": id})).await;
    let force = json!({"id": id, "force": true});
    r.operate("disable-account", force.clone()).await;
    r.operate("enable-account", json!({"id": id})).await;
    r.operate("delete-account", force).await;
}

/// Deletes an account with an API key and a session by an administrator, and erases it.
async fn erase(r: &mut Recorder) {
    let admin = with_new_session(r, "root").await;
    grant_admin(r, &admin).await;
    let token = with_new_session(r, "gone").await;
    let instance = with_secret(&r.app, &r.secrets, &[]);
    instance.api_key(&token, 1).await;
    let path = format!("/users/{}", instance.user_id(&token).await);
    let remove = Call::new("DELETE", &path, Body::empty()).bearer(&admin);
    r.send(&[], remove).await;
    let instance = with_secret(&r.app, &r.secrets, &[]);
    instance.erase().await;
    r.record("erase-account", &instance);
}

#[tokio::test]
async fn each_function_is_granted_exactly_the_permissions_it_uses() {
    let app = TestApp::new().await;
    let mut recorder = Recorder {
        app,
        secrets: secrets().await,
        used: Uses::new(),
        requests: Requests::new(),
    };
    let r = &mut recorder;
    let new = |name: &str| {
        let email = format!("{name}@example.com");
        json!({"email": email, "username": name, "password": PASSWORD})
    };

    let token = r.send(&[], post("/user", &new("abc"))).await["token"].clone();
    let token = token.as_str().unwrap().to_owned();
    sign_in(r).await;
    // The next key to be created deletes the entry of the first.
    let instance = with_secret(&r.app, &r.secrets, &[]);
    for id in 1..=51 {
        instance.api_key(&token, 1).await;
        let revoke = Call::new("DELETE", &format!("/v1/api-keys/{id}"), Body::empty());
        if id < 51 {
            instance.call(revoke.bearer(&token)).await;
        } else {
            r.send(&[], revoke.bearer(&token)).await;
        }
    }
    for setting in [
        json!({"category": "ui", "name": "theme"}),
        json!({"id": 1, "value": null}),
    ] {
        let update = json!({"user": {"settings": [setting]}});
        r.send(&[], post("/v1/auth/user", &update).bearer(&token))
            .await;
    }
    let key = json!({"name": "ci", "permissions": 15});
    let key = r.send(&[], post("/v1/api-keys", &key).bearer(&token)).await;
    let key = key["apiKey"]["key"].as_str().unwrap().to_owned();
    let guess = "api_ABCDEFGHIJKLMNOPQRSTUVWX";
    let requests = || {
        let requests = sample_requests("").into_iter();
        requests.map(|request| request.without("authorization"))
    };
    // Cover new, current and expired windows.
    for _ in 0..2 {
        for request in requests() {
            r.send(&[], request.api_key(guess).from(IPV6)).await;
        }
        r.app.clock.advance(Duration::from_mins(20));
    }
    for request in requests() {
        r.send(&[], request.api_key(&key)).await;
    }
    let root = with_new_session(r, "root").await;
    grant_admin(r, &root).await;
    // Some requests end the session or delete the account.
    for n in 0..sample_requests("").len() {
        let token = with_new_session(r, "abc").await;
        grant_admin(r, &token).await;
        let request = sample_requests(&token).swap_remove(n);
        r.send(&[], request).await;
    }
    mail(r).await;
    webhooks(r).await;
    own_account(r).await;
    erase(r).await;
    with_new_session(r, "abc").await;

    let stale = with_stale_session(r).await;
    for request in requests() {
        r.send(&[], request.bearer(&stale)).await;
    }
    authorize(r, &stale, &key, guess).await;

    operate(r).await;
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        r.operate("rotate-keys", step_of("version-2", step)).await;
    }
    // Refresh tokens need the decoy key, which the rotation added.
    refresh(r).await;
    let token = with_new_session(r, "abc").await;
    r.send(&[], post_form("/oauth/revoke", &[("token", &token)]))
        .await;
    for action in ["list", "replace"] {
        r.operate("rotate-keys", json!({"action": action})).await;
    }

    let granted = granted();
    let missing: Vec<_> = recorder.used.difference(&granted).collect();
    let superfluous: Vec<_> = granted.difference(&recorder.used).collect();
    assert!(missing.is_empty(), "used and not granted: {missing:#?}");
    assert!(
        superfluous.is_empty(),
        "granted and not used: {superfluous:#?}"
    );
    let grants = Template::checked_in().unwrap().grants;
    for (function, request) in &recorder.requests {
        assert!(
            one_statement_allows(function, request, &grants),
            "{function}: no statement allows all of {request:#?}"
        );
    }
}
