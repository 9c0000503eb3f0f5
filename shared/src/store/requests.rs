//! Requests to DynamoDB. The methods of [`Store`] that write or read in a transaction send a request again after a
//! conflict with another one.
//!
//! All functions here return boxed futures and are not `async`: rustc compiles the body of an `async fn`, and the SDK's code
//! in it, again in each crate that awaits it (decision 12). The SDK's paginators are boxed already.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::batch_write_item::builders::BatchWriteItemFluentBuilder;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsOutput;
use aws_sdk_dynamodb::operation::transact_get_items::builders::TransactGetItemsFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};

use super::item::{Attributes, Key};
use super::{Store, StoreError};

/// What DynamoDB responds to a request, which is sent when this is awaited.
pub(super) type Response<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The outcome of an update, with the attributes that the request asks for.
pub(super) enum Updated {
    Written(Option<Attributes>),
    ConditionFailed(Option<Attributes>),
}

impl Store {
    /// Reads an item of the users table.
    pub(super) fn user_item(&self, key: &Key) -> Response<'_, Option<Attributes>> {
        self.item(&self.tables.users, key.attributes())
    }

    /// Reads an item with one strongly consistent read, which does not conflict with transactions.
    pub(super) fn item(&self, table: &str, key: Attributes) -> Response<'_, Option<Attributes>> {
        let get = self.client.get_item().table_name(table).set_key(Some(key));
        let read = get.consistent_read(true).send();
        read.map_ok(|output| output.item)
            .map_err(StoreError::from_sdk)
            .boxed()
    }

    /// Reads items as they were at one time.
    pub(super) fn transact_get(
        &self,
        get: TransactGetItemsFluentBuilder,
    ) -> Response<'_, TransactGetItemsOutput> {
        self.retrying(move || get.clone().send().map_err(StoreError::from_transact_get))
            .boxed()
    }

    /// Does nothing if the condition fails.
    pub(super) fn put(&self, put: PutItemFluentBuilder) -> Response<'_, ()> {
        self.retrying(move || put.clone().send().map(condition_held))
            .map_ok(|_| ())
            .boxed()
    }

    /// Returns whether the condition held; true if there is none.
    pub(super) fn delete(&self, delete: DeleteItemFluentBuilder) -> Response<'_, bool> {
        self.retrying(move || delete.clone().send().map(condition_held))
            .boxed()
    }

    pub(super) fn update(&self, update: UpdateItemFluentBuilder) -> Response<'_, Updated> {
        self.retrying(move || update.clone().send().map(updated))
            .boxed()
    }

    /// Makes an update outside of a transaction. Returns whether the condition held.
    pub(super) fn update_alone(&self, update: Update) -> Response<'_, bool> {
        self.update_returning(update, ReturnValue::None)
            .map_ok(|updated| matches!(updated, Updated::Written(_)))
            .boxed()
    }

    /// Makes an update outside of a transaction, and returns the attributes that are asked for.
    pub(super) fn update_returning(
        &self,
        update: Update,
        attributes: ReturnValue,
    ) -> Response<'_, Updated> {
        let request = self
            .client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_values(attributes);
        self.update(request)
    }
}

/// DynamoDB may leave keys unprocessed.
pub(super) fn batch_get(get: BatchGetItemFluentBuilder) -> Response<'static, BatchGetItemOutput> {
    get.send().map_err(StoreError::from_sdk).boxed()
}

/// DynamoDB may leave writes unprocessed.
pub(super) fn batch_write(
    write: BatchWriteItemFluentBuilder,
) -> Response<'static, BatchWriteItemOutput> {
    write.send().map_err(StoreError::from_sdk).boxed()
}

/// Reads one page of what a query finds.
pub(super) fn read_page(query: QueryFluentBuilder) -> Response<'static, QueryOutput> {
    query.send().map_err(StoreError::from_sdk).boxed()
}

fn condition_held<T, E>(written: Result<T, SdkError<E>>) -> Result<bool, StoreError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match written {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error))
            if error.err().code() == Some("ConditionalCheckFailedException") =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::from_sdk(error)),
    }
}

fn updated(
    response: Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<Updated, StoreError> {
    let error = match response {
        Ok(output) => return Ok(Updated::Written(output.attributes)),
        Err(error) => error,
    };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            Ok(Updated::ConditionFailed(failed.item.clone()))
        }
        _ => Err(StoreError::from_sdk(error)),
    }
}
