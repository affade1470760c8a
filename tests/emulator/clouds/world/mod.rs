//! The state of both clouds: what exists, who may do what, and what is under way.

pub(crate) mod aiven;
pub(crate) mod azure;
mod builders;
mod checks;
mod credentials;
mod delegation;
mod deleted;
pub(crate) mod directory;
mod directory_snapshot;
mod existing;
mod outside;
mod scenario;
mod services;
mod snapshot;
mod upsets;
pub(crate) mod vault;

pub use aiven::{AivenVpc, Connection, Organization, Owner, Project};
pub(crate) use azure::glob;
pub use azure::{AssignedRole, Operation, OperationKind, OperationState, Peering, RoleDefinition, Subscription, Vnet};
pub use checks::Check;
pub use delegation::{DelegatedRoles, Delegation, Directory, LeastPrivilege};
pub use deleted::{Deleted, DeletedObject};
pub use directory::{Application, FederatedCredential, Password, ServicePrincipal};
pub use scenario::Pair;
pub use services::{Admitted, AivenService, Component};
pub use snapshot::differences;
pub use upsets::{PasswordPolicy, Stalled, Upsets};
pub(crate) use vault::RETENTION;
pub use vault::{Secret, SecretVersion, Vault};

use super::clock::{self, Clock};
use super::lags::Lags;
use super::tokens::Tokens;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// Appid of Aiven's application, the one that peers from Aiven's side (Aiven: Azure VNet peering how-to).
pub const AIVEN_APPLICATION: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";

/// Where each emulated service listens, without a trailing slash.
#[derive(Clone, Debug, Default)]
pub struct Urls {
    /// Aiven's API.
    pub aiven: String,
    /// The token service.
    pub entra: String,
    /// Microsoft Graph, without `/v1.0`.
    pub graph: String,
    /// Azure Resource Manager.
    pub arm: String,
    /// The managed-identity endpoint, whole.
    pub identity: String,
    /// Key Vault.
    pub key_vault: String,
}

/// Everything that exists in the two clouds. Tests read it, and change it where a person would.
pub struct World {
    /// How long things take.
    pub lags: Lags,
    /// Where the services listen.
    pub urls: Urls,
    /// Entra tenants that exist.
    pub tenants: BTreeSet<String>,
    /// The app's own tenant.
    pub home_tenant: String,
    /// Aiven's tenant.
    pub aiven_tenant: String,
    /// Client id of the application that Aiven's platform peers as; see [`World::set_aiven_application`].
    pub aiven_application: String,
    /// Client id of the app's user-assigned managed identity.
    pub identity_client_id: String,
    /// Its object id in the home tenant.
    pub identity_principal_id: String,
    /// Applications of all tenants.
    pub applications: Vec<Application>,
    /// Service principals of all tenants, managed identities included.
    pub service_principals: Vec<ServicePrincipal>,
    /// Deleted applications and service principals that can still be restored.
    pub deleted: Vec<Deleted>,
    /// Graph application permissions by principal (object id).
    pub graph_roles: BTreeMap<String, BTreeSet<String>>,
    /// Subscriptions of all tenants, Aiven's included.
    pub subscriptions: Vec<Subscription>,
    /// Custom role definitions.
    pub role_definitions: Vec<RoleDefinition>,
    /// Role assignments.
    pub role_assignments: Vec<AssignedRole>,
    /// Principals whose new role assignments never take effect.
    pub never_propagating: HashSet<String>,
    /// Virtual networks of all subscriptions, Aiven's included.
    pub vnets: Vec<Vnet>,
    /// How many networks ARM lists on a page; the real number is not documented.
    pub arm_page_size: usize,
    /// Network operations, running and ended.
    pub operations: BTreeMap<String, Operation>,
    /// Aiven organizations.
    pub organizations: Vec<Organization>,
    /// Aiven projects.
    pub projects: Vec<Project>,
    /// Organization and project VPCs.
    pub aiven_vpcs: Vec<AivenVpc>,
    /// The one key vault, if there is one.
    pub vault: Option<Vault>,
    /// Settings of the app that the scene brings with it, beside the usual ones of `Clouds::settings`.
    pub app_settings: BTreeMap<String, String>,
    /// What is made to go wrong.
    pub upsets: Upsets,
    pub(crate) aiven_subscription: String,
    pub(crate) aiven_tokens: Vec<String>,
    pub(crate) aiven_token_expired: bool,
    pub(crate) aiven_requests: std::collections::VecDeque<Timestamp>,
    pub(crate) identity_header: String,
    pub(crate) secrets_made: Vec<String>,
    pub(crate) tokens: Tokens,
    pub(crate) clock: Clock,
    scheduled: Vec<(Timestamp, Change)>,
    checks: RefCell<BTreeSet<Check>>,
}

