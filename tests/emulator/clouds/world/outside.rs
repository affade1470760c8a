//! What people do behind the automation's back, at Aiven and in Azure. All of it takes effect at once; what follows
//! from it (Aiven's noticing, a deletion's end) takes the clouds' own time.
//!
//! - Aiven's console: [`World::delete_connection_outside`], [`World::delete_vpc_outside`], [`World::fail_connection`],
//!   [`World::change_vpc_range`], [`World::sync_aiven_half`]; services: [`World::delete_service`]
//! - Networks: [`World::change_address_space`], [`World::delete_network`], [`World::delete_resource_group`]
//! - Halves of peerings: [`World::peer_by_hand`], [`World::remove_peering`], [`World::put_half_in_state`],
//!   [`World::allow_access`]
//! - Roles: [`World::widen_role`], [`World::remove_role`], [`World::unassign_role`]
//!
//! Each of them panics when there is nothing to change: a test that changes nothing proves nothing.

use super::builders::network;
use super::{Connection, World};
use crate::clouds::aiven::{platform, vpcs};
use crate::clouds::arm::{halves, ids};

/// A test's own mistake is named at once.
#[allow(clippy::panic, reason = "for tests: what is not there cannot be changed")]
fn there<T>(found: Option<T>, what: &str) -> T {
    found.unwrap_or_else(|| panic!("there is no {what}"))
}

impl World {
    /// Deletes the connection of a VPC to a network as in Aiven's console: DELETING, DELETED for a while, gone; our
    /// half of the peering becomes `Disconnected` when Aiven's goes.
    ///
    /// # Panics
    /// When there is no live connection.
    pub fn delete_connection_outside(&mut self, vpc: &str, vnet: &str) {
        let id = self.live_connection(vpc, vnet).id.clone();
        platform::end(self, vpc, &id);
    }

    /// Deletes a VPC and its connections as in Aiven's console: DELETING, DELETED for a while, gone.
    ///
    /// # Panics
    /// When there is no such VPC.
    pub fn delete_vpc_outside(&mut self, vpc: &str) {
        let at = self.aiven_vpcs.iter().position(|v| v.id == vpc);
        vpcs::start_deletion(self, there(at, &format!("VPC {vpc}")));
    }

    /// Puts a connection into a failed state (`REJECTED_BY_PEER`, `INVALID_SPECIFICATION`, `ERROR`,
    /// `DELETED_BY_PEER`), whatever it is in. The halves stay as they are.
    ///
    /// # Panics
    /// When there is no live connection.
    pub fn fail_connection(&mut self, vpc: &str, vnet: &str, state: &str) {
        let id = self.live_connection(vpc, vnet).id.clone();
        platform::fail(self, vpc, &id, state);
    }

    fn live_connection(&self, vpc: &str, vnet: &str) -> &Connection {
        there(self.connections(vpc, vnet).first().copied(), &format!("live connection of {vpc} to {vnet}"))
    }

    /// Changes the range of an Aiven VPC, that of the Azure network behind it included: our half is then
    /// `LocalNotInSync`, until a PUT with `syncRemoteAddressSpace=true`.
    ///
    /// # Panics
    /// When there is no such VPC, or the range is not an IPv4 network.
    pub fn change_vpc_range(&mut self, vpc: &str, range: &str) {
        let vpc = there(self.aiven_vpc_mut(vpc), &format!("VPC {vpc}"));
        vpc.cidr = network(range);
        let azure_vnet = vpc.azure_vnet.clone();
        self.change_address_space(&azure_vnet, &[range]);
    }

    /// Aiven synchronises its half with our network's address space. Nobody documents that it does so by itself.
    ///
    /// # Panics
    /// When Aiven has no half that leads there.
    pub fn sync_aiven_half(&mut self, vpc: &str, vnet: &str) {
        let azure_vnet = there(self.aiven_vpc(vpc), &format!("VPC {vpc}")).azure_vnet.clone();
        let prefixes = there(self.vnet(vnet), &format!("network {vnet}")).prefixes.clone();
        there(self.half_mut(&azure_vnet, vnet), &format!("half of Aiven's to {vnet}")).remote_prefixes = prefixes;
    }

