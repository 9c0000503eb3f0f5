//! The environment of all functions: the database, the template's settings, and a signed-up user.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use axum::body::to_bytes;
use local::engine::Engine;
use local::gateway;
use local::keys::fresh_ring;
use local::secrets::Secrets;
use local::template::Template;
use serde_json::json;
use shared::crypto::KeyPlan;
use shared::domain::SigningAlgorithm;
use shared::ports::{Clock, SystemClock};
use tests::app::KEYS;
use tests::call::{Call, get, post};

use super::Failure;
use super::function::{Function, Variables};
use super::tls::Tls;

/// The email of the signed-up user.
pub(super) const EMAIL: &str = "abc@example.com";

/// The password of every user.
pub(super) const PASSWORD: &str = "correct horse battery";

/// More attempts than the bench makes.
const NO_LIMIT: &str = "1000000";

/// Variables with which a function reads the key ring from a file, not from Secrets Manager.
pub(super) const RING_IN_FILE: &[(&str, &str)] =
    &[("JWT_KEYS_SECRET", ""), ("JWT_KEYS_FILE", KEYS)];

#[derive(Debug)]
pub(super) struct Stage {
    /// The event of `GET /user` by the signed-up user.
    pub(super) get_user: String,
    /// The token of the signed-up user.
    pub(super) token: String,
    /// Variables with which a function uses TLS, as in AWS.
    over_tls: Vec<(&'static str, String)>,
    template: Template,
    programs: PathBuf,
    variables: Variables,
}

impl Stage {
    /// Starts the in-memory database and signs the user up.
    pub(super) async fn set() -> Result<Self, Failure> {
        let template = Template::checked_in()?;
        let engine = Engine::start(":memory:", &template.tables).await?;
        let ring = std::fs::read_to_string(KEYS)?;
        let secrets = Secrets::start(Ipv4Addr::LOCALHOST.into(), &ring).await?;
        let mut variables = template.variables.clone();
        let of_aws = engine.variables().into_iter().chain(secrets.variables());
        variables.extend(of_aws.map(|(name, value)| (name.to_owned(), value)));
        for limit in [
            "MAIL_RATE_LIMIT_ADDRESS",
            "MAIL_RATE_LIMIT_IP",
            "PROFILE_RATE_LIMIT",
            "SIGNIN_RATE_LIMIT_ACCOUNT",
            "SIGNIN_RATE_LIMIT_IP",
            "SIGNIN_RATE_LIMIT_TOTAL",
            "USER_SIGNUP_RATE_LIMIT_EMAIL",
            "USER_SIGNUP_RATE_LIMIT_IP",
        ] {
            variables.insert(limit.to_owned(), NO_LIMIT.to_owned());
        }
        let programs = std::env::current_exe()?.with_file_name("");
        let tls = Tls::new(&programs)?;
        let mut over_tls = vec![("SSL_CERT_FILE", tls.roots().display().to_string())];
        for name in [
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        ] {
            let plain = variables[name].strip_prefix("http://");
            let service = plain.ok_or("an embedded service without a URL")?.parse()?;
            over_tls.push((name, tls.in_front_of(service).await?));
        }
        let mut stage = Self {
            get_user: String::new(),
            token: String::new(),
            over_tls,
            template,
            programs,
            variables,
        };
        let mut create_user = stage.function("create-user").await?;
        let sign_up = stage.event(sign_up(EMAIL)).await?;
        let signed_up = create_user.invoke(&sign_up, 200).await?.reply;
        stage.token = signed_up.text("/token")?;
        stage.get_user = stage.event(get("/user").bearer(&stage.token)).await?;
        let key = format!("user#{}", signed_up.text("/user/id")?);
        stage.variables.insert("BARE_KEY".to_owned(), key);
        Ok(stage)
    }

    /// Converts a request to its API Gateway event.
    pub(super) async fn event(&self, call: Call) -> Result<String, Failure> {
        let call = call
            .header("accept", "*/*")
            .header("host", "bench.execute-api.local.amazonaws.com")
            .header("user-agent", "bench/1")
            .header(
                "x-amzn-trace-id",
                "Root=1-00000000-000000000000000000000000",
            )
            .header("x-forwarded-port", "443")
            .header("x-forwarded-proto", "https");
        let mut routes = self.template.routes.iter();
        let route = routes.find(|route| call.is_for(route)).ok_or("no route")?;
        let (parts, body) = call.request.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        let now = SystemClock.now();
        Ok(gateway::event(Some(route), call.peer, &parts, &body, now).to_string())
    }

    /// The path of a ring with one key of this algorithm.
    pub(super) fn ring_of(&self, algorithm: SigningAlgorithm) -> Result<String, Failure> {
        let plan = KeyPlan {
            algorithm,
            issuer: "http://localhost:3000".to_owned(),
            longest_life: Duration::from_hours(24 * 30),
        };
        let ring = fresh_ring(&plan)?;
        let path = self
            .programs
            .join(format!("ring-{}.json", algorithm.name()));
        std::fs::write(&path, ring)?;
        Ok(path.display().to_string())
    }

    /// See [`Stage::function_with`].
    pub(super) fn over_tls(&self) -> Vec<(&str, &str)> {
        let variables = self.over_tls.iter();
        variables
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    pub(super) async fn function(&self, name: &str) -> Result<Function, Failure> {
        self.function_with(name, &[]).await
    }

    /// Starts a function with these variables in addition to the common ones.
    pub(super) async fn function_with(
        &self,
        name: &str,
        changes: &[(&str, &str)],
    ) -> Result<Function, Failure> {
        let mut variables = self.variables.clone();
        for (variable, value) in changes {
            variables.insert((*variable).to_owned(), (*value).to_owned());
        }
        Function::start(Command::new(self.program(name)), name, &variables).await
    }

    /// Starts a function by a command that runs it, such as valgrind.
    pub(super) async fn function_by(
        &self,
        command: Command,
        name: &str,
    ) -> Result<Function, Failure> {
        Function::start(command, name, &self.variables).await
    }

    /// The path of a function's binary.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

pub(super) fn sign_up(email: &str) -> Call {
    post("/user", &json!({"email": email, "password": PASSWORD}))
}

pub(super) fn sign_in(email: &str, password: &str) -> Call {
    let body = json!({"email": email, "password": password});
    post("/user/auth", &body)
}
