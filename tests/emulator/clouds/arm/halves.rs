//! The two halves of a peering: how one's coming and going changes the other.

use crate::clouds::world::World;

/// Ends the write of a half: it joins the other half, if that one leads here. A write that synchronises takes the other
/// network's address space; so do both halves when they first join (Microsoft.Network: update the address space of a
/// peered network).
pub(crate) fn settle(world: &mut World, vnet: &str, name: &str, succeeded: bool) {
    let Some(own) = world.vnet(vnet) else { return };
    let prefixes = own.prefixes.clone();
    let Some(half) = own.peerings.iter().find(|p| p.name.eq_ignore_ascii_case(name)) else { return };
    let remote = half.remote.clone();
    let other = world.half(&remote, vnet).map(|o| o.state.clone());
    let joins = succeeded && matches!(other.as_deref(), Some("Initiated" | "Connected"));
    let joined_before = half.state == "Connected" && other.as_deref() == Some("Connected");
    let remote_prefixes = world.vnet(&remote).map(|v| v.prefixes.clone()).unwrap_or_default();
    if let Some(half) = world.half_mut(vnet, &remote) {
        half.provisioning = if succeeded { "Succeeded" } else { "Failed" }.to_owned();
        if joins {
            half.state = "Connected".to_owned();
        } else if succeeded {
            half.state = "Initiated".to_owned();
        }
        if succeeded && (half.syncs || (joins && !joined_before)) {
            half.remote_prefixes = remote_prefixes;
        }
        half.syncs = false;
    }
    if joins
        && !joined_before
        && let Some(other) = world.half_mut(&remote, vnet)
    {
        other.state = "Connected".to_owned();
        other.remote_prefixes = prefixes;
    }
}

/// Removes a half; the other, once connected, is `Disconnected` for good.
pub(crate) fn remove(world: &mut World, vnet: &str, name: &str) {
    let Some(own) = world.vnet_mut(vnet) else { return };
    let id = own.id.clone();
    let Some(at) = own.peerings.iter().position(|p| p.name.eq_ignore_ascii_case(name)) else { return };
    let half = own.peerings.remove(at);
    if let Some(other) = world.half_mut(&half.remote, &id)
        && other.state == "Connected"
    {
        other.state = "Disconnected".to_owned();
    }
}

/// Removes a network with all its halves.
pub(crate) fn remove_network(world: &mut World, vnet: &str) {
    let names: Vec<String> =
        world.vnet(vnet).map(|v| v.peerings.iter().map(|p| p.name.clone()).collect()).unwrap_or_default();
    for name in names {
        remove(world, vnet, &name);
    }
    world.vnets.retain(|v| !v.id.eq_ignore_ascii_case(vnet));
}
