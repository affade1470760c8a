//! Runbook step 3: the application's service principal in the home tenant, which can be given a role.

use async_trait::async_trait;

use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Known, Look, Remedy, SharedEffect, Step, Stop};
use crate::peering::{AppId, ObjectId, Record};
use crate::state::Scope;

/// Its name.
pub const STEP: &str = "create_service_principal";

/// See the module.
pub struct CreateServicePrincipal {
    /// The clouds and the settings.
    pub context: Context,
}

impl CreateServicePrincipal {
    fn vouched_for(&self, record: &Record) -> Option<ObjectId> {
        let made = self.context.settings.made;
        made.principal.filter(|_| record.facts.application == made.application)
    }
}

#[async_trait]
impl Step for CreateServicePrincipal {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if let Some(made) = self.vouched_for(&job.record) {
            job.record.facts.principal = Some(made);
            return Ok(Look::Done);
        }
        let Some(known) = job.known(&Scope::Installation, &part(application(job)?)).await? else {
            return Ok(Look::Missing);
        };
        keep(job, &known);
        Ok(Look::Done)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let app = application(job)?;
        let known = job.ensure(&Scope::Installation, &part(app), &ItsPrincipal { context: &self.context, app }).await?;
        keep(job, &known);
        Ok(Act::Done)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        let app =
            record.facts.application.filter(|_| failure.service == Service::Graph && failure.status == Some(403))?;
        Some(Remedy {
            why: "the app's managed identity has no right to create its service principal".to_owned(),
            command: format!(
                "az ad sp create --id {app} (run by an Application Administrator), then set APPLICATION_PRINCIPAL_ID to its id"
            ),
        })
    }
}

/// The part of the installation's row that is an application's principal.
pub fn part(app: AppId) -> String {
    format!("{PART}{app}")
}

const PART: &str = "principal:";

/// The application of such a part.
pub fn application_of(part: &str) -> Option<AppId> {
    part.strip_prefix(PART)?.parse().ok()
}

fn keep(job: &mut Job, known: &Known<ObjectId>) {
    job.record.facts.principal = Some(known.value);
    job.record.facts.principal_at = known.made_at;
}

/// The application that an earlier step recorded.
pub fn application(job: &Job) -> Result<AppId, Stop> {
    job.record.facts.application.ok_or_else(|| Fix::report("the record names no application").into())
}

struct ItsPrincipal<'a> {
    context: &'a Context,
    app: AppId,
}

#[async_trait]
impl SharedEffect for ItsPrincipal<'_> {
    type Value = ObjectId;

    async fn look(&self) -> Result<Option<ObjectId>, Stop> {
        let Some(principal) = self.context.clouds.graph.service_principal(self.app).await? else { return Ok(None) };
        if !principal.enabled {
            return Err(disabled(self.app).into());
        }
        Ok(Some(principal.id))
    }

    async fn make(&self) -> Result<ObjectId, Stop> {
        Ok(self.context.clouds.graph.upsert_service_principal(self.app).await?.object.id)
    }
}

/// A service principal that may not sign in.
pub fn disabled(app: AppId) -> Fix {
    Fix {
        what: format!("the service principal of application {app} is disabled in our tenant"),
        why: "a disabled principal cannot sign in, so no peering can be made with it".to_owned(),
        command: format!("az ad sp update --id {app} --set accountEnabled=true (run by an Application Administrator)"),
        code: "principal_disabled".to_owned(),
        correlation: None,
    }
}
