//! A Secrets Manager in memory, with the key ring, the keys of the functions that send, and the operations
//! that the functions use: for tests, benchmarks, and functions that run in a container.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ARN: &str = "arn:aws:secretsmanager:local:000000000000:secret:latchkey-keys";

/// The secret with the key of codes, and that key: it is used only on this machine.
pub const CODE_KEY_ARN: &str = "arn:aws:secretsmanager:local:000000000000:secret:latchkey-code-key";
const CODE_KEY: &str = "the key of codes in mail that is caught on this machine";

/// The secret with the key that signs webhooks, and that key: it is used only on this machine.
pub const WEBHOOK_KEY_ARN: &str =
    "arn:aws:secretsmanager:local:000000000000:secret:latchkey-webhook-key";
pub const WEBHOOK_KEY: &str = "dGhlIGtleSB0aGF0IHNpZ25zIHdlYmhvb2tzIG9uIHRoaXMgbWFjaGluZQ==";

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

/// A running Secrets Manager. It stops when its tokio runtime does.
#[derive(Debug, Clone)]
pub struct Secrets {
    address: SocketAddr,
    secret: Arc<Mutex<Secret>>,
}

#[derive(Debug, Default)]
struct Secret {
    versions: BTreeMap<String, Version>,
}

#[derive(Default)]
struct Version {
    value: String,
    stages: BTreeSet<String>,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({:?})", self.stages)
    }
}

/// An error's type and message.
type Failure = (&'static str, &'static str);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    client_request_token: String,
    secret_string: String,
    version_stages: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Move {
    #[serde(rename = "VersionStage")]
    stage: String,
    #[serde(rename = "MoveToVersionId")]
    to: Option<String>,
    #[serde(rename = "RemoveFromVersionId")]
    from: Option<String>,
}

impl Secrets {
    /// `value` is the secret's first version.
    pub async fn start(host: IpAddr, value: &str) -> std::io::Result<Self> {
        let first = Version {
            value: value.to_owned(),
            stages: BTreeSet::from([CURRENT.to_owned()]),
        };
        let secret = Secret {
            versions: BTreeMap::from([("first".to_owned(), first)]),
        };
        let secret = Arc::new(Mutex::new(secret));
        let router = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&secret));
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, secret })
    }

    /// Whether the real service would refuse a new rotation because one is unfinished: `AWSPENDING`
    /// is attached to a version other than `AWSCURRENT`'s.
    #[must_use]
    pub fn is_rotation_pending(&self) -> bool {
        let secret = lock(&self.secret);
        let pending = secret.holder(PENDING);
        pending.is_some() && pending != secret.holder(CURRENT)
    }

    /// Environment variables that point a function to its keys here.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            (
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                format!("http://{}", self.address),
            ),
            ("JWT_KEYS_SECRET", ARN.to_owned()),
            ("CODE_KEY_SECRET", CODE_KEY_ARN.to_owned()),
            ("WEBHOOK_KEY_SECRET", WEBHOOK_KEY_ARN.to_owned()),
        ]
    }
}

async fn answer(
    State(secret): State<Arc<Mutex<Secret>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok());
    let mut secret = lock(&secret);
    let done = match target {
        Some("secretsmanager.GetSecretValue") if body.contains(CODE_KEY_ARN) => {
            Ok(json!({"ARN": CODE_KEY_ARN, "SecretString": CODE_KEY}))
        }
        Some("secretsmanager.GetSecretValue") if body.contains(WEBHOOK_KEY_ARN) => {
            Ok(json!({"ARN": WEBHOOK_KEY_ARN, "SecretString": WEBHOOK_KEY}))
        }
        Some("secretsmanager.GetSecretValue") => parse(&body).and_then(|get| secret.get(&get)),
        Some("secretsmanager.PutSecretValue") => parse(&body).and_then(|put| secret.put(put)),
        Some("secretsmanager.UpdateSecretVersionStage") => {
            parse(&body).and_then(|stage| secret.move_stage(&stage))
        }
        _ => Err(("InvalidRequestException", "not an operation there is here")),
    };
    match done {
        Ok(output) => Json(output).into_response(),
        Err((kind, message)) => {
            let error = json!({"__type": kind, "Message": message});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T, Failure> {
    let request: Value = serde_json::from_str(body).unwrap_or_default();
    if request.get("SecretId").and_then(Value::as_str) != Some(ARN) {
        return Err(("ResourceNotFoundException", "there is no such secret"));
    }
    serde_json::from_value(request).map_err(|_| ("InvalidParameterException", "malformed"))
}

impl Secret {
    fn get(&self, get: &Get) -> Result<Value, Failure> {
        let stage = match (&get.version_stage, &get.version_id) {
            (Some(stage), _) => Some(stage.as_str()),
            (None, Some(_)) => None,
            (None, None) => Some(CURRENT),
        };
        let is_asked_for = |id: &str, version: &Version| {
            stage.is_none_or(|stage| version.stages.contains(stage))
                && get.version_id.as_deref().is_none_or(|asked| asked == id)
        };
        let found = self
            .versions
            .iter()
            .find(|(id, version)| is_asked_for(id, version));
        let (id, version) =
            found.ok_or(("ResourceNotFoundException", "there is no such version"))?;
        Ok(json!({
            "ARN": ARN,
            "VersionId": id,
            "SecretString": version.value,
            "VersionStages": version.stages,
        }))
    }

    fn put(&mut self, put: Put) -> Result<Value, Failure> {
        let id = put.client_request_token;
        if let Some(there) = self.versions.get(&id)
            && there.value != put.secret_string
        {
            return Err(("ResourceExistsException", "the version holds another value"));
        }
        let version = self.versions.entry(id.clone()).or_default();
        version.value = put.secret_string;
        let stages = put
            .version_stages
            .unwrap_or_else(|| BTreeSet::from([CURRENT.to_owned()]));
        for stage in stages {
            self.attach(&stage, &id);
        }
        Ok(json!({"ARN": ARN, "VersionId": id}))
    }

    fn move_stage(&mut self, asked: &Move) -> Result<Value, Failure> {
        let is_there = |id: &String| self.versions.contains_key(id);
        if !asked.to.iter().all(is_there) {
            return Err(("ResourceNotFoundException", "there is no such version"));
        }
        let holder = self.holder(&asked.stage);
        if holder != asked.from.as_ref() {
            let problem = "the stage is attached to another version";
            return Err(("InvalidParameterException", problem));
        }
        match &asked.to {
            Some(to) => self.attach(&asked.stage, to),
            None => self.detach(&asked.stage),
        }
        Ok(json!({ "ARN": ARN }))
    }

    fn holder(&self, stage: &str) -> Option<&String> {
        let mut versions = self.versions.iter();
        let found = versions.find(|(_, version)| version.stages.contains(stage));
        found.map(|(id, _)| id)
    }

    /// Moves a stage to a version. `AWSPREVIOUS` goes to the last holder of `AWSCURRENT`.
    fn attach(&mut self, stage: &str, id: &str) {
        let holder = self.holder(stage).cloned();
        if stage == CURRENT
            && let Some(holder) = holder.filter(|holder| holder != id)
        {
            self.attach(PREVIOUS, &holder);
        }
        self.detach(stage);
        if let Some(version) = self.versions.get_mut(id) {
            version.stages.insert(stage.to_owned());
        }
    }

    fn detach(&mut self, stage: &str) {
        for version in self.versions.values_mut() {
            version.stages.remove(stage);
        }
    }
}

fn lock(secret: &Mutex<Secret>) -> MutexGuard<'_, Secret> {
    secret.lock().unwrap_or_else(PoisonError::into_inner)
}
