//! The floor of everything with a password in it: one Argon2id hash of the default cost, in
//! memory that is kept, on a thread of its own.

use std::sync::mpsc as threads;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::mpsc;

use super::Failure;
use super::clock::now;
use super::events::PASSWORD;

/// A thread that hashes when asked to.
#[derive(Debug)]
pub(super) struct BareHash {
    orders: threads::Sender<()>,
    times: mpsc::Receiver<Result<Duration, argon2::Error>>,
}

impl BareHash {
    /// Starts the thread.
    pub(super) fn start() -> Result<Self, Failure> {
        let params = Params::new(19 * 1024, 2, 1, None)?;
        let mut memory = vec![Block::default(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let (orders, ordered) = threads::channel();
        let (finished, times) = mpsc::channel(1);
        std::thread::spawn(move || {
            while ordered.recv().is_ok() {
                let _ = finished.blocking_send(hash(&argon2, &mut memory));
            }
        });
        Ok(Self { orders, times })
    }

    /// How long a hash takes.
    pub(super) async fn time(&mut self) -> Result<Duration, Failure> {
        self.orders.send(())?;
        Ok(self.times.recv().await.ok_or("the hash has ended")??)
    }
}

fn hash(argon2: &Argon2<'_>, memory: &mut [Block]) -> Result<Duration, argon2::Error> {
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let started = now();
    argon2.hash_password_into_with_memory(
        PASSWORD.as_bytes(),
        b"salt of 16 bytes",
        &mut output,
        memory,
    )?;
    Ok(now() - started)
}
