//! The key ring as a secret of Secrets Manager, whose versions carry stages.
//!
//! `AWSCURRENT` is the version that is used. It is moved by a call that names the version it is
//! taken from: of two that would change the ring at once, one fails, and neither loses what the
//! other did.

use std::error::Error;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;

use super::KeysError;
use crate::crypto::{KeyRing, RingDocument};

/// The stage of the version that is used.
const CURRENT: &str = "AWSCURRENT";

/// The stage of the version that a rotation is making.
pub(super) const PENDING: &str = "AWSPENDING";

/// A ring in Secrets Manager.
#[derive(Debug)]
pub struct SecretRing {
    client: Client,
    id: String,
}

/// A version of the ring.
#[derive(Debug)]
pub(super) struct Version {
    /// Its id.
    pub(super) id: String,
    /// Whether a rotation is said to be making it.
    pub(super) is_pending: bool,
    /// What it holds.
    pub(super) ring: RingDocument,
}

/// What became of a version to be added.
pub(super) enum Addition {
    /// It is there.
    Done,
    /// One of its id is there, and holds something else.
    OtherContent,
}

/// Secrets Manager refused, or is away.
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

    /// The ring that is used, as functions use it.
    pub(super) async fn current_ring(&self) -> Result<KeyRing, KeysError> {
        let output = self.get().version_stage(CURRENT).send().await;
        let output = output.map_err(SecretError::from)?;
        Ok(KeyRing::from_json(
            output.secret_string().unwrap_or_default(),
        )?)
    }

    /// The version that is used.
    pub(super) async fn current(&self) -> Result<Version, KeysError> {
        let version = Self::version(self.get().version_stage(CURRENT)).await?;
        version.ok_or_else(|| SecretError("it has no current version".into()).into())
    }

    /// The version of this id that a rotation is making, if it holds anything yet.
    pub(super) async fn pending(&self, id: &str) -> Result<Option<Version>, KeysError> {
        Self::version(self.get().version_id(id).version_stage(PENDING)).await
    }

    /// Adds a version of this id at this stage, which is taken from any other. Done again with the
    /// same content it changes nothing.
    pub(super) async fn add(
        &self,
        id: &str,
        stage: &str,
        json: String,
    ) -> Result<Addition, SecretError> {
        let put = self
            .client
            .put_secret_value()
            .secret_id(&self.id)
            .client_request_token(id)
            .version_stages(stage)
            .secret_string(json);
        match put.send().await {
            Ok(_) => Ok(Addition::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_exists_exception() => {
                Ok(Addition::OtherContent)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the version `id` the one that is used, unless another than `from` is by now.
    pub(super) async fn promote(&self, id: &str, from: &Version) -> Result<(), SecretError> {
        if from.is_pending {
            self.settle(&from.id).await?;
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

    /// Ends the rotation that was making the version `id`, in success or not. While its stage is on
    /// a version that is not the one in use, Secrets Manager starts no other.
    pub(super) async fn settle(&self, id: &str) -> Result<(), SecretError> {
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
        let output = match get.send().await {
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

fn is_absent(error: &GetSecretValueError) -> bool {
    error.is_resource_not_found_exception()
}
