//! What Azure Resource Manager holds: subscriptions, networks, roles, operations.

use super::World;
use crate::clouds::arm::conditions::{Condition, Situation};
use crate::clouds::arm::ids;
use crate::clouds::arm::roles::BUILT_IN;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Tenant it trusts.
    pub tenant: String,
    /// Name for people.
    pub display_name: String,
    /// `Enabled`, `Disabled`, …
    pub state: String,
    /// Names of its resource groups.
    pub resource_groups: BTreeSet<String>,
}

/// A custom role definition.
#[derive(Clone, Debug)]
pub struct RoleDefinition {
    /// GUID.
    pub name: String,
    /// Tenant: names for people are unique in it.
    pub tenant: String,
    /// Name for people.
    pub role_name: String,
    /// What it is for.
    pub description: String,
    /// Actions it allows.
    pub actions: Vec<String>,
    /// Actions taken from those.
    pub not_actions: Vec<String>,
    /// Data actions it allows.
    pub data_actions: Vec<String>,
    /// Scopes it may be assigned at.
    pub assignable_scopes: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A role assignment.
#[derive(Clone, Debug)]
pub struct AssignedRole {
    /// GUID.
    pub name: String,
    /// Scope, as given.
    pub scope: String,
    /// GUID of the role definition.
    pub role: String,
    /// Object id of the principal.
    pub principal_id: String,
    /// `ServicePrincipal`, …
    pub principal_type: String,
    /// What narrows it, if anything does.
    pub condition: Option<Condition>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Object id of who created it.
    pub created_by: String,
    /// When it starts to count; none = never.
    pub effective_at: Option<Timestamp>,
}

/// A virtual network.
#[derive(Clone, Debug)]
pub struct Vnet {
    /// Resource id, in the case it was created with.
    pub id: String,
    /// Region.
    pub location: String,
    /// Address space.
    pub prefixes: Vec<Ipv4Net>,
    /// Its halves of peerings.
    pub peerings: Vec<Peering>,
    /// Until then it is `Updating`.
    pub updating_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// One half of a peering.
#[derive(Clone, Debug)]
pub struct Peering {
    /// Name, unique in the network.
    pub name: String,
    /// Resource id of the other network, as given.
    pub remote: String,
    /// `Initiated`, `Connected`, `Disconnected`.
    pub state: String,
    /// `Updating`, `Succeeded`, `Deleting`, `Failed`.
    pub provisioning: String,
    /// Whether traffic may flow.
    pub allow_access: bool,
    /// Whether forwarded traffic may.
    pub allow_forwarded: bool,
    /// The other network's address space when it was last synchronised: what is peered.
    pub remote_prefixes: Vec<Ipv4Net>,
    /// Whether the write under way takes the other network's address space as it is now.
    pub(crate) syncs: bool,
    /// Client id of who wrote it last.
    pub written_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    pub(crate) etag: String,
}

/// A long-running operation of the network provider.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Network it runs on.
    pub vnet: String,
    /// What it does.
    pub kind: OperationKind,
    /// When it ends.
    pub ends_at: Timestamp,
    /// How far it is.
    pub state: OperationState,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Creates or updates the named half.
    PutPeering(String),
    /// Removes the named half.
    DeletePeering(String),
    /// Creates or updates the network.
    PutVnet,
    /// Removes the network.
    DeleteVnet,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Not ended.
    InProgress,
    /// Ended well.
    Succeeded,
    /// Ended badly: code and message.
    Failed(String, String),
}

impl World {
    /// A subscription by id.
    pub fn subscription(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|s| s.id.eq_ignore_ascii_case(id))
    }

    /// A virtual network by resource id, in any case.
    pub fn vnet(&self, id: &str) -> Option<&Vnet> {
        self.vnets.iter().find(|v| v.id.eq_ignore_ascii_case(id))
    }

    /// The same, to change it.
    pub fn vnet_mut(&mut self, id: &str) -> Option<&mut Vnet> {
        self.vnets.iter_mut().find(|v| v.id.eq_ignore_ascii_case(id))
    }

    /// The tenant of the subscription that a resource id is in.
    pub(crate) fn tenant_of(&self, id: &str) -> Option<&str> {
        let subscription = ids::subscription(id)?;
        self.subscription(&subscription).map(|s| s.tenant.as_str())
    }

    /// The half at `vnet` that leads to `remote`.
    pub fn half(&self, vnet: &str, remote: &str) -> Option<&Peering> {
        self.vnet(vnet)?.peerings.iter().find(|p| p.remote.eq_ignore_ascii_case(remote))
    }

    pub(crate) fn half_mut(&mut self, vnet: &str, remote: &str) -> Option<&mut Peering> {
        self.vnet_mut(vnet)?.peerings.iter_mut().find(|p| p.remote.eq_ignore_ascii_case(remote))
    }

