//! Creates and verifies password hashes.
//!
//! An instance computes one hash at a time, on a blocking thread, and reuses the memory for the
//! next.
//!
//! A wrong password takes as long as the account's hash costs. For an identifier without an account,
//! the hasher computes a decoy. After a change of cost some accounts still have the old one, so as
//! large a share of the decoys has it: otherwise the time would show which identifiers exist.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::Output;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecretMut, SecretBox};
use tokio::sync::Mutex;

use super::password_hash::{HashError, Parts, PasswordHash};
use crate::domain::{HashParams, Password, PreviousHashParams};
use crate::ports::{Entropy, random};

#[derive(Debug)]
pub struct Hasher {
    params: Params,
    decoy: PasswordHash,
    previous: Option<PreviousDecoy>,
    /// Argon2's working memory, allocated by the first hash.
    blocks: Arc<Mutex<SecretBox<Vec<Block>>>>,
    computed: AtomicU64,
    work: AtomicU64,
}

/// A decoy of the previous cost, for this share of the unknown identifiers.
#[derive(Debug)]
struct PreviousDecoy {
    hash: PasswordHash,
    percent: u32,
}

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;

impl Hasher {
    pub fn new(
        params: HashParams,
        previous: Option<PreviousHashParams>,
    ) -> Result<Self, HashError> {
        let params = argon2_params(params)?;
        let previous = previous.map(|PreviousHashParams { params, percent }| {
            let hash = decoy(&argon2_params(params)?)?;
            Ok::<_, HashError>(PreviousDecoy { hash, percent })
        });
        Ok(Self {
            decoy: decoy(&params)?,
            params,
            previous: previous.transpose()?,
            blocks: Arc::default(),
            computed: AtomicU64::new(0),
            work: AtomicU64::new(0),
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

    /// Whether `password` matches `hash`. If there is no hash, because no account has the
    /// identifier, computes a decoy hash and returns false, so that both cases take the same time.
    /// `draw` is that of the identifier ([`super::KeyRing::draw`]).
    pub async fn verify(
        &self,
        password: Arc<Password>,
        hash: Option<&PasswordHash>,
        draw: Option<u64>,
    ) -> Result<bool, HashError> {
        let Parts {
            params,
            salt,
            output,
        } = hash.unwrap_or(self.decoy(draw)).parts()?;
        let computed = self.run(params, password, salt.to_vec()).await?;
        // `Output` compares in constant time.
        let matches = Output::new(&computed).map_err(|_| HashError::Failed)? == output;
        Ok(matches && hash.is_some())
    }

    /// The decoy of the previous cost if `draw` is within the first `percent` of all numbers. So a
    /// lower share only moves identifiers to the current cost, as a sign-in moves an account.
    fn decoy(&self, draw: Option<u64>) -> &PasswordHash {
        match (&self.previous, draw) {
            (Some(previous), Some(draw))
                if u128::from(draw) * 100 < u128::from(previous.percent) << u64::BITS =>
            {
                &previous.hash
            }
            _ => &self.decoy,
        }
    }

    /// Whether `hash` has a different cost from this hasher's.
    pub fn is_outdated(&self, hash: &PasswordHash) -> Result<bool, HashError> {
        let params = hash.parts()?.params;
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        Ok(cost(&params) != cost(&self.params))
    }

    /// How many hashes were computed so far. Tests use it: if failed attempts compute different
    /// numbers of hashes, callers can tell them apart by their duration.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// The memory that all hashes so far have passed over, in KiB. Tests use it in place of the time.
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work.load(Ordering::Relaxed)
    }

    async fn run(
        &self,
        params: Params,
        password: Arc<Password>,
        salt: Vec<u8>,
    ) -> Result<Vec<u8>, HashError> {
        let mut blocks = Arc::clone(&self.blocks).lock_owned().await;
        self.computed.fetch_add(1, Ordering::Relaxed);
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        self.work.fetch_add(work, Ordering::Relaxed);
        let work = move || {
            let blocks = blocks.expose_secret_mut();
            compute(params, password.as_bytes(), &salt, blocks).map_err(|_| HashError::Failed)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| HashError::Failed)?
    }
}

fn argon2_params(params: HashParams) -> Result<Params, HashError> {
    let HashParams {
        memory_kib,
        iterations,
        parallelism,
    } = params;
    Params::new(memory_kib, iterations, parallelism, None).map_err(|_| HashError::Failed)
}

/// A hash of no password.
fn decoy(params: &Params) -> Result<PasswordHash, HashError> {
    PasswordHash::new(params, &[0; SALT_BYTES], &[0; OUTPUT_BYTES])
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
        Hasher::new(HashParams::new(memory_kib, 1, 1).unwrap(), None).unwrap()
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
                .verify(password("abc321"), Some(&hash), None)
                .await
                .unwrap()
        );
        for other in ["abc322", "abc321 ", "ABC321", "", "abc321\0"] {
            assert!(
                !hasher
                    .verify(password(other), Some(&hash), None)
                    .await
                    .unwrap()
            );
        }
    }

