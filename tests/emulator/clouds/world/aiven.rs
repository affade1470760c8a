//! What Aiven holds: organizations, projects, VPCs and their peering connections.

use super::{AivenService, World};
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// An Aiven organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// `org` and eleven characters.
    pub id: String,
    /// Name for people.
    pub name: String,
}

/// An Aiven project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its organization.
    pub organization: String,
    /// Its services.
    pub services: Vec<AivenService>,
}

/// Who an Aiven VPC belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An organization, by id.
    Organization(String),
    /// A project, by name.
    Project(String),
}

/// An Aiven VPC.
#[derive(Clone, Debug)]
pub struct AivenVpc {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// `azure-…`; in Managed Service for TimescaleDB `timescale-azure-…`.
    pub cloud: String,
    /// Its range.
    pub cidr: Ipv4Net,
    /// Name for people.
    pub display_name: String,
    /// APPROVED, ACTIVE, DELETING, DELETED.
    pub state: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Resource id of the Azure network behind it, in Aiven's tenant.
    pub azure_vnet: String,
    /// Its peering connections, ended ones that linger included.
    pub connections: Vec<Connection>,
    pub(crate) draining_until: Option<Timestamp>,
    pub(crate) refresh_until: Option<(Timestamp, String)>,
}

/// A peering connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Subscription of the user's network, lower case.
    pub subscription: String,
    /// Resource group, lower case.
    pub resource_group: String,
    /// Network, lower case.
    pub vnet: String,
    /// Client id of the user's application.
    pub app_id: String,
    /// The user's tenant.
    pub tenant: String,
    /// State, by its API name.
    pub state: String,
    /// Open map; none in most states.
    pub state_info: Option<Map<String, Value>>,
    /// `user_peer_network_cidrs`.
    pub cidrs: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When Aiven looks at it next.
    pub look_at: Timestamp,
    pub(crate) seen_user_half: bool,
}

impl Connection {
    /// Resource id of the user's network, in lower case but for ARM's own words.
    pub fn user_vnet(&self) -> String {
        crate::clouds::arm::ids::vnet(&self.subscription, &self.resource_group, &self.vnet)
    }

    /// Whether it is neither being deleted nor gone.
    pub fn live(&self) -> bool {
        !matches!(self.state.as_str(), "DELETING" | "DELETED")
    }

    pub(crate) fn is(&self, subscription: &str, resource_group: &str, vnet: &str) -> bool {
        self.subscription == subscription && self.resource_group == resource_group && self.vnet == vnet
    }
}

impl World {
    /// A VPC by id.
    pub fn aiven_vpc(&self, id: &str) -> Option<&AivenVpc> {
        self.aiven_vpcs.iter().find(|v| v.id == id)
    }

    /// The same, to change it.
    pub fn aiven_vpc_mut(&mut self, id: &str) -> Option<&mut AivenVpc> {
        self.aiven_vpcs.iter_mut().find(|v| v.id == id)
    }

    /// A connection by its id, to change it.
    pub fn connection_mut(&mut self, vpc: &str, connection: &str) -> Option<&mut Connection> {
        self.aiven_vpc_mut(vpc)?.connections.iter_mut().find(|c| c.id == connection)
    }

    /// The live connections of a VPC to a user's network.
    pub fn connections(&self, vpc: &str, vnet: &str) -> Vec<&Connection> {
        let all = self.aiven_vpc(vpc).map(|v| v.connections.as_slice()).unwrap_or_default();
        all.iter().filter(|c| c.live() && c.user_vnet().eq_ignore_ascii_case(vnet)).collect()
    }

    /// A further token that Aiven takes, from now on.
    pub fn add_aiven_token(&mut self, token: &str) {
        self.aiven_tokens.push(token.to_owned());
    }

    /// A token that Aiven takes no longer.
    pub fn revoke_aiven_token(&mut self, token: &str) {
        self.aiven_tokens.retain(|known| known != token);
    }

    /// From now on Aiven answers 401.
    pub fn expire_aiven_token(&mut self) {
        self.aiven_token_expired = true;
    }

    /// The Aiven token works again.
    pub fn restore_aiven_token(&mut self) {
        self.aiven_token_expired = false;
    }
}
