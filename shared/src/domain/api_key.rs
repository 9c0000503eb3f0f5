//! API keys, with which programs authenticate.

use std::collections::BTreeMap;
use std::fmt;

use super::{Account, InvalidValue, Profile, Timestamp};

/// The SHA-256 of an API key, in hex. It is stored instead of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyDigest(String);

impl ApiKeyDigest {
    pub(crate) fn from_hex(hex: String) -> Self {
        Self(hex)
    }

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Read = 1,
    /// To change existing data.
    Write = 2,
    /// No route requires it yet.
    Delete = 4,
    /// To create users.
    Create = 8,
}

/// A set of permissions; on the wire, a bit mask from 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// `None` unless `mask` is from 0 to 15.
    #[must_use]
    pub fn from_mask(mask: i64) -> Option<Self> {
        u8::try_from(mask).ok().filter(|mask| *mask <= 15).map(Self)
    }

    #[must_use]
    pub fn mask(self) -> u8 {
        self.0
    }

    #[must_use]
    pub fn include(self, permission: Permission) -> bool {
        self.0 & permission as u8 != 0
    }
}

/// 1 to 128 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyName(String);

/// Up to 256 bytes of UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyDescription(String);

impl ApiKeyName {
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        if text.is_empty() {
            return Err(InvalidValue::Empty);
        }
        at_most(128, text).map(Self)
    }

    /// Takes a stored name without checking it.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiKeyDescription {
    pub fn parse(text: String) -> Result<Self, InvalidValue> {
        at_most(256, text).map(Self)
    }

    /// Takes a stored description without checking it.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn at_most(max: usize, text: String) -> Result<String, InvalidValue> {
    if text.len() > max {
        return Err(InvalidValue::TooManyBytes(max));
    }
    Ok(text)
}

/// A stored API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Counts up per owner and is never reused.
    pub id: u64,
    pub name: ApiKeyName,
    pub description: Option<ApiKeyDescription>,
    pub permissions: Permissions,
    /// The first 8 characters, by which the owner recognises the key.
    pub start: String,
    pub digest: ApiKeyDigest,
    pub created_at: Timestamp,
    /// `None` if the key never expires.
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The account's key generation when the key was created. The key is live only while the account
    /// has the same.
    pub generation: u64,
}

impl ApiKey {
    /// When the key expired or was revoked, whichever came first; `None` while it is live.
    fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        let expired_at = self.expires_at.filter(|expiry| *expiry <= now);
        match (self.revoked_at, expired_at) {
            (Some(revoked), Some(expired)) => Some(revoked.min(expired)),
            (revoked, expired) => revoked.or(expired),
        }
    }

    /// Whether the key is neither expired nor revoked at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at(now).is_none()
    }
}

/// The most live keys that an owner may have.
pub const MAX_LIVE_API_KEYS: usize = 50;
/// The most expired or revoked keys in a list.
const MAX_LISTED_ENDED_API_KEYS: usize = 50;
/// The most keys that the creation of one deletes: two items each, of the hundred that DynamoDB allows in a
/// transaction. At most fifty keys end at once, so two creations delete the surplus.
const MAX_FORGOTTEN_API_KEYS: usize = 40;

impl Profile {
    /// Marks the keys of earlier generations as revoked.
    #[must_use]
    pub fn with_ended_api_keys(mut self, account: &Account) -> Self {
        for key in self.api_keys.values_mut() {
            if key.generation != account.key_generation {
                key.revoked_at = key.revoked_at.or(account.keys_ended_at);
            }
        }
        self
    }

    /// The id of the last API key that was created, or 0. Its entry is never forgotten, because
    /// only the creation of a later key forgets entries.
    #[must_use]
    pub fn last_api_key(&self) -> u64 {
        self.api_keys.keys().next_back().copied().unwrap_or(0)
    }

    #[must_use]
    pub fn live_api_keys(&self, now: Timestamp) -> usize {
        self.api_keys
            .values()
            .filter(|key| key.is_live(now))
            .count()
    }

