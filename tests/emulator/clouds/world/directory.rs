//! Entra's directory: applications, their credentials, service principals.

use super::World;
use jiff::Timestamp;

/// An application registration.
#[derive(Clone, Debug)]
pub struct Application {
    /// Object id.
    pub id: String,
    /// Client id.
    pub app_id: String,
    /// Tenant it is registered in.
    pub tenant: String,
    /// Stable name of the upsert, if any; unique in the tenant.
    pub unique_name: Option<String>,
    /// Name for people; not unique.
    pub display_name: String,
    /// `AzureADMultipleOrgs` makes it multi-tenant.
    pub sign_in_audience: String,
    /// Object id of the principal that created it.
    pub owner: Option<String>,
    /// Passwords.
    pub passwords: Vec<Password>,
    /// Federated identity credentials.
    pub federated_credentials: Vec<FederatedCredential>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The key that a creating upsert used: reads by it are consistent sooner.
    pub created_by_key: Option<&'static str>,
}

impl Application {
    /// Whether other tenants may have a service principal of it.
    pub fn multi_tenant(&self) -> bool {
        self.sign_in_audience.starts_with("AzureADMultipleOrgs")
            || self.sign_in_audience.starts_with("AzureADandPersonal")
    }
}

/// A password of an application.
#[derive(Clone)]
pub struct Password {
    /// Its id.
    pub key_id: String,
    /// Name for people.
    pub display_name: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// From when on it counts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    pub(crate) secret: String,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Password {
    /// Whether its text is this one.
    pub fn is(&self, text: &str) -> bool {
        self.secret == text
    }
}

/// A federated identity credential: whose tokens count as this application's credential.
#[derive(Clone, Debug)]
pub struct FederatedCredential {
    /// Its id.
    pub id: String,
    /// Name, unique in the application.
    pub name: String,
    /// `{entra}/{tenant}/v2.0`.
    pub issuer: String,
    /// Object id of the managed identity; case matters.
    pub subject: String,
    /// One audience, `api://AzureADTokenExchange`.
    pub audiences: Vec<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// An application's (or a managed identity's) presence in a tenant.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// Object id.
    pub id: String,
    /// Client id.
    pub app_id: String,
    /// Tenant it lives in.
    pub tenant: String,
    /// Name for people.
    pub display_name: String,
    /// Whether it is a managed identity: those have no application object.
    pub managed_identity: bool,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Object id of the principal that created it.
    pub owner: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The key that a creating upsert used: reads by it are consistent sooner.
    pub created_by_key: Option<&'static str>,
}

impl World {
    /// The application with this client id, whatever its tenant.
    pub fn application(&self, app_id: &str) -> Option<&Application> {
        self.applications.iter().find(|a| a.app_id.eq_ignore_ascii_case(app_id))
    }

    /// The same, to change it.
    pub fn application_mut(&mut self, app_id: &str) -> Option<&mut Application> {
        self.applications.iter_mut().find(|a| a.app_id.eq_ignore_ascii_case(app_id))
    }

    /// The service principal of a client id in a tenant.
    pub fn service_principal(&self, tenant: &str, app_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals.iter().find(|p| p.tenant == tenant && p.app_id.eq_ignore_ascii_case(app_id))
    }

    /// The service principals of a client id, in all tenants.
    pub fn principals_of(&self, app_id: &str) -> Vec<&ServicePrincipal> {
        self.service_principals.iter().filter(|p| p.app_id.eq_ignore_ascii_case(app_id)).collect()
    }

    /// Whether a directory object made at `created_at` is seen by a read with the key `read_key`.
    ///
    /// An upsert's own key is consistent sooner than the rest.
    pub(crate) fn replicated(&self, created_at: Timestamp, created_by: Option<&str>, read_key: &str) -> bool {
        let lag = if created_by == Some(read_key) { self.lags.graph_same_key } else { self.lags.graph_replication };
        self.over(created_at, lag)
    }

    pub(crate) fn has_graph_role(&self, principal: &str, wanted: &[&str]) -> bool {
        self.graph_roles.get(principal).is_some_and(|roles| wanted.iter().any(|w| roles.contains(*w)))
    }
}
