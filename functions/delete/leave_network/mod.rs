//! The way back, step 4: leaves the users of the VNet's role assignments. Leave before you remove: whoever then finds no user removes them.

use async_trait::async_trait;

use crate::engine::{Act, Job, Look, Step, Stop};
use crate::state::Scope;

/// Its name.
pub const STEP: &str = "leave_network";

/// See the module.
pub struct LeaveNetwork;

#[async_trait]
impl Step for LeaveNetwork {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let vnet = Scope::Vnet(job.record.vnet.clone());
        Ok(if job.is_member(&vnet).await? { Look::Missing } else { Look::Done })
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        job.leave(&Scope::Vnet(job.record.vnet.clone())).await?;
        Ok(Act::Done)
    }
}
