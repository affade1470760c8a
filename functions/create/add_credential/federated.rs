//! A federated credential, so that the app's managed identity may sign in as the application. No secret anywhere.

use async_trait::async_trait;

use super::application;
use crate::cloud::graph::FederatedCredential;
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::{Act, Job, Look, Remedy, SharedEffect, Stop};
use crate::peering::AppId;
use crate::state::Scope;

/// What a managed identity's token must be for, to be exchanged (Entra: federated credentials that trust a managed identity).
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Is it there, or vouched for?
pub(super) async fn look(context: &Context, job: &mut Job) -> Result<Look, Stop> {
    let app = application(job)?;
    if context.settings.made.application == Some(app) {
        // The deployment that made the application made its credential, too.
        return Ok(Look::Done);
    }
    let Some(known) = job.known::<String>(&Scope::Installation, &part(app)).await? else {
        return Ok(Look::Missing);
    };
    job.record.facts.credential_at = known.made_at;
    Ok(Look::Done)
}

/// Makes it, if it is not there.
pub(super) async fn act(context: &Context, job: &mut Job) -> Result<Act, Stop> {
    let app = application(job)?;
    let known = job.ensure(&Scope::Installation, &part(app), &ItsCredential { context, app }).await?;
    job.record.facts.credential_at = known.made_at;
    Ok(Act::Done)
}

/// Whoever owns the application adds it.
pub(super) fn remedy(context: &Context, app: AppId, failure: &Failure) -> Option<Remedy> {
    if failure.service != Service::Graph || failure.status != Some(403) {
        return None;
    }
    Some(Remedy {
        why: "the app's managed identity has no right to add a credential to the application".to_owned(),
        command: command(context, app),
    })
}

/// The part of the installation's row that is the credential.
pub fn part(app: AppId) -> String {
    format!("credential:{app}")
}

/// The credential: it trusts this app's identity, as the home tenant's token service names it.
pub fn wanted(context: &Context) -> FederatedCredential {
    let settings = &context.settings;
    FederatedCredential {
        // Each identity has its own: one that was made again must not find its name taken by the credential of the one before.
        name: format!("aiven-azure-peering-{}-{}", settings.installation, settings.identity),
        issuer: format!(
            "{}/{}/v2.0",
            settings.endpoints.entra.as_str().trim_end_matches('/'),
            settings.endpoints.tenant
        ),
        subject: settings.identity.to_string(),
        audiences: vec![AUDIENCE.to_owned()],
    }
}

/// Whether both trust the same; their names do not matter.
pub fn is_same(a: &FederatedCredential, b: &FederatedCredential) -> bool {
    a.issuer == b.issuer && a.subject == b.subject && a.audiences == b.audiences
}

/// The command that adds it, for a person who may.
pub fn command(context: &Context, app: AppId) -> String {
    let FederatedCredential { name, issuer, subject, audiences } = wanted(context);
    let parameters = serde_json::json!({"name": name, "issuer": issuer, "subject": subject, "audiences": audiences});
    format!(
        "az ad app federated-credential create --id {app} --parameters '{parameters}' (run by an owner of the application)"
    )
}

struct ItsCredential<'a> {
    context: &'a Context,
    app: AppId,
}

#[async_trait]
impl SharedEffect for ItsCredential<'_> {
    type Value = String;

    /// By what it trusts, not by name: issuer and subject are unique in an application.
    async fn look(&self) -> Result<Option<String>, Stop> {
        let wanted = wanted(self.context);
        let all = self.context.clouds.graph.federated_credentials(self.app).await?;
        Ok(all.into_iter().find(|found| is_same(found, &wanted)).map(|found| found.name))
    }

    async fn make(&self) -> Result<String, Stop> {
        Ok(self.context.clouds.graph.create_federated_credential(self.app, &wanted(self.context)).await?.name)
    }
}
