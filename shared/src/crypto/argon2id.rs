//! The computation of Argon2id (RFC 9106), in memory that is kept.
//!
//! `argon2-rust` computes, because it picks the widest instructions the machine has and large
//! pages, which halves the time of a sign-in; `argon2` knows parameters and PHC strings, and is
//! what the tests hold every hash against.

use std::fmt;

use argon2::Params;
use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Hasher, Params as Cost, Version};

use super::password_hash::HashError;

/// Computes one hash at a time.
pub(super) struct Argon2id(Hasher);

impl fmt::Debug for Argon2id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Argon2id({} KiB)", self.kept_kib())
    }
}

impl Argon2id {
    /// Computes with whatever this machine is best at, if it computes a known answer by it: a
    /// processor on which it does not must neither make hashes nor judge them.
    pub(super) fn new() -> Result<Self, HashError> {
        let params = Params::new(32, 2, 1, None).map_err(|_| HashError::Failed)?;
        let mut argon2id = Self(configured(&params)?.hasher());
        if argon2id.hash(&params, b"password", b"somesalt")? == KNOWN_ANSWER {
            Ok(argon2id)
        } else {
            Err(HashError::Failed)
        }
    }

    /// The hash of a password. The memory it takes is kept for the next.
    pub(super) fn hash(
        &mut self,
        params: &Params,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Vec<u8>, HashError> {
        self.0.set_argon2(configured(params)?);
        self.0.hash(password, salt).map_err(|_| HashError::Failed)
    }

    /// How much memory is kept, in KiB.
    pub(super) fn kept_kib(&self) -> usize {
        self.0.reserved_blocks()
    }
}

/// 32 KiB, 2 passes and 1 lane make this of `password` and `somesalt`.
const KNOWN_ANSWER: [u8; 32] = [
    0x31, 0x11, 0x1c, 0xc0, 0x53, 0xba, 0x0a, 0x79, 0x9c, 0x08, 0x84, 0x14, 0x8f, 0xd7, 0xec, 0x9d,
    0xc3, 0x63, 0x1f, 0x3e, 0x8c, 0xf4, 0x76, 0xcc, 0xa9, 0x52, 0x1d, 0x4c, 0xcc, 0x51, 0x36, 0xe8,
];

fn configured(params: &Params) -> Result<Argon2, HashError> {
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let length = u64::try_from(length).map_err(|_| HashError::Failed)?;
    let cost = Cost::builder()
        .memory(Memory::kib(params.m_cost().into()))
        .passes(params.t_cost())
        .lanes(params.p_cost())
        .threads(1)
        .tag_len(TagLen::bytes(length))
        .build()
        .map_err(|_| HashError::Failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, cost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same hash by the crate `argon2`.
    fn reference(params: &Params, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut output = vec![0; length];
        argon2::Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            params.clone(),
        )
        .hash_password_into(password, salt, &mut output)
        .unwrap();
        output
    }

    #[test]
    fn the_known_answer_is_that_of_the_crate_argon2() {
        let params = Params::new(32, 2, 1, None).unwrap();

        assert_eq!(reference(&params, b"password", b"somesalt"), KNOWN_ANSWER);
    }

    #[test]
    fn debug_output_shows_how_much_memory_is_kept_and_nothing_of_it() {
        let argon2id = Argon2id::new().unwrap();

        assert_eq!(format!("{argon2id:?}"), "Argon2id(32 KiB)");
    }

    #[test]
    fn the_answer_of_rfc_9106_s_cost_is_that_of_the_crate_argon2() {
        let params = Params::new(19 * 1024, 2, 1, None).unwrap();
        let mut argon2id = Argon2id::new().unwrap();

        for password in [&b""[..], b"abc321", &[0xff; 1024]] {
            let hash = argon2id
                .hash(&params, password, b"salt of 16 bytes")
                .unwrap();

            assert_eq!(hash, reference(&params, password, b"salt of 16 bytes"));
        }
    }

    proptest! {
        #[test]
        fn every_hash_is_that_of_the_crate_argon2(
            passes in 1_u32..4,
            lanes in 1_u32..5,
            kib_per_lane in 8_u32..80,
            length in 10_usize..64,
            passwords in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
            salt in prop::collection::vec(any::<u8>(), 8..48),
        ) {
            let params = Params::new(lanes * kib_per_lane, passes, lanes, Some(length)).unwrap();
            let mut argon2id = Argon2id::new().unwrap();

            for password in passwords {
                let hash = argon2id.hash(&params, &password, &salt).unwrap();
                prop_assert_eq!(hash, reference(&params, &password, &salt));
            }
        }
    }
}
