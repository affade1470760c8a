//! What a peering's steps learned on the way: ids, instants, states, and whether it connects.

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AppId, ObjectId, TenantId, VnetId};

/// What was learned on the way. Everything is optional: a record is read at any point of its life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Tenant of the VNet's subscription.
    pub tenant: Option<TenantId>,
    /// The VNet's id as ARM writes it.
    pub location: Option<String>,
    /// Address space of the VNet.
    pub prefixes: Vec<IpNet>,
    /// Address space of the Aiven VPC.
    pub vpc_cidrs: Vec<IpNet>,
    /// The application that makes our half.
    pub application: Option<AppId>,
    /// Its service principal in the home tenant.
    pub principal: Option<ObjectId>,
    /// When that principal was made, if we made it: replication starts there.
    pub principal_at: Option<Timestamp>,
    /// When the federated credential was made, if we made it.
    pub credential_at: Option<Timestamp>,
    /// Full id of the role that lets our application peer.
    pub peering_role: Option<String>,
    /// When our application got it on the VNet.
    pub assigned_at: Option<Timestamp>,
    /// Service principal of Aiven's application in the home tenant.
    pub aiven_principal: Option<ObjectId>,
    /// Full id of the role that lets Aiven peer to the VNet.
    pub aiven_role: Option<String>,
    /// When Aiven's principal got it on the VNet.
    pub aiven_assigned_at: Option<Timestamp>,
    /// When the role definition last made for this VNet's subscription was made.
    pub role_at: Option<Timestamp>,
    /// Id of the connection at Aiven; project VPCs do not show one.
    pub connection: Option<String>,
    /// When the connection was asked for.
    pub requested_at: Option<Timestamp>,
    /// Ranges that were asked for once: of a connection's ranges only these are taken back when they are not wanted any more.
    pub routed: Vec<Ipv4Net>,
    /// How often a refused connection was deleted and asked for again.
    pub recreated: u32,
    /// The connection is to be replaced although Aiven has not given it up: its half is left over from a former peering.
    pub replace: bool,
    /// `to-tenant-id`: Aiven's tenant, kept because it vanishes from `state_info` later.
    pub aiven_tenant: Option<TenantId>,
    /// `to-network-id`: Aiven's VNet.
    pub aiven_vnet: Option<VnetId>,
    /// When PENDING_PEER was first seen.
    pub pending_peer_at: Option<Timestamp>,
    /// Name of the peering on the VNet, ours or the adopted one's.
    pub peering: Option<String>,
    /// The running operation on our half, to be asked for its end.
    pub operation: Option<String>,
    /// Aiven's state of the connection, last seen.
    pub aiven_state: Option<String>,
    /// Azure's state of our half, last seen.
    pub azure_state: Option<String>,
    /// When the application's secret was made (`CREDENTIAL=secret`).
    pub secret_at: Option<Timestamp>,
    /// When that secret ends.
    pub secret_expires: Option<Timestamp>,
    /// Whether the services in the VPC can be reached through the peering, as last verified.
    pub connectivity: Option<Connectivity>,
}

/// Whether the services in the VPC can be reached through the peering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connectivity {
    /// When it was looked at.
    pub at: Timestamp,
    /// In a sentence, for people.
    pub summary: String,
    /// No service was found that cannot be reached; false also where nothing could be looked at.
    pub good: bool,
    /// Service by service, what is wrong first.
    pub services: Vec<Reach>,
    /// How many more there are that a row has no room for.
    #[serde(default)]
    pub left_out: usize,
}

/// One component of a service in the VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// `project/service`
    pub service: String,
    /// Which component of it.
    pub component: String,
    /// The host that clients use.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the host resolves to.
    pub addresses: Vec<std::net::IpAddr>,
    /// Prefixes of the VNet that the service's IP filter does not admit.
    pub not_admitted: Vec<IpNet>,
    /// Whether a TCP connection was made; `None`: not tried, the verdict says why.
    pub connected: Option<bool>,
    /// In a sentence: good, or what is wrong and what to do.
    pub verdict: String,
    /// Nothing is wrong with it as far as could be seen.
    pub good: bool,
}
