//! Builders of what was there before: for tests of adoption.

use super::World;
use super::aiven::Connection;
use super::azure::{Peering, RoleDefinition};
use super::directory::{Application, FederatedCredential};
use crate::clouds::arm::ids;
use crate::clouds::clock;

impl World {
    /// An application, long known; returns its client id.
    pub fn add_application(
        &mut self,
        tenant: &str,
        display_name: &str,
        unique_name: Option<&str>,
        multi_tenant: bool,
    ) -> String {
        let app_id = clock::uuid();
        let audience = if multi_tenant { "AzureADMultipleOrgs" } else { "AzureADMyOrg" };
        self.applications.push(Application {
            id: clock::uuid(),
            app_id: app_id.clone(),
            tenant: tenant.to_owned(),
            unique_name: unique_name.map(str::to_owned),
            display_name: display_name.to_owned(),
            sign_in_audience: audience.to_owned(),
            owner: None,
            passwords: Vec::new(),
            federated_credentials: Vec::new(),
            created_at: clock::days_before(self.now(), 1),
            created_by_key: None,
        });
        app_id
    }

    /// A federated credential of an application that trusts the app's managed identity, long known.
    pub fn add_federated_credential(&mut self, app_id: &str, name: &str) -> Option<String> {
        let credential = FederatedCredential {
            id: clock::uuid(),
            name: name.to_owned(),
            issuer: format!("{}/{}/v2.0", self.urls.entra, self.home_tenant),
            subject: self.identity_principal_id.clone(),
            audiences: vec!["api://AzureADTokenExchange".to_owned()],
            created_at: clock::days_before(self.now(), 1),
        };
        let id = credential.id.clone();
        self.application_mut(app_id)?.federated_credentials.push(credential);
        Some(id)
    }

    /// A custom role definition of a subscription under a chosen GUID (or a random one); returns the GUID.
    pub fn add_role_definition(
        &mut self,
        subscription: &str,
        guid: Option<&str>,
        role_name: &str,
        actions: &[&str],
    ) -> String {
        let name = guid.map_or_else(clock::uuid, str::to_owned);
        let scope = format!("/subscriptions/{subscription}");
        self.role_definitions.push(RoleDefinition {
            name: name.clone(),
            tenant: self.tenant_of(&scope).unwrap_or_default().to_owned(),
            role_name: role_name.to_owned(),
            description: String::new(),
            actions: actions.iter().map(|a| (*a).to_owned()).collect(),
            not_actions: Vec::new(),
            data_actions: Vec::new(),
            assignable_scopes: vec![scope],
            created_at: clock::days_before(self.now(), 1),
        });
        name
    }

    /// A connection of an Aiven VPC to a user's network in `state`, with nothing behind it yet: in APPROVED Aiven
    /// goes on with it by itself; for PENDING_PEER and ACTIVE use [`World::build_connection`]. Returns its id.
    pub fn add_connection(&mut self, vpc: &str, vnet: &str, app_id: &str, state: &str) -> Option<String> {
        let user = ids::parse_vnet(&vnet.to_ascii_lowercase())?;
        let tenant = self.tenant_of(vnet)?.to_owned();
        let (now, look_at) = (self.now(), self.due_in(self.lags.aiven_build));
        let connection = Connection {
            id: clock::uuid(),
            subscription: user.subscription,
            resource_group: user.resource_group,
            vnet: user.name,
            app_id: app_id.to_owned(),
            tenant,
            state: state.to_owned(),
            state_info: None,
            cidrs: Vec::new(),
            created_at: now,
            updated_at: now,
            look_at,
            seen_user_half: false,
        };
        let id = connection.id.clone();
        self.aiven_vpc_mut(vpc)?.connections.push(connection);
        Some(id)
    }

    /// Does at once what Aiven does to a connection after a while: builds its half, or refuses.
    pub fn build_connection(&mut self, vpc: &str, connection: &str) {
        crate::clouds::aiven::platform::build(self, vpc, connection);
    }

    /// One half of a peering in a given state (`Initiated`, `Connected`, `Disconnected`).
    pub fn add_peering(&mut self, vnet: &str, name: &str, remote: &str, state: &str) {
        let created_at = clock::days_before(self.now(), 1);
        let remote_prefixes = self.vnet(remote).map(|v| v.prefixes.clone()).unwrap_or_default();
        let peering = Peering {
            name: name.to_owned(),
            remote: remote.to_owned(),
            state: state.to_owned(),
            provisioning: "Succeeded".to_owned(),
            allow_access: true,
            allow_forwarded: false,
            remote_prefixes,
            syncs: false,
            written_by: String::new(),
            created_at,
            etag: clock::uuid(),
        };
        if let Some(vnet) = self.vnet_mut(vnet) {
            vnet.peerings.push(peering);
        }
    }
}
