//! What all functions share: the engine, the template's settings, and a user who has signed up.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use local::engine::Engine;
use local::secrets::Secrets;
use local::template::Template;
use serde::Deserialize;

use tests::app::KEYS;

use super::function::{Function, Variables};
use super::report::Quantity;
use super::{Failure, events};

/// The email of the user who has signed up.
pub(super) const EMAIL: &str = "abc@example.com";

/// More than the bench ever tries.
const NO_LIMIT: &str = "1000000";

/// Where the measurements take place.
#[derive(Debug)]
pub(super) struct Stage {
    /// `GET /user` by the user who has signed up.
    pub(super) get_user: String,
    programs: PathBuf,
    variables: Variables,
}

#[derive(Deserialize)]
struct SignedUp {
    token: String,
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Stage {
    /// Starts the engine, in memory, and signs the user up.
    pub(super) async fn set() -> Result<Self, Failure> {
        let template = Template::checked_in()?;
        let engine = Engine::start(":memory:", &template.tables).await?;
        let mut variables = template.variables;
        variables.extend(
            engine
                .variables()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let ring = std::fs::read_to_string(KEYS)?;
        let secrets = Secrets::start(Ipv4Addr::LOCALHOST.into(), &ring).await?;
        variables.extend(
            secrets
                .variables()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        for limit in [
            "SIGNIN_RATE_LIMIT_ACCOUNT",
            "SIGNIN_RATE_LIMIT_IP",
            "USER_SIGNUP_RATE_LIMIT_EMAIL",
            "USER_SIGNUP_RATE_LIMIT_IP",
        ] {
            variables.insert(limit.to_owned(), NO_LIMIT.to_owned());
        }
        let mut stage = Self {
            get_user: String::new(),
            programs: std::env::current_exe()?.with_file_name(""),
            variables,
        };
        stage.sign_up().await?;
        Ok(stage)
    }

    async fn sign_up(&mut self) -> Result<(), Failure> {
        let mut create_user = self.function("create-user").await?;
        let answer = create_user.invoke(&events::sign_up(EMAIL), 200).await?;
        let SignedUp { token, user } = serde_json::from_str(&answer.response.body)
            .map_err(|error| format!("create-user: not a sign-up's answer: {error}"))?;
        self.get_user = events::get_user(&token);
        let key = format!("user#{}", user.id);
        self.variables.insert("BARE_KEY".to_owned(), key);
        Ok(())
    }

    /// Starts a function of this name.
    pub(super) async fn function(&self, name: &str) -> Result<Function, Failure> {
        Function::start(&self.programs.join(name), &self.variables).await
    }

    /// The variables of a function that finds the same key ring in a file.
    #[expect(clippy::unused_self, reason = "the ring is the stage's")]
    pub(super) fn ring_in_file(&self) -> &'static [(&'static str, &'static str)] {
        &[("JWT_KEYS_SECRET", ""), ("JWT_KEYS_FILE", KEYS)]
    }

    /// Starts a function of this name with some variables of its own.
    pub(super) async fn function_with(
        &self,
        name: &str,
        changes: &[(&str, &str)],
    ) -> Result<Function, Failure> {
        let mut variables = self.variables.clone();
        for (variable, value) in changes {
            variables.insert((*variable).to_owned(), (*value).to_owned());
        }
        Function::start(&self.programs.join(name), &variables).await
    }

    /// How large a function's binary is.
    pub(super) fn size(&self, name: &str) -> Result<Quantity, Failure> {
        let file = std::fs::metadata(self.programs.join(name))
            .map_err(|error| format!("{name}: {error}"))?;
        let kilobytes = u32::try_from(file.len() / 1000)?;
        Ok(Quantity::Megabytes(f64::from(kilobytes) / 1000.0))
    }
}
