//! Runbook step 12: waits from APPROVED to PENDING_PEER, when Aiven's half stands and its ids are known. The poll of the VPC looks for all.

use async_trait::async_trait;

use super::connection;
use crate::cloud::aiven::{Connection, ConnectionState};
use crate::context::Context;
use crate::engine::{Job, Judgement, Look, Polled, Step, Stop, Wait};
use crate::peering::Record;

/// "A couple of minutes", as the runbook says; then it is not normal any more. Nominal seconds.
const WINDOW: u64 = 30 * 60;

/// Its name.
pub const STEP: &str = "await_pending_peer";

/// See the module.
pub struct AwaitPendingPeer {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AwaitPendingPeer {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if job.record.facts.aiven_vnet.is_some() {
            return Ok(Look::Done);
        }
        if job.record.facts.aiven_state.as_deref() == Some("ACTIVE") && self.find_on_the_vnet(job).await? {
            return Ok(Look::Done);
        }
        let state = job.record.facts.aiven_state.as_deref().unwrap_or("APPROVED").to_owned();
        let overdue = "ask Aiven's support what keeps the connection from PENDING_PEER, with its id from the record; `retry` waits afresh";
        Err(Stop::Park(
            Wait::aiven("pending_peer", format!("Aiven builds its half (the connection is {state})"), 60, WINDOW)
                .or(overdue),
        ))
    }

    fn on_poll(&self, record: &mut Record, polled: &Polled<'_>) -> Judgement {
        connection::on_poll(record, polled, is_built)
    }
}

/// Aiven's half stands, and Aiven said where.
pub fn is_built(record: &Record, connection: &Connection) -> bool {
    use ConnectionState::{Active, PendingPeer};
    matches!(connection.state, PendingPeer | Active) && record.facts.aiven_vnet.is_some()
}

impl AwaitPendingPeer {
    /// A connection that is ACTIVE already need not say any more which network it leads to; the VNet does: the peering to the
    /// range of the Aiven VPC.
    async fn find_on_the_vnet(&self, job: &mut Job) -> Result<bool, Stop> {
        let vnet = self.context.clouds.arm.vnet(&job.record.vnet).await?;
        let cidrs = &job.record.facts.vpc_cidrs;
        let found = vnet.peerings.iter().find(|peering| !cidrs.is_empty() && peering.remote_prefixes == *cidrs);
        let remote = found.and_then(|peering| peering.remote.clone());
        let known = remote.is_some();
        job.record.facts.aiven_vnet = remote;
        Ok(known)
    }
}
