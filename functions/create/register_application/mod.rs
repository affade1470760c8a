//! Runbook step 2: the multi-tenant application that makes our half, one for the installation; or the one that settings or request name.

use async_trait::async_trait;

use crate::cloud::graph::Application;
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Look, Remedy, SharedEffect, Step, Stop};
use crate::peering::{AppId, Record};
use crate::state::Scope;

/// What `signInAudience` says of an application that other tenants may admit.
const MULTI_TENANT: &str = "AzureADMultipleOrgs";

/// Its name.
pub const STEP: &str = "register_application";

/// See the module.
pub struct RegisterApplication {
    /// The clouds and the settings.
    pub context: Context,
}

/// The part of the installation's row that is its own application.
pub const PART: &str = "application";

impl RegisterApplication {
    /// The application of the settings, which the deployment made and vouches for; unless the request names another.
    fn vouched_for(&self, record: &Record) -> Option<AppId> {
        let made = self.context.settings.made.application;
        made.filter(|made| record.options.application.is_none_or(|asked| asked == *made))
    }

    fn part(record: &Record) -> String {
        record.options.application.map_or_else(|| PART.to_owned(), |asked| format!("application:{asked}"))
    }
}

#[async_trait]
impl Step for RegisterApplication {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if let Some(made) = self.vouched_for(&job.record) {
            job.record.facts.application = Some(made);
            return Ok(Look::Done);
        }
        let Some(known) = job.known(&Scope::Installation, &Self::part(&job.record)).await? else {
            return Ok(Look::Missing);
        };
        job.record.facts.application = Some(known.value);
        Ok(Look::Done)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let effect = TheApplication { context: &self.context, asked: job.record.options.application };
        let known = job.ensure(&Scope::Installation, &Self::part(&job.record), &effect).await?;
        job.record.facts.application = Some(known.value);
        Ok(Act::Done)
    }

    fn remedy(&self, _record: &Record, failure: &Failure) -> Option<Remedy> {
        (failure.service == Service::Graph && failure.status == Some(403)).then(|| Remedy {
            why: "the app's managed identity has no right to register applications".to_owned(),
            command: format!(
                "az ad app create --display-name {} --sign-in-audience AzureADMultipleOrgs (run by an Application Administrator), then set APPLICATION_ID to its appId",
                unique_name(&self.context)
            ),
        })
    }
}

struct TheApplication<'a> {
    context: &'a Context,
    asked: Option<AppId>,
}

#[async_trait]
impl SharedEffect for TheApplication<'_> {
    type Value = AppId;

    async fn look(&self) -> Result<Option<AppId>, Stop> {
        let graph = &self.context.clouds.graph;
        let found = match self.asked {
            Some(asked) => graph.application_by_app_id(asked).await?,
            None => graph.application_by_unique_name(&unique_name(self.context)).await?,
        };
        found.map(multi_tenant).transpose()
    }

    async fn make(&self) -> Result<AppId, Stop> {
        if let Some(asked) = self.asked {
            return Err(Stop::Fix(Fix {
                what: format!("there is no application {asked} in our tenant"),
                why: "a request may name an application, but only one that exists".to_owned(),
                command: "correct \"application\" in the request, or leave it out".to_owned(),
                code: "no_such_application".to_owned(),
                correlation: None,
            }));
        }
        let name = unique_name(self.context);
        let made = self.context.clouds.graph.upsert_application(&name, &name).await?;
        multi_tenant(made.object)
    }
}

/// Its key in the directory, and its display name.
fn unique_name(context: &Context) -> String {
    format!("aiven-azure-peering-{}", context.settings.installation)
}

fn multi_tenant(application: Application) -> Result<AppId, Stop> {
    let id = application.app_id;
    match application.sign_in_audience.as_deref() {
        None | Some(MULTI_TENANT | "AzureADandPersonalMicrosoftAccount") => Ok(id),
        Some(audience) => Err(Stop::Fix(Fix {
            what: format!("application {id} is for {audience} only"),
            why: "Aiven must be able to admit it to its tenant".to_owned(),
            command: format!("az ad app update --id {id} --sign-in-audience {MULTI_TENANT}"),
            code: "single_tenant_application".to_owned(),
            correlation: None,
        })),
    }
}
