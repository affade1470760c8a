//! The function app, room by room.
//!
//! - [`accept_request`]: the door. Every request message, whatever its action.
//! - [`context`]: what every step may use: the clouds, and the settings.
//! - [`create`]: the runbook forwards, one folder a step. Its table is the place to begin reading.
//! - [`create_vpc`]: before the runbook: the Aiven VPC itself, if that is to be made, too.
//! - [`delete`]: the runbook backwards, laid out the same way.
//! - [`watch`]: what runs by the clock: the poll of Aiven, the sweep, reconciliation and repair.
//! - [`engine`]: how any step runs: look, claim, act, commit, send; outcomes, deadlines.
//! - [`peering`]: what is worked on. Pure data: ids, request, record, facts, status, journal.
//! - [`cloud`]: one typed client a service: Entra, Graph, ARM, Key Vault, Aiven.
//! - [`state`]: this project's rows: records, VPC requests, what peerings share, rejected messages.
//! - [`storage`]: Table Storage and queues as such.
//! - [`invocation`]: the custom-handler protocol: an invocation in, an answer out.
//! - [`telemetry`]: the names in log lines that queries and alerts rely on.
//! - [`settings`]: what the app was told.
//! - [`clock`]: the one place for time, which tests own.

pub mod accept_request;
pub mod app;
pub mod clock;
pub mod cloud;
pub mod context;
pub mod create;
pub mod create_vpc;
pub mod delete;
pub mod engine;
pub mod invocation;
pub mod peering;
pub mod settings;
pub mod state;
pub mod storage;
#[cfg(test)]
mod structure;
pub mod telemetry;
pub mod watch;
