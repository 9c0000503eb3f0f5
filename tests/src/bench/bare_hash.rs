//! The floor of everything with a password in it: one Argon2id hash of the default cost, in
//! memory that is kept, on a thread of its own.

use std::sync::mpsc as threads;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
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
    pub(super) fn start() -> Result<Self, Failure> {
        let params = Params::new(19 * 1024, 2, 1, None)?;
        let mut memory = vec![Block::new(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = move || {
            let (password, mut output) = (PASSWORD.as_bytes(), [0; 32]);
            argon2.hash_password_into_with_memory(password, SALT, &mut output, &mut memory)
        };
        let (orders, ordered) = threads::channel();
        let (finished, times) = mpsc::channel(1);
        std::thread::spawn(move || {
            while ordered.recv().is_ok() {
                let started = now();
                let hashed = hash();
                let took = now() - started;
                let _ = finished.blocking_send(hashed.map(|()| took).map_err(Failure::from));
            }
        });
        Ok(Self { orders, times })
    }

    /// How long a hash takes.
    pub(super) async fn time(&mut self) -> Result<Duration, Failure> {
        self.orders.send(())?;
        self.times.recv().await.ok_or("the hash has ended")?
    }
}
