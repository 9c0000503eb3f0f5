//! `<policy>#<key>`: a counter of the attempts in a fixed window.

use aws_sdk_dynamodb::types::{ReturnValue, Update};

use super::item::{Attributes, Item, deletable, n, pk, version};
use super::requests::Updated;
use super::{Store, StoreError};
use crate::domain::{Limit, Tally, Timestamp};

/// A try fails if the window has expired and another request reopens it first.
const MAX_TRIES: usize = 5;

impl Store {
    /// Counts one attempt in the counter's open window, or opens a new window, and returns the
    /// tally. Racing attempts get different counts, so exactly `limit.max` attempts in a window are
    /// within the limit.
    ///
    /// Takes one call, and another one each time the window has expired. If a response is lost, a
    /// retry may count the attempt twice.
    pub async fn count(
        &self,
        counter: &str,
        limit: &Limit,
        now: Timestamp,
    ) -> Result<Tally, StoreError> {
        for _ in 0..MAX_TRIES {
            let tally = self.add_one(counter, limit, now).await?;
            if limit.is_open(tally, now) {
                return Ok(tally);
            }
            if let Some(reopened) = self.reopen(counter, tally, limit, now).await? {
                return Ok(reopened);
            }
        }
        Err(StoreError::Contended)
    }

    /// What a counter has, by one strongly consistent read; `None` if nothing is counted.
    pub async fn tally(&self, counter: &str) -> Result<Option<Tally>, StoreError> {
        let item = self.item(&self.tables.rate_limits, pk(counter)).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// Deletes a counter, so that the next attempt opens a new window.
    pub async fn clear_counter(&self, counter: &str) -> Result<(), StoreError> {
        let delete = self.client.delete_item();
        let delete = delete.table_name(&self.tables.rate_limits);
        self.delete(delete.set_key(Some(pk(counter)))).await?;
        Ok(())
    }

    async fn add_one(
        &self,
        counter: &str,
        limit: &Limit,
        now: Timestamp,
    ) -> Result<Tally, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.rate_limits)
            .set_key(Some(pk(counter)))
            .update_expression(
                "SET opened = if_not_exists(opened, :now), v = if_not_exists(v, :v), \
                 expires_at = :expiry ADD n :one",
            )
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":v", version())
            .expression_attribute_values(":expiry", deletable(now.plus(limit.window)))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::AllNew);
        match self.update(update).await? {
            Updated::Written(attributes) => from_item(&attributes.unwrap_or_default()),
            Updated::ConditionFailed(_) => {
                Err(StoreError::Rejected("there is no condition".into()))
            }
        }
    }

    /// Replaces the expired window `seen` with a new one. Returns `None` if another request already
    /// did.
    async fn reopen(
        &self,
        counter: &str,
        seen: Tally,
        limit: &Limit,
        now: Timestamp,
    ) -> Result<Option<Tally>, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.rate_limits)
            .set_key(Some(pk(counter)))
            .update_expression("SET opened = :now, expires_at = :expiry, n = :one")
            .condition_expression("opened = :seen")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":expiry", deletable(now.plus(limit.window)))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":seen", n(seen.opened.millis()));
        let reopened = self.update_alone(update.build()?).await?;
        let (opened, count) = (now, 1);
        Ok(reopened.then_some(Tally { opened, count }))
    }
}

pub(super) fn from_item(attributes: &Attributes) -> Result<Tally, StoreError> {
    let item = Item::new("counter", attributes)?;
    Ok(Tally {
        opened: item.time("opened")?,
        count: item.number("n")?,
    })
}
