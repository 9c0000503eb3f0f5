//! Tokens that others verify with the published keys.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use local::secrets::Secrets;
use serde_json::{Value, json};
use shared::crypto::{KeyPlan, RingDocument};
use shared::domain::SigningAlgorithm;
use shared::ports::{Clock, SystemEntropy};
use tests::app::{Call, TestApp, get, post};

use crate::key_rotation::{
    HOUR, MINUTE, ask, fresh_token, kid_of, rotate, secrets, step_of, two_instances, with_secret,
};
use crate::tokens::{assert_invalid, sign_with};

pub(crate) const ISSUER: &str = "https://id.example.com";
const KEY_SET: &str = "/.well-known/jwks.json";
const DISCOVERY: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

pub(crate) const ASYMMETRIC: [SigningAlgorithm; 3] = [
    SigningAlgorithm::Rs256,
    SigningAlgorithm::Es256,
    SigningAlgorithm::EdDsa,
];

fn settings(algorithm: SigningAlgorithm) -> [(&'static str, &'static str); 2] {
    [("JWT_ALGORITHM", algorithm.name()), ("JWT_ISSUER", ISSUER)]
}

/// An instance that signs with this algorithm, the ring, and a token.
pub(crate) async fn signing(algorithm: SigningAlgorithm) -> (TestApp, Value, String) {
    let base = TestApp::new().await;
    let plan = KeyPlan {
        algorithm,
        issuer: ISSUER.to_owned(),
        longest_life: Duration::from_hours(24 * 30),
    };
    let ring = RingDocument::fresh(base.clock.now(), &plan, &SystemEntropy).unwrap();
    let ring = ring.to_json();
    let secrets = Secrets::start(Ipv4Addr::LOCALHOST.into(), &ring).await;
    let app = with_secret(&base, &secrets.unwrap(), &settings(algorithm));
    let token = app.sign_up("abc@example.com").await.token();
    (app, serde_json::from_str(&ring).unwrap(), token)
}

