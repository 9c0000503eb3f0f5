//! Changes the keys that sign tokens. No route leads here: Secrets Manager calls it on its
//! schedule, and an operator to list or revoke keys.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::crypto::{KeySummary, RingDocument};
use shared::keys::rotation::{Rotation, RotationError};

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// A step of a rotation, as Secrets Manager asks for it.
    Step(StepRequest),
    /// `{"action": "list"}` or `{"action": "revoke", "kid": "..."}`.
    Operator(Action),
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepRequest {
    step: Step,
    client_request_token: String,
}

#[derive(Debug, Deserialize)]
enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    List,
    Revoke { kid: String },
}

/// The ring, where an operator asked: ids and states, no keys.
#[derive(Debug, Serialize)]
pub struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeySummary>>,
}

/// Does a step of a rotation, or what an operator asks for.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, RotationError> {
    let rotation = Rotation::new(
        &app.keys,
        app.clock.now(),
        app.config.longest_token_life(),
        app.entropy.as_ref(),
    )?;
    let ring = match request {
        Request::Step(step) => {
            run(&rotation, &step).await?;
            None
        }
        Request::Operator(Action::List) => Some(rotation.ring().await?),
        Request::Operator(Action::Revoke { kid }) => Some(rotation.revoke(&kid).await?),
    };
    let keys = ring.as_ref().map(RingDocument::summaries);
    Ok(Response { keys })
}

async fn run(rotation: &Rotation<'_>, request: &StepRequest) -> Result<(), RotationError> {
    let version = &request.client_request_token;
    match request.step {
        Step::Create => rotation.create(version).await,
        // The keys are stored in the secret alone: no other system has to learn them.
        Step::Set => Ok(()),
        Step::Test => rotation.test(version).await,
        Step::Finish => rotation.finish(version).await,
    }
}
