//! Aiven: VPCs, their peering connections, and the services in them.
//!
//! A VPC of an organization and one of a project differ in paths and in how a connection is named; callers see neither.

mod calls;
mod errors;
mod routes;
mod services;
#[cfg(test)]
mod tests;
mod token;
mod vpcs;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ipnet::IpNet;
use jiff::Timestamp;
use url::Url;

use self::token::AivenTokens;
use super::entra::TokenSource;
use super::http::Http;
use super::open_enum::open_enum;
use crate::cloud::Failure;
use crate::peering::{AppId, TenantId, VnetId};
use crate::settings::Endpoints;

pub use crate::peering::Owner;
pub use services::{AivenService, Component, ComponentRoute, ServiceState, Usage};
pub use vpcs::VpcSummary;

open_enum! {
    /// `state` of a VPC.
    VpcState {
        /// Being made.
        Approved = "APPROVED",
        /// Ready.
        Active = "ACTIVE",
        /// Being deleted.
        Deleting = "DELETING",
        /// Gone.
        Deleted = "DELETED",
    }
}

open_enum! {
    /// `state` of a peering connection.
    ConnectionState {
        /// Accepted; Aiven has not made its half yet.
        Approved = "APPROVED",
        /// Aiven is asking the cloud for its half.
        ApprovedPeerRequested = "APPROVED_PEER_REQUESTED",
        /// Aiven's half is there and waits for ours.
        PendingPeer = "PENDING_PEER",
        /// Both halves are connected.
        Active = "ACTIVE",
        /// Aiven could not make its half: something on our side is missing or wrong. Final.
        InvalidSpecification = "INVALID_SPECIFICATION",
        /// Refused on our side. Final.
        RejectedByPeer = "REJECTED_BY_PEER",
        /// A fault of Aiven's or of its cloud. Final.
        Error = "ERROR",
        /// Being deleted.
        Deleting = "DELETING",
        /// Gone, though it may still be listed.
        Deleted = "DELETED",
        /// Our half was deleted. Final.
        DeletedByPeer = "DELETED_BY_PEER",
    }
}

/// A VPC with its connections: what one GET shows.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// Whether it is ready. Says nothing about any connection.
    pub state: VpcState,
    /// The cloud and region, such as `azure-westeurope`; empty if it was not shown.
    pub cloud: String,
    /// Address space.
    pub prefixes: Vec<IpNet>,
    /// Connections, those gone included as long as Aiven lists them.
    pub connections: Vec<Connection>,
    /// A refresh is still under way (`pending_build_only_peering_connections`).
    pub refreshing: bool,
}

impl Vpc {
    /// Connections to a network, whatever their state.
    pub fn connections_to(&self, vnet: &VnetId) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| connection.matches(vnet))
    }

    /// The connection to a network that is neither deleted nor being deleted, if there is one: those linger beside a new one.
    pub fn live_connection_to(&self, vnet: &VnetId) -> Option<&Connection> {
        self.connections_to(vnet).find(|connection| !connection.is_going())
    }
}

/// A peering connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id; a project's connections may have none.
    pub id: Option<String>,
    /// Azure subscription, as Aiven has it.
    pub subscription: String,
    /// Resource group, as Aiven has it.
    pub resource_group: Option<String>,
    /// Network name, as Aiven has it.
    pub vnet: String,
    /// Application that was named when it was made.
    pub app_id: Option<AppId>,
    /// Tenant that was named when it was made.
    pub tenant_id: Option<TenantId>,
    /// Where it has got to.
    pub state: ConnectionState,
    /// Aiven's tenant: keep it, it may vanish after PENDING_PEER.
    pub to_tenant: Option<TenantId>,
    /// Aiven's network: keep it, it may vanish after PENDING_PEER.
    pub to_network: Option<VnetId>,
    /// Aiven's words on the state, at most 1 kB.
    pub message: Option<String>,
    /// Aiven's warnings, and ours on what of its words cannot be read; at most 1 kB each.
    pub warnings: Vec<String>,
    /// Ranges beyond the network's own that are routed to it.
    pub user_peer_network_cidrs: Vec<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
}

impl Connection {
    /// Whether it is to this network: subscription, resource group and name alike, letter case aside.
    pub fn matches(&self, vnet: &VnetId) -> bool {
        let group = self.resource_group.as_deref().unwrap_or_default();
        self.subscription.eq_ignore_ascii_case(&vnet.subscription.to_string())
            && group.to_lowercase() == vnet.resource_group_lower()
            && self.vnet.to_lowercase() == vnet.name_lower()
    }

    /// Deleted, or being deleted.
    pub fn is_going(&self) -> bool {
        matches!(self.state, ConnectionState::Deleting | ConnectionState::Deleted)
    }
}

/// A connection to ask for. Everything is sent in lower case, as Aiven wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// The network to connect to.
    pub vnet: VnetId,
    /// The application that will write our half.
    pub app_id: AppId,
    /// Its home tenant.
    pub tenant_id: TenantId,
    /// Ranges beyond the network's own that Aiven should route to it.
    pub user_peer_network_cidrs: Vec<String>,
}

/// The client.
pub struct Aiven {
    http: Http,
    base: Url,
    tokens: AivenTokens,
    /// Which of the two path dialects of organization VPCs answered last.
    plural: AtomicBool,
}

impl std::fmt::Debug for Aiven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aiven").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Aiven {
    /// For the endpoints' Aiven and its token, which may be in a vault that `tokens` are for.
    pub fn new(endpoints: &Endpoints, http: Http, tokens: Arc<dyn TokenSource>) -> Self {
        let tokens = AivenTokens::new(endpoints, &http, tokens);
        Self { http, base: endpoints.aiven.clone(), tokens, plural: AtomicBool::new(false) }
    }

    /// Reads the token, unless that was done in the last minutes, and says why it cannot be read.
    pub async fn check_token(&self) -> Result<(), Failure> {
        self.tokens.current().await.map(drop)
    }
}