async fn key_set(app: &TestApp) -> JwkSet {
    let answer = app.call(get(KEY_SET)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_value(answer.body).unwrap()
}

/// Verifies a token as a service of somebody else does. The clock is the test's.
fn verify_elsewhere(keys: &JwkSet, token: &str, app: &TestApp) -> Option<Value> {
    let key = keys.find(&kid_of(token))?;
    let algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&["latchkey"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).ok()?, &validation);
    let claims = claims.ok()?.claims;
    (app.clock.now().secs() < claims["exp"].as_i64()?).then_some(claims)
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn tokens_of_asymmetric_keys_are_access_tokens_that_anybody_can_verify() {
    for algorithm in ASYMMETRIC {
        let (app, _, token) = signing(algorithm).await;
        let name = algorithm.name();

        let keys = key_set(&app).await;
        let claims = verify_elsewhere(&keys, &token, &app).expect(name);

        let kid = kid_of(&token);
        assert_eq!(
            part(&token, 0),
            json!({"typ": "at+jwt", "alg": name, "kid": kid})
        );
        assert_eq!(claims["scope"], "user", "{name}");
        assert_eq!(claims["client_id"], "latchkey", "{name}");
        assert_eq!(claims["iss"], ISSUER, "{name}");
        for claim in ["id", "sub", "jti", "sid", "auth_time", "iat", "nbf"] {
            assert!(!claims[claim].is_null(), "{name} {claim}");
        }
        assert_eq!(app.user(&token).await.status, 200, "{name}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[10] ^= 1;
        let altered = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert!(verify_elsewhere(&keys, &altered, &app).is_none(), "{name}");
        assert_invalid(&app, &altered, name).await;
    }
}

#[tokio::test]
async fn the_key_set_has_public_parts_alone_and_may_be_cached() {
    for algorithm in ASYMMETRIC {
        let (app, ring, _) = signing(algorithm).await;
        let _ = app.wire.take_calls();

        let answer = app.call(get(KEY_SET)).await;

        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        let keys = answer.body["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        let mut members: BTreeSet<_> = keys[0].as_object().unwrap().keys().collect();
        for common in ["kty", "kid", "use", "alg"] {
            assert!(members.remove(&common.to_owned()), "{common}");
        }
        let members: Vec<_> = members.into_iter().map(String::as_str).collect();
        let public: &[&str] = match algorithm {
            SigningAlgorithm::Rs256 => &["e", "n"],
            SigningAlgorithm::Es256 => &["crv", "x", "y"],
            _ => &["crv", "x"],
        };
        assert_eq!(members, public);
        assert_eq!(keys[0]["use"], "sig");
        assert_eq!(keys[0]["alg"], algorithm.name());
        assert_eq!(keys[0]["kid"], ring["keys"][0]["kid"]);
        for name in DISCOVERY {
            let answer = app.call(get(name)).await;
            assert_eq!(answer.body["issuer"], ISSUER);
            assert_eq!(answer.body["jwks_uri"], format!("{ISSUER}{KEY_SET}"));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        }
        assert!(app.wire.take_calls().is_empty(), "a call to AWS");
    }
}

#[tokio::test]
async fn with_hs256_no_key_is_published_and_nothing_can_be_discovered() {
    let app = TestApp::new().await;

    let answer = app.call(get(KEY_SET)).await;

    assert_eq!((answer.status, answer.body), (200, json!({"keys": []})));
    for name in DISCOVERY {
        let answer = app.call(get(name)).await;
        assert_eq!(answer.status, 404, "{name}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_key_set_request_ignores_credentials_headers_and_query() {
    let (app, _, _) = signing(SigningAlgorithm::EdDsa).await;
    let plain = app.call(get(KEY_SET)).await.body;
    let odd = [
        get(KEY_SET).bearer("not.a.token"),
        get(KEY_SET).api_key("not a key"),
        get(KEY_SET).header("content-type", "text/html"),
        get(KEY_SET).header("accept", "image/png"),
        get(KEY_SET).header("if-none-match", "*"),
        get(KEY_SET).header("x-forwarded-host", "evil.example"),
        get("/.well-known/jwks.json?kid=test&keys[]=%00"),
        get("/.well-known/jwks.json/"),
    ];
    for call in odd {
        let shown = format!("{:?}", call.request);
        let answer = app.call(call).await;
        assert_eq!((answer.status, &answer.body), (200, &plain), "{shown}");
    }
    for method in ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut call: Call = post(KEY_SET, &json!({}));
        *call.request.method_mut() = method.parse().unwrap();
        assert_eq!(app.call(call).await.status, 405, "{method}");
    }
    for path in [
        "/.well-known",
        "/.well-known/jwks",
        "/.well-known/jwks.json/a",
    ] {
        assert_eq!(app.call(get(path)).await.status, 404, "{path}");
    }
}

/// A key that signs what the test says, and its ring's `kid`.
fn private_key(ring: &Value) -> (EncodingKey, String) {
    let key = &ring["keys"][0];
    let der = URL_SAFE_NO_PAD
        .decode(key["key"].as_str().unwrap())
        .unwrap();
    let kid = key["kid"].as_str().unwrap().to_owned();
    (EncodingKey::from_ed_der(&der), kid)
}

fn signed(key: &EncodingKey, kid: &str, typ: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    header.typ = typ.map(str::to_owned);
    encode(&header, claims, key).unwrap()
}

#[tokio::test]
async fn a_token_of_another_form_than_its_key_s_is_refused() {
    let (app, ring, token) = signing(SigningAlgorithm::EdDsa).await;
    let (key, kid) = private_key(&ring);
    let claims = part(&token, 1);
    let ours = signed(&key, &kid, Some("at+jwt"), &claims);
    assert_eq!(app.user(&ours).await.status, 200);

    for (name, value) in [
        ("scope", json!(["user"])),
        ("scope", json!(null)),
        ("scope", json!(1)),
        ("client_id", json!("elsewhere")),
        ("client_id", json!(null)),
        ("iss", json!("latchkey")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("aud", json!("elsewhere")),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        let token = signed(&key, &kid, Some("at+jwt"), &changed);
        assert_invalid(&app, &token, name).await;
    }
    for typ in [None, Some("JWT"), Some("rt+jwt"), Some("")] {
        let token = signed(&key, &kid, typ, &claims);
        assert_invalid(&app, &token, &format!("{typ:?}")).await;
    }
}

#[tokio::test]
async fn another_clock_may_be_five_seconds_ahead_but_a_token_expires_at_once() {
    let (app, ring, token) = signing(SigningAlgorithm::EdDsa).await;
    let (key, kid) = private_key(&ring);
    let now = app.clock.now().secs();
    for (nbf, exp, message) in [
        (now + 5, now + 60, ""),
        (now + 6, now + 60, "Invalid JWT: jwt not active"),
        (now - 60, now + 1, ""),
        (now - 60, now, "Invalid JWT: jwt expired"),
        (now - 60, now - 5, "Invalid JWT: jwt expired"),
    ] {
        let mut claims = part(&token, 1);
        claims["nbf"] = json!(nbf);
        claims["exp"] = json!(exp);
        let answer = app.user(&signed(&key, &kid, Some("at+jwt"), &claims)).await;
        let status = if message.is_empty() { 200 } else { 401 };
        assert_eq!(answer.status, status, "{nbf} {exp}");
        assert!(answer.message().starts_with(message), "{answer:?}");
    }
}

/// The public key in the forms in which an attacker may take it for a secret.
fn encodings(key: &Jwk) -> Vec<Vec<u8>> {
    let json = serde_json::to_value(key).unwrap();
    let members = ["n", "x", "y"]
        .iter()
        .filter_map(|name| json[name].as_str());
    let members: Vec<String> = members.map(str::to_owned).collect();
    let raw = members
        .iter()
        .map(|text| URL_SAFE_NO_PAD.decode(text).unwrap());
    let raw: Vec<Vec<u8>> = raw.collect();
    let mut all: Vec<Vec<u8>> = members.iter().map(|text| text.clone().into()).collect();
    all.push(json.to_string().into_bytes());
    all.push(json!({ "keys": [json] }).to_string().into_bytes());
    for n in &raw {
        let pkcs1 = rsa_public_key(n);
        let spki = spki(&pkcs1);
        let point = [&[4][..], &raw.concat()].concat();
        let ed25519 = [
            &[
                0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
            ][..],
            n,
        ];
        for der in [
            n.clone(),
            raw.concat(),
            point,
            pkcs1,
            spki,
            ed25519.concat(),
        ] {
            let lines: Vec<_> = STANDARD
                .encode(&der)
                .as_bytes()
                .chunks(64)
                .map(<[u8]>::to_vec)
                .collect();
            for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
                let body = lines.join(&b"\n"[..]);
                let body = String::from_utf8(body).unwrap();
                let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
                all.push(format!("{pem}\n").into_bytes());
                all.push(pem.into_bytes());
            }
            all.push(STANDARD.encode(&der).into_bytes());
            all.push(der);
        }
    }
    all
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ ..128 => vec![u8::try_from(short).unwrap()],
        long => {
            let [high, low] = u16::try_from(long).unwrap().to_be_bytes();
            vec![0x82, high, low]
        }
    };
    [&[tag][..], &length, content].concat()
}

/// PKCS #1, with the exponent 65537.
fn rsa_public_key(modulus: &[u8]) -> Vec<u8> {
    let modulus = tlv(2, &[&[0], modulus].concat());
    tlv(0x30, &[modulus, tlv(2, &[1, 0, 1])].concat())
}

/// The key in X.509's form.
fn spki(pkcs1: &[u8]) -> Vec<u8> {
    let rsa = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let bits = tlv(3, &[&[0], pkcs1].concat());
    tlv(0x30, &[tlv(0x30, &rsa), bits].concat())
}

// RFC 8725 section 2.1.
#[tokio::test]
async fn a_public_key_is_never_taken_for_a_secret() {
    for algorithm in ASYMMETRIC {
        let (app, _, token) = signing(algorithm).await;
        let keys = key_set(&app).await;
        let kid = kid_of(&token);
        let claims = part(&token, 1);
        let mut as_hs256 = claims.clone();
        as_hs256["scope"] = json!(["user"]);
        let secrets = encodings(&keys.keys[0]);
        assert!(secrets.len() > 20);
        for secret in secrets {
            for claims in [&claims, &as_hs256] {
                for header in [
                    json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}),
                    json!({"alg": "HS256", "typ": "JWT", "kid": kid}),
                    json!({"alg": algorithm.name(), "typ": "at+jwt", "kid": kid}),
                ] {
                    let forged = sign_with(&secret, &header, &claims.to_string());
                    assert_invalid(&app, &forged, &header.to_string()).await;
                }
            }
        }
        for other in ["none", "ES384", "HS512"] {
            let header = json!({"alg": other, "typ": "at+jwt", "kid": kid});
            let message = URL_SAFE_NO_PAD.encode(header.to_string());
            let (_, rest) = token.split_once('.').unwrap();
            assert_invalid(&app, &format!("{message}.{rest}"), other).await;
        }
    }
}

#[tokio::test]
async fn an_rsa_key_verifies_rs256_alone() {
    let (app, ring, token) = signing(SigningAlgorithm::Rs256).await;
    let der = URL_SAFE_NO_PAD.decode(ring["keys"][0]["key"].as_str().unwrap());
    // PKCS #1 follows the 26 bytes that PKCS #8 begins with.
    let key = EncodingKey::from_rsa_der(&der.unwrap()[26..]);
    let signed = |algorithm| {
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid_of(&token));
        encode(&header, &part(&token, 1), &key).unwrap()
    };

    assert_eq!(app.user(&signed(Algorithm::RS256)).await.status, 200);
    for other in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        assert_invalid(&app, &signed(other), &format!("{other:?}")).await;
    }
}

