//! The least-privileged app: an administrator has made everything in the directory and the two roles, and lets the app's
//! identity assign just these, to just these principals.

use super::azure::{AssignedRole, RoleDefinition, Subscription};
use super::{AIVEN_APPLICATION, World};
use crate::clouds::arm::conditions::Condition;
use crate::clouds::arm::ids;
use crate::clouds::arm::roles::{RBAC_ADMINISTRATOR, READER};
use crate::clouds::clock;
use std::collections::BTreeMap;

/// How the app's identity got its right to assign roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delegation {
    /// A custom role with what the app needs, as the project's own `grants` makes it.
    CustomRole,
    /// The built-in roles Reader, and Role Based Access Control Administrator.
    BuiltInRoles,
}

/// What the administrator has made.
#[derive(Clone, Debug)]
pub struct LeastPrivilege {
    /// Client id of the user's application.
    pub application: String,
    /// Object id of its service principal.
    pub principal: String,
    /// Object id of Aiven's service principal.
    pub aiven_principal: String,
    /// The two roles of each subscription.
    pub roles: BTreeMap<String, DelegatedRoles>,
}

/// GUIDs of the roles that may be assigned in a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedRoles {
    /// May peer to a network.
    pub peer_only: String,
    /// May write a network's peerings.
    pub peering_writer: String,
}

const PEER: &str = "Microsoft.Network/virtualNetworks/peer/action";
const PEERING_WRITER: &[&str] = &[
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
    // Without these the writer cannot see how its own writes end.
    "Microsoft.Network/locations/operations/read",
    "Microsoft.Network/locations/operationResults/read",
    PEER,
];
const AUTOMATION: &[&str] = &[
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Authorization/roleAssignments/delete",
];

/// Namespace of Bicep's `guid()`, which is a UUID of version 5 (its source).
const BICEP: uuid::Uuid = uuid::uuid!("11fb06fb-712d-4ddd-98c7-e71bbd588830");

impl World {
    /// Takes away all that the app's identity may do, and gives it what an unattended installation gets: nothing in the
    /// directory; in every subscription of the home tenant the right to look, and to assign the two roles to the two
    /// principals. Role assignments of other scopes than subscriptions (a vault's) stay.
    ///
    /// `installation` is part of the roles' names and of their GUIDs, which are computed as Bicep's `guid()` is. What the
    /// deployment would tell the app is in [`World::app_settings`] afterwards. The networks have to be there before.
    pub fn least_privilege(&mut self, installation: &str, delegation: Delegation) -> LeastPrivilege {
        let (home, identity) = (self.home_tenant.clone(), self.identity_principal_id.clone());
        self.graph_roles.remove(&identity);
        let of_a_subscription = |a: &AssignedRole| a.scope.matches('/').count() == 2;
        self.role_assignments.retain(|a| a.principal_id != identity || !of_a_subscription(a));

        let unique_name = format!("aiven-azure-peering-{installation}");
        let application = self.add_application(&home, "Aiven VNet peering", Some(&unique_name), true);
        self.add_federated_credential(&application, "function-identity");
        let principal = self.add_service_principal(&home, &application);
        let aiven_principal = match self.service_principal(&home, AIVEN_APPLICATION) {
            Some(there) => there.id.clone(),
            None => self.add_service_principal(&home, AIVEN_APPLICATION),
        };
        let subscriptions = self.subscriptions_with_networks();
        let principals = [principal.as_str(), aiven_principal.as_str()];
        let roles = subscriptions
            .into_iter()
            .map(|id| {
                let roles = self.delegate(&id, installation, delegation, principals);
                (id, roles)
            })
            .collect();
        for (name, value) in [
            ("APPLICATION_ID", &application),
            ("APPLICATION_PRINCIPAL_ID", &principal),
            ("AIVEN_PRINCIPAL_ID", &aiven_principal),
        ] {
            self.app_settings.insert(name.to_owned(), value.clone());
        }
        LeastPrivilege { application, principal, aiven_principal, roles }
    }

    fn subscriptions_with_networks(&self) -> Vec<String> {
        let with_network = |s: &&Subscription| {
            let scope = format!("/subscriptions/{}", s.id);
            s.tenant == self.home_tenant && self.vnets.iter().any(|v| ids::covers(&scope, &v.id))
        };
        self.subscriptions.iter().filter(with_network).map(|s| s.id.clone()).collect()
    }

    /// One subscription's part.
    fn delegate(
        &mut self,
        subscription: &str,
        installation: &str,
        delegation: Delegation,
        principals: [&str; 2],
    ) -> DelegatedRoles {
        let scope = format!("/subscriptions/{subscription}");
        let peer_only = self.define(&scope, installation, "peer only", &[PEER]);
        let peering_writer = self.define(&scope, installation, "peering writer", PEERING_WRITER);
        let condition = condition([peer_only.as_str(), peering_writer.as_str()], principals);
        let identity = self.identity_principal_id.clone();
        let role = match delegation {
            Delegation::CustomRole => self.define(&scope, installation, "automation", AUTOMATION),
            Delegation::BuiltInRoles => {
                self.assign_role(&scope, READER, &identity);
                RBAC_ADMINISTRATOR.to_owned()
            }
        };
        self.assign_role_if(&scope, &role, &identity, condition);
        DelegatedRoles { peer_only, peering_writer }
    }

    fn define(&mut self, scope: &str, installation: &str, purpose: &str, actions: &[&str]) -> String {
        let seed = [scope, "aiven-peering", installation, &purpose.replace(' ', "-")].join("-");
        let name = uuid::Uuid::new_v5(&BICEP, seed.as_bytes()).to_string();
        let subscription = scope.trim_start_matches("/subscriptions/");
        self.role_definitions.push(RoleDefinition {
            name: name.clone(),
            tenant: self.home_tenant.clone(),
            role_name: format!("Aiven peering {installation}: {purpose} ({subscription})"),
            description: String::new(),
            actions: actions.iter().map(|a| (*a).to_owned()).collect(),
            not_actions: Vec::new(),
            data_actions: Vec::new(),
            assignable_scopes: vec![scope.to_owned()],
            created_at: clock::days_before(self.now(), 1),
        });
        name
    }

    /// Assigns a role to a principal at a scope under a condition, effective at once; returns the assignment's GUID.
    pub fn assign_role_if(&mut self, scope: &str, role: &str, principal: &str, condition: Condition) -> String {
        let name = self.assign_role(scope, role, principal);
        if let Some(assignment) = self.role_assignments.iter_mut().find(|a| a.name == name) {
            assignment.condition = Some(condition);
        }
        name
    }
}

/// These roles, for these principals, and no others: asked for when written, there when deleted.
#[allow(clippy::panic, reason = "the text is this function's own: the tests read it")]
fn condition(roles: [&str; 2], principals: [&str; 2]) -> Condition {
    let half = |action: &str, source: &str| {
        let attribute = format!("@{source}[Microsoft.Authorization/roleAssignments");
        format!(
            "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR ({attribute}:RoleDefinitionId] \
             ForAnyOfAnyValues:GuidEquals {{{}}} AND {attribute}:PrincipalId] ForAnyOfAnyValues:GuidEquals {{{}}}))",
            roles.join(", "),
            principals.join(", ")
        )
    };
    let text = format!("{} AND {}", half("write", "Request"), half("delete", "Resource"));
    Condition::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}"))
}
