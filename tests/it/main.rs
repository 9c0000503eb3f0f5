//! Tests of the whole of Latchkey in process: a module per endpoint or guarantee.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed setup fails the test"
)]

mod account_schedules;
mod admin;
mod api_keys;
mod attacks;
mod authorizer;
mod bad_input;
mod capacity;
mod codes;
mod create_user;
mod deletion;
mod edge;
mod events;
mod expiry;
mod faults;
mod get_user;
mod grants;
mod introspection;
mod key_ring;
mod key_rotation;
mod layers;
mod layout;
mod listing;
mod logs;
mod lost_answers;
mod mail;
mod management;
mod matrix;
mod metadata;
mod model;
mod openapi;
mod operations;
mod operators;
mod own_account;
mod parameters;
mod permissions;
mod profile_limit;
mod profile_settings;
mod profile_settings_races;
mod profiles;
mod public_keys;
mod races;
mod reference;
mod refresh;
mod refusals;
mod round_trip;
mod scene;
mod schedules;
mod security;
mod sessions;
mod sign_in;
mod sign_in_schedules;
mod sign_up_limits;
mod takeover;
mod throttling;
mod tokens;
mod verification;
mod webhooks;
