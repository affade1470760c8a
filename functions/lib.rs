//! The function app, room by room.
//!
//! - [`peering`]: what is worked on. Pure data: ids, request, record, facts, status, journal.
//! - [`engine`]: how any step runs: look, claim, act, commit, send; outcomes, deadlines, clock.
//! - [`cloud`]: one typed client a service: Entra, Graph, ARM, Aiven.
//! - [`store`]: Table Storage and queues.

pub mod cloud;
pub mod create;
pub mod engine;
pub mod peering;
pub mod settings;
pub mod store;
