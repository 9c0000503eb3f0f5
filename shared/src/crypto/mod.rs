//! Password hashes, tokens, keys, codes, webhook signatures, digests and ids: standard primitives behind types of
//! our own.

mod api_key;
mod code;
mod digest;
mod hasher;
pub(crate) mod ids;
mod key_ring;
mod password_hash;
mod random_text;
mod refresh_token;
mod ring_document;
mod ring_rotation;
mod signing_key;
mod token;
mod webhook_key;

pub use api_key::PlainApiKey;
pub use code::{CodeKey, CodeKeyTooShort, PlainCode};
pub use digest::digest;
pub use hasher::Hasher;
pub use ids::IdGenerator;
pub use jsonwebtoken::jwk::Jwk;
pub use key_ring::{KeyRing, Published};
pub use password_hash::{HashError, PasswordHash};
pub use random_text::GeneratedPassword;
pub use refresh_token::RefreshToken;
pub use ring_document::{InvalidKeyRing, KeyState, KeySummary, RingDocument};
pub use ring_rotation::{KeyPlan, LONGEST_USE, NotRotated};
pub use signing_key::NotGenerated;
pub use token::{Claims, InvalidToken, NewToken, Token, Tokens};
pub use webhook_key::{InvalidWebhookKey, WebhookKey};