    /// Gives a network other address prefixes: its own halves are then `RemoteNotInSync`, those of its peers
    /// `LocalNotInSync`.
    ///
    /// # Panics
    /// When there is no such network, or a prefix is not an IPv4 network.
    pub fn change_address_space(&mut self, vnet: &str, prefixes: &[&str]) {
        there(self.vnet_mut(vnet), &format!("network {vnet}")).prefixes = prefixes.iter().map(|p| network(p)).collect();
    }

    /// Deletes a network with its halves; those of its peers become `Disconnected`.
    ///
    /// # Panics
    /// When there is no such network.
    pub fn delete_network(&mut self, vnet: &str) {
        let id = there(self.vnet(vnet), &format!("network {vnet}")).id.clone();
        halves::remove_network(self, &id);
    }

    /// Deletes a resource group with all its networks.
    ///
    /// # Panics
    /// When there is no such group.
    pub fn delete_resource_group(&mut self, subscription: &str, group: &str) {
        let found = self.subscriptions.iter_mut().find(|s| s.id.eq_ignore_ascii_case(subscription));
        let groups = &mut there(found, &format!("subscription {subscription}")).resource_groups;
        let name = there(groups.iter().find(|g| g.eq_ignore_ascii_case(group)).cloned(), &format!("group {group}"));
        groups.remove(&name);
        let scope = format!("/subscriptions/{subscription}/resourceGroups/{name}");
        let inside = |id: &&String| ids::covers(&scope, id);
        let vnets: Vec<String> = self.vnets.iter().map(|v| &v.id).filter(inside).cloned().collect();
        for vnet in vnets {
            halves::remove_network(self, &vnet);
        }
    }

    /// Makes a half: the other half, if there is one, becomes `Connected` with it.
    pub fn peer_by_hand(&mut self, vnet: &str, name: &str, remote: &str) {
        self.add_peering(vnet, name, remote, "Initiated");
        halves::settle(self, vnet, name, true);
    }

    /// Removes a half: the other half becomes `Disconnected`, and Aiven sees DELETED_BY_PEER when it looks next.
    pub fn remove_peering(&mut self, vnet: &str, name: &str) {
        halves::remove(self, vnet, name);
    }

    /// Puts the half at `vnet` that leads to `remote` into a state: `Initiated`, `Connected`, `Disconnected`.
    ///
    /// # Panics
    /// When there is no such half.
    pub fn put_half_in_state(&mut self, vnet: &str, remote: &str, state: &str) {
        there(self.half_mut(vnet, remote), &format!("half from {vnet} to {remote}")).state = state.to_owned();
    }

    /// Switches `allowVirtualNetworkAccess` of a half: without it the state stays `Connected` and no traffic flows.
    ///
    /// # Panics
    /// When there is no such half.
    pub fn allow_access(&mut self, vnet: &str, remote: &str, allowed: bool) {
        there(self.half_mut(vnet, remote), &format!("half from {vnet} to {remote}")).allow_access = allowed;
    }

    /// Adds an action to a custom role.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn widen_role(&mut self, role: &str, action: &str) {
        let found = self.role_definitions.iter_mut().find(|d| d.name.eq_ignore_ascii_case(role));
        there(found, &format!("role {role}")).actions.push(action.to_owned());
    }

    /// Removes a custom role, and with it its assignments: ARM lets nobody remove an assigned one.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn remove_role(&mut self, role: &str) {
        let at = self.role_definitions.iter().position(|d| d.name.eq_ignore_ascii_case(role));
        self.role_definitions.remove(there(at, &format!("role {role}")));
        self.role_assignments.retain(|a| !a.role.eq_ignore_ascii_case(role));
    }

    /// Takes all roles of a principal at exactly this scope away.
    ///
    /// # Panics
    /// When it has none there.
    pub fn unassign_role(&mut self, scope: &str, principal: &str) {
        let before = self.role_assignments.len();
        self.role_assignments
            .retain(|a| !(a.scope.eq_ignore_ascii_case(scope) && a.principal_id.eq_ignore_ascii_case(principal)));
        let gone = (self.role_assignments.len() < before).then_some(());
        there(gone, &format!("assignment of {principal} at {scope}"));
    }
}
