//! What Azure refuses to peer (Microsoft.Network: peering constraints).

use super::{errors, ids, networks};
use crate::clouds::http::{Answer, Reply};
use crate::clouds::world::{Vnet, World};
use ipnet::Ipv4Net;

/// Refuses a write of half `name` from `local` to `remote` that Azure would refuse.
pub(super) fn check(world: &World, local: &str, name: &str, remote: &str) -> Answer<()> {
    let vnet = networks::existing(world, local)?;
    let other = world.vnet(remote).ok_or_else(|| not_there(remote, local, name))?;
    if vnet.id.eq_ignore_ascii_case(&other.id) {
        return Err(bad("InvalidRequestFormat", "A virtual network cannot be peered with itself."));
    }
    for one in [vnet, other] {
        if networks::state(world, one) != "Succeeded" {
            return Err(not_provisioned(&one.id, local, name));
        }
    }
    same_half(vnet, name, remote)?;
    limit(vnet, name)?;
    other_half(world, vnet, name, other)?;
    overlap(world, vnet, other)
}

fn bad(code: &str, text: &str) -> Reply {
    errors::error(400, code, text)
}

fn peering_id(local: &str, name: &str) -> String {
    format!("{local}/virtualNetworkPeerings/{name}")
}

fn not_there(remote: &str, local: &str, name: &str) -> Reply {
    let text = format!(
        "Resource {remote} referenced by resource {} was not found. Please make sure that the referenced resource \
         exists, and that both resources are in the same region.",
        peering_id(local, name)
    );
    bad("InvalidResourceReference", &text)
}

fn not_provisioned(vnet: &str, local: &str, name: &str) -> Reply {
    let text = format!(
        "Cannot proceed with operation because resource {vnet} used by resource {} is not in Succeeded state. Resource \
         is in Updating state and the last operation that updated/is updating the resource is PutSubnetOperation.",
        peering_id(local, name)
    );
    bad("ReferencedResourceNotProvisioned", &text)
}

/// One half a remote; and a half never turns to another remote.
fn same_half(vnet: &Vnet, name: &str, remote: &str) -> Answer<()> {
    for half in &vnet.peerings {
        let (same_name, same_remote) = (half.name.eq_ignore_ascii_case(name), half.remote.eq_ignore_ascii_case(remote));
        if same_remote && !same_name {
            let text = format!(
                "Peering {} already references remote virtual network {remote}. Cannot add another peering {} \
                 referencing the same remote virtual network.",
                peering_id(&vnet.id, &half.name),
                peering_id(&vnet.id, name)
            );
            return Err(bad("AnotherPeeringAlreadyReferencesRemoteVnet", &text));
        }
        if same_name && !same_remote {
            let text = format!(
                "Remote virtual network of peering {} cannot be changed from {} to {remote}.",
                peering_id(&vnet.id, name),
                half.remote
            );
            return Err(bad("ChangingRemoteVnetOfPeeringNotAllowed", &text));
        }
    }
    Ok(())
}

/// A network has at most so many peerings (Azure subscription limits: virtual network peerings per virtual network).
const LIMIT: usize = 500;

/// The limit is documented, the code of its refusal is not.
fn limit(vnet: &Vnet, name: &str) -> Answer<()> {
    let known = vnet.peerings.iter().any(|half| half.name.eq_ignore_ascii_case(name));
    if known || vnet.peerings.len() < LIMIT {
        return Ok(());
    }
    let text = format!(
        "Cannot create peering {}: virtual network {} has reached the limit of {LIMIT} peerings.",
        peering_id(&vnet.id, name),
        vnet.id
    );
    Err(bad("VirtualNetworkPeeringLimitReached", &text))
}

fn other_half(world: &World, vnet: &Vnet, name: &str, other: &Vnet) -> Answer<()> {
    let Some(half) = world.half(&other.id, &vnet.id).filter(|h| h.state == "Disconnected") else { return Ok(()) };
    let text = format!(
        "Cannot create or update peering {} because remote peering {} referencing parent virtual network {} is in \
         Disconnected state. Update or re-create the remote peering to get it back to Initiated state. Peering gets \
         Disconnected when remote vnet or remote peering is deleted and re-created.",
        peering_id(&vnet.id, name),
        peering_id(&other.id, &half.name),
        vnet.id
    );
    Err(bad("RemotePeeringIsDisconnected", &text))
}

/// No range of one may meet one of the other, nor one that the other is already peered with.
pub(crate) fn overlap(world: &World, vnet: &Vnet, other: &Vnet) -> Answer<()> {
    let own = overlapping(&vnet.prefixes, &other.prefixes);
    if !own.is_empty() {
        let text = format!(
            "Cannot create or update peering. Virtual networks {} and {} cannot be peered because their address spaces \
             overlap. Overlapping address prefixes: {}.",
            vnet.id,
            other.id,
            own.join(", ")
        );
        return Err(bad("VnetAddressSpacesOverlap", &text));
    }
    for (first, second) in [(vnet, other), (other, vnet)] {
        for half in second.peerings.iter().filter(|h| !h.remote.eq_ignore_ascii_case(&first.id)) {
            let prefixes = match world.vnet(&half.remote) {
                Some(third) => &third.prefixes,
                None => &half.remote_prefixes,
            };
            let found = overlapping(&first.prefixes, prefixes);
            if half.state == "Connected" && !found.is_empty() {
                return Err(overlap_with_third(first, second, &half.remote, &found));
            }
        }
    }
    Ok(())
}

fn overlap_with_third(first: &Vnet, second: &Vnet, third: &str, found: &[String]) -> Reply {
    let text = format!(
        "Cannot create or update peering. Virtual networks {} and {} cannot be peered because address space of the \
         first virtual network overlaps with address space of virtual network {} already peered with the second \
         virtual network. Overlapping address prefixes: {}.",
        first.id,
        second.id,
        ids::name(third),
        found.join(", ")
    );
    bad("VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", &text)
}

/// The prefixes of `a` that meet one of `b`.
pub(crate) fn overlapping(a: &[Ipv4Net], b: &[Ipv4Net]) -> Vec<String> {
    let meets = |x: &&Ipv4Net| b.iter().any(|y| x.contains(y) || y.contains(*x));
    a.iter().filter(meets).map(ToString::to_string).collect()
}
