//! Making and verifying password hashes.
//!
//! One instance hashes one password at a time, off the async threads, in memory that it keeps
//! between hashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecretMut, SecretBox};
use tokio::sync::Mutex;

use super::password_hash::{HashError, Parts, PasswordHash};
use crate::domain::{HashParams, Password};
use crate::ports::{Entropy, random};

/// Makes and verifies password hashes, one at a time.
#[derive(Debug)]
pub struct Hasher {
    params: Params,
    decoy: PasswordHash,
    /// The memory of a hash. The first hash allocates it.
    blocks: Arc<Mutex<SecretBox<Vec<Block>>>>,
    computed: AtomicU64,
}

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;

impl Hasher {
    /// A hasher that makes hashes of this cost.
    pub fn new(params: HashParams) -> Result<Self, HashError> {
        let HashParams {
            memory_kib,
            iterations,
            parallelism,
        } = params;
        let params = Params::new(memory_kib, iterations, parallelism, None)
            .map_err(|_| HashError::Failed)?;
        let decoy = PasswordHash::new(&params, &[0; SALT_BYTES], &[0; OUTPUT_BYTES])?;
        Ok(Self {
            params,
            decoy,
            blocks: Arc::default(),
            computed: AtomicU64::new(0),
        })
    }

    /// Hashes a password with a fresh salt.
    pub async fn hash(
        &self,
        password: Arc<Password>,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, HashError> {
        let salt: [u8; SALT_BYTES] = random(entropy)?;
        let output = self
            .run(self.params.clone(), password, salt.to_vec())
            .await?;
        PasswordHash::new(&self.params, &salt, &output)
    }

    /// Whether `password` made `hash`. Without a hash (nobody has the identifier) the answer is
    /// no, after the same work.
    pub async fn verify(
        &self,
        password: Arc<Password>,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, HashError> {
        let Parts {
            params,
            salt,
            output,
        } = hash.unwrap_or(&self.decoy).parts()?;
        let computed = self.run(params, password, salt.to_vec()).await?;
        // `Output` compares in constant time.
        let matches = Output::new(&computed).map_err(|_| HashError::Failed)? == output;
        Ok(matches && hash.is_some())
    }

    /// Whether `hash` was made at another cost than this hasher's.
    pub fn is_outdated(&self, hash: &PasswordHash) -> Result<bool, HashError> {
        let params = hash.parts()?.params;
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        Ok(cost(&params) != cost(&self.params))
    }

    /// How many hashes were computed so far: an attempt that computes none, or one more than
    /// another, tells a stranger with a stopwatch why it failed.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn run(
        &self,
        params: Params,
        password: Arc<Password>,
        salt: Vec<u8>,
    ) -> Result<Vec<u8>, HashError> {
        let mut blocks = Arc::clone(&self.blocks).lock_owned().await;
        self.computed.fetch_add(1, Ordering::Relaxed);
        let work = move || {
            let blocks = blocks.expose_secret_mut();
            compute(params, password.as_bytes(), &salt, blocks).map_err(|_| HashError::Failed)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| HashError::Failed)?
    }
}

fn compute(
    params: Params,
    password: &[u8],
    salt: &[u8],
    blocks: &mut Vec<Block>,
) -> Result<Vec<u8>, argon2::Error> {
    if blocks.len() < params.block_count() {
        blocks.resize(params.block_count(), Block::new());
    }
    let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password,
        salt,
        &mut output,
        blocks,
    )?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordVerifier;
    use argon2::password_hash::phc::PasswordHash as Phc;
    use secrecy::ExposeSecret;

