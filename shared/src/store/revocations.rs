//! `revoked#<jti>`: tokens that were revoked before they expired.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::item::{Attributes, deletable, s, version};
use super::{PK, Store, StoreError};
use crate::domain::Timestamp;

impl Store {
    /// Revokes a token. Returns `false` if it was already revoked; of racing revocations of one
    /// token exactly one returns `true`.
    ///
    /// `revocation` is a unique id that makes retries idempotent.
    pub async fn revoke(
        &self,
        token_id: &str,
        expires_at: Timestamp,
        revocation: &str,
    ) -> Result<bool, StoreError> {
        let item = Attributes::from([
            (PK.to_owned(), s(revoked_key(token_id))),
            ("v".to_owned(), version()),
            ("expires_at".to_owned(), deletable(expires_at)),
            ("revocation".to_owned(), s(revocation)),
        ]);
        self.retrying(|| async {
            let put = self
                .client
                .put_item()
                .table_name(&self.tables.sessions)
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(pk)")
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let Err(error) = put else {
                return Ok(true);
            };
            let stored = match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().and_then(|item| item.get("revocation"))
                }
                _ => return Err(StoreError::from_sdk(error)),
            };
            Ok(stored == item.get("revocation"))
        })
        .await
    }
}

pub(super) fn revoked_key(token_id: &str) -> String {
    format!("revoked#{token_id}")
}
