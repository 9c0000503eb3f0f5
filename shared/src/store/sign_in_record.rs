//! `sign-in-account#<digest>`: the failed sign-ins for one identifier from one source, and until
//! when the source is familiar to the identifier.
//!
//! The item has two windows: `opened` and `n` for the recent failures, `day_opened` and `day_n` for
//! those of the day. Each write keeps it for thirty days more, so that a failure never shortens
//! familiarity.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::batch::keys;
use super::item::{Attributes, Item, deletable, n, pk, s, version};
use super::requests::Updated;
use super::{PK, Store, StoreError, counters};
use crate::domain::{Familiarity, Limit, SignInRecord, Tally, Timestamp};

/// A try fails if another request reopens a window first.
const MAX_TRIES: usize = 5;

/// The limits on the failures that a record counts.
#[derive(Debug, Clone, Copy)]
pub struct RecordLimits {
    pub recent: Limit,
    pub of_day: Limit,
}

/// The counters that decide on a right password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCounters {
    pub record: SignInRecord,
    /// `None` if nothing is counted.
    pub total: Option<Tally>,
    /// In the order of the keys asked for.
    pub sources: Vec<Option<Tally>>,
}

/// The outcome of [`Store::clear_failures`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleared {
    Cleared,
    /// A limit was reached. Nothing was written.
    LimitReached(SignInRecord),
}

impl Store {
    /// Counts one failure in both windows of a record, and returns the record. Each failure is
    /// counted exactly once, and racing failures get different counts.
    ///
    /// Takes one call, and another one each time a window has closed. If a response is lost, a retry
    /// may count the failure twice.
    pub async fn count_failure(
        &self,
        record: &str,
        limits: &RecordLimits,
        now: Timestamp,
    ) -> Result<SignInRecord, StoreError> {
        let mut seen = SignInRecord::default();
        for _ in 0..MAX_TRIES {
            match self.add_failure(record, limits, &seen, now).await? {
                Outcome::Written(record) => return Ok(record),
                Outcome::ConditionFailed(record) => seen = record,
            }
        }
        Err(StoreError::Contended)
    }

    /// Adds one to each window, and reopens those that are closed according to `seen`. Counts nothing
    /// if a window has closed or was reopened since.
    async fn add_failure(
        &self,
        record: &str,
        limits: &RecordLimits,
        seen: &SignInRecord,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let windows = [
            Window {
                opened: "opened",
                count: "n",
                limit: &limits.recent,
                seen: seen.recent,
            },
            Window {
                opened: "day_opened",
                count: "day_n",
                limit: &limits.of_day,
                seen: seen.of_day,
            },
        ];
        let [recent, of_day] = windows.each_ref().map(|window| window.addition(now));
        let mut values = HashMap::from([
            (":v".to_owned(), version()),
            (":expiry".to_owned(), deletable(limits.kept_until(now))),
            (":now".to_owned(), n(now.millis())),
            (":one".to_owned(), n(1)),
        ]);
        values.extend(recent.values);
        values.extend(of_day.values);
        let update = self
            .update_record(record)
            .update_expression(format!(
                "SET v = if_not_exists(v, :v), expires_at = :expiry, {}, {}",
                recent.update, of_day.update
            ))
            .condition_expression(format!("{} AND {}", recent.condition, of_day.condition))
            .set_expression_attribute_values(Some(values));
        Outcome::of(self.update(update).await?)
    }