#[tokio::test]
async fn without_a_readable_ring_the_documents_are_unavailable() {
    let app = TestApp::with(&[("JWT_KEYS_FILE", "/nowhere/keys.json")]).await;
    for path in [KEY_SET, DISCOVERY[0], DISCOVERY[1]] {
        let answer = app.call(get(path)).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

/// The issuer and the algorithms of the metadata. `None` if there are none.
async fn discovered(app: &TestApp) -> Option<(String, Vec<String>)> {
    let answer = app.call(get(DISCOVERY[0])).await;
    let algorithms = answer.body["id_token_signing_alg_values_supported"].clone();
    (answer.status == 200).then(|| {
        let issuer = answer.text("/issuer");
        (issuer, serde_json::from_value(algorithms).unwrap())
    })
}

#[tokio::test]
async fn the_metadata_say_what_the_ring_has_and_not_what_is_to_come() {
    let app = TestApp::new().await;
    let secrets = secrets().await;
    let long = ("JWT_EXPIRES_IN", "30d");
    let instance = |algorithm, issuer| {
        let settings = [("JWT_ALGORITHM", algorithm), ("JWT_ISSUER", issuer), long];
        with_secret(&app, &secrets, &settings)
    };
    let one = instance("HS256", "latchkey");
    rotate(&one, "1").await;
    assert_eq!(discovered(&one).await, None);
    let mut found = Vec::new();
    for (n, (algorithm, issuer)) in [
        ("RS256", "https://a.example"),
        ("ES256", "https://b.example"),
        ("HS256", "latchkey"),
    ]
    .into_iter()
    .enumerate()
    {
        for half in ["a", "b"] {
            let next = instance(algorithm, issuer);
            app.clock.advance(4 * HOUR);
            rotate(&next, &format!("{n}{half}")).await;
            let now = discovered(&instance(algorithm, issuer)).await;
            let (issuer, algorithms) = now.unwrap();
            found.push((issuer, algorithms.join(" ")));
        }
    }
    let expected = [
        ("https://a.example", "RS256"),
        ("https://a.example", "RS256"),
        ("https://a.example", "RS256 ES256"),
        ("https://b.example", "RS256 ES256"),
        ("https://b.example", "RS256 ES256"),
        ("https://b.example", "RS256 ES256"),
    ];
    let expected = expected.map(|(issuer, algorithms)| (issuer.to_owned(), algorithms.to_owned()));
    assert_eq!(found, expected);
    app.clock.advance(31 * 24 * HOUR);
    rotate(&instance("HS256", "latchkey"), "last").await;
    assert_eq!(discovered(&instance("HS256", "latchkey")).await, None);
}

#[tokio::test]
async fn changing_algorithm_and_issuer_signs_nobody_out() {
    let app = TestApp::new().await;
    let secrets = secrets().await;
    let long = ("JWT_EXPIRES_IN", "30d");
    let hs256 = with_secret(&app, &secrets, &[long]);
    rotate(&hs256, "1").await;
    hs256.sign_up("abc@example.com").await;
    let mut tokens = vec![fresh_token(&hs256).await];

    let steps = [
        SigningAlgorithm::Rs256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Es256,
        SigningAlgorithm::Hs256,
    ];
    for (n, algorithm) in steps.into_iter().enumerate() {
        let change = with_secret(
            &app,
            &secrets,
            &[&settings(algorithm)[..], &[long]].concat(),
        );
        let before = tokens.last().map(|token| part(token, 0)["alg"].clone());
        rotate(&change, &format!("{n}a")).await;
        app.clock.advance(6 * MINUTE);
        tokens.push(fresh_token(&change).await);
        let still = tokens.last().map(|token| part(token, 0)["alg"].clone());
        assert_eq!(still, before, "the new key is pending");
        app.clock.advance(4 * HOUR);
        rotate(&change, &format!("{n}b")).await;
        app.clock.advance(6 * MINUTE);
        tokens.push(fresh_token(&change).await);
        assert_eq!(part(tokens.last().unwrap(), 0)["alg"], algorithm.name());

        let fresh = with_secret(
            &app,
            &secrets,
            &[&settings(algorithm)[..], &[long]].concat(),
        );
        for token in &tokens {
            assert_eq!(change.user(token).await.status, 200, "{}", part(token, 0));
            assert_eq!(fresh.user(token).await.status, 200, "{}", part(token, 0));
        }
    }
    let issuers: BTreeSet<_> = tokens
        .iter()
        .map(|token| part(token, 1)["iss"].to_string())
        .collect();
    assert_eq!(issuers.len(), 2, "{issuers:?}");
}

/// A copy of the key set, and the minute in which it was fetched.
struct Copy {
    keys: JwkSet,
    fetched: i64,
}

impl Copy {
    async fn refresh(&mut self, minute: i64, life: i64, fetch: impl Future<Output = JwkSet>) {
        if minute - self.fetched >= life {
            self.keys = fetch.await;
            self.fetched = minute;
        }
    }
}

#[tokio::test]
async fn verifiers_that_cache_the_keys_for_two_hours_accept_every_live_token() {
    let settings = settings(SigningAlgorithm::Rs256);
    let settings = [&settings[..], &[("JWT_EXPIRES_IN", "2h")]].concat();
    let (one, other, operator) = two_instances(&settings).await;
    // As when a stack is created.
    rotate(&operator, "version-0").await;
    one.clock.advance(6 * MINUTE);
    let copy = |fetched| Copy {
        keys: JwkSet { keys: Vec::new() },
        fetched,
    };
    let mut cache = copy(-5);
    let mut verifiers: Vec<Copy> = (0..24).map(|n| copy(n * 5 - 120)).collect();
    let mut live: Vec<String> = Vec::new();
    let mut rotations = 0;
    // The ring is rotated as soon as it may be. A key that signs too early would be missing in a copy.
    for minute in 0..12 * 60 {
        let version = format!("version-{}", rotations + 1);
        if ask(&operator, step_of(&version, "createSecret"))
            .await
            .is_ok()
        {
            rotate(&operator, &version).await;
            rotations += 1;
        }
        for verifier in &mut verifiers {
            let from_cache = async {
                cache.refresh(minute, 5, key_set(&other)).await;
                cache.keys.clone()
            };
            verifier.refresh(minute, 120, from_cache).await;
        }
        let token = fresh_token(&one).await;
        for verifier in verifiers.iter().filter(|copy| copy.fetched >= 0) {
            let verified = verify_elsewhere(&verifier.keys, &token, &one);
            assert!(verified.is_some(), "{minute}: {}", verifier.fetched);
        }
        live.push(token);
        if live.len() > 119 {
            live.remove(0);
        }
        if minute % 30 == 0 {
            for token in live.iter().step_by(10) {
                let verified = verify_elsewhere(&verifiers[0].keys, token, &one);
                assert!(verified.is_some(), "{minute}");
                assert_eq!(other.user(token).await.status, 200, "{minute}");
            }
        }
        one.clock.advance(MINUTE);
    }
    assert!(rotations >= 3, "{rotations}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_issued_while_the_keys_rotate_verify_by_keys_fetched_before() {
    let (one, other, operator) = two_instances(&settings(SigningAlgorithm::Rs256)).await;
    rotate(&operator, "version-1").await;
    one.clock.advance(70 * MINUTE);
    let cached = key_set(&other).await;
    one.clock.advance(115 * MINUTE);
    let before = fresh_token(&one).await;

    // Until the instance has read the new ring.
    let load = async |app: &TestApp| {
        loop {
            let token = fresh_token(app).await;
            assert!(verify_elsewhere(&cached, &token, &one).is_some());
            for token in [&before, &token] {
                assert_eq!(one.user(token).await.status, 200);
                assert_eq!(other.user(token).await.status, 200);
            }
            if kid_of(&token) != kid_of(&before) {
                return token;
            }
            one.clock.advance(MINUTE / 6);
        }
    };
    let rotation = rotate(&operator, "version-2");
    let (of_one, of_other, ()) = tokio::join!(load(&one), load(&other), rotation);
    assert_eq!(kid_of(&of_one), kid_of(&of_other));
}

#[tokio::test]
async fn a_replacement_publishes_new_keys_alone() {
    let settings = settings(SigningAlgorithm::EdDsa);
    let (one, other, operator) = two_instances(&settings).await;
    rotate(&operator, "version-1").await;
    one.clock.advance(6 * MINUTE);
    let leaked = key_set(&one).await;
    assert_eq!(leaked.keys.len(), 2, "active and pending");
    let token = fresh_token(&one).await;

    ask(&operator, json!({"action": "replace"})).await.unwrap();

    one.clock.advance(6 * MINUTE);
    let published = key_set(&other).await;
    assert_eq!(published.keys.len(), 2);
    for key in &leaked.keys {
        assert!(
            published
                .find(key.common.key_id.as_ref().unwrap())
                .is_none()
        );
    }
    assert!(verify_elsewhere(&published, &token, &one).is_none());
    assert_invalid(&one, &token, "signed with a leaked key").await;
    let token = fresh_token(&one).await;
    assert!(verify_elsewhere(&published, &token, &one).is_some());
}

#[tokio::test]
async fn operators_see_the_algorithm_and_issuer_of_each_key() {
    let (_, _, operator) = two_instances(&settings(SigningAlgorithm::Es256)).await;
    rotate(&operator, "version-1").await;

    let ring = ask(&operator, json!({"action": "list"})).await.unwrap();

    let shown: Vec<_> = ring["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            (
                key["state"].as_str().unwrap(),
                key["alg"].as_str().unwrap(),
                key["iss"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("retired", "HS256", ISSUER),
            ("active", "ES256", ISSUER),
            ("pending", "ES256", ISSUER),
        ]
    );
    assert!(!ring.to_string().contains("public") && ring["keys"][0]["key"].is_null());
}