    #[tokio::test]
    async fn the_argon2_crate_s_own_verifier_accepts_a_hash() {
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

    /// Made by `argon2-cffi` 25.1.0:
    /// `PasswordHasher(1, 8, 1).hash("abc321", salt=b"somesaltsomesalt")`.
    const BY_LIBARGON2: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA\
                                $15aVsXT0UQZg+PWAYZsKNKfijBXTdu0TntkjO4nM0vU";
    /// The same with `PasswordHasher(3, 64, 2)`.
    const BY_LIBARGON2_IN_TWO_LANES: &str = "$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHRzb21lc2FsdA\
         $IE1Yq1Ys2OAyBGa+LaOn8ttzLS8vgUiVWvpyNRkusmM";
    /// Made by Latchkey 0.1, which used `argon2-rust` 1.1.0.
    const BY_ARGON2_RUST: &str = "$argon2id$v=19$m=19456,t=2,p=1$5EeKCvMGt3PW5xNb9AItuw\
                                  $pV01OuR9a6WxjysX+RriaYD2eXPc+wX2ETVKu/pjwss";

    #[tokio::test]
    async fn hashes_of_other_implementations_verify_whatever_the_reused_memory_holds() {
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
            let verify = async |text| {
                hasher
                    .verify(password(text), Some(&hash), None)
                    .await
                    .unwrap()
            };

            assert!(verify(right).await, "{phc}");
            assert!(!verify(wrong).await, "{phc}");
        }
    }

    #[tokio::test]
    async fn without_a_hash_no_password_matches() {
        let hasher = hasher(8);

        assert!(!hasher.verify(password("abc321"), None, None).await.unwrap());
    }

    /// Whether `hashing` is still pending after the runtime has yielded once.
    async fn is_pending<T>(hashing: &mut (impl Future<Output = T> + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = hashing => false,
            () = tokio::task::yield_now() => true,
        }
    }

    #[test]
    fn a_hash_is_computed_on_a_blocking_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (release, released) = std::sync::mpsc::channel::<()>();
            let released = tokio::task::spawn_blocking(move || released.recv());
            let hasher = hasher(8);
            let mut hashing = Box::pin(hasher.verify(password("abc321"), None, None));

            assert!(
                is_pending(&mut hashing).await,
                "the only blocking thread is busy"
            );
            release.send(()).unwrap();

            released.await.unwrap().unwrap();
            hashing.await.unwrap();
        });
    }

    #[tokio::test]
    async fn one_instance_computes_one_hash_at_a_time() {
        let hasher = hasher(8);
        let other_hash = Arc::clone(&hasher.blocks).lock_owned().await;
        let mut hashing = Box::pin(hasher.verify(password("abc321"), None, None));

        assert!(is_pending(&mut hashing).await);
        drop(other_hash);

        hashing.await.unwrap();
    }

    #[test]
    fn the_lowest_draws_get_a_decoy_of_the_previous_cost() {
        let step = u64::MAX / 1000;
        let draws = || (0..1000).map(|n| step * n + step / 2);
        for percent in 0..=100 {
            let params = HashParams::new(8, 1, 1).unwrap();
            let previous = Some(PreviousHashParams { params, percent });
            let hasher = Hasher::new(HashParams::new(16, 1, 1).unwrap(), previous).unwrap();
            let cost = |draw| hasher.decoy(draw).parts().unwrap().params.m_cost();

            let old: Vec<_> = draws().map(|draw| cost(Some(draw)) == 8).collect();

            let expected: Vec<_> = (0..1000).map(|n| n < percent * 10).collect();
            assert_eq!(old, expected, "{percent} %");
            assert_eq!(cost(Some(u64::MAX)) == 8, percent == 100);
            assert_eq!(cost(None), 16, "no decoy key");
        }
    }

    #[tokio::test]
    async fn verifying_without_a_hash_computes_a_whole_hash() {
        let hasher = hasher(64);

        hasher.verify(password("abc321"), None, None).await.unwrap();

        let blocks = hasher.blocks.lock().await;
        let blocks = blocks.expose_secret();
        assert_eq!(blocks.len(), 64);
        assert!(blocks.iter().all(|block| *block.as_ref() != [0; 128]));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_verifies_and_is_outdated() {
        let (old, new) = (hasher(16), hasher(8));

        let hash = old.hash(password("abc321"), &SystemEntropy).await.unwrap();

        assert!(
            new.verify(password("abc321"), Some(&hash), None)
                .await
                .unwrap()
        );
        assert!(new.is_outdated(&hash).unwrap());
        assert!(!old.is_outdated(&hash).unwrap());
    }
}