    /// Role assignments at exactly this scope.
    pub fn assignments_at(&self, scope: &str) -> Vec<&AssignedRole> {
        self.role_assignments.iter().filter(|a| a.scope.eq_ignore_ascii_case(scope)).collect()
    }

    /// Role definitions that may be assigned in this subscription.
    pub fn role_definitions_in(&self, subscription: &str) -> Vec<&RoleDefinition> {
        let scope = format!("/subscriptions/{subscription}");
        let fits = |d: &&RoleDefinition| d.assignable_scopes.iter().any(|s| self.covers(s, &scope));
        self.role_definitions.iter().filter(fits).collect()
    }

    /// Whether `outer` is `inner` or above it, as a management group is above its subscriptions.
    pub(crate) fn covers(&self, outer: &str, inner: &str) -> bool {
        let below = |subscriptions: &std::collections::BTreeSet<String>| {
            ids::subscription(inner).is_some_and(|inner| subscriptions.iter().any(|s| s.eq_ignore_ascii_case(&inner)))
        };
        let group = ids::management_group(outer).and_then(|group| self.management_groups.get(group));
        ids::covers(outer, inner) || group.is_some_and(below)
    }

    /// Whether a principal may do `action` at `scope`, now.
    pub fn allows(&self, principal: &str, action: &str, scope: &str) -> bool {
        self.allows_in(principal, &Situation { action, ..Situation::default() }, scope)
    }

    /// The same, where conditions of assignments look at more than the action.
    pub(crate) fn allows_in(&self, principal: &str, situation: &Situation<'_>, scope: &str) -> bool {
        let allowed = self
            .effective(principal)
            .filter(|a| self.covers(&a.scope, scope) && self.role_allows(&a.role, situation.action))
            .any(|a| a.condition.as_ref().is_none_or(|c| c.holds(situation)));
        self.checked(principal, situation.action, scope, allowed)
    }

    /// Whether a principal may do `action` at `scope` at least under some condition.
    pub(crate) fn may_allow(&self, principal: &str, action: &str, scope: &str) -> bool {
        self.effective(principal).any(|a| self.covers(&a.scope, scope) && self.role_allows(&a.role, action))
    }

    /// Whether a principal may do the data action `action` on `resource`, now.
    pub fn allows_data(&self, principal: &str, action: &str, resource: &str) -> bool {
        let situation = Situation { action, ..Situation::default() };
        let allowed = self
            .effective(principal)
            .filter(|a| self.covers(&a.scope, resource) && self.role_allows_data(&a.role, action))
            .any(|a| a.condition.as_ref().is_none_or(|c| c.holds(&situation)));
        self.checked(principal, action, resource, allowed)
    }

    /// Whether a principal has any role at, above or below `scope`.
    pub(crate) fn has_any_role(&self, principal: &str, scope: &str) -> bool {
        self.effective(principal).any(|a| self.covers(&a.scope, scope) || self.covers(scope, &a.scope))
    }

    fn effective<'a>(&'a self, principal: &'a str) -> impl Iterator<Item = &'a AssignedRole> {
        let now = self.now();
        self.role_assignments
            .iter()
            .filter(move |a| a.principal_id.eq_ignore_ascii_case(principal))
            .filter(move |a| a.effective_at.is_some_and(|at| at <= now))
    }

    fn role_allows(&self, role: &str, action: &str) -> bool {
        if let Some(built_in) = BUILT_IN.iter().find(|b| b.id.eq_ignore_ascii_case(role)) {
            return built_in.actions.iter().any(|p| glob(p, action))
                && !built_in.not_actions.iter().any(|p| glob(p, action));
        }
        self.role_definitions
            .iter()
            .filter(|d| d.name.eq_ignore_ascii_case(role))
            .any(|d| d.actions.iter().any(|p| glob(p, action)) && !d.not_actions.iter().any(|p| glob(p, action)))
    }
}

impl World {
    fn role_allows_data(&self, role: &str, action: &str) -> bool {
        if let Some(built_in) = BUILT_IN.iter().find(|b| b.id.eq_ignore_ascii_case(role)) {
            return built_in.data_actions.iter().any(|p| glob(p, action));
        }
        let custom = self.role_definitions.iter().filter(|d| d.name.eq_ignore_ascii_case(role));
        custom.flat_map(|d| &d.data_actions).any(|p| glob(p, action))
    }
}

/// Whether `pattern`, in which `*` stands for anything, matches `text`, in any case.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn an_action_pattern_matches_as_azure_says() {
        assert!(glob("*", "Microsoft.Network/virtualNetworks/read"));
        assert!(glob("*/read", "Microsoft.Network/virtualNetworks/READ"));
        assert!(glob("Microsoft.Network/*", "microsoft.network/virtualNetworks/peer/action"));
        assert!(!glob("*/read", "Microsoft.Network/virtualNetworks/write"));
        assert!(!glob("Microsoft.Network/virtualNetworks/peer/action", "Microsoft.Network/virtualNetworks/peer"));
    }
}
