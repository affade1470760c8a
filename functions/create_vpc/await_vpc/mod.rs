//! Step of the VPC's runbook: looks for the VPC that was asked for, makes it, waits until it is ready, then sends the peering requests.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use ipnet::IpNet;
use tracing::info;

use super::judge::{Seen, building, judge};
use crate::context::Context;
use crate::create::inspect_network::{no_overlap, reader};
use crate::engine::{Act, Fix, Job, Look, REQUESTS, Remedy, Step, Stop, VPC_REQUESTS, to_text};
use crate::peering::{Provenance, VnetId, VpcRequest};
use crate::state::{VpcRequestRow, reject};
use crate::storage::Storage;

/// VNets that are read at once.
const AT_ONCE: usize = 8;

/// The step.
pub struct AwaitVpc {
    /// The clouds and the settings.
    pub context: Context,
    /// Where the peering requests go, and the requests that cannot be met.
    pub storage: Storage,
}

#[async_trait]
impl Step<VpcRequestRow> for AwaitVpc {
    async fn look(&self, job: &mut Job<VpcRequestRow>) -> Result<Look, Stop> {
        let asked = requests(&job.record);
        let request = asked.first().ok_or_else(|| unreadable(&job.record))?;
        let list = self.context.clouds.aiven.vpcs(&request.owner).await?;
        let age = job.record.made_at.map(|at| job.clock.since(at));
        match judge(&job.record, request, &list, age) {
            Seen::Ready(id) => {
                found(&mut job.record, id);
                self.send(&asked, id).await?;
                Ok(Look::Done)
            }
            Seen::Building(id, wait) => {
                found(&mut job.record, id);
                Err(wait.into())
            }
            Seen::NotYet(wait) => Err(wait.into()),
            Seen::Gone(fix) => Err(fix.into()),
            Seen::Missing => {
                self.refuse_what_overlaps(job).await?;
                Ok(Look::Missing)
            }
        }
    }

    /// Asks Aiven, which knows no key for a VPC. Dying before the commit: the claim runs out, what is new has come into the list by then,
    /// and is ours.
    async fn act(&self, job: &mut Job<VpcRequestRow>) -> Result<Act, Stop> {
        let row = &mut job.record;
        let asked = requests(row);
        let request = asked.first().ok_or_else(|| unreadable(row))?;
        let made =
            self.context.clouds.aiven.create_vpc(&request.owner, &request.cloud, IpNet::V4(request.cidr)).await?;
        row.provenance = Some(Provenance::Created);
        row.vpc = made.as_ref().map(|vpc| vpc.id);
        Err(building(made.as_ref().map_or("asked for", |vpc| vpc.state.as_str())).into())
    }
}

fn requests(row: &VpcRequestRow) -> Vec<VpcRequest> {
    row.asks.iter().filter_map(|ask| VpcRequest::parse(&ask.to_string()).ok()).collect()
}

fn unreadable(row: &VpcRequestRow) -> Stop {
    let fix = Fix::report("a row of VPC requests holds none that can be read");
    if row.asks.is_empty() { Stop::Refuse(fix) } else { Stop::Fix(fix) }
}

/// Ours, if we meant to make it before.
fn found(row: &mut VpcRequestRow, id: uuid::Uuid) {
    let before = row.provenance.filter(|_| row.made_at.is_some() || row.vpc == Some(id));
    (row.vpc, row.provenance) = (Some(id), Some(Provenance::found(before)));
}

impl AwaitVpc {
    /// Each is a message like any other's: sent twice, the peering is one. Dying before the commit sends them again.
    async fn send(&self, asked: &[VpcRequest], id: uuid::Uuid) -> Result<(), Stop> {
        for peering in asked.iter().flat_map(|request| request.peerings_with(id)) {
            self.storage.queues.send(REQUESTS, &to_text(&peering)?, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// A range that a VNet could not be peered with is refused before anything is made: with the reason, to be found by its reference.
    async fn refuse_what_overlaps(&self, job: &mut Job<VpcRequestRow>) -> Result<(), Stop> {
        let mut kept = Vec::new();
        let mut refused = None;
        for ask in job.record.asks.clone() {
            let text = ask.to_string();
            let Ok(request) = VpcRequest::parse(&text) else { continue };
            match self.overlap(&request, job).await? {
                None => kept.push(ask),
                Some(fix) => {
                    let reason = format!("{} ({}); {}", fix.what, fix.why, fix.command);
                    let reference = request.reference.as_deref();
                    info!(reference, "a request for a VPC was refused; table rejected says why");
                    reject(&self.storage, VPC_REQUESTS, text.as_bytes(), &reason, reference, job.now()).await?;
                    refused = Some(fix);
                }
            }
        }
        job.record.asks = kept;
        match refused {
            // Nobody is left who wants it.
            Some(fix) if job.record.asks.is_empty() => Err(Stop::Refuse(fix)),
            _ => Ok(()),
        }
    }

    /// What stands in the way of peering the range to the first VNet that it cannot be peered to.
    async fn overlap(&self, request: &VpcRequest, job: &mut Job<VpcRequestRow>) -> Result<Option<Fix>, Stop> {
        let arm = self.context.clouds.arm.clone();
        let vnets: Vec<VnetId> = request.peerings.iter().filter_map(|peering| peering.vnet.clone()).collect();
        let read = vnets.into_iter().map(|id| {
            let arm = arm.clone();
            async move { (arm.vnet(&id).await, id) }
        });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        while let Some((vnet, id)) = read.next().await {
            let vnet = vnet.inspect_err(|failure| {
                let better: Option<Remedy> = reader(self.context.settings.identity, &id, failure);
                job.remedy = better;
            })?;
            if let Err(fix) = no_overlap(&id, &vnet, &[IpNet::V4(request.cidr)], false, None) {
                return Ok(Some(Fix { what: format!("VNet {id}: {}", fix.what), ..fix }));
            }
        }
        Ok(None)
    }
}
