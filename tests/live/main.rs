//! The real handler under the emulated Functions host, on Azurite, beside the emulated clouds. What belongs here: `tests/README.md`.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod aiven_token;
mod blog;
mod create;
#[cfg(target_os = "linux")] // Processes are looked for in /proc.
mod demo;
#[cfg(target_os = "linux")]
mod demo_run;
mod many;
mod network;
mod package;
mod raw_messages;
mod scene;
mod secrets;
mod upgrade;
