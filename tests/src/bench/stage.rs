//! What all functions share: the engine, the template's settings, and a user who has signed up.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use local::engine::{self, Database, Engine};
use local::secrets::Secrets;
use local::template::Template;
use serde::Deserialize;

use tests::app::KEYS;

use super::function::{Function, Variables};
use super::{Failure, crowd, events};

/// The email of the user who has signed up.
pub(super) const EMAIL: &str = "abc@example.com";

/// The email of the account of this number, of those that were put into the tables.
pub(super) fn email_of(number: u32) -> String {
    format!("crowd{number}@example.com")
}

/// More than the bench ever tries.
const NO_LIMIT: &str = "1000000";

/// Where the measurements take place.
#[derive(Debug)]
pub(super) struct Stage {
    /// `GET /user` by the user who has signed up.
    pub(super) get_user: String,
    /// The token of that user.
    pub(super) token: String,
    id: String,
    users: String,
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

/// The token in the answer to a sign-up or a sign-in.
pub(super) fn token_of(answer: &str) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        token: String,
    }

    Ok(serde_json::from_str::<Answer>(answer)?.token)
}

impl Stage {
    /// Starts the engine, in memory, and signs the user up.
    pub(super) async fn set() -> Result<Self, Failure> {
        Self::over(Database::memory()?).await
    }

    /// The same, with so many accounts more: their emails are [`email_of`] the numbers below, and
    /// their password is everybody's.
    pub(super) async fn with_accounts(count: u32) -> Result<Self, Failure> {
        let database = Database::memory()?;
        let stage = Self::over(database.clone()).await?;
        crowd::add(&database, &stage.users, &stage.id, count)?;
        Ok(stage)
    }

    async fn over(database: Database) -> Result<Self, Failure> {
        let template = Template::checked_in()?;
        for table in &template.tables {
            engine::create(&database, table)?;
        }
        let engine = Engine::serve(Ipv4Addr::LOCALHOST.into(), database).await?;
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
        let users = variables.get("TABLE_USERS").cloned();
        let mut stage = Self {
            get_user: String::new(),
            token: String::new(),
            id: String::new(),
            users: users.ok_or("the template names no TABLE_USERS")?,
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
        self.token = token;
        self.id = user.id;
        let key = format!("user#{}", self.id);
        self.variables.insert("BARE_KEY".to_owned(), key);
        Ok(())
    }

    /// Starts a function of this name.
    pub(super) async fn function(&self, name: &str) -> Result<Function, Failure> {
        Function::start(&self.program(name), &self.variables).await
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
        Function::start(&self.program(name), &variables).await
    }

    /// Starts a function of this name by a command that becomes it.
    pub(super) async fn function_by(
        &self,
        command: Command,
        name: &str,
    ) -> Result<Function, Failure> {
        Function::start_by(command, name, &self.variables).await
    }

    /// A function's binary.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}
