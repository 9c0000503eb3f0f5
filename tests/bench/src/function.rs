//! A function's process and its responses.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::runtime_api::{Posted, RuntimeApi};
use super::{Failure, now};

/// Environment variables.
pub(super) type Variables = BTreeMap<String, String>;

/// A function in its own process, which is killed on drop.
#[derive(Debug)]
pub(super) struct Function {
    name: String,
    process: Child,
    api: RuntimeApi,
    spawned: Instant,
}

#[derive(Debug)]
pub(super) struct Answer {
    /// From delivery of the event to the response.
    pub(super) took: Duration,
    /// From the start of the process to the response.
    pub(super) since_spawn: Duration,
    pub(super) reply: Reply,
}

/// A response in the payload format of API Gateway.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply {
    status_code: u16,
    headers: Value,
    body: String,
}

impl Reply {
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// The text at this JSON pointer in the body.
    pub(super) fn text(&self, pointer: &str) -> Result<String, Failure> {
        let body: Value = self.body()?;
        let text = body.pointer(pointer).and_then(Value::as_str);
        Ok(text
            .ok_or_else(|| format!("no {pointer}: {body}"))?
            .to_owned())
    }
}

impl Function {
    /// Starts a command with only these variables and those that Lambda sets.
    pub(super) async fn start(
        mut command: Command,
        name: &str,
        variables: &Variables,
    ) -> Result<Self, Failure> {
        let api = RuntimeApi::listen().await?;
        command
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let spawned = now();
        let process = command
            .spawn()
            .map_err(|error| format!("{name} cannot be run: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            process,
            api,
            spawned,
        })
    }

    /// Sends an event. Fails unless the response has this status.
    pub(super) async fn invoke(&mut self, event: &str, status: u16) -> Result<Answer, Failure> {
        let posted = self.post(event).await?;
        let name = &self.name;
        let reply: Reply = serde_json::from_slice(&posted.body)
            .map_err(|error| format!("{name}: not a response: {error}"))?;
        if reply.status_code != status {
            return Err(format!("{name}: not {status}: {reply:?}").into());
        }
        Ok(Answer {
            took: posted.answered - posted.handed_out,
            since_spawn: posted.answered - self.spawned,
            reply,
        })
    }

    /// Like [`invoke`](Self::invoke), for a function without a route. Also returns how long it took.
    pub(super) async fn ask(&mut self, event: &str) -> Result<(Duration, Value), Failure> {
        let posted = self.post(event).await?;
        let took = posted.answered - posted.handed_out;
        Ok((took, serde_json::from_slice(&posted.body)?))
    }

    async fn post(&mut self, event: &str) -> Result<Posted, Failure> {
        let posted = self.api.invoke(event.to_owned()).await;
        posted.map_err(|error| format!("{}: {error}", self.name).into())
    }

    /// Like [`invoke`](Self::invoke), but returns only how long it took.
    pub(super) async fn time(&mut self, event: &str, status: u16) -> Result<Duration, Failure> {
        Ok(self.invoke(event, status).await?.took)
    }

    /// The peak memory of the process, in megabytes.
    pub(super) fn peak_memory(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
            .ok_or("the system does not say how much memory a process had")?;
        Ok(peak.trim().parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Closes the Runtime API, so that the process exits on its own, and waits for that.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        self.api.close();
        tokio::task::spawn_blocking(move || self.process.wait()).await??;
        Ok(())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Both fail only if the process has already exited.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
