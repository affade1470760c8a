//! How a test sets the scene: what a person would have made before the automation comes.

use super::azure::{AssignedRole, Subscription, Vnet};
use super::directory::{Application, ServicePrincipal};
use super::{AivenVpc, Organization, Owner, Project, World};
use crate::clouds::arm::ids;
use crate::clouds::arm::roles::{OWNER, READER, USER_ACCESS_ADMINISTRATOR};
use crate::clouds::clock;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl World {
    fn yesterday(&self) -> Timestamp {
        clock::days_before(self.now(), 1)
    }

    pub(super) fn add_aiven_application(&mut self) {
        let (tenant, app_id, created_at) =
            (self.aiven_tenant.clone(), self.aiven_application.clone(), self.yesterday());
        self.applications.push(Application {
            id: clock::uuid(),
            app_id: app_id.clone(),
            tenant: tenant.clone(),
            unique_name: None,
            display_name: "aiven-prod-executor".to_owned(),
            sign_in_audience: "AzureADMultipleOrgs".to_owned(),
            owner: None,
            passwords: Vec::new(),
            federated_credentials: Vec::new(),
            created_at,
            created_by_key: None,
        });
        self.add_service_principal(&tenant, &app_id);
    }

    /// From now on Aiven's platform peers as another application: Managed Service for TimescaleDB has its own.
    pub fn set_aiven_application(&mut self, app_id: &str) {
        app_id.clone_into(&mut self.aiven_application);
        self.add_aiven_application();
    }

    pub(super) fn add_bare_subscription(&mut self, tenant: &str, name: &str) -> String {
        let id = clock::uuid();
        self.subscriptions.push(Subscription {
            id: id.clone(),
            tenant: tenant.to_owned(),
            display_name: name.to_owned(),
            state: "Enabled".to_owned(),
            resource_groups: BTreeSet::new(),
        });
        id
    }

    /// A new Entra tenant; returns its id.
    pub fn another_tenant(&mut self) -> String {
        let tenant = clock::uuid();
        self.tenants.insert(tenant.clone());
        tenant
    }

    /// A subscription of a tenant. In the home tenant the app's managed identity gets Reader and User Access
    /// Administrator on it, and no right to write networks. Returns its id.
    pub fn add_subscription(&mut self, tenant: &str) -> String {
        let id = self.add_bare_subscription(tenant, "Networks");
        if tenant == self.home_tenant {
            let (scope, identity) = (format!("/subscriptions/{id}"), self.identity_principal_id.clone());
            self.assign_role(&scope, READER, &identity);
            self.assign_role(&scope, USER_ACCESS_ADMINISTRATOR, &identity);
        }
        id
    }

    /// A virtual network (and its resource group, if new) in `westeurope`; returns its resource id.
    ///
    /// # Panics
    /// When a prefix is not an IPv4 network: a mistake of the test.
    pub fn add_vnet(&mut self, subscription: &str, resource_group: &str, name: &str, prefixes: &[&str]) -> String {
        let id = ids::vnet(subscription, resource_group, name);
        if let Some(s) = self.subscriptions.iter_mut().find(|s| s.id.eq_ignore_ascii_case(subscription))
            && !s.resource_groups.iter().any(|g| g.eq_ignore_ascii_case(resource_group))
        {
            s.resource_groups.insert(resource_group.to_owned());
        }
        let created_at = self.yesterday();
        self.vnets.push(Vnet {
            id: id.clone(),
            location: "westeurope".to_owned(),
            prefixes: prefixes.iter().map(|p| network(p)).collect(),
            peerings: Vec::new(),
            updating_until: None,
            created_at,
        });
        id
    }

    /// An Aiven organization; returns its id.
    pub fn add_organization(&mut self) -> String {
        let id = format!("org{}", clock::uuid().replace('-', "").get(..11).unwrap_or_default());
        self.organizations.push(Organization { id: id.clone(), name: "Example organization".to_owned() });
        id
    }

    /// An Aiven project, in an organization of its own if there is none yet; returns its name.
    pub fn add_project(&mut self, name: &str) -> String {
        let organization = match self.organizations.first() {
            Some(first) => first.id.clone(),
            None => self.add_organization(),
        };
        self.add_project_in(&organization, name)
    }

    /// A project of a given organization, if it is new; returns its name.
    pub fn add_project_in(&mut self, organization: &str, name: &str) -> String {
        if !self.projects.iter().any(|p| p.name == name) {
            let organization = organization.to_owned();
            self.projects.push(Project { name: name.to_owned(), organization, services: Vec::new() });
        }
        name.to_owned()
    }

    /// An organization VPC in state ACTIVE; returns its id.
    pub fn add_organization_vpc(&mut self, organization: &str, cloud: &str, cidr: &str) -> String {
        let created = self.yesterday();
        self.new_aiven_vpc(Owner::Organization(organization.to_owned()), cloud, network(cidr), "ACTIVE", created)
    }

    /// A project VPC in state ACTIVE; makes the project if it is new. Returns the VPC's id.
    pub fn add_project_vpc(&mut self, project: &str, cloud: &str, cidr: &str) -> String {
        self.add_project(project);
        let created = self.yesterday();
        self.new_aiven_vpc(Owner::Project(project.to_owned()), cloud, network(cidr), "ACTIVE", created)
    }

    pub(crate) fn new_aiven_vpc(
        &mut self,
        owner: Owner,
        cloud: &str,
        cidr: Ipv4Net,
        state: &str,
        at: Timestamp,
    ) -> String {
        let id = clock::uuid();
        let short = id.split('-').next().unwrap_or_default();
        let subscription = self.aiven_subscription.clone();
        let azure_vnet =
            self.add_vnet(&subscription, "Aiven-Customer-VPCs", &format!("vpc-{short}"), &[&cidr.to_string()]);
        self.aiven_vpcs.push(AivenVpc {
            id: id.clone(),
            owner,
            cloud: cloud.to_owned(),
            cidr,
            display_name: String::new(),
            state: state.to_owned(),
            created_at: at,
            updated_at: at,
            azure_vnet,
            connections: Vec::new(),
            draining_until: None,
            refresh_until: None,
        });
        id
    }

    /// Gives a principal (object id) a Graph application permission, by name.
    pub fn grant_graph(&mut self, principal: &str, role: &str) {
        self.graph_roles.entry(principal.to_owned()).or_default().insert(role.to_owned());
    }

    /// Takes a Graph application permission away.
    pub fn revoke_graph(&mut self, principal: &str, role: &str) {
        if let Some(roles) = self.graph_roles.get_mut(principal) {
            roles.remove(role);
        }
    }

    /// Assigns a role (GUID) to a principal at a scope, effective at once; returns the assignment's GUID.
    pub fn assign_role(&mut self, scope: &str, role: &str, principal: &str) -> String {
        let (name, now) = (clock::uuid(), self.now());
        self.role_assignments.push(AssignedRole {
            name: name.clone(),
            scope: scope.to_owned(),
            role: role.to_owned(),
            principal_id: principal.to_owned(),
            principal_type: "ServicePrincipal".to_owned(),
            condition: None,
            created_at: self.yesterday(),
            created_by: "00000000-0000-0000-0000-000000000000".to_owned(),
            effective_at: Some(now),
        });
        name
    }

    /// A service principal of an application in a tenant, long known; returns its object id.
    pub fn add_service_principal(&mut self, tenant: &str, app_id: &str) -> String {
        let id = clock::uuid();
        let display_name = self.application(app_id).map(|a| a.display_name.clone()).unwrap_or_default();
        self.service_principals.push(ServicePrincipal {
            id: id.clone(),
            app_id: app_id.to_owned(),
            tenant: tenant.to_owned(),
            display_name,
            managed_identity: false,
            enabled: true,
            owner: None,
            created_at: self.yesterday(),
            created_by_key: None,
        });
        id
    }

    /// An administrator to log in with: a service principal with a password, Owner of the tenant's
    /// subscriptions, all Graph rights. Returns client id and password.
    pub fn add_administrator(&mut self, tenant: &str) -> (String, String) {
        let app_id = self.add_application(tenant, "administrator", None, false);
        let secret = self.add_password(&app_id, None).map(|(_, secret)| secret).unwrap_or_default();
        let principal = self.add_service_principal(tenant, &app_id);
        self.grant_graph(&principal, "Application.ReadWrite.All");
        let mine: Vec<String> =
            self.subscriptions.iter().filter(|s| s.tenant == tenant).map(|s| s.id.clone()).collect();
        let subscriptions = mine.iter().map(|id| format!("/subscriptions/{id}"));
        let groups = self.management_groups.keys().map(|name| ids::management_group_id(name));
        for scope in subscriptions.chain(groups).collect::<Vec<_>>() {
            self.assign_role(&scope, OWNER, &principal);
        }
        (app_id, secret)
    }
}

#[allow(clippy::panic, reason = "a builder for tests: a bad prefix is the test's mistake")]
pub(super) fn network(text: &str) -> Ipv4Net {
    text.parse().unwrap_or_else(|e| panic!("{text} is not an IPv4 network: {e}"))
}
