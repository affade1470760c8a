//! The services of a project: where they listen and whom they let in. Their secrets (addresses with passwords, users,
//! certificates) come in the same answers and are not decoded.

use std::net::IpAddr;

use azure_core::http::Method;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Aiven;
use super::open_enum;
use super::routes::owned;
use crate::cloud::Failure;

open_enum! {
    /// `state` of a service.
    ServiceState {
        /// Switched off.
        PowerOff = "POWEROFF",
        /// Moving to other machines; it answers.
        Rebalancing = "REBALANCING",
        /// Being made or made anew.
        Rebuilding = "REBUILDING",
        /// It answers.
        Running = "RUNNING",
    }
}

open_enum! {
    /// `route`: from where an address of a service can be reached.
    ComponentRoute {
        /// From wherever the service is: in a VPC, a private address.
        Dynamic = "dynamic",
        /// From the internet.
        Public = "public",
        /// From the VPC, beside a public one.
        Private = "private",
        /// Through a private link.
        Privatelink = "privatelink",
    }
}

open_enum! {
    /// `usage`: which of a service's nodes an address leads to.
    Usage {
        /// The one that can be written to.
        Primary = "primary",
        /// Read-only.
        Replica = "replica",
        /// The standby.
        HaReplica = "ha_replica",
        /// Another region's standby.
        DisasterRecovery = "disaster_recovery",
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AivenService {
    /// Unique in its project.
    pub name: String,
    /// Such as `pg` or `kafka`.
    pub kind: String,
    /// Whether it answers.
    pub state: ServiceState,
    /// The VPC it is in, a project's or an organization's; `None`: none, or one whose id cannot be read.
    pub vpc: Option<Uuid>,
    /// Where it listens.
    pub components: Vec<Component>,
    /// Which addresses it lets in; `None` if the service does not show it (Aiven's default is everybody). What is no range is left out.
    pub ip_filter: Option<Vec<IpNet>>,
    /// The same filter as Aiven shows it, descriptions included: whoever changes it sends all of it.
    pub ip_filter_entries: Vec<Value>,
}

impl AivenService {
    /// Where it listens inside its VPC, on the node that can be written to.
    pub fn private_addresses(&self) -> impl Iterator<Item = &Component> {
        let inside = |route: &ComponentRoute| matches!(route, ComponentRoute::Dynamic | ComponentRoute::Private);
        self.components.iter().filter(move |one| inside(&one.route) && one.usage == Usage::Primary)
    }

    /// Whether its filter lets in a whole range, in one entry of the filter.
    pub fn admits(&self, range: &IpNet) -> bool {
        self.ip_filter.as_ref().is_none_or(|filter| filter.iter().any(|net| net.contains(range)))
    }
}

/// An address that a service listens at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Which part of the service, such as `pg` or `pgbouncer`.
    pub name: String,
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// From where it can be reached.
    pub route: ComponentRoute,
    /// Which node it leads to.
    pub usage: Usage,
}

impl Aiven {
    /// The names of an organization's projects.
    pub async fn projects_of(&self, organization: &str) -> Result<Vec<String>, Failure> {
        #[derive(Deserialize)]
        struct Page {
            projects: Vec<Project>,
        }
        #[derive(Deserialize)]
        struct Project {
            project_id: Option<String>,
            project_name: Option<String>,
        }
        let path = owned(&["v1", "organization", organization, "projects"]);
        let (call, reply) = self.simple(&path, Method::Get, None).await?;
        let page: Page = reply.json(&call)?;
        // A project's id is its name; this endpoint calls it one, others the other.
        Ok(page.projects.into_iter().filter_map(|project| project.project_name.or(project.project_id)).collect())
    }

    /// The services of a project, those outside any VPC included.
    pub async fn services(&self, project: &str) -> Result<Vec<AivenService>, Failure> {
        #[derive(Deserialize)]
        struct Page {
            services: Vec<WireService>,
        }
        let path = owned(&["v1", "project", project, "service"]);
        let (call, reply) = self.simple(&path, Method::Get, None).await?;
        let page: Page = reply.json(&call)?;
        Ok(page.services.into_iter().map(Into::into).collect())
    }
}

#[derive(Deserialize)]
struct WireService {
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    service_type: String,
    state: Option<ServiceState>,
    project_vpc_id: Option<String>,
    components: Option<Vec<WireComponent>>,
    user_config: Option<WireConfig>,
}

#[derive(Deserialize)]
struct WireConfig {
    ip_filter: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct WireComponent {
    component: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    route: Option<ComponentRoute>,
    usage: Option<Usage>,
}

impl From<WireService> for AivenService {
    fn from(wire: WireService) -> Self {
        let filter = wire.user_config.and_then(|config| config.ip_filter);
        let ranges = |entries: &Vec<Value>| entries.iter().filter_map(range).collect();
        Self {
            name: wire.service_name,
            kind: wire.service_type,
            state: wire.state.unwrap_or(ServiceState::Unknown(String::new())),
            vpc: wire.project_vpc_id.and_then(|id| Uuid::try_parse(&id).ok()),
            components: wire.components.unwrap_or_default().into_iter().filter_map(component).collect(),
            ip_filter: filter.as_ref().map(ranges),
            ip_filter_entries: filter.unwrap_or_default(),
        }
    }
}

/// `None` for one that shows no address to connect to.
fn component(wire: WireComponent) -> Option<Component> {
    Some(Component {
        name: wire.component.unwrap_or_default(),
        host: wire.host.filter(|host| !host.is_empty())?,
        port: wire.port?,
        route: wire.route.unwrap_or(ComponentRoute::Unknown(String::new())),
        usage: wire.usage.unwrap_or(Usage::Unknown(String::new())),
    })
}

/// An entry of a filter: a range or a single address, as a text or as `{"network": …, "description": …}`.
fn range(entry: &Value) -> Option<IpNet> {
    let text = entry.as_str().or_else(|| entry["network"].as_str())?.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