    use crate::ports::SystemEntropy;

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::new(HashParams::new(memory_kib, 1, 1).unwrap()).unwrap()
    }

    fn password(text: &str) -> Arc<Password> {
        Arc::new(Password::new(text.to_owned()))
    }

    #[tokio::test]
    async fn a_hash_verifies_with_its_own_password_alone() {
        let hasher = hasher(8);

        let hash = hasher
            .hash(password("abc321"), &SystemEntropy)
            .await
            .unwrap();

        assert!(
            hasher
                .verify(password("abc321"), Some(&hash))
                .await
                .unwrap()
        );
        for other in ["abc322", "abc321 ", "ABC321", "", "abc321\0"] {
            assert!(!hasher.verify(password(other), Some(&hash)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn the_verifier_of_the_crate_argon2_accepts_a_hash() {
        let hash = hasher(64)
            .hash(password("pässword"), &SystemEntropy)
            .await
            .unwrap();

        let phc = Phc::new(hash.as_phc()).unwrap();

        let verify = |text: &str| Argon2::default().verify_password(text.as_bytes(), &phc);
        assert!(verify("pässword").is_ok());
        assert!(verify("passwort").is_err());
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
    }

    /// Made by `argon2-cffi` 25.1.0: `PasswordHasher(1, 8, 1).hash("abc321", salt=b"somesaltsomesalt")`.
    const BY_LIBARGON2: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA\
                                $15aVsXT0UQZg+PWAYZsKNKfijBXTdu0TntkjO4nM0vU";
    /// The same, by `PasswordHasher(3, 64, 2)`.
    const BY_LIBARGON2_IN_TWO_LANES: &str = "$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHRzb21lc2FsdA\
         $IE1Yq1Ys2OAyBGa+LaOn8ttzLS8vgUiVWvpyNRkusmM";
    /// Made by version 0.1 of Latchkey, which hashed by `argon2-rust` 1.1.0.
    const BY_ARGON2_RUST: &str = "$argon2id$v=19$m=19456,t=2,p=1$5EeKCvMGt3PW5xNb9AItuw\
                                  $pV01OuR9a6WxjysX+RriaYD2eXPc+wX2ETVKu/pjwss";

    #[tokio::test]
    async fn hashes_of_other_implementations_verify_whatever_the_kept_memory_holds() {
        let hasher = hasher(8);

        // Each cost comes once after a smaller one and once after a larger one.
        for (right, wrong, phc) in [
            ("abc321", "abc322", BY_LIBARGON2),
            (
                "correct horse battery",
                "correct horse batterY",
                BY_ARGON2_RUST,
            ),
            ("abc321", "abc322", BY_LIBARGON2_IN_TWO_LANES),
            (
                "correct horse battery",
                "correct horse batterY",
                BY_ARGON2_RUST,
            ),
            ("abc321", "abc322", BY_LIBARGON2),
            ("abc321", "abc322", BY_LIBARGON2_IN_TWO_LANES),
        ] {
            let hash = PasswordHash::parse(phc).unwrap();
            let verify = async |text| hasher.verify(password(text), Some(&hash)).await.unwrap();

            assert!(verify(right).await, "{phc}");
            assert!(!verify(wrong).await, "{phc}");
        }
    }

    #[tokio::test]
    async fn nobody_s_password_is_ever_right() {
        let hasher = hasher(8);

        assert!(!hasher.verify(password("abc321"), None).await.unwrap());
    }

    /// Whether `hashing` is still under way after it was given a chance to end.
    async fn is_pending<T>(hashing: &mut (impl Future<Output = T> + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = hashing => false,
            () = tokio::task::yield_now() => true,
        }
    }

    #[test]
    fn a_hash_is_computed_off_the_runtime_s_own_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (let_go, held) = std::sync::mpsc::channel::<()>();
            let held = tokio::task::spawn_blocking(move || held.recv());
            let hasher = hasher(8);
            let mut hashing = Box::pin(hasher.verify(password("abc321"), None));

            assert!(is_pending(&mut hashing).await, "there is no other thread");
            let_go.send(()).unwrap();

            held.await.unwrap().unwrap();
            hashing.await.unwrap();
        });
    }

    #[tokio::test]
    async fn one_instance_computes_one_hash_at_a_time() {
        let hasher = hasher(8);
        let other_hash = Arc::clone(&hasher.blocks).lock_owned().await;
        let mut hashing = Box::pin(hasher.verify(password("abc321"), None));

        assert!(is_pending(&mut hashing).await);
        drop(other_hash);

        hashing.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_s_password_costs_a_whole_hash() {
        let hasher = hasher(64);

        hasher.verify(password("abc321"), None).await.unwrap();

        let blocks = hasher.blocks.lock().await;
        let blocks = blocks.expose_secret();
        assert_eq!(blocks.len(), 64);
        assert!(blocks.iter().all(|block| *block.as_ref() != [0; 128]));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_verifies_and_is_outdated() {
        let (old, new) = (hasher(16), hasher(8));

        let hash = old.hash(password("abc321"), &SystemEntropy).await.unwrap();

        assert!(new.verify(password("abc321"), Some(&hash)).await.unwrap());
        assert!(new.is_outdated(&hash).unwrap());
        assert!(!old.is_outdated(&hash).unwrap());
    }
}
