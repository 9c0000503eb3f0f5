//! Rotates the keys that sign tokens. The function has no route: Secrets Manager invokes it on a
//! schedule, and operators invoke it to list the keys, or to replace them after a leak.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::crypto::{KeySummary, RingDocument};
use shared::keys::rotation::{Rotation, RotationError, key_plan};

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// A rotation step, from Secrets Manager.
    Step(StepRequest),
    /// `{"action": "list"}` or `{"action": "replace"}`.
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
    List {},
    Replace {},
}

/// For an operator, the key ring's ids and states, without the keys.
#[derive(Debug, Serialize)]
pub struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<KeySummary>>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, RotationError> {
    let rotation = Rotation::new(
        &app.keys,
        app.clock.now(),
        key_plan(&app.config),
        app.entropy.as_ref(),
    )?;
    let ring = match request {
        Request::Step(step) => {
            run(&rotation, &step).await?;
            None
        }
        Request::Operator(Action::List {}) => Some(rotation.ring().await?),
        Request::Operator(Action::Replace {}) => Some(rotation.replace().await?),
    };
    let keys = ring.as_ref().map(RingDocument::summaries);
    Ok(Response { keys })
}

async fn run(rotation: &Rotation<'_>, request: &StepRequest) -> Result<(), RotationError> {
    let version = &request.client_request_token;
    match request.step {
        Step::Create => rotation.create(version).await,
        // Nothing to do: no system other than the secret stores the keys.
        Step::Set => Ok(()),
        Step::Test => rotation.test(version).await,
        Step::Finish => rotation.finish(version).await,
    }
}
