//! Aiven's services: where they run, how they are reached, and whom they let in.

use super::World;
use crate::clouds::clock;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use std::net::Ipv4Addr;

/// An Aiven service.
#[derive(Clone)]
pub struct AivenService {
    /// Name, unique in the project.
    pub name: String,
    /// `pg`, `kafka`, …
    pub kind: String,
    /// `RUNNING`, `REBUILDING`, `REBALANCING`, `POWEROFF`.
    pub state: String,
    /// Id of the project's or organization's VPC that it is in; none = public.
    pub vpc: Option<String>,
    /// Its endpoints.
    pub components: Vec<Component>,
    /// The networks it lets in.
    pub ip_filter: Vec<Admitted>,
    /// Its address in its VPC; public services have a documentation address.
    pub address: Ipv4Addr,
    /// When it was created.
    pub created_at: Timestamp,
    host: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for AivenService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AivenService").field("name", &self.name).field("vpc", &self.vpc).finish_non_exhaustive()
    }
}

/// An endpoint of a service.
#[derive(Clone, Debug)]
pub struct Component {
    /// `pg`, `pgbouncer`, …
    pub component: String,
    /// Host name, as the API gives it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `dynamic`, `private`, `public`, `privatelink`.
    pub route: String,
    /// `primary`, `replica`, `ha_replica`, `disaster_recovery`.
    pub usage: String,
    /// What the host name resolves to.
    pub address: Ipv4Addr,
}

/// One entry of a service's IP filter: the API takes and shows two spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// `"10.0.0.0/8"`.
    Network(String),
    /// `{"network": …, "description": …}`.
    Described {
        /// The network.
        network: String,
        /// What it is.
        description: String,
    },
}

impl Admitted {
    /// The network, as given.
    pub fn network(&self) -> &str {
        match self {
            Self::Network(network) | Self::Described { network, .. } => network,
        }
    }
}

impl From<&str> for Admitted {
    fn from(network: &str) -> Self {
        Self::Network(network.to_owned())
    }
}

/// TEST-NET-3: what no service of anybody has.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 0);

/// Aiven's services listen on ports of this order.
const FIRST_PORT: u16 = 20_000;

impl AivenService {
    /// One more endpoint. A `public` one resolves to a public address, any other to the service's own.
    pub fn add_component(&mut self, component: &str, route: &str, usage: &str) -> &mut Self {
        let host = match (route, usage) {
            ("dynamic", "primary") => self.host.clone(),
            ("dynamic", _) => format!("{usage}.{}", self.host),
            _ => format!("{route}-{}", self.host),
        };
        let port = self.components.last().map_or(FIRST_PORT, |c| c.port + 1);
        let [.., last] = self.address.octets();
        let address = if route == "public" { near(PUBLIC, u32::from(last)) } else { self.address };
        let (component, route, usage) = (component.to_owned(), route.to_owned(), usage.to_owned());
        self.components.push(Component { component, host, port, route, usage, address });
        self
    }

    /// Whether the IP filter lets all of `network` in.
    pub fn admits(&self, network: Ipv4Net) -> bool {
        let wide = |entry: &Admitted| parsed(entry.network()).is_some_and(|net| net.contains(&network));
        self.ip_filter.iter().any(wide)
    }
}

/// A filter's entry may be a network or a single address.
fn parsed(text: &str) -> Option<Ipv4Net> {
    text.parse().ok().or_else(|| text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from))
}

fn near(address: Ipv4Addr, by: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(address.to_bits().saturating_add(by))
}

impl World {
    /// A RUNNING PostgreSQL service with one `dynamic` primary endpoint, open to everybody as Aiven's default is, in
    /// a VPC or public. Makes the project if it is new.
    ///
    /// # Panics
    /// When there is no such VPC: a mistake of the test.
    #[allow(clippy::panic, reason = "a builder for tests: a VPC that is not there is the test's mistake")]
    pub fn add_service(&mut self, project: &str, name: &str, vpc: Option<&str>) -> &mut AivenService {
        self.add_project(project);
        let range = vpc.map(|id| match self.aiven_vpc(id) {
            Some(vpc) => vpc.cidr,
            None => panic!("there is no Aiven VPC {id}"),
        });
        // Azure keeps the first four addresses of a subnet; 10.0.0.4 is what a peered machine sees.
        let in_use = self.projects.iter().flat_map(|p| &p.services).filter(|s| s.vpc.as_deref() == vpc).count();
        let address = near(range.map_or(PUBLIC, |r| r.network()), 4 + u32::try_from(in_use).unwrap_or_default());
        let created_at = clock::days_before(self.now(), 1);
        let mut service = AivenService {
            name: name.to_owned(),
            kind: "pg".to_owned(),
            state: "RUNNING".to_owned(),
            vpc: vpc.map(str::to_owned),
            components: Vec::new(),
            ip_filter: vec!["0.0.0.0/0".into()],
            address,
            created_at,
            host: format!("{name}-{project}.a.aivencloud.com"),
            password: clock::random_text(),
        };
        service.add_component("pg", "dynamic", "primary");
        let at = self.projects.iter().position(|p| p.name == project).unwrap_or_default();
        let services = &mut self.projects[at].services;
        services.push(service);
        let last = services.len() - 1;
        &mut services[last]
    }

    /// A service by name.
    pub fn service(&self, project: &str, name: &str) -> Option<&AivenService> {
        self.projects.iter().find(|p| p.name == project)?.services.iter().find(|s| s.name == name)
    }

    /// The same, to change it.
    pub fn service_mut(&mut self, project: &str, name: &str) -> Option<&mut AivenService> {
        self.projects.iter_mut().find(|p| p.name == project)?.services.iter_mut().find(|s| s.name == name)
    }

    /// Deletes a service as its owner would; its machines stay in the VPC for a while (terraform-provider-aiven: 184).
    pub fn delete_service(&mut self, project: &str, name: &str) {
        let vpc = self.service(project, name).and_then(|s| s.vpc.clone());
        if let Some(project) = self.projects.iter_mut().find(|p| p.name == project) {
            project.services.retain(|s| s.name != name);
        }
        let until = self.due_in(self.lags.aiven_service_drains);
        if let Some(vpc) = vpc.and_then(|id| self.aiven_vpc_mut(&id)) {
            vpc.draining_until = Some(until);
        }
    }

    /// What a name server says of a host: the addresses of the service's endpoint, or none (NXDOMAIN).
    pub fn resolve(&self, host: &str) -> Option<Vec<Ipv4Addr>> {
        let host = host.trim_end_matches('.');
        let all = self.projects.iter().flat_map(|p| &p.services).flat_map(|s| &s.components);
        let found: Vec<Ipv4Addr> = all.filter(|c| c.host.eq_ignore_ascii_case(host)).map(|c| c.address).collect();
        (!found.is_empty()).then_some(found)
    }

    /// Whether traffic may flow between a user's network and an Aiven VPC: both halves are `Connected` and allow it.
    pub fn traffic_flows(&self, vnet: &str, vpc: &str) -> bool {
        let Some(remote) = self.aiven_vpc(vpc).map(|v| v.azure_vnet.as_str()) else { return false };
        let open = |from: &str, to: &str| self.half(from, to).is_some_and(|h| h.state == "Connected" && h.allow_access);
        open(vnet, remote) && open(remote, vnet)
    }
}
