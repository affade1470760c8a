//! Where the services are, who the app is there, and how its application signs in.

use std::net::SocketAddr;

use url::Url;

use super::AivenToken;
use crate::peering::{AppId, TenantId};

/// Where the services are, and who we are there.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Entra's authority, without tenant: `https://login.microsoftonline.com`. Must be https.
    pub entra: Url,
    /// Microsoft Graph without `/v1.0`: `https://graph.microsoft.com`.
    pub graph: Url,
    /// Azure Resource Manager: `https://management.azure.com`.
    pub arm: Url,
    /// The vault that keeps the application's password, if there is one: `https://<name>.vault.azure.net`.
    pub key_vault: Option<Url>,
    /// Aiven without `/v1`: `https://api.aiven.io`.
    pub aiven: Url,
    /// A name server that knows the hosts of emulated services; in production the system's resolver is asked.
    pub name_server: Option<SocketAddr>,
    /// The home tenant.
    pub tenant: TenantId,
    /// Client id of the app's user-assigned managed identity.
    pub client_id: AppId,
    /// Where Aiven's API token comes from.
    pub aiven_token: AivenToken,
}

/// How the application proves itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Credential {
    /// The managed identity's token is its client assertion: there is no secret.
    #[default]
    Federated,
    /// By a password, which the vault of `KEY_VAULT_URL` keeps.
    Secret,
}

/// Whether all of them are on this machine.
pub(super) fn is_local(endpoints: &Endpoints) -> bool {
    let Endpoints { entra, graph, arm, key_vault, aiven, aiven_token, .. } = endpoints;
    let token = match aiven_token {
        AivenToken::Secret(secret) => Some(&secret.vault),
        AivenToken::NotSet | AivenToken::Text(_) => None,
    };
    [entra, graph, arm, aiven].into_iter().chain(key_vault).chain(token).all(is_loopback)
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
