//! Runbook step 4: how the app may sign in as the application. By a federated credential, so that there is no secret anywhere; or, if
//! so configured, by a password straight into Key Vault.

pub mod federated;
pub mod secret;

use async_trait::async_trait;

use super::create_service_principal::application;
use crate::cloud::Failure;
use crate::create::Tools;
use crate::engine::{Act, Job, Look, Remedy, Step, Stop};
use crate::peering::Record;
use crate::settings::Credential;

/// Its name.
pub const STEP: &str = "add_credential";

/// See the module.
pub struct AddCredential(pub Tools);

#[async_trait]
impl Step for AddCredential {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        match self.0.settings.credential {
            Credential::Federated => federated::look(&self.0, job).await,
            Credential::Secret => secret::look(job).await,
        }
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        match self.0.settings.credential {
            Credential::Federated => federated::act(&self.0, job).await,
            Credential::Secret => secret::act(&self.0, job).await,
        }
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        let app = record.facts.application?;
        match self.0.settings.credential {
            Credential::Federated => federated::remedy(&self.0, app, failure),
            Credential::Secret => secret::remedy(&self.0, app, failure),
        }
    }
}
