//! API keys: what machines sign in with.

use std::collections::BTreeMap;
use std::fmt;

use super::{InvalidValue, Profile, Timestamp};

/// The SHA-256 of an API key, in hex: all that is stored of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyDigest(String);

impl ApiKeyDigest {
    /// The digest that this is the hex form of.
    pub(crate) fn from_hex(hex: String) -> Self {
        Self(hex)
    }

    /// The digest in hex.
    #[must_use]
    pub fn as_hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyDigest(redacted)")
    }
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To read.
    Read = 1,
    /// To change what is there.
    Write = 2,
    /// To delete; no route asks for it yet.
    Delete = 4,
    /// To create users.
    Create = 8,
}

/// A set of permissions, as the mask that names it on the wire: 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// The permissions of a mask.
    #[must_use]
    pub fn from_mask(mask: i64) -> Option<Self> {
        u8::try_from(mask).ok().filter(|mask| *mask <= 15).map(Self)
    }

    /// The mask.
    #[must_use]
    pub fn mask(self) -> u8 {
        self.0
    }

    /// Whether `permission` is among them.
    #[must_use]
    pub fn include(self, permission: Permission) -> bool {
        self.0 & permission as u8 != 0
    }
}

/// What a key is called: 1 to 128 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyName(String);

/// What a key is for: up to 256 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDescription(String);

impl ApiKeyName {
    /// Parses a name.
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Err(InvalidValue::Empty);
        }
        at_most(128, text).map(Self)
    }

    /// A name read back from where it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiKeyDescription {
    /// Parses a description.
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        at_most(256, text).map(Self)
    }

    /// A description read back from where it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The description as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn at_most(max: usize, text: String) -> Result<String, InvalidValue> {
    if text.len() > max {
        return Err(InvalidValue::TooLong(max));
    }
    Ok(text)
}

/// What its owner can see of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number; counts up per owner, and no other key of theirs ever has it.
    pub id: u64,
    /// What it is called.
    pub name: ApiKeyName,
    /// What it is for.
    pub description: Option<ApiKeyDescription>,
    /// What it may be used for.
    pub permissions: Permissions,
    /// How it starts, so that its owner can tell it from others.
    pub start: String,
    /// What it is found by.
    pub digest: ApiKeyDigest,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it dies by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// When its owner revoked it.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// When it died, if it is dead at `now`.
    fn died_at(&self, now: Timestamp) -> Option<Timestamp> {
        let expired_at = self.expires_at.filter(|expiry| *expiry <= now);
        match (self.revoked_at, expired_at) {
            (Some(revoked), Some(expired)) => Some(revoked.min(expired)),
            (revoked, expired) => revoked.or(expired),
        }
    }

    /// Whether it can be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.died_at(now).is_none()
    }
}

/// The most live keys an owner has.
pub const MAX_LIVE_API_KEYS: usize = 50;
/// How many dead keys are still listed.
const MAX_DEAD_API_KEYS: usize = 50;

impl Profile {
    /// How many keys can be used at `now`.
    #[must_use]
    pub fn live_api_keys(&self, now: Timestamp) -> usize {
        self.api_keys
            .values()
            .filter(|key| key.is_live(now))
            .count()
    }

    /// The keys to list: the live ones, and of the dead those that died last.
    #[must_use]
    pub fn listed_api_keys(&self, now: Timestamp) -> BTreeMap<u64, &ApiKey> {
        let mut dead: Vec<_> = self
            .api_keys
            .values()
            .filter_map(|key| Some((key.died_at(now)?, key)))
            .collect();
        dead.sort_by_key(|(died_at, key)| std::cmp::Reverse((*died_at, key.id)));
        let live = self.api_keys.values().filter(|key| key.is_live(now));
        dead.into_iter()
            .map(|(_, key)| key)
            .take(MAX_DEAD_API_KEYS)
            .chain(live)
            .map(|key| (key.id, key))
            .collect()
    }

