//! The way back, step 5: removes the role assignments on the VNet that we made and no other peering of it uses.

use async_trait::async_trait;

use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::create::roles::{AIVEN_ASSIGNMENT, assignment_part, delegate_command, peers_as};
use crate::engine::{Act, Job, Look, Remedy, Step, Stop};
use crate::peering::{Provenance, Record};
use crate::state::Scope;

/// Its name.
pub const STEP: &str = "revoke_access";

/// See the module.
pub struct RevokeAccess {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for RevokeAccess {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if unused(job).await?.is_some() {
            return Ok(Look::Missing);
        }
        job.said = what_stays(job);
        Ok(Look::Done)
    }

    /// One in a run: a step stays short, and dies small.
    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let Some(part) = unused(job).await? else { return Ok(Act::Again) };
        let (vnet, application) = (Scope::Vnet(job.record.vnet.clone()), job.record.options.application);
        let arm = &self.context.clouds.arm;
        let uses = |user: &str| part == AIVEN_ASSIGNMENT || peers_as(user, application);
        let removed = job
            .remove(&vnet, &part, &uses, async |id: String| Ok(arm.delete_role_assignment(&id).await.map(drop)?))
            .await?;
        job.said = removed.then(|| format!("{} is removed", words(&part)));
        Ok(Act::Again)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        (failure.service == Service::Arm && failure.status == Some(403)).then(|| Remedy {
            why: "the app's managed identity may not remove role assignments there".to_owned(),
            command: delegate_command(&record.vnet, self.context.settings.identity),
        })
    }
}

/// A part of the VNet's row that can go: Aiven's role when no peering is left, the application's when none is left that peers as it.
async fn unused(job: &mut Job) -> Result<Option<String>, Stop> {
    let (vnet, application) = (Scope::Vnet(job.record.vnet.clone()), job.record.options.application);
    if job.is_removable(&vnet, AIVEN_ASSIGNMENT, &|_| true).await? {
        return Ok(Some(AIVEN_ASSIGNMENT.to_owned()));
    }
    let part = assignment_part(application);
    let uses = |user: &str| peers_as(user, application);
    Ok(job.is_removable(&vnet, &part, &uses).await?.then_some(part))
}

/// What is left of the VNet's row, for the journal.
fn what_stays(job: &Job) -> Option<String> {
    let (_, held) = job.rows.iter().find(|(scope, _)| matches!(scope, Scope::Vnet(_)))?;
    let adopted = held.value.parts.values().any(|part| part.provenance == Some(Provenance::Adopted));
    match held.value.users.len() {
        0 => adopted.then(|| "role assignments that were there before stay".to_owned()),
        1 => Some("the role assignments stay: another peering of the VNet uses them".to_owned()),
        users => Some(format!("the role assignments stay: {users} other peerings of the VNet use them")),
    }
}

fn words(part: &str) -> &'static str {
    if part == AIVEN_ASSIGNMENT { "Aiven's role on the VNet" } else { "the application's role on the VNet" }
}
