//! Runbook step 14: waits until the connection itself is ACTIVE at Aiven (the VPC always is) and our half Connected in Azure.

use std::time::Duration;

use async_trait::async_trait;

use super::{connection, peer_network};
use crate::cloud::arm::{PeeringState, ProvisioningState};
use crate::context::Context;
use crate::engine::{Job, Judgement, Look, Polled, Step, Stop, Wait};
use crate::peering::Record;

/// Aiven's state of a connection whose halves are both there.
const ACTIVE: &str = "ACTIVE";

/// "Up to 15 minutes", as the runbook says; thrice that is not normal any more. Nominal seconds.
const WINDOW: u64 = 45 * 60;

/// Before a half that is gone is made again: however often it goes, this does not become a busy loop. Nominal.
const BEFORE_AGAIN: Duration = Duration::from_secs(15);

/// Its name.
pub const STEP: &str = "await_active";

/// See the module.
pub struct AwaitActive {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AwaitActive {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if job.record.facts.aiven_state.as_deref() == Some(ACTIVE) {
            return self.both(job).await;
        }
        // Aiven looks by itself, too: asking only makes it sooner, and may be refused.
        if let Err(failure) = self.context.clouds.aiven.refresh(&job.record.key.vpc).await {
            tracing::debug!(peering = job.record.id, status = failure.status, "Aiven was not asked to look sooner");
        }
        let overdue = "ask Aiven's support why the connection stays PENDING_PEER although both halves are Connected; `retry` waits afresh";
        Err(Stop::Park(
            Wait::aiven("active", "Aiven has yet to see that both halves are there", 60, WINDOW).or(overdue),
        ))
    }

    /// That the connection is ACTIVE is half of it: the step looks at the VNet, too.
    fn on_poll(&self, record: &mut Record, polled: &Polled<'_>) -> Judgement {
        connection::on_poll(record, polled, |_, _| false)
    }
}

impl AwaitActive {
    async fn both(&self, job: &mut Job) -> Result<Look, Stop> {
        let name = job.record.peering_name();
        let peering = self.context.clouds.arm.peering(&job.record.vnet, &name).await?;
        let Some(peering) = peering else {
            let why = "our half is gone: it is made again".to_owned();
            return Err(Stop::Back { step: peer_network::STEP, why, after: BEFORE_AGAIN });
        };
        job.record.facts.azure_state = Some(peering.state.to_string());
        if (&peering.state, &peering.provisioning_state) == (&PeeringState::Connected, &ProvisioningState::Succeeded) {
            return Ok(Look::Done);
        }
        if peering.state == PeeringState::Disconnected {
            // It knows what to do about that.
            let why = "our half is Disconnected".to_owned();
            return Err(Stop::Back { step: peer_network::STEP, why, after: Duration::ZERO });
        }
        let reason = format!("our half is {} ({})", peering.state, peering.provisioning_state);
        Err(Wait::azure("connected", reason, 15, 1800)
            .or("see the activity log of the VNet; `retry` waits afresh")
            .into())
    }
}
