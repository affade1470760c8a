//! One typed client a service: Entra tokens, Microsoft Graph, Azure Resource Manager, Key Vault, Aiven.
//!
//! - [`entra`]: tokens, for the managed identity itself and for the application in any tenant.
//! - [`graph`]: applications, service principals, federated credentials and passwords of the home tenant.
//! - [`arm`]: subscriptions, virtual networks, roles and their assignments, peerings, long-running operations.
//! - [`key_vault`]: Aiven's token; and the application's password, where the app is set to use one.
//! - [`aiven`]: VPCs, their peering connections, and the services in them.
//! - [`http`]: one exchange with any of them: timeout, short retries of reads, what a failed one is called.
//! - [`resolve`]: names and ports, for the connectivity check.
//! - [`redact`]: keeps tokens out of every text.
//!
//! Every client takes its transport, clock and tokens from outside, sends an effect exactly once, and reports
//! whatever goes wrong as an [`engine::Failure`](crate::cloud::Failure).

pub mod aiven;
pub mod arm;
pub mod entra;
mod failure;
pub mod graph;
pub mod http;
pub mod key_vault;
mod open_enum;
pub mod redact;
pub mod resolve;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;

use azure_core::http::HttpClient;

use crate::clock::Clock;
use crate::settings::Endpoints;

pub use failure::{Failure, NOT_SENT, SecretName, Service};
pub use transport::transport;

/// The clients of all services.
#[derive(Clone)]
pub struct Clouds {
    /// Microsoft Graph, in the home tenant.
    pub graph: Arc<graph::Graph>,
    /// Azure Resource Manager.
    pub arm: Arc<arm::Arm>,
    /// The vault, if there is one.
    pub key_vault: Option<Arc<key_vault::KeyVault>>,
    /// Aiven.
    pub aiven: Arc<aiven::Aiven>,
    /// Where Graph's and ARM's tokens come from; a step may have it forget some.
    pub tokens: Arc<dyn entra::TokenSource>,
    /// Names and ports of the network around us.
    pub resolver: Arc<dyn resolve::Resolver>,
}

impl Clouds {
    /// All clients over one transport, one clock and one source of tokens.
    pub fn new(
        endpoints: &Endpoints,
        transport: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        tokens: Arc<dyn entra::TokenSource>,
    ) -> Self {
        let resolver = Arc::new(resolve::System::new(clock.clone(), endpoints.name_server));
        let http = http::Http::new(transport, clock);
        let vault = |url| key_vault::KeyVault::new(url, endpoints.tenant, http.clone(), tokens.clone());
        Self {
            key_vault: endpoints.key_vault.as_ref().map(vault).map(Arc::new),
            graph: Arc::new(graph::Graph::new(endpoints, http.clone(), tokens.clone())),
            arm: Arc::new(arm::Arm::new(endpoints, http.clone(), tokens.clone())),
            aiven: Arc::new(aiven::Aiven::new(endpoints, http, tokens.clone())),
            tokens,
            resolver,
        }
    }
}
