//! JSON as Aiven sends it: nulls, missing and unknown fields, and two spellings are all seen.

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Connection, ConnectionState, Vpc, VpcState, VpcSummary};
use crate::cloud::redact::redact;

/// A VPC: an organization's has `clouds`, a project's `cloud_name` and `network_cidr`.
#[derive(Deserialize)]
pub(super) struct WireVpc {
    organization_vpc_id: Option<String>,
    project_vpc_id: Option<String>,
    state: Option<VpcState>,
    clouds: Option<Vec<WireCloud>>,
    #[serde(flatten)]
    cloud: WireCloud,
    peering_connections: Option<Vec<WireConnection>>,
    pending_build_only_peering_connections: Option<Value>,
}

#[derive(Deserialize)]
struct WireCloud {
    cloud_name: Option<String>,
    network_cidr: Option<String>,
}

/// A connection.
#[derive(Deserialize)]
pub(super) struct WireConnection {
    peering_connection_id: Option<String>,
    peer_cloud_account: Option<String>,
    peer_resource_group: Option<String>,
    peer_vpc: Option<String>,
    peer_azure_app_id: Option<String>,
    peer_azure_tenant_id: Option<String>,
    state: Option<ConnectionState>,
    state_info: Option<Value>,
    user_peer_network_cidrs: Option<Vec<String>>,
    create_time: Option<String>,
    update_time: Option<String>,
}

impl From<WireVpc> for Vpc {
    fn from(wire: WireVpc) -> Self {
        let clouds: Vec<WireCloud> = wire.clouds.unwrap_or_default().into_iter().chain([wire.cloud]).collect();
        let cidrs = clouds.iter().filter_map(|cloud| cloud.network_cidr.as_deref());
        Self {
            state: wire.state.unwrap_or(VpcState::Unknown(String::new())),
            prefixes: cidrs.filter_map(|cidr| cidr.parse::<IpNet>().ok()).collect(),
            cloud: clouds.iter().find_map(|cloud| cloud.cloud_name.clone()).unwrap_or_default(),
            connections: wire.peering_connections.unwrap_or_default().into_iter().map(Into::into).collect(),
            refreshing: wire.pending_build_only_peering_connections.is_some(),
        }
    }
}

impl WireVpc {
    /// What a list shows of it; `None` without an id.
    pub(super) fn summary(self) -> Option<VpcSummary> {
        let id = self.organization_vpc_id.as_deref().or(self.project_vpc_id.as_deref())?;
        let id = Uuid::try_parse(id).ok()?;
        let Vpc { state, cloud, prefixes, .. } = self.into();
        Some(VpcSummary { id, state, cloud, prefixes })
    }
}

impl From<WireConnection> for Connection {
    fn from(wire: WireConnection) -> Self {
        let info = match wire.state_info {
            Some(Value::Object(info)) => info,
            _ => Map::new(),
        };
        let mut warnings = warnings(&info);
        Self {
            id: wire.peering_connection_id.filter(|id| !id.is_empty()),
            subscription: wire.peer_cloud_account.unwrap_or_default(),
            resource_group: wire.peer_resource_group.filter(|group| !group.is_empty()),
            vnet: wire.peer_vpc.unwrap_or_default(),
            app_id: wire.peer_azure_app_id.and_then(|id| id.parse().ok()),
            tenant_id: wire.peer_azure_tenant_id.and_then(|id| id.parse().ok()),
            state: wire.state.unwrap_or(ConnectionState::Unknown(String::new())),
            to_tenant: read(&info, "to-tenant-id", &mut warnings),
            to_network: read(&info, "to-network-id", &mut warnings),
            message: text(&info, "message").map(|message| redact(message, &[])),
            warnings,
            user_peer_network_cidrs: wire.user_peer_network_cidrs.unwrap_or_default(),
            created: wire.create_time.and_then(|time| time.parse::<Timestamp>().ok()),
            updated: wire.update_time.and_then(|time| time.parse::<Timestamp>().ok()),
        }
    }
}

/// A value of `state_info`, under its hyphenated name or the same with underscores; one that cannot be read is warned of.
fn read<T: std::str::FromStr<Err: std::fmt::Display>>(
    info: &Map<String, Value>,
    name: &str,
    warnings: &mut Vec<String>,
) -> Option<T> {
    let value = text(info, name).or_else(|| text(info, &name.replace('-', "_")))?;
    value.parse().map_err(|why| warnings.push(redact(&format!("Aiven's {name} cannot be used: {why}"), &[]))).ok()
}

fn text<'a>(info: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    info.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Warnings are objects with `type` and `message`; whatever else is taken as it is.
fn warnings(info: &Map<String, Value>) -> Vec<String> {
    let Some(Value::Array(warnings)) = info.get("warnings") else { return Vec::new() };
    let words = warnings.iter().map(|warning| match (warning["type"].as_str(), warning["message"].as_str()) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        _ => warning.to_string(),
    });
    words.map(|words| redact(&words, &[])).collect()
}
