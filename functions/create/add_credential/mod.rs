//! Runbook step 4: how the app may sign in as the application. By a federated credential, so that there is no secret anywhere; or, if
//! so configured, by a password straight into Key Vault.

pub mod federated;
pub mod secret;

use async_trait::async_trait;

use super::create_service_principal::application;
use crate::cloud::Failure;
use crate::context::Context;
use crate::engine::{Act, Job, Look, Remedy, Step, Stop};
use crate::peering::Record;
use crate::settings::Credential;

/// Its name.
pub const STEP: &str = "add_credential";

/// See the module.
pub struct AddCredential {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AddCredential {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        match self.context.settings.credential {
            Credential::Federated => federated::look(&self.context, job).await,
            Credential::Secret => secret::look(job).await,
        }
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        match self.context.settings.credential {
            Credential::Federated => federated::act(&self.context, job).await,
            Credential::Secret => secret::act(&self.context, job).await,
        }
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        let app = record.facts.application?;
        match self.context.settings.credential {
            Credential::Federated => federated::remedy(&self.context, app, failure),
            Credential::Secret => secret::remedy(&self.context, app, failure),
        }
    }
}
