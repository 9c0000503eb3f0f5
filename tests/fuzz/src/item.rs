//! Items as DynamoDB may hold them. Whatever stands in one:
//!
//! - what cannot be read is an error: nothing panics, and nothing is taken for something else;
//! - an item of a schema version to come is an error;
//! - what was read is written such that it is read again as the same.

use std::time::Duration;

use serde_json::{Value, json};
use shared::crypto::PasswordHash;
use shared::domain::{
    Account, AccountId, ApiKeyDigest, Identifier, Limit, Profile, ProfileDelta, Timestamp,
};
use shared::store::{Added, AddedApiKey, ChangedProfile, Store, WithProfile};

use crate::engine::{Engine, Tables};
use crate::expression::Item;
use crate::plan::Step;
use crate::world::{self, ADA, NOW, RATE_LIMITS, USERS};

/// Runs one input: the kind of item on a line, then its attributes as DynamoDB's JSON, or anything
/// that is then all DynamoDB says.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (kind, rest) = input.split_at(end.unwrap_or(input.len()));
    let Some(kind) = Kind::of(kind) else { return };
    let Ok(item) = serde_json::from_slice::<Item>(rest) else {
        let engine = Engine::new(Tables::new(), &[Step::Raw; 32], rest);
        world::run(kind.read(&engine, Item::new()));
        return;
    };
    let engine = Engine::new(Tables::new(), &[], &[]);
    let version = item.get("v").cloned();
    let is_read = world::run(kind.read(&engine, item));
    assert!(!is_read || kind.knows(version.as_ref()), "{version:?}");
}

#[derive(Clone, Copy)]
enum Kind {
    Account,
    Profile,
    Claim,
    ApiKey,
    Counter,
}

const NAME: &str = "ada";
const DIGEST_OF: &str = "api_0123456789abcdefghijKLMN";

impl Kind {
    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"account" => Self::Account,
            b"profile" => Self::Profile,
            b"claim" => Self::Claim,
            b"apikey" => Self::ApiKey,
            b"counter" => Self::Counter,
            _ => return None,
        })
    }

    /// Whether an item of this version may be read. A counter that has none gets one when counted.
    fn knows(self, version: Option<&Value>) -> bool {
        let Some(version) = version else {
            return matches!(self, Self::Counter);
        };
        let number = version["N"].as_str();
        number.is_some_and(|number| number.parse() == Ok(1_u64))
    }

    /// Whether anything is read of the item.
    async fn read(self, engine: &Engine, mut item: Item) -> bool {
        let digest = digest();
        let (table, pk) = match self {
            Self::Account => (USERS, format!("user#{ADA}")),
            Self::Profile => (USERS, format!("profile#{ADA}")),
            Self::Claim => (USERS, format!("username#{NAME}")),
            Self::ApiKey => (USERS, format!("apikey#{}", digest.as_hex())),
            Self::Counter => (RATE_LIMITS, "signup-ip#x".to_owned()),
        };
        item.insert("pk".to_owned(), json!({ "S": pk }));
        engine.put(table, &pk, item);
        let store = world::store(engine);
        let owner = owner();
        match self {
            Self::Account => {
                let record = store.caller(&owner, Some("one"), WithProfile::No).await;
                let account = record.ok().and_then(|record| record.account);
                if let Some(account) = &account {
                    assert_account_is_written_as_read(account).await;
                }
                account.is_some()
            }
            Self::Profile => {
                let profile = store.profile(&owner).await.ok();
                if let Some(profile) = &profile {
                    assert_profile_is_written_as_read(profile).await;
                }
                profile.is_some_and(|profile| profile != Profile::default())
            }
            Self::Claim => {
                let holder = Identifier::Username(NAME.to_owned());
                let claim = store.claim(&holder).await;
                claim.is_ok_and(|claim| claim.is_some())
            }
            Self::ApiKey => {
                let key = store.api_key(&digest).await;
                key.is_ok_and(|key| key.is_some())
            }
            Self::Counter => count(&store).await,
        }
    }
}

fn owner() -> AccountId {
    AccountId::parse(ADA).expect("an id")
}

fn digest() -> ApiKeyDigest {
    let key = shared::crypto::PlainApiKey::parse(DIGEST_OF);
    key.expect("a key").digest()
}

async fn count(store: &Store) -> bool {
    let limit = Limit {
        max: 10,
        window: Duration::from_hours(1),
    };
    store.count("signup-ip#x", &limit, NOW).await.is_ok()
}

async fn assert_account_is_written_as_read(account: &Account) {
    let store = world::store(&Engine::default());
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MREcwFO6CnmcCIQUj9fsncNjHz6M9HbMqVIdTNASNug";
    let hash = PasswordHash::parse(hash).expect("a hash");

    let added = store.add_account(account, &hash, "once").await;
    assert_eq!(added.expect("an engine"), Added::Stored);
    let record = store.caller(&account.id, None, WithProfile::No).await;
    assert_eq!(record.expect("a caller").account.as_ref(), Some(account));
    let holder = Identifier::Email(account.email_canonical.clone());
    let claim = store.claim(&holder).await.expect("a claim").expect("one");
    assert_eq!(claim.account, account.id);
    assert_eq!(claim.password_hash.as_phc(), hash.as_phc());
    assert_eq!(claim.password_version, account.password_version);
}

async fn assert_profile_is_written_as_read(profile: &Profile) {
    let store = world::store(&Engine::default());
    let fields = profile.fields.clone().into_iter();
    let settings = profile.settings.values().take(100);
    let delta = ProfileDelta {
        fields: fields.map(|(field, value)| (field, Some(value))).collect(),
        created: settings.map(|setting| setting.content.clone()).collect(),
        ..ProfileDelta::default()
    };
    let count = delta.created.len();

    let ids = store.reserve_setting_ids(&owner(), count).await;
    let ids = ids.expect("numbers");
    let changed = store.change_profile(&owner(), &delta, &ids, NOW).await;
    let Ok(ChangedProfile::Written(written)) = changed else {
        panic!("{changed:?}");
    };
    assert_eq!(written.fields, profile.fields);
    let contents = written.settings.into_values();
    let contents: Vec<_> = contents.map(|setting| setting.content).collect();
    assert_eq!(contents, delta.created);

    for key in profile.api_keys.values() {
        let store = world::store(&Engine::default());
        let mut key = key.clone();
        (key.id, key.revoked_at) = (1, None::<Timestamp>);
        let added = store.add_api_key(&owner(), &key, &[], "once").await;
        assert_eq!(added.expect("an engine"), AddedApiKey::Stored);
        let listed = store.profile(&owner()).await.expect("a profile");
        assert_eq!(listed.api_keys.get(&1), Some(&key));
        let found = store.api_key(&key.digest).await.expect("a key");
        let found = found.expect("the key");
        assert_eq!(found.owner, owner());
        assert_eq!(found.permissions, key.permissions);
        assert_eq!(found.expires_at, key.expires_at);
        assert!(!found.is_revoked);
    }
}
