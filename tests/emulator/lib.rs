//! What a laptop lacks: the two clouds and the Functions host. Shares no type with the product, so no misreading either.
//!
//! - [`azurite`]: Azure Storage, the real emulator, from npm; and a client of it.
//! - [`clouds`]: Aiven, Entra, Graph, Resource Manager, Key Vault, the managed-identity endpoint.
//! - [`host`]: the Functions host.
//! - [`environment`]: all of it together, with the staged app in it.

pub mod azurite;
pub mod clouds;
pub mod environment;
pub mod host;
