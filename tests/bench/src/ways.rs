//! Ways to check a token in another team's API.

use std::time::Duration;

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

/// Variables of a function.
type Variables<'a> = [(&'a str, &'a str)];

/// Times are in milliseconds.
pub(super) async fn measure(stage: &Stage) -> Result<Table, Failure> {
    let mut table = comparison("compared with");
    let ring = stage.ring_of(SigningAlgorithm::Rs256)?;
    let with = &[("JWT_KEYS_SECRET", ""), ("JWT_KEYS_FILE", ring.as_str())];
    let mut function = stage.function_with("sign-in", with).await?;
    let event = stage.event(sign_in(EMAIL, PASSWORD)).await?;
    let token = function.invoke(&event, 200).await?.reply.text("/token")?;
    authorizer(stage, &mut table, with, &token).await?;
    introspection(stage, &mut table, with, &token).await?;
    library(stage, &mut table, with, &token).await?;
    Ok(table)
}

async fn authorizer(
    stage: &Stage,
    table: &mut Table,
    with: &Variables<'_>,
    token: &str,
) -> Result<(), Failure> {
    let headers = json!({ "authorization": format!("Bearer {token}") });
    let context = json!({"http": {"sourceIp": "192.0.2.1"}});
    let event = json!({"version": "2.0", "headers": headers, "requestContext": context});
    let event = event.to_string();
    let mut function = stage.function_with("authorize", with).await?;
    let check = async || {
        let (took, answer) = function.ask(&event).await?;
        expect(answer["isAuthorized"] == true, &answer)?;
        Ok(took)
    };
    compare(stage, table, "authorize, a token", check).await
}

async fn introspection(
    stage: &Stage,
    table: &mut Table,
    with: &Variables<'_>,
    token: &str,
) -> Result<(), Failure> {
    let service = Caller::of(stage).await?.newcomer().await?;
    let key = Caller::of(stage).await?.new_key(&service).await?;
    let id = claim_of(&service, "sub").ok_or("a token without an account")?;
    let grant = json!({"id": id, "scopes": ["introspect"]}).to_string();
    stage.function("grant-scopes").await?.ask(&grant).await?;
    let request = post_form("/oauth/introspect", &[("token", token)]);
    let event = stage.event(request.api_key(&key)).await?;
    let mut function = stage.function_with("introspect-token", with).await?;
    let answer: Value = function.invoke(&event, 200).await?.reply.body()?;
    expect(answer["active"] == true, &answer)?;
    let check = async || function.time(&event, 200).await;
    compare(stage, table, "POST /oauth/introspect by API key", check).await
}

async fn library(
    stage: &Stage,
    table: &mut Table,
    with: &Variables<'_>,
    token: &str,
) -> Result<(), Failure> {
    let event = stage.event(get("/.well-known/jwks.json")).await?;
    let mut function = stage.function_with("well-known", with).await?;
    let keys: JwkSet = function.invoke(&event, 200).await?.reply.body()?;
    let key = DecodingKey::from_jwk(keys.keys.first().ok_or("no key")?)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["latchkey"]);
    validation.set_issuer(&["http://localhost:3000"]);
    let check = async || {
        let started = now();
        let verified = decode::<Value>(token, &key, &validation);
        let took = started.elapsed();
        let typ = verified?.header.typ;
        expect(typ.as_deref() == Some("at+jwt"), &json!(typ))?;
        Ok(took)
    };
    compare(stage, table, "in your own code, by jsonwebtoken", check).await
}

/// Measures a check and one `BatchGetItem` in turns.
async fn compare(
    stage: &Stage,
    table: &mut Table,
    what: &str,
    mut check: impl AsyncFnMut() -> Result<Duration, Failure>,
) -> Result<(), Failure> {
    let mut other = bare(stage, "reads").await?;
    let times = READS.measure(async |side| match side {
        0 => check().await,
        _ => other.time(&stage.get_user, 200).await,
    });
    add(table, what, "bare BatchGetItem", &times.await?);
    Ok(())
}

fn expect(is_good: bool, answer: &Value) -> Result<(), Failure> {
    is_good
        .then_some(())
        .ok_or_else(|| format!("unexpected: {answer}").into())
}
