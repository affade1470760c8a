//! Runbook step 9: that role on the VNet, for Aiven's service principal; then the settling time that Azure needs before Aiven may try it.

use std::time::Duration;

use async_trait::async_trait;

use super::authorize_application::assignment_remedy;
use super::roles::{AIVEN_ASSIGNMENT, Assignment};
use crate::cloud::Failure;
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Look, Remedy, Step, Stop, Wait};
use crate::peering::Record;
use crate::state::Scope;

/// A connection asked for before the assignment took effect ends in REJECTED_BY_PEER or INVALID_SPECIFICATION, for good.
const SETTLING: Duration = Duration::from_secs(180);

/// Its name.
pub const STEP: &str = "authorize_aiven";

/// See the module.
pub struct AuthorizeAiven {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AuthorizeAiven {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let vnet = Scope::Vnet(job.record.vnet.clone());
        let Some(known) = job.known_to_member::<String>(&vnet, AIVEN_ASSIGNMENT).await? else {
            return Ok(Look::Missing);
        };
        job.record.facts.aiven_assigned_at = known.made_at;
        settled(job)?;
        Ok(Look::Done)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let vnet = job.record.vnet.clone();
        let facts = &job.record.facts;
        let (Some(principal), Some(role)) = (facts.aiven_principal, facts.aiven_role.clone()) else {
            return Err(Fix::report("the record names no principal or role of Aiven's").into());
        };
        let scope = Scope::Vnet(vnet.clone());
        job.join(&scope).await?;
        let assignment = Assignment { context: &self.context, vnet: &vnet, principal, role: &role };
        let known = job.ensure(&scope, AIVEN_ASSIGNMENT, &assignment).await?;
        job.record.facts.aiven_assigned_at = known.made_at;
        settled(job)?;
        Ok(Act::Done)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        let facts = &record.facts;
        assignment_remedy(&self.context, record, failure, facts.aiven_principal, facts.aiven_role.as_deref())
    }
}

/// An assignment that was there before us has settled long ago.
fn settled(job: &Job) -> Result<(), Stop> {
    let Some(made_at) = job.record.facts.aiven_assigned_at else { return Ok(()) };
    let left = SETTLING.saturating_sub(job.clock.since(made_at));
    if left.is_zero() {
        return Ok(());
    }
    let reason = "Azure takes minutes to honour the role assignment everywhere";
    Err(Stop::Wait(Wait { delay: left, ..Wait::azure("settling", reason, 0, 3600) }))
}
