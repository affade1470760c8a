//! Runbook step 7: the service principal of Aiven's own application in our tenant, by which Aiven's platform peers to us.

use async_trait::async_trait;

use super::create_service_principal::disabled;
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::{Act, Job, Look, Remedy, SharedEffect, Step, Stop};
use crate::peering::{ObjectId, Record};
use crate::state::Scope;

/// The part of the installation's row that is Aiven's principal.
pub const PART: &str = "aiven_principal";

/// Graph answers a missing right to admit a foreign application with the same text as replication lag of an own one
/// (serviceprincipal-upsert); Aiven's application is foreign, so here it is a missing right.
const FOREIGN: &str = "ForeignApplication";

/// Its name.
pub const STEP: &str = "admit_aiven";

/// See the module.
pub struct AdmitAiven {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AdmitAiven {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if let Some(made) = self.context.settings.made.aiven_principal {
            job.record.facts.aiven_principal = Some(made);
            return Ok(Look::Done);
        }
        let Some(known) = job.known(&Scope::Installation, PART).await? else { return Ok(Look::Missing) };
        job.record.facts.aiven_principal = Some(known.value);
        job.record.facts.principal_at = known.made_at.or(job.record.facts.principal_at);
        Ok(Look::Done)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let known = job.ensure(&Scope::Installation, PART, &AivenPrincipal { context: &self.context }).await?;
        job.record.facts.aiven_principal = Some(known.value);
        job.record.facts.principal_at = known.made_at.or(job.record.facts.principal_at);
        Ok(Act::Done)
    }

    fn remedy(&self, _record: &Record, failure: &Failure) -> Option<Remedy> {
        (failure.service == Service::Graph && failure.status == Some(403)).then(|| Remedy {
            why: "admitting a foreign application takes a right that the app's managed identity does not have".to_owned(),
            command: format!(
                "az ad sp create --id {} (run by a Global Administrator, an Application Administrator or a Cloud Application Administrator)",
                self.context.settings.aiven_application
            ),
        })
    }
}

struct AivenPrincipal<'a> {
    context: &'a Context,
}

#[async_trait]
impl SharedEffect for AivenPrincipal<'_> {
    type Value = ObjectId;

    async fn look(&self) -> Result<Option<ObjectId>, Stop> {
        let app = self.context.settings.aiven_application;
        let Some(principal) = self.context.clouds.graph.service_principal(app).await? else { return Ok(None) };
        if !principal.enabled {
            return Err(disabled(app).into());
        }
        Ok(Some(principal.id))
    }

    async fn make(&self) -> Result<ObjectId, Stop> {
        let made = self.context.clouds.graph.upsert_service_principal(self.context.settings.aiven_application).await;
        Ok(made.map_err(foreign)?.object.id)
    }
}

fn foreign(failure: Failure) -> Failure {
    let missing_right = failure.status == Some(403);
    if missing_right { Failure { code: FOREIGN.to_owned(), ..failure } } else { failure }
}