    /// All live keys, and the 50 that expired or were revoked last.
    #[must_use]
    pub fn listed_api_keys(&self, now: Timestamp) -> BTreeMap<u64, &ApiKey> {
        let mut ended: Vec<_> = self
            .api_keys
            .values()
            .filter_map(|key| Some((key.ended_at(now)?, key)))
            .collect();
        ended.sort_by_key(|(ended_at, key)| std::cmp::Reverse((*ended_at, key.id)));
        let live = self.api_keys.values().filter(|key| key.is_live(now));
        ended
            .into_iter()
            .map(|(_, key)| key)
            .take(MAX_LISTED_ENDED_API_KEYS)
            .chain(live)
            .map(|key| (key.id, key))
            .collect()
    }

    /// Keys that are no longer listed and can be deleted, as many as one write deletes.
    #[must_use]
    pub fn forgettable_api_keys(&self, now: Timestamp) -> Vec<&ApiKey> {
        let listed = self.listed_api_keys(now);
        let keys = self.api_keys.values();
        keys.filter(|key| !listed.contains_key(&key.id))
            .take(MAX_FORGOTTEN_API_KEYS)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, Email, Username};

    fn account() -> Account {
        let email = Email::parse("abc@example.com").unwrap();
        let username = Username::from_email(&email);
        let id = AccountId::new(at(0), [0; 5], 0);
        Account::new(id, &email, &username, Vec::new(), at(0))
    }

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
            generation: 1,
        }
    }

    #[test]
    fn a_key_is_live_until_it_is_revoked_or_expires() {
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
    fn a_key_ends_when_it_is_revoked_or_expires_whichever_is_earlier() {
        let ended = |revoked, expires| ApiKey {
            revoked_at: Some(at(revoked)),
            expires_at: Some(at(expires)),
            ..key(1)
        };

        assert_eq!(ended(5, 9).ended_at(at(10)), Some(at(5)));
        assert_eq!(ended(9, 5).ended_at(at(10)), Some(at(5)));
        assert_eq!(ended(5, 11).ended_at(at(10)), Some(at(5)));
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
            Err(InvalidValue::TooManyBytes(128))
        );
        assert_eq!(
            description(&longest_description).unwrap().as_str(),
            longest_description
        );
        assert_eq!(description("").unwrap().as_str(), "");
        assert_eq!(
            description(&format!("{longest_description}x")),
            Err(InvalidValue::TooManyBytes(256))
        );
    }

    #[test]
    fn debug_output_never_shows_a_digest() {
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
    fn the_fifty_keys_that_ended_last_are_listed_with_the_live_ones() {
        let mut profile = Profile::default();
        for id in 1..=60 {
            let ended_at = i64::try_from(100 - id).unwrap();
            let ended = ApiKey {
                revoked_at: Some(at(ended_at)),
                ..key(id)
            };
            profile.api_keys.insert(id, ended);
        }
        profile.api_keys.insert(61, key(61));

        let listed: Vec<u64> = profile.listed_api_keys(at(1000)).into_keys().collect();

        let first_fifty_and_the_live_one: Vec<u64> = (1..=50).chain([61]).collect();
        assert_eq!(listed, first_fifty_and_the_live_one);
        assert_eq!(forgettable(&profile), (51..=60).collect::<Vec<_>>());
        assert_eq!(profile.live_api_keys(at(1000)), 1);
    }

    #[test]
    fn of_keys_that_ended_together_the_oldest_forty_are_forgotten_at_once() {
        let account = account().with_api_keys_ended(at(500));
        let mut profile = Profile::default();
        profile.api_keys.extend((1..=100).map(|id| (id, key(id))));
        let profile = profile.with_ended_api_keys(&account);

        assert_eq!(forgettable(&profile), (1..=40).collect::<Vec<_>>());
    }

    fn forgettable(profile: &Profile) -> Vec<u64> {
        let keys = profile.forgettable_api_keys(at(1000)).into_iter();
        keys.map(|key| key.id).collect()
    }
}
