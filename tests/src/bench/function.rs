//! A function's process, and what it answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use super::clock::now;
use super::runtime_api::RuntimeApi;

/// The variables of a process.
pub(super) type Variables = BTreeMap<String, String>;

/// A function in a process of its own, which ends with it.
#[derive(Debug)]
pub(super) struct Function {
    name: String,
    process: Child,
    api: RuntimeApi,
    spawned: Instant,
}

/// An answer, and how long it took.
#[derive(Debug)]
pub(super) struct Answer {
    /// From the event handed out to the answer posted.
    pub(super) took: Duration,
    /// From the process spawned to the answer posted.
    pub(super) since_spawn: Duration,
    /// What API Gateway would make a response of.
    pub(super) response: Reply,
}

/// A response of an HTTP API.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply {
    /// The status.
    pub(super) status_code: u16,
    /// The headers.
    pub(super) headers: Value,
    /// The body.
    pub(super) body: String,
}

impl Function {
    /// Starts a program with these variables and Lambda's own, and no others.
    pub(super) async fn start(program: &Path, variables: &Variables) -> Result<Self, Failure> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Self::start_by(Command::new(program), &name, variables).await
    }

    /// The same, by a command that becomes the program or runs it.
    pub(super) async fn start_by(
        mut command: Command,
        name: &str,
        variables: &Variables,
    ) -> Result<Self, Failure> {
        let api = RuntimeApi::listen().await?;
        command
            .env_clear()
            .envs(variables)
            .envs(lambda_variables(name))
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
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

    /// Answers an event, with this status or not at all.
    pub(super) async fn invoke(&mut self, event: &str, status: u16) -> Result<Answer, Failure> {
        let name = &self.name;
        let posted = self.api.invoke(event.to_owned()).await;
        let posted = posted.map_err(|error| format!("{name}: {error}"))?;
        let response: Reply = serde_json::from_slice(&posted.body)
            .map_err(|error| format!("{name}: not a response: {error}"))?;
        if response.status_code != status {
            let Reply {
                status_code, body, ..
            } = response;
            return Err(format!("{name}: {status_code} instead of {status}: {body}").into());
        }
        Ok(Answer {
            took: posted.answered - posted.handed_out,
            since_spawn: posted.answered - self.spawned,
            response,
        })
    }

    /// The most memory it has had at once, in megabytes.
    pub(super) fn peak_memory(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
            .ok_or("the system does not say how much memory a process had")?;
        Ok(peak.trim().parse::<f64>()? * 1024.0 / 1e6)
    }

    /// Lets the process end by itself, as it does when there are no more events to be had.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        self.api.close();
        let ended = tokio::task::spawn_blocking(move || self.process.wait()).await?;
        ended.map(|_| ()).map_err(Into::into)
    }

    /// How long it takes to answer an event with this status.
    pub(super) async fn time(&mut self, event: &str, status: u16) -> Result<Duration, Failure> {
        Ok(self.invoke(event, status).await?.took)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Either fails only if the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What Lambda sets, as far as the runtime looks at it.
fn lambda_variables(name: &str) -> [(&'static str, &str); 5] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ]
}
