//! An embedded DynamoDB: `dynoxide` over SQLite, behind an HTTP listener for the AWS SDK, on the
//! loopback interface by default.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use dynoxide::Database;
use serde_json::json;
use tokio::net::TcpListener;

use crate::template::Table;

/// A running engine. It stops when its tokio runtime does.
#[derive(Debug, Clone)]
pub struct Engine {
    address: SocketAddr,
}

/// The engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The file cannot be opened or is not a database.
    #[error("the database {path} cannot be used: {reason}")]
    Database { path: String, reason: String },
    #[error("DynamoDB cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl Engine {
    /// Starts an engine over the SQLite file at `path`, or in memory for `:memory:`, and creates
    /// the tables that do not exist.
    pub async fn start(path: &str, tables: &[Table]) -> Result<Self, EngineError> {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), path, tables).await
    }

    /// Like [`Engine::start`], on another address. The engine does not authenticate its callers.
    pub async fn start_on(host: IpAddr, path: &str, tables: &[Table]) -> Result<Self, EngineError> {
        let failed = |reason: String| EngineError::Database {
            path: path.to_owned(),
            reason,
        };
        let database = match path {
            ":memory:" => Database::memory(),
            path => Database::new(path),
        };
        let database = database.map_err(|error| failed(error.to_string()))?;
        for table in tables {
            create(&database, table).map_err(failed)?;
        }
        Self::serve(host, database).await
    }

    /// Starts an engine over a database whose tables exist.
    pub async fn serve(host: IpAddr, database: Database) -> Result<Self, EngineError> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database,
            std::future::pending(),
        ));
        Ok(Self { address })
    }

    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Environment variables that point the SDK to this engine. The credentials are placeholders.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_REGION", "local".to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.endpoint_url()),
        ]
    }
}

/// Creates a table if it does not exist.
pub fn create(database: &Database, table: &Table) -> Result<(), String> {
    let named = serde_json::from_value(json!({ "TableName": table.name }));
    if database
        .describe_table(named.map_err(|error| error.to_string())?)
        .is_ok()
    {
        return Ok(());
    }
    let create = serde_json::from_value(table.create.clone()).map_err(|error| error.to_string())?;
    database
        .create_table(create)
        .map_err(|error| error.to_string())?;
    if let Some(specification) = &table.time_to_live {
        let update = serde_json::from_value(json!({
            "TableName": table.name,
            "TimeToLiveSpecification": specification,
        }));
        database
            .update_time_to_live(update.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
