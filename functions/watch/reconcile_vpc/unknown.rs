//! Connections of a VPC that nobody asked for: reported, and never touched.

use tracing::warn;

use crate::cloud::aiven::{Connection, Vpc};
use crate::engine::{Engine, RunError};
use crate::peering::{PeeringKey, Record, Status, VpcRef};
use crate::state::{Lookup, Versioned};
use crate::telemetry;

/// So many are kept in the VPC's row, at most.
const MOST: usize = 50;

/// Records them in the VPC's row, and tells of those that are new there.
pub async fn report(engine: &Engine, id: &VpcRef, vpc: &Vpc, living: &[Versioned<Record>]) -> Result<(), RunError> {
    let is_asked_for = |connection: &Connection| living.iter().any(|stored| connection.matches(&stored.value.vnet));
    let mut unknown = Vec::new();
    for connection in vpc.connections.iter().filter(|connection| !connection.is_going() && !is_asked_for(connection)) {
        let vnet = key(connection);
        if unknown.len() < MOST && is_nobodys(engine, id, &vnet).await? {
            unknown.push(vnet);
        }
    }
    unknown.sort();
    let mut held = engine.vpcs.load(id).await?;
    let row = &mut held.value;
    if row.unknown == unknown {
        return Ok(());
    }
    let new: Vec<String> = unknown.iter().filter(|vnet| !row.unknown.contains(vnet)).cloned().collect();
    row.unknown = unknown;
    match engine.vpcs.write(&mut held).await {
        // Somebody polled it: the next pass looks again.
        Err(error) if error.is_lost_race() => return Ok(()),
        other => other?,
    }
    if !new.is_empty() {
        warn!(event = telemetry::UNKNOWN_CONNECTION, vpc = %id, vnets = new.join(" "), "the VPC has connections that nobody asked for: send a create request to adopt one, or delete it at Aiven");
    }
    Ok(())
}

/// A record that a newer program wrote is not among the living that were read.
async fn is_nobodys(engine: &Engine, vpc: &VpcRef, vnet: &str) -> Result<bool, RunError> {
    let key = PeeringKey { vpc: vpc.clone(), vnet: vnet.to_owned() };
    Ok(match engine.records.load(&key).await? {
        Lookup::Absent => true,
        Lookup::NewerSchema => false,
        Lookup::Found(stored) => stored.value.status == Status::Deleted,
    })
}

fn key(connection: &Connection) -> String {
    let group = connection.resource_group.as_deref().unwrap_or_default();
    format!("{}:{group}:{}", connection.subscription, connection.vnet).to_lowercase()
}
