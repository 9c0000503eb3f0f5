//! The floor of everything with a password in it: one Argon2id hash of the default cost, in
//! memory that is kept, on a thread of its own. By the crate that the functions hash with, and by
//! the crate `argon2`.

use std::sync::mpsc as threads;
use std::time::Duration;

use argon2_rust::params::Memory;
use tokio::sync::mpsc;

use super::Failure;
use super::clock::now;
use super::events::PASSWORD;

const SALT: &[u8] = b"salt of 16 bytes";

/// A thread that hashes when asked to.
#[derive(Debug)]
pub(super) struct BareHash {
    orders: threads::Sender<()>,
    times: mpsc::Receiver<Result<Duration, Failure>>,
}

impl BareHash {
    /// Hashes as the functions do.
    pub(super) fn of_the_functions() -> Result<Self, Failure> {
        use argon2_rust::{Algorithm, Argon2, Params, Version};

        let params = Params::builder()
            .memory(Memory::mib(19))
            .passes(2)
            .build()?;
        let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
        let mut output = [0; 32];
        Ok(Self::start(move || {
            Ok(hasher.hash_into(PASSWORD.as_bytes(), SALT, &mut output)?)
        }))
    }

    /// Hashes with the crate `argon2`.
    pub(super) fn of_argon2() -> Result<Self, Failure> {
        use argon2::{Algorithm, Argon2, Block, Params, Version};

        let params = Params::new(19 * 1024, 2, 1, None)?;
        let mut memory = vec![Block::default(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = [0; 32];
        Ok(Self::start(move || {
            let (password, memory) = (PASSWORD.as_bytes(), &mut memory);
            Ok(argon2.hash_password_into_with_memory(password, SALT, &mut output, memory)?)
        }))
    }

    fn start(mut hash: impl FnMut() -> Result<(), Failure> + Send + 'static) -> Self {
        let (orders, ordered) = threads::channel();
        let (finished, times) = mpsc::channel(1);
        std::thread::spawn(move || {
            while ordered.recv().is_ok() {
                let started = now();
                let hashed = hash();
                let _ = finished.blocking_send(hashed.map(|()| now() - started));
            }
        });
        Self { orders, times }
    }

    /// How long a hash takes.
    pub(super) async fn time(&mut self) -> Result<Duration, Failure> {
        self.orders.send(())?;
        self.times.recv().await.ok_or("the hash has ended")?
    }
}