    /// The keys that are listed no more.
    #[must_use]
    pub fn forgettable_api_keys(&self, now: Timestamp) -> Vec<u64> {
        let listed = self.listed_api_keys(now);
        let ids = self.api_keys.keys().copied();
        ids.filter(|id| !listed.contains_key(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn key(id: u64) -> ApiKey {
        ApiKey {
            id,
            name: ApiKeyName::stored("ci".to_owned()),
            description: None,
            permissions: Permissions::from_mask(1).unwrap(),
            start: "api_AbCd".to_owned(),
            digest: ApiKeyDigest::from_hex(String::new()),
            created_at: at(0),
            expires_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_dies_by_revocation_or_at_the_second_it_expires() {
        let expiring = ApiKey {
            expires_at: Some(at(10)),
            ..key(1)
        };
        assert!(expiring.is_live(Timestamp::from_millis(9_999)));
        assert!(!expiring.is_live(at(10)));

        let revoked = ApiKey {
            revoked_at: Some(at(5)),
            ..expiring
        };
        assert!(!revoked.is_live(at(5)));
    }

    #[test]
    fn of_two_deaths_the_earlier_counts() {
        let dead = |revoked, expires| ApiKey {
            revoked_at: Some(at(revoked)),
            expires_at: Some(at(expires)),
            ..key(1)
        };

        assert_eq!(dead(5, 9).died_at(at(10)), Some(at(5)));
        assert_eq!(dead(9, 5).died_at(at(10)), Some(at(5)));
        assert_eq!(dead(5, 11).died_at(at(10)), Some(at(5)));
    }

    #[test]
    fn a_name_has_1_to_128_bytes_and_a_description_up_to_256() {
        let name = |text: &str| ApiKeyName::parse(text.to_owned());
        let description = |text: &str| ApiKeyDescription::parse(text.to_owned());
        let (longest_name, longest_description) = ("ü".repeat(64), "ü".repeat(128));

        assert_eq!(name(&longest_name).unwrap().as_str(), longest_name);
        assert_eq!(name(""), Err(InvalidValue::Empty));
        assert_eq!(
            name(&format!("{longest_name}x")),
            Err(InvalidValue::TooLong(128))
        );
        assert_eq!(
            description(&longest_description).unwrap().as_str(),
            longest_description
        );
        assert_eq!(description("").unwrap().as_str(), "");
        assert_eq!(
            description(&format!("{longest_description}x")),
            Err(InvalidValue::TooLong(256))
        );
    }

    #[test]
    fn a_digest_is_read_back_as_it_was_and_never_shown() {
        let digest = ApiKeyDigest::from_hex("ab12".to_owned());

        assert_eq!(digest.as_hex(), "ab12");
        assert_eq!(format!("{digest:?}"), "ApiKeyDigest(redacted)");
    }

    #[test]
    fn a_mask_is_a_number_from_0_to_15() {
        assert_eq!(Permissions::from_mask(15).map(Permissions::mask), Some(15));
        for mask in [-1, 16, 256 + 1, i64::MAX] {
            assert_eq!(Permissions::from_mask(mask), None, "{mask}");
        }
        let mask = Permissions::from_mask(9).unwrap();
        assert!(mask.include(Permission::Read) && mask.include(Permission::Create));
        assert!(!mask.include(Permission::Write) && !mask.include(Permission::Delete));
    }

    #[test]
    fn of_dead_keys_the_fifty_that_died_last_are_listed() {
        let mut profile = Profile::default();
        for id in 1..=60 {
            let died = i64::try_from(100 - id).unwrap();
            let dead = ApiKey {
                revoked_at: Some(at(died)),
                ..key(id)
            };
            profile.api_keys.insert(id, dead);
        }
        profile.api_keys.insert(61, key(61));

        let listed: Vec<u64> = profile.listed_api_keys(at(1000)).into_keys().collect();

        let first_fifty_and_the_live_one: Vec<u64> = (1..=50).chain([61]).collect();
        assert_eq!(listed, first_fifty_and_the_live_one);
        let forgotten: Vec<u64> = (51..=60).collect();
        assert_eq!(profile.forgettable_api_keys(at(1000)), forgotten);
        assert_eq!(profile.live_api_keys(at(1000)), 1);
    }
}
