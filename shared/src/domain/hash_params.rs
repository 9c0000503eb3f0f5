//! The cost of a password hash.

/// The parameters of Argon2id (RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashParams {
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// The cost before the last change, which accounts that have not signed in since still have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousHashParams {
    pub params: HashParams,
    /// The share of identifiers with such a hash, in percent.
    pub percent: u32,
}

/// Argon2 needs 8 blocks of 1 KiB for each lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at least 8 times the parallelism")]
pub struct InvalidHashParams;

impl HashParams {
    pub fn new(
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
    ) -> Result<Self, InvalidHashParams> {
        if memory_kib < parallelism.saturating_mul(8) {
            return Err(InvalidHashParams);
        }
        Ok(Self {
            memory_kib,
            iterations,
            parallelism,
        })
    }
}
