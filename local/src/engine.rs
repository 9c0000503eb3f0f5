//! An embedded DynamoDB: `dynoxide` over SQLite, behind an HTTP listener for the AWS SDK, on the
//! loopback interface by default.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use dynoxide::Database;
use serde_json::json;
use tokio::net::TcpListener;

use crate::template::Table;

/// A running engine. It stops when its tokio runtime does.
#[derive(Clone)]
pub struct Engine {
    address: SocketAddr,
    database: Database,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine({})", self.address)
    }
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
            database.clone(),
            std::future::pending(),
        ));
        Ok(Self { address, database })
    }

    #[must_use]
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
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

/// Creates a table if it does not exist. A table with another key or without an index is refused.
pub fn create(database: &Database, table: &Table) -> Result<(), String> {
    let named = serde_json::from_value(json!({ "TableName": table.name }));
    let named = named.map_err(|error| error.to_string())?;
    if let Ok(found) = database.describe_table(named) {
        let found = serde_json::to_value(&found).map_err(|error| error.to_string())?;
        let index = |table: &serde_json::Value| {
            let indexes = table.get("GlobalSecondaryIndexes")?.as_array()?;
            Some(indexes.len())
        };
        let found = found.get("Table").unwrap_or_default();
        if found.get("KeySchema") == table.create.get("KeySchema")
            && index(found) == index(&table.create)
        {
            return Ok(());
        }
        let name = &table.name;
        return Err(format!(
            "its table {name} is of another version of Latchkey; move the file away and start again"
        ));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(keys: &[(&str, &str)]) -> Table {
        let names = keys.iter().map(|(name, _)| *name);
        let definitions: Vec<_> = names
            .map(|name| json!({"AttributeName": name, "AttributeType": "S"}))
            .collect();
        let schema: Vec<_> = keys
            .iter()
            .map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind}))
            .collect();
        Table {
            name: "latchkey-users".to_owned(),
            create: json!({
                "TableName": "latchkey-users",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": definitions,
                "KeySchema": schema,
            }),
            time_to_live: None,
        }
    }

    #[test]
    fn a_database_whose_tables_have_another_key_is_refused_in_one_line() {
        let database = Database::memory().unwrap();
        let of_0_1 = table(&[("pk", "HASH")]);
        let now = table(&[("pk", "HASH"), ("sk", "RANGE")]);
        create(&database, &of_0_1).unwrap();

        let refused = create(&database, &now).unwrap_err();

        assert_eq!(
            refused,
            "its table latchkey-users is of another version of Latchkey; \
             move the file away and start again"
        );
        assert_eq!(create(&database, &of_0_1), Ok(()), "nothing was changed");
    }
}
