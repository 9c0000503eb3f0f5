//! The key ring as a secret in Secrets Manager, whose versions carry stages.
//!
//! Functions use the version with the stage `AWSCURRENT`. A call that moves this stage names the
//! version that loses it. So of two concurrent changes one fails, and neither overwrites the other.

use std::error::Error;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::KeysError;
use crate::crypto::{KeyRing, RingDocument};

/// The stage of the version that functions use.
const CURRENT: &str = "AWSCURRENT";

/// The stage of the version that a rotation is creating.
pub(super) const PENDING: &str = "AWSPENDING";

#[derive(Debug)]
pub struct SecretRing {
    client: Client,
    id: String,
}

#[derive(Debug)]
pub(super) struct Version {
    pub(super) id: String,
    /// Whether it has the stage [`PENDING`].
    pub(super) is_pending: bool,
    pub(super) ring: RingDocument,
}

pub(super) enum AddOutcome {
    /// Added now or before, with the same content.
    Added,
    /// The version exists with other content.
    OtherContent,
}

/// Secrets Manager refused the call or could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("Secrets Manager")]
pub struct SecretError(#[source] Box<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<SdkError<E>> for SecretError {
    fn from(error: SdkError<E>) -> Self {
        Self(error.into())
    }
}

impl SecretRing {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// The ring of the current version.
    pub(super) async fn current_ring(&self) -> Result<KeyRing, KeysError> {
        let output = send(self.get().version_stage(CURRENT)).await;
        let output = output.map_err(SecretError::from)?;
        Ok(KeyRing::from_json(
            output.secret_string().unwrap_or_default(),
        )?)
    }

    pub(super) async fn current(&self) -> Result<Version, KeysError> {
        let version = Self::version(self.get().version_stage(CURRENT)).await?;
        version.ok_or_else(|| SecretError("it has no current version".into()).into())
    }

    /// The version `id` that a rotation is creating; `None` while it is empty.
    pub(super) async fn pending(&self, id: &str) -> Result<Option<Version>, KeysError> {
        Self::version(self.get().version_id(id).version_stage(PENDING)).await
    }

    /// Adds version `id` and moves `stage` to it. Idempotent for the same content.
    pub(super) async fn add(
        &self,
        id: &str,
        stage: &str,
        json: String,
    ) -> Result<AddOutcome, SecretError> {
        let put = self
            .client
            .put_secret_value()
            .secret_id(&self.id)
            .client_request_token(id)
            .version_stages(stage)
            .secret_string(json);
        match put.send().await {
            Ok(_) => Ok(AddOutcome::Added),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_exists_exception() => {
                Ok(AddOutcome::OtherContent)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes version `id` current. Fails if `from` is no longer current.
    pub(super) async fn promote(&self, id: &str, from: &Version) -> Result<(), SecretError> {
        if from.is_pending {
            self.clear_pending(&from.id).await?;
        }
        self.client
            .update_secret_version_stage()
            .secret_id(&self.id)
            .version_stage(CURRENT)
            .move_to_version_id(id)
            .remove_from_version_id(&from.id)
            .send()
            .await?;
        Ok(())
    }

    /// Removes the stage [`PENDING`] from version `id`, which ends its rotation. While a version
    /// that is not current has this stage, Secrets Manager starts no other rotation.
    pub(super) async fn clear_pending(&self, id: &str) -> Result<(), SecretError> {
        self.client
            .update_secret_version_stage()
            .secret_id(&self.id)
            .version_stage(PENDING)
            .remove_from_version_id(id)
            .send()
            .await?;
        Ok(())
    }

    fn get(&self) -> GetSecretValueFluentBuilder {
        self.client.get_secret_value().secret_id(&self.id)
    }

    async fn version(get: GetSecretValueFluentBuilder) -> Result<Option<Version>, KeysError> {
        let output = match send(get).await {
            Ok(output) => output,
            Err(SdkError::ServiceError(error)) if is_absent(error.err()) => return Ok(None),
            Err(error) => return Err(SecretError::from(error).into()),
        };
        let stages = output.version_stages();
        Ok(Some(Version {
            id: output.version_id().unwrap_or_default().to_owned(),
            is_pending: stages.iter().any(|stage| stage == PENDING),
            ring: RingDocument::from_json(output.secret_string().unwrap_or_default())?,
        }))
    }
}

/// Boxed and not `async`, so that the SDK's code is compiled once (decision 12).
pub(super) fn send(
    get: GetSecretValueFluentBuilder,
) -> BoxFuture<'static, Result<GetSecretValueOutput, SdkError<GetSecretValueError>>> {
    get.send().boxed()
}

fn is_absent(error: &GetSecretValueError) -> bool {
    error.is_resource_not_found_exception()
}