    /// Reads the counters with these keys, strongly consistent and in one round trip.
    pub async fn sign_in_counters(
        &self,
        record: &str,
        total: &str,
        sources: &[&str],
    ) -> Result<SignInCounters, StoreError> {
        let table = &self.tables.rate_limits;
        let all = [record, total].into_iter().chain(sources.iter().copied());
        let unread = HashMap::from([(table.clone(), keys(all.map(pk).collect())?)]);
        let read = self.read_all(unread).await?;
        let items = read.get(table).map(Vec::as_slice).unwrap_or_default();
        let found = |key: &str| items.iter().find(|item| item.get(PK) == Some(&s(key)));
        let tally = |key: &str| found(key).map(counters::from_item).transpose();
        let record = found(record).map(from_item).transpose()?;
        Ok(SignInCounters {
            record: record.unwrap_or_default(),
            total: tally(total)?,
            sources: sources
                .iter()
                .map(|key| tally(key))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Until when the record's source is familiar, by one strongly consistent read.
    pub async fn familiarity(&self, record: &str) -> Result<Option<Familiarity>, StoreError> {
        let item = self.item(&self.tables.rate_limits, pk(record)).await?;
        let record = item.as_ref().map(from_item).transpose()?;
        Ok(record.and_then(|record| record.familiarity))
    }

    /// Clears a record's failures and makes its source familiar, unless a limit is reached.
    pub async fn clear_failures(
        &self,
        record: &str,
        limits: &RecordLimits,
        familiarity: &Familiarity,
        now: Timestamp,
    ) -> Result<Cleared, StoreError> {
        let update = self
            .update_record(record)
            .update_expression(format!("{SET_FAMILIARITY} REMOVE opened, n, day_opened, day_n"))
            .condition_expression(
                "(attribute_not_exists(opened) OR opened <= :closed OR n < :max) AND \
                 (attribute_not_exists(day_opened) OR day_opened <= :day_closed OR day_n < :day_max)",
            )
            .set_expression_attribute_values(Some(familiarity_values(limits, familiarity, now)))
            .expression_attribute_values(":max", n(limits.recent.max))
            .expression_attribute_values(":closed", n(limits.recent.latest_closed(now).millis()))
            .expression_attribute_values(":day_max", n(limits.of_day.max))
            .expression_attribute_values(
                ":day_closed",
                n(limits.of_day.latest_closed(now).millis()),
            );
        Ok(match Outcome::of(self.update(update).await?)? {
            Outcome::Written(_) => Cleared::Cleared,
            Outcome::ConditionFailed(record) => Cleared::LimitReached(record),
        })
    }

    /// Makes a record's source familiar, whatever its failures, which stay.
    pub async fn set_familiarity(
        &self,
        record: &str,
        limits: &RecordLimits,
        familiarity: &Familiarity,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .update_record(record)
            .update_expression(SET_FAMILIARITY)
            .set_expression_attribute_values(Some(familiarity_values(limits, familiarity, now)));
        self.update(update).await.map(|_| ())
    }

    fn update_record(&self, record: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.rate_limits)
            .set_key(Some(pk(record)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

const SET_FAMILIARITY: &str = "SET v = if_not_exists(v, :v), expires_at = :expiry, \
     familiar_until = :until, familiar_account = :account, familiar_version = :version";

fn familiarity_values(
    limits: &RecordLimits,
    familiarity: &Familiarity,
    now: Timestamp,
) -> Attributes {
    Attributes::from([
        (":v".to_owned(), version()),
        (":expiry".to_owned(), deletable(limits.kept_until(now))),
        (":until".to_owned(), n(familiarity.until.millis())),
        (":account".to_owned(), s(familiarity.account.as_str())),
        (":version".to_owned(), n(familiarity.password_version)),
    ])
}

impl RecordLimits {
    /// Long enough for familiarity and for each window that opens now.
    fn kept_until(&self, now: Timestamp) -> Timestamp {
        let windows = self.recent.window.max(self.of_day.window);
        now.plus(windows.max(Familiarity::LONGEST))
    }
}

/// One of a record's windows: the names of its attributes, and its state when it was last read.
struct Window<'a> {
    opened: &'static str,
    count: &'static str,
    limit: &'a Limit,
    seen: Option<Tally>,
}

/// How to add one to a window, and on which condition.
struct Addition {
    update: String,
    condition: String,
    /// Beside `:now` and `:one`. DynamoDB rejects a value that no expression uses.
    values: Vec<(String, AttributeValue)>,
}

impl Window<'_> {
    /// Adds one to a window that is new or open, or reopens one that was seen closed.
    fn addition(&self, now: Timestamp) -> Addition {
        let Self { opened, count, .. } = self;
        let value = format!(":{opened}");
        match self.seen {
            Some(seen) if !self.limit.is_open(seen, now) => Addition {
                update: format!("{opened} = :now, {count} = :one"),
                condition: format!("{opened} = {value}"),
                values: vec![(value, n(seen.opened.millis()))],
            },
            _ => Addition {
                update: format!(
                    "{opened} = if_not_exists({opened}, :now), \
                     {count} = if_not_exists({count}, :zero) + :one"
                ),
                condition: format!("(attribute_not_exists({opened}) OR {opened} > {value})"),
                values: vec![
                    (value, n(self.limit.latest_closed(now).millis())),
                    (":zero".to_owned(), n(0)),
                ],
            },
        }
    }
}

/// The outcome of a conditional update, with the record as it is now.
enum Outcome {
    Written(SignInRecord),
    ConditionFailed(SignInRecord),
}

impl Outcome {
    fn of(updated: Updated) -> Result<Self, StoreError> {
        match updated {
            Updated::Written(record) => from_item(&record.unwrap_or_default()).map(Self::Written),
            Updated::ConditionFailed(record) => {
                let record = record.as_ref().map(from_item).transpose()?;
                Ok(Self::ConditionFailed(record.unwrap_or_default()))
            }
        }
    }
}

fn from_item(attributes: &Attributes) -> Result<SignInRecord, StoreError> {
    let item = Item::new("sign-in record", attributes)?;
    let tally = |opened, count| -> Result<_, StoreError> {
        let Some(opened) = item.optional_time(opened)? else {
            return Ok(None);
        };
        Ok(Some(Tally {
            opened,
            count: item.number(count)?,
        }))
    };
    let familiarity = match item.optional_string("familiar_account")? {
        None => None,
        Some(_) => Some(Familiarity {
            account: item.account_id("familiar_account")?,
            password_version: item.number("familiar_version")?,
            until: item.time("familiar_until")?,
        }),
    };
    Ok(SignInRecord {
        recent: tally("opened", "n")?,
        of_day: tally("day_opened", "day_n")?,
        familiarity,
    })
}
