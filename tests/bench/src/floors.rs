//! Figures compared with their floors, and pairs of guesses whose latency must be equal.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::json;
use shared::domain::SigningAlgorithm;
use tests::app::MAIL;
use tests::call::{Call, get, post};

use super::Failure;
use super::caller::Caller;
use super::function::Function;
use super::samples::{Samples, Turns};
use super::stage::{EMAIL, PASSWORD, RING_IN_FILE, Stage, sign_in};
use super::table::{Table, ms};

const COLD: Turns = Turns::new(2, 100, 1);
pub(super) const READS: Turns = Turns::new(5, 20, 100);
const HASHES: Turns = Turns::new(10, 200, 1);
const GUESSES: Turns = Turns::new(10, 200, 20);
/// Many in a row, because a process that slept between two requests is slower.
const SIGN_UPS: Turns = Turns::new(1, 10, 20);

/// A real hash takes up to two milliseconds more or less from process to process, which would hide what
/// a sign-in does besides it.
const TINY_HASH: &[(&str, &str)] = &[("ARGON2_MEMORY_KIB", "8"), ("ARGON2_ITERATIONS", "1")];

/// Half the cost of the account's hash. The settings say that no account has a new hash yet.
const CHEAPER_HASH: &[(&str, &str)] = &[
    ("ARGON2_ITERATIONS", "1"),
    ("ARGON2_PREVIOUS", "19456,2,1"),
    ("ARGON2_PREVIOUS_SHARE", "100"),
];

/// An empty table for [`add`], with the head of the column of what figures are compared with.
pub(super) fn comparison(with: &str) -> Table {
    Table::new(["figure", "p50", "p99", with, "p50", "p99", "p50 apart", ""])
}

/// Times are in milliseconds.
pub(super) async fn measure(stage: &Stage) -> Result<Table, Failure> {
    let mut table = comparison("floor");
    let read = &[("BARE", "read")][..];
    for (figure, floor_is, with) in [
        ("cold start", "bare GetItem", RING_IN_FILE),
        ("cold start, ring read", "bare 2 reads", &[]),
        (
            "cold start, ring read, TLS",
            "bare 2 reads",
            &stage.over_tls(),
        ),
    ] {
        let figure = &format!("GET /user, {figure}");
        cold(stage, &mut table, figure, floor_is, &[read, with].concat()).await?;
    }

    let sign_in = &stage.event(sign_in(EMAIL, PASSWORD)).await?;
    for (floor_is, floor) in [("bare GetItem", "read"), ("bare BatchGetItem", "reads")] {
        let sides = [stage.function("get-user").await?, bare(stage, floor).await?];
        let times = warm(sides, &stage.get_user, READS).await?;
        add(&mut table, "GET /user", floor_is, &times);
    }
    let sides = [stage.function("sign-in").await?, bare(stage, "hash").await?];
    let times = warm(sides, sign_in, HASHES).await?;
    add(&mut table, "POST /user/auth", "bare hash", &times);
    sign_ups(stage, &mut table).await?;
    guesses(stage, &mut table).await?;
    // Last, because these replace the account's hash.
    let floor = [TINY_HASH, &[("BARE", "sign-in")]].concat();
    let sides = [
        stage.function_with("sign-in", TINY_HASH).await?,
        stage.function_with("bare", &floor).await?,
    ];
    let times = warm(sides, sign_in, READS).await?;
    let what = "POST /user/auth, hash of 8 KiB";
    add(&mut table, what, "bare read, hash and write", &times);
    algorithms(stage, &mut table).await?;
    Ok(table)
}

/// Starts the floor that does this work: see `src/bin/bare.rs`.
pub(super) async fn bare(stage: &Stage, does: &str) -> Result<Function, Failure> {
    stage.function_with("bare", &[("BARE", does)]).await
}

/// Measures from delivery of the event to the response, in warm processes.
async fn warm(
    mut sides: [Function; 2],
    event: &str,
    turns: Turns,
) -> Result<[Samples; 2], Failure> {
    turns
        .measure(async |side| sides[side].time(event, 200).await)
        .await
}

pub(super) fn add(table: &mut Table, what: &str, floor_is: &str, [ours, floor]: &[Samples; 2]) {
    let seconds = |time: Duration| time.as_secs_f64();
    let ratio = seconds(ours.p50()) / seconds(floor.p50());
    let excess = (seconds(ours.p50()) - seconds(floor.p50())) * 1000.0;
    table.add([
        what.to_owned(),
        ms(ours.p50()),
        ms(ours.p99()),
        floor_is.to_owned(),
        ms(floor.p50()),
        ms(floor.p99()),
        format!("{ratio:.2} x"),
        format!("{excess:+.2} ms"),
    ]);
}

/// Measures from the start of the process to its first response. Reading the key ring from Secrets
/// Manager takes one call more than from a file.
async fn cold(
    stage: &Stage,
    table: &mut Table,
    what: &str,
    floor_is: &str,
    variables: &[(&str, &str)],
) -> Result<(), Failure> {
    let first_answer = async |side: usize| {
        let name = ["get-user", "bare"][side];
        let mut function = stage.function_with(name, variables).await?;
        let answer = function.invoke(&stage.get_user, 200).await?;
        Ok(answer.since_spawn)
    };
    add(table, what, floor_is, &COLD.measure(first_answer).await?);
    Ok(())
}

