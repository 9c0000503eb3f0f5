//! Argon2id, JWT, the key ring, digests and ids: standard primitives behind types that cannot be
//! mixed up.

mod api_key;
mod digest;
mod hasher;
pub(crate) mod ids;
mod key_ring;
mod password_hash;
mod ring_document;
mod token;

pub use api_key::PlainApiKey;
pub use digest::digest;
pub use hasher::Hasher;
pub use ids::IdGenerator;
pub use key_ring::{InvalidKeyRing, KeyRing, KeyState};
pub use password_hash::{HashError, PasswordHash};
pub use ring_document::{KeySummary, NotRotated, PUBLICATION, RingDocument};
pub use token::{Claims, InvalidToken, Token, Tokens};
