//! The way back, step 3: deletes the peering on the VNet, as the application that made it.

use std::time::Duration;

use async_trait::async_trait;

use super::delete_aiven_peering::NAME as AIVENS;
use super::stays;
use crate::cloud::arm::{Peering, ProvisioningState};
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::create::add_credential::secret::refused_password;
use crate::create::create_service_principal::application;
use crate::create::roles::assign_command;
use crate::engine::{Act, Job, Look, Remedy, Step, Stop, Wait};
use crate::peering::{Half, Provenance, Record};

const NAME: &str = "the peering on the VNet";

/// How often the deletion is looked after, and for how long, nominal seconds.
const DELETION: (u64, u64) = (10, 30 * 60);

/// Its name.
pub const STEP: &str = "delete_azure_peering";

/// See the module.
pub struct DeleteAzurePeering {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for DeleteAzurePeering {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if let Some(why) = stays(&mut job.record, Half::Azure, NAME) {
            job.said = Some(why);
            return Ok(Look::Done);
        }
        let found = self.find(&job.record).await?;
        let Some(peering) = found else {
            job.record.provenance.azure = None;
            let facts = &mut job.record.facts;
            (facts.operation, facts.azure_state, facts.aiven_vnet, facts.aiven_tenant) = (None, None, None, None);
            let leads_nowhere = job.record.provenance.aiven == Some(Provenance::Adopted);
            job.said = leads_nowhere.then(|| format!("{NAME} is gone; {AIVENS} stays, and it sees DELETED_BY_PEER"));
            return Ok(Look::Done);
        };
        job.record.facts.peering = Some(peering.name);
        match peering.provisioning_state {
            ProvisioningState::Deleting => Err(going(None)),
            _ => Ok(Look::Missing),
        }
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let (app, name) = (application(job)?, job.record.peering_name());
        let accepted = self.context.clouds.arm.delete_peering(app, &job.record.vnet, &name).await?;
        if accepted.was_absent {
            return Ok(Act::Again);
        }
        Err(going(accepted.retry_after))
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        if let Some(remedy) = refused_password(&self.context, record, failure) {
            return Some(remedy);
        }
        let missing = failure.service == Service::Arm && failure.code == "AuthorizationFailed";
        let (principal, role) = (record.facts.principal?, record.facts.peering_role.as_deref()?);
        missing.then(|| Remedy {
            why: "the application has lost its role on the VNet, and only it may delete its peering".to_owned(),
            command: assign_command(&record.vnet, principal, role),
        })
    }
}

impl DeleteAzurePeering {
    /// Our half: by its name, and by what it leads to once it is known where Aiven's network is. One of another name is somebody's.
    async fn find(&self, record: &Record) -> Result<Option<Peering>, Stop> {
        let vnet = match self.context.clouds.arm.vnet(&record.vnet).await {
            // The VNet went, and its peerings with it.
            Err(failure) if failure.status == Some(404) => return Ok(None),
            other => other?,
        };
        let name = record.given_name();
        let found = match &record.facts.aiven_vnet {
            Some(remote) => vnet.peering_to(remote),
            None => vnet.peerings.iter().find(|peering| peering.name.eq_ignore_ascii_case(&name)),
        };
        Ok(found.filter(|peering| peering.name.eq_ignore_ascii_case(&name)).cloned())
    }
}

fn going(retry_after: Option<Duration>) -> Stop {
    let wait = Wait::azure("deleting_half", "Azure deletes our half", DELETION.0, DELETION.1)
        .or("see the activity log of the VNet; `retry` deletes it again");
    Stop::Wait(Wait { delay: retry_after.unwrap_or(wait.delay), ..wait })
}