/// Compares tokens of asymmetric keys with those of HS256.
async fn algorithms(stage: &Stage, table: &mut Table) -> Result<(), Failure> {
    let sign_in = &stage.event(sign_in(EMAIL, PASSWORD)).await?;
    for algorithm in [
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
    ] {
        let ring = stage.ring_of(algorithm)?;
        let name = algorithm.name();
        let with = &[("JWT_KEYS_SECRET", ""), ("JWT_KEYS_FILE", ring.as_str())];
        let mut signs = stage.function_with("sign-in", with).await?;
        let token = signs.invoke(sign_in, 200).await?.reply.text("/token")?;
        let reads = [
            stage.event(get("/user").bearer(&token)).await?,
            stage.get_user.clone(),
        ];
        let both = [with, RING_IN_FILE];
        let first_answer = async |side: usize| {
            let mut function = stage.function_with("get-user", both[side]).await?;
            let answer = function.invoke(&reads[side], 200).await?;
            Ok(answer.since_spawn)
        };
        let times = COLD.measure(first_answer).await?;
        add(
            table,
            &format!("GET /user, cold start, {name}"),
            "HS256",
            &times,
        );
        let mut sides = [
            stage.function_with("get-user", with).await?,
            stage.function_with("get-user", RING_IN_FILE).await?,
        ];
        let times = READS.measure(async |side| sides[side].time(&reads[side], 200).await);
        add(table, &format!("GET /user, {name}"), "HS256", &times.await?);
        let tiny = [with, RING_IN_FILE].map(|ring| [ring, TINY_HASH].concat());
        let sides = [
            stage.function_with("sign-in", &tiny[0]).await?,
            stage.function_with("sign-in", &tiny[1]).await?,
        ];
        // Few, because the embedded engine takes longer for a write the more of them it has seen.
        let times = warm(sides, sign_in, HASHES).await?;
        let what = format!("POST /user/auth, hash of 8 KiB, {name}");
        add(table, &what, "HS256", &times);
    }
    Ok(())
}

/// Each sign-up creates a new account.
async fn sign_ups(stage: &Stage, table: &mut Table) -> Result<(), Failure> {
    let mut caller = Caller::of(stage).await?;
    let mut sides = [
        stage.function("create-user").await?,
        bare(stage, "hash").await?,
    ];
    let times = SIGN_UPS.measure(async |side| {
        let event = caller.event("create-user", "POST /user").await?;
        sides[side].time(&event, 200).await
    });
    add(table, "POST /user", "bare hash", &times.await?);
    Ok(())
}

/// Compares guesses that must be refused alike: for a known and an unknown user, and with only the
/// last character wrong and all characters wrong.
async fn guesses(stage: &Stage, table: &mut Table) -> Result<(), Failure> {
    let mut caller = Caller::of(stage).await?;
    let newcomer = caller.newcomer().await?;
    let key = caller.new_key(&newcomer).await?;
    let (message, tag) = stage
        .token
        .rsplit_once('.')
        .ok_or("a token without a tag")?;
    let token = |right| get("/user").bearer(&format!("{message}.{}", right_until(tag, right)));
    let by_key = |right| get("/user").api_key(&right_until(&key, right));
    for (function, settings, status, turns, what, guess, other_is, other) in [
        (
            "sign-in",
            &[][..],
            403,
            HASHES,
            "POST /user/auth, wrong password",
            sign_in(EMAIL, "incorrect horse battery"),
            "unknown user",
            sign_in("xyz@example.com", PASSWORD),
        ),
        (
            "sign-in",
            CHEAPER_HASH,
            403,
            HASHES,
            "the same, after a change of cost",
            sign_in(EMAIL, "incorrect horse battery"),
            "unknown user",
            sign_in("xyz@example.com", PASSWORD),
        ),
        (
            "get-user",
            &[],
            401,
            GUESSES,
            "GET /user, tag wrong at its end",
            token(tag.len() - 1),
            "wrong throughout",
            token(0),
        ),
        (
            "forgot-password",
            &MAIL,
            200,
            GUESSES,
            "POST /user/forgot-password",
            forgot(EMAIL),
            "unknown address",
            forgot("xyz@example.com"),
        ),
        (
            "get-user",
            &[],
            401,
            GUESSES,
            "GET /user, API key wrong at its end",
            by_key(key.len() - 1),
            "wrong throughout",
            by_key("api_".len()),
        ),
    ] {
        // The same process answers both, to exclude differences between processes.
        let mut function: Function = stage.function_with(function, settings).await?;
        let events = [stage.event(guess).await?, stage.event(other).await?];
        let seen = function.invoke(&events[0], status).await?.reply;
        if seen != function.invoke(&events[1], status).await?.reply {
            return Err(format!("{what}: differs from {other_is}").into());
        }
        // Each guess comes from its own address, so that no limit refuses it.
        let addresses = Cell::new(Ipv4Addr::new(10, 0, 0, 0).to_bits());
        let guess = |side: usize| {
            addresses.set(addresses.get() + 1);
            let address = Ipv4Addr::from_bits(addresses.get()).to_string();
            events[side].replace("192.0.2.1", &address)
        };
        let times = turns.measure(async |side| function.time(&guess(side), status).await);
        add(table, what, other_is, &times.await?);
    }
    Ok(())
}

fn forgot(email: &str) -> Call {
    post("/user/forgot-password", &json!({ "email": email }))
}

/// Keeps the first `right` characters of a secret and replaces the others. Both replacements end in
/// two zero bits, as the last character of a tag must.
fn right_until(secret: &str, right: usize) -> String {
    let other = |c| if c == 'A' { 'E' } else { 'A' };
    let chars = secret.chars().enumerate();
    chars
        .map(|(n, c)| if n < right { c } else { other(c) })
        .collect()
}
