//! A crowd of accounts, put into the tables at once: copies of one that has signed up.

use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use serde_json::json;

use super::Failure;
use super::stage::{EMAIL, email_of};

/// As many items as are put in at once.
const BATCH: u32 = 10_000;

/// Adds `count` accounts like that of `id`, with that account's password.
pub(super) fn add(database: &Database, table: &str, id: &str, count: u32) -> Result<(), Failure> {
    let account = read(database, table, &format!("user#{id}"))?;
    let claim = read(database, table, &format!("email#{EMAIL}"))?;
    database.enable_bulk_loading()?;
    for first in (0..count).step_by(BATCH.try_into()?) {
        let batch = first..count.min(first + BATCH);
        let items = batch.flat_map(|number| {
            let (id, email) = (format!("{number:024x}"), email_of(number));
            let account = with(
                &account,
                &[
                    ("pk", &format!("user#{id}")),
                    ("username", &email),
                    ("email", &email),
                    ("email_canonical", &email),
                ],
            );
            let claim = with(
                &claim,
                &[("pk", &format!("email#{email}")), ("account_id", &id)],
            );
            [account, claim]
        });
        database.import_items(table, items.collect(), ImportOptions::default())?;
    }
    database.disable_bulk_loading()?;
    Ok(())
}

fn read(database: &Database, table: &str, key: &str) -> Result<Item, Failure> {
    let request = serde_json::from_value(json!({"TableName": table, "Key": {"pk": {"S": key}}}))?;
    let item = database.get_item(request)?.item;
    item.ok_or_else(|| format!("there is no {key}").into())
}

fn with(item: &Item, changes: &[(&str, &str)]) -> Item {
    let mut item = item.clone();
    for (name, value) in changes {
        item.insert((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    }
    item
}
