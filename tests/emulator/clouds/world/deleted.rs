//! The directory's deleted items: applications and service principals that can still be restored.

use super::World;
use super::directory::{Application, ServicePrincipal};
use jiff::Timestamp;
use std::time::Duration;

/// How long a deleted object can be restored (nominal; Graph: directory-deleteditems-restore).
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An object of the directory that was deleted.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// What it was.
    pub object: DeletedObject,
    /// When it was deleted.
    pub at: Timestamp,
}

/// What was deleted.
#[derive(Clone, Debug)]
pub enum DeletedObject {
    /// An application; its `uniqueName` stays taken (msgraph-bicep-types: 137).
    Application(Application),
    /// A service principal; another one of its application can be made meanwhile.
    ServicePrincipal(ServicePrincipal),
}

impl Deleted {
    /// Object id.
    pub fn id(&self) -> &str {
        match &self.object {
            DeletedObject::Application(app) => &app.id,
            DeletedObject::ServicePrincipal(principal) => &principal.id,
        }
    }

    pub(crate) fn tenant(&self) -> &str {
        match &self.object {
            DeletedObject::Application(app) => &app.tenant,
            DeletedObject::ServicePrincipal(principal) => &principal.tenant,
        }
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        match &self.object {
            DeletedObject::Application(app) => app.owner.as_deref(),
            DeletedObject::ServicePrincipal(principal) => principal.owner.as_deref(),
        }
    }
}

impl World {
    /// Deletes an application, and its service principal at home with it; those in other tenants stay.
    pub fn delete_application(&mut self, app_id: &str) {
        let Some(index) = self.applications.iter().position(|a| a.app_id.eq_ignore_ascii_case(app_id)) else { return };
        let app = self.applications.remove(index);
        if let Some(principal) = self.service_principal(&app.tenant, app_id).map(|p| p.id.clone()) {
            self.delete_principal(&principal);
        }
        self.deleted.push(Deleted { object: DeletedObject::Application(app), at: self.now() });
    }

    /// Deletes a service principal (object id). Its role assignments stay, with nobody behind them.
    pub fn delete_principal(&mut self, id: &str) {
        let Some(index) = self.service_principals.iter().position(|p| p.id.eq_ignore_ascii_case(id)) else { return };
        let principal = self.service_principals.remove(index);
        self.deleted.push(Deleted { object: DeletedObject::ServicePrincipal(principal), at: self.now() });
    }

    /// Whether an application of the tenant, a deleted one too, has this unique name.
    pub(crate) fn unique_name_taken(&self, tenant: &str, name: &str) -> bool {
        let deleted = self.deleted.iter().filter_map(|deleted| match &deleted.object {
            DeletedObject::Application(app) => Some(app),
            DeletedObject::ServicePrincipal(_) => None,
        });
        let mut all = self.applications.iter().chain(deleted);
        all.any(|a| a.tenant == tenant && a.unique_name.as_deref() == Some(name))
    }

    /// Deleted objects go for good when their time is over.
    pub(crate) fn purge_deleted(&mut self) {
        let clock = self.clock;
        self.deleted.retain(|deleted| !clock.over(deleted.at, KEPT));
    }
}
