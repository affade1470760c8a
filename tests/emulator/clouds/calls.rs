//! The record of every request that reached the clouds.

use super::http::Request;
use super::world::World;
use jiff::Timestamp;

/// One of the emulated services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Aiven's API.
    Aiven,
    /// The token service.
    Entra,
    /// Microsoft Graph.
    Graph,
    /// Azure Resource Manager.
    Arm,
    /// The managed-identity endpoint.
    Identity,
    /// Key Vault.
    KeyVault,
}

/// One request and what became of it; never a token.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub at: Timestamp,
    /// Which service it was for.
    pub service: Service,
    /// Its method.
    pub method: String,
    /// Its path and query, as sent.
    pub path: String,
    /// Status of the answer; none when the connection was cut.
    pub status: Option<u16>,
    /// Client id of the caller, `aiven` for the holder of Aiven's token, or empty.
    pub caller: String,
    /// Its body, if [`super::Clouds::record_bodies`] asked for bodies; never one that went to a token service or a vault.
    pub body: Option<String>,
}

/// The body that may be kept: what a token service or a vault gets is credentials.
pub(crate) fn body(service: Service, request: &Request) -> Option<String> {
    let secret = matches!(service, Service::Entra | Service::Identity | Service::KeyVault);
    (!secret && !request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body).into_owned())
}

pub(crate) fn caller(world: &World, service: Service, request: &Request) -> String {
    match service {
        Service::Entra => request.form("client_id").unwrap_or_default(),
        Service::Identity => request.query("client_id").unwrap_or_default().to_owned(),
        Service::Aiven if request.header("authorization").is_some() => "aiven".to_owned(),
        _ => request.bearer().and_then(|t| world.tokens.claims(t)).map(|c| c.app_id.clone()).unwrap_or_default(),
    }
}