/// A change of the world that waits for its moment.
pub type Change = Box<dyn FnOnce(&mut World) + Send>;

impl World {
    pub(crate) fn new(scale: f64, lags: Lags, aiven_token: String) -> Self {
        let mut world = Self {
            lags,
            urls: Urls::default(),
            tenants: BTreeSet::new(),
            home_tenant: clock::uuid(),
            aiven_tenant: clock::uuid(),
            aiven_application: AIVEN_APPLICATION.to_owned(),
            identity_client_id: clock::uuid(),
            identity_principal_id: clock::uuid(),
            applications: Vec::new(),
            service_principals: Vec::new(),
            deleted: Vec::new(),
            graph_roles: BTreeMap::new(),
            subscriptions: Vec::new(),
            role_definitions: Vec::new(),
            role_assignments: Vec::new(),
            never_propagating: HashSet::new(),
            vnets: Vec::new(),
            arm_page_size: 100,
            operations: BTreeMap::new(),
            organizations: Vec::new(),
            projects: Vec::new(),
            aiven_vpcs: Vec::new(),
            vault: None,
            app_settings: BTreeMap::new(),
            upsets: Upsets::default(),
            aiven_subscription: String::new(),
            aiven_tokens: vec![aiven_token],
            aiven_token_expired: false,
            aiven_requests: std::collections::VecDeque::new(),
            identity_header: clock::random_text(),
            secrets_made: Vec::new(),
            tokens: Tokens::default(),
            clock: Clock::new(scale),
            scheduled: Vec::new(),
            checks: RefCell::default(),
        };
        world.settle();
        world
    }

    /// The tenants, Aiven's application and the app's managed identity exist from the start.
    fn settle(&mut self) {
        self.tenants = [self.home_tenant.clone(), self.aiven_tenant.clone()].into();
        let aiven_tenant = self.aiven_tenant.clone();
        self.add_aiven_application();
        self.aiven_subscription = self.add_bare_subscription(&aiven_tenant, "Aiven customer networks");
        let home = self.home_tenant.clone();
        let (client, principal) = (self.identity_client_id.clone(), self.identity_principal_id.clone());
        self.service_principals.push(ServicePrincipal {
            id: principal.clone(),
            app_id: client,
            tenant: home,
            display_name: "the function app's identity".to_owned(),
            managed_identity: true,
            enabled: true,
            owner: None,
            created_at: clock::days_before(self.now(), 1),
            created_by_key: None,
        });
        self.grant_graph(&principal, "Application.ReadWrite.All");
    }

    /// The clouds' present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// From now on the clouds' time stands at `at`, until it is called again: for a simulator that owns time.
    pub fn hold_time(&mut self, at: Timestamp) {
        self.clock.hold(at);
    }

    /// Runs `change` once, a nominal delay from now.
    pub fn after(&mut self, nominal: Duration, change: impl FnOnce(&mut World) + Send + 'static) {
        let due = self.clock.due(self.now(), nominal);
        self.scheduled.push((due, Box::new(change)));
    }

    /// Lets everything happen that is due: operations end, Aiven works, scheduled changes are made.
    pub fn advance(&mut self) {
        self.run_scheduled();
        self.finish_operations();
        super::aiven::platform::run(self);
    }

    fn run_scheduled(&mut self) {
        let now = self.now();
        while let Some(i) = self.scheduled.iter().position(|(due, _)| *due <= now) {
            let (_, change) = self.scheduled.swap_remove(i);
            change(self);
        }
    }

    pub(crate) fn over(&self, since: Timestamp, nominal: Duration) -> bool {
        self.clock.over(since, nominal)
    }

    pub(crate) fn due_in(&self, nominal: Duration) -> Timestamp {
        self.clock.due(self.now(), nominal)
    }
}
