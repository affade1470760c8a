//! Azurite, Microsoft's storage emulator: installed on first use, one process for each test or demo, and a small client of it.
//!
//! The client speaks the storage REST API itself and shares nothing with the product, so a test can
//! look at queues and tables as somebody else would.

mod blobs;
mod client;
mod install;
mod process;
mod queues;
mod tables;
mod xml;

pub use blobs::{Blob, Lease};
pub use client::{Account, StorageError};
pub use install::Installed;
pub use process::{Azurite, Endpoints};
pub use queues::{Message, PeekedMessage};
pub use tables::Entity;

/// Why Azurite is not there, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum AzuriteError {
    /// Node.js or npm is missing, or npm failed.
    #[error("cannot install Azurite: {problem}; {fix}")]
    Install {
        /// What happened.
        problem: String,
        /// What to do.
        fix: &'static str,
    },
    /// It was started but does not answer.
    #[error("Azurite does not start: {problem}; run it by hand: {command}")]
    Start {
        /// What happened.
        problem: String,
        /// The command that failed.
        command: String,
    },
}

#[cfg(test)]
mod tests;
