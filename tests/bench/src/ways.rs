//! Ways to check a token for an API of somebody else.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};
use shared::domain::SigningAlgorithm;
use tests::call::{claim_of, get, post_form};

use super::caller::Caller;
use super::floors::{READS, add, bare, comparison};
use super::stage::{EMAIL, PASSWORD, Stage, sign_in};
use super::table::Table;
use super::{Failure, now};

/// Times are in milliseconds.
pub(super) async fn measure(stage: &Stage) -> Result<Table, Failure> {
    let mut table = comparison();
    let ring = stage.ring_of(SigningAlgorithm::Rs256)?;
    let with = &[("JWT_KEYS_SECRET", ""), ("JWT_KEYS_FILE", ring.as_str())];
    let mut signs = stage.function_with("sign-in", with).await?;
    let event = stage.event(sign_in(EMAIL, PASSWORD)).await?;
    let token = signs.invoke(&event, 200).await?.reply.text("/token")?;

    let headers = json!({ "authorization": format!("Bearer {token}") });
    let context = json!({"http": {"sourceIp": "192.0.2.1"}});
    let asked = json!({"version": "2.0", "headers": headers, "requestContext": context});
    let asked = asked.to_string();
    let mut authorizer = stage.function_with("authorize", with).await?;
    let mut floor = bare(stage, "reads").await?;
    let times = READS.measure(async |side| {
        if side == 1 {
            return floor.time(&stage.get_user, 200).await;
        }
        let (took, answer) = authorizer.ask(&asked).await?;
        expect(answer["isAuthorized"] == true, &answer)?;
        Ok(took)
    });
    let what = "authorize, a token";
    add(&mut table, what, "bare BatchGetItem", &times.await?);

    let service = Caller::of(stage).await?.newcomer().await?;
    let key = Caller::of(stage).await?.new_key(&service).await?;
    let id = claim_of(&service, "sub").ok_or("a token without an account")?;
    let grant = json!({"id": id, "scopes": ["introspect"]}).to_string();
    stage.function("grant-scopes").await?.ask(&grant).await?;
    let introspect = post_form("/oauth/introspect", &[("token", &token)]);
    let introspect = stage.event(introspect.api_key(&key)).await?;
    let mut function = stage.function_with("introspect-token", with).await?;
    let answer = function.invoke(&introspect, 200).await?.reply;
    answer.text("/sub")?;
    let times = READS.measure(async |side| match side {
        0 => function.time(&introspect, 200).await,
        _ => floor.time(&stage.get_user, 200).await,
    });
    let what = "POST /oauth/introspect by API key";
    add(&mut table, what, "bare BatchGetItem", &times.await?);

    let key_set = stage.event(get("/.well-known/jwks.json")).await?;
    let mut well_known = stage.function_with("well-known", with).await?;
    let keys = well_known.invoke(&key_set, 200).await?.reply;
    let keys: JwkSet = keys.body()?;
    let key = keys.keys.first().ok_or("no key")?;
    let key = DecodingKey::from_jwk(key)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["latchkey"]);
    validation.set_issuer(&["http://localhost:3000"]);
    let times = READS.measure(async |side| {
        if side == 1 {
            return floor.time(&stage.get_user, 200).await;
        }
        let started = now();
        let verified = decode::<Value>(&token, &key, &validation);
        let took = started.elapsed();
        let typ = verified?.header.typ;
        expect(typ.as_deref() == Some("at+jwt"), &json!(typ))?;
        Ok(took)
    });
    let what = "in your own code, by jsonwebtoken";
    add(&mut table, what, "bare BatchGetItem", &times.await?);
    Ok(table)
}

fn expect(is_good: bool, answer: &Value) -> Result<(), Failure> {
    is_good
        .then_some(())
        .ok_or_else(|| format!("unexpected: {answer}").into())
}
