//! Paths: those of projects, and the two dialects of organizations.
//!
//! The published OpenAPI has organization VPCs in the singular (`/vpc/{id}`), Aiven's own CLI in the plural (`/vpcs/{id}`).

use super::Connection;
use crate::peering::VpcRef;

/// What is done with a VPC.
#[derive(Debug, Clone, Copy)]
pub(super) enum Route<'a> {
    /// The VPC with its connections.
    Vpc,
    /// Its connections, to add one.
    Connections,
    /// One connection.
    Connection(&'a Connection),
    /// The ranges of one connection beyond its network's own.
    Cidrs(&'a Connection),
    /// Looking at the connections' other halves now rather than in some minutes.
    Refresh,
}

/// The path of a route, one string a segment; `None` for a connection without what the path names it by.
pub(super) fn path(vpc: &VpcRef, route: Route<'_>, plural: bool) -> Option<Vec<String>> {
    let id = vpc.id().to_string();
    let (base, plural) = match vpc {
        VpcRef::Organization { organization, .. } => {
            (["v1", "organization", organization, if plural { "vpcs" } else { "vpc" }, &id].map(str::to_owned), plural)
        }
        VpcRef::Project { project, .. } => (["v1", "project", project, "vpcs", &id].map(str::to_owned), true),
    };
    let tail: Vec<String> = match (route, vpc) {
        (Route::Vpc, _) => Vec::new(),
        (Route::Connections, _) => owned(&["peering-connections"]),
        (Route::Connection(connection), VpcRef::Organization { .. }) => {
            let segment = if plural { "peering-connections" } else { "peering-connection" };
            owned(&[segment, connection.id.as_deref()?])
        }
        (Route::Connection(connection), VpcRef::Project { .. }) => by_network(connection)?,
        (Route::Cidrs(connection), VpcRef::Organization { .. }) if plural => {
            owned(&["peering-connections", connection.id.as_deref()?, "user-peer-network-cidrs"])
        }
        (Route::Cidrs(_), _) => owned(&["user-peer-network-cidrs"]),
        (Route::Refresh, VpcRef::Organization { .. }) if plural => {
            owned(&["peering-connections", "actions", "refresh"])
        }
        (Route::Refresh, _) => owned(&["peering-connections", "refresh"]),
    };
    Some(base.into_iter().chain(tail).collect())
}

/// A project's connection has no id; the path without a resource group is refused on Azure.
fn by_network(connection: &Connection) -> Option<Vec<String>> {
    let group = connection.resource_group.as_deref()?;
    if connection.subscription.is_empty() || connection.vnet.is_empty() {
        return None;
    }
    Some(owned(&[
        "peering-connections",
        "peer-accounts",
        &connection.subscription,
        "peer-resource-groups",
        group,
        "peer-vpcs",
        &connection.vnet,
    ]))
}

pub(super) fn owned(segments: &[&str]) -> Vec<String> {
    segments.iter().map(|segment| (*segment).to_owned()).collect()
}
