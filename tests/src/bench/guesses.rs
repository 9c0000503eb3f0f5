//! What a guesser with a stopwatch compares: a wrong password and an unknown user, and guesses that
//! are right nearly to their end and ones that are wrong from their start.

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Failure;
use super::events::{self, Event};
use super::function::Function;
use super::report::{Compared, Report, Row};
use super::samples::Turns;
use super::stage::{self, EMAIL, Stage};

/// As long as the email of the user who has signed up.
const UNKNOWN_EMAIL: &str = "xyz@example.com";

/// How far two that nobody may tell apart may be from each other, in percent.
const ALIKE: f64 = 5.0;

/// What every key starts with.
const KEY_PREFIX: &str = "api_";

/// Two guesses that are refused alike.
struct Pair {
    function: &'static str,
    status: u16,
    what: &'static str,
    guess: String,
    other_is: &'static str,
    other: String,
    turns: Turns,
}

/// Guesses passwords, the signature of a token, and an API key.
pub(super) async fn measure(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    let key = api_key(stage).await?;
    for pair in [passwords(), tokens(&stage.token)?, keys(&key)] {
        report.add(pair.measure(stage).await?);
    }
    Ok(())
}

fn passwords() -> Pair {
    Pair {
        function: "sign-in",
        status: 403,
        what: "POST /user/auth, wrong password, p50",
        guess: events::sign_in(EMAIL, "incorrect horse battery"),
        other_is: "unknown user",
        other: events::sign_in(UNKNOWN_EMAIL, events::PASSWORD),
        turns: turns(1),
    }
}

fn tokens(token: &str) -> Result<Pair, Failure> {
    let (message, tag) = token.rsplit_once('.').ok_or("a token without a tag")?;
    let guess = |right| events::get_user(&format!("{message}.{}", right_until(tag, right)));
    Ok(Pair {
        function: "get-user",
        status: 401,
        what: "GET /user, tag wrong at its end, p50",
        guess: guess(tag.len() - 1),
        other_is: "wrong throughout",
        other: guess(0),
        turns: turns(20),
    })
}

fn keys(key: &str) -> Pair {
    let get_user = Event::new("GET", "/user");
    let guess = |right| get_user.clone().api_key(&right_until(key, right)).text();
    Pair {
        function: "get-user",
        status: 401,
        what: "GET /user, API key wrong at its end, p50",
        guess: guess(key.len() - 1),
        other_is: "wrong throughout",
        other: guess(KEY_PREFIX.len()),
        turns: turns(20),
    }
}

fn turns(each: usize) -> Turns {
    Turns {
        warm_up: 10,
        counted: 200,
        each,
    }
}

impl Pair {
    /// One function answers both, or the difference would be that of two processes.
    async fn measure(self, stage: &Stage) -> Result<Row, Failure> {
        let Self { guess, other, .. } = &self;
        let mut function = stage.function(self.function).await?;
        let seen = function.invoke(guess, self.status).await?;
        if seen.response != function.invoke(other, self.status).await?.response {
            return Err(format!("{}: told from {}", self.what, self.other_is).into());
        }
        let function: Mutex<Function> = Mutex::new(function);
        let (guess, other) = self
            .turns
            .measure(
                async || function.lock().await.time(guess, self.status).await,
                async || function.lock().await.time(other, self.status).await,
            )
            .await?;
        let (guess, other) = (guess.p50(), other.p50());
        let row = Row::new(self.what, guess, self.other_is, other, Compared::Deviation);
        Ok(row.at_most(ALIKE))
    }
}

/// As many of a secret's characters as are said to be right, and others in place of the rest: such
/// that end in two bits of zero, as the last one of a tag does.
fn right_until(secret: &str, right: usize) -> String {
    let other = |c| if c == 'A' { 'E' } else { 'A' };
    let chars = secret.chars().enumerate();
    chars
        .map(|(n, c)| if n < right { c } else { other(c) })
        .collect()
}

/// A key of somebody who signs up for it.
async fn api_key(stage: &Stage) -> Result<String, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        api_key: Key,
    }
    #[derive(Deserialize)]
    struct Key {
        key: String,
    }

    let sign_up = events::sign_up("guessed@example.com");
    let mut create_user = stage.function("create-user").await?;
    let token = stage::token_of(&create_user.invoke(&sign_up, 200).await?.response.body)?;
    let body = json!({"name": "guessed", "permissions": 1});
    let event = Event::new("POST", "/v1/api-keys").bearer(&token);
    let mut create_key = stage.function("create-api-key").await?;
    let answer = create_key.invoke(&event.body(&body).text(), 200).await?;
    let Made { api_key } = serde_json::from_str(&answer.response.body)
        .map_err(|error| format!("create-api-key: not the answer expected: {error}"))?;
    Ok(api_key.key)
}
