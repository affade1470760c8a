//! The whole app in virtual time, over storage in memory and the emulated clouds. What belongs here: `tests/README.md`.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod aiven_token;
mod connectivity;
mod create_vpc;
mod delete;
mod drifts;
mod events;
mod faults;
mod lifecycle;
mod many;
mod permissions;
mod property;
mod provenance;
mod reconcile;
mod repair;
mod requests;
mod secret_mode;
mod settings;
mod storm;
mod timers;
mod variants;
