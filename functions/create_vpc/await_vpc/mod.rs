//! Queue: looks for the VPC that was asked for, makes it, waits until it is ready, then sends the peering requests.
//!
//! Look, claim, act, commit, send, as any step does; what dying between two lines does is said beside them.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use futures::{StreamExt, stream};
use ipnet::IpNet;
use tracing::{info, warn};

use super::judge::{Seen, building, judge};
use super::settle::{refuse, settle};
use super::{AWAIT_VPC, PAUSE, VPC_REQUESTS, VpcMessage, send_for};
use crate::accept_request::REQUESTS;
use crate::context::Context;
use crate::create::inspect_network::{no_overlap, reader};
use crate::engine::{Delivery, Engine, Fix, RunError, Stop, is_newer, to_text};
use crate::peering::{Claim, Provenance, VnetId, VpcRequest};
use crate::state::{Lookup, Versioned, VpcRequestRow, VpcRequests, reject};

/// How long a message is put back for when another worker was quicker to claim. Nominal.
const LOST_CLAIM_PAUSE: Duration = Duration::from_secs(5);
/// VNets that are read at once.
const AT_ONCE: usize = 8;

/// Handles a hint.
pub async fn await_vpc(engine: &Engine, context: &Context, text: &str, delivery: &Delivery) -> Result<(), RunError> {
    let put_back = async |delay| Ok(engine.send(AWAIT_VPC, text, delay).await?);
    if is_newer(text) {
        return put_back(PAUSE).await;
    }
    let refuse = async |reason: &str| {
        Ok(reject(&engine.storage, AWAIT_VPC, text.as_bytes(), reason, None, engine.clock.now()).await?)
    };
    let message: VpcMessage = match serde_json::from_str(text) {
        Ok(message) => message,
        Err(error) => return refuse(&format!("this is not a message of ours: {error}")).await,
    };
    let rows = VpcRequests::new(engine.storage.clone());
    let held = match rows.load(&message.request).await? {
        Lookup::NewerSchema => return put_back(PAUSE).await,
        Lookup::Absent => return refuse("nobody asked for such a VPC").await,
        Lookup::Found(held) => *held,
    };
    let row = &held.value;
    if message.seq != row.seq {
        // The very message whose worker made the last commit may have died before the send.
        let owed = message.seq + 1 == row.seq && row.committed_by.as_ref() == Some(&delivery.message_id);
        return if owed && delivery.redelivered { send_for(engine, row).await } else { Ok(()) };
    }
    if let Some(claim) = row.claim.as_ref().filter(|claim| claim.is_live(engine.clock.now())) {
        return put_back(engine.clock.until(claim.until)).await;
    }
    if !row.open {
        return Ok(());
    }
    let id = row.id.clone();
    let work = pin!(Work { engine, context, rows, held, delivery, remedy: None }.run());
    match select(work, engine.clock.sleep(engine.clock.scale().step_budget())).await {
        Either::Left((Err(RunError::Store(error)), _)) if error.is_lost_race() => put_back(LOST_CLAIM_PAUSE).await,
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(RunError::OverBudget { step: "await_vpc".to_owned(), peering: id }),
    }
}

/// One run over a row.
struct Work<'a> {
    engine: &'a Engine,
    context: &'a Context,
    rows: VpcRequests,
    held: Versioned<VpcRequestRow>,
    delivery: &'a Delivery,
    /// A better way out of the failure that ends this run than the table knows.
    remedy: Option<String>,
}

impl Work<'_> {
    /// Commit, then send. Dying in between: the message is delivered again, is stale, and its redelivery sends.
    async fn run(mut self) -> Result<(), RunError> {
        let outcome = match self.look().await {
            Err(Stop::Store(error)) => return Err(error.into()),
            other => other,
        };
        let (engine, row, remedy) = (self.engine, &mut self.held.value, self.remedy.take());
        match outcome {
            // Nobody is left who wants it.
            Err(Stop::Fix(fix)) if row.asks.is_empty() => refuse(row, fix, &*engine.clock),
            outcome => settle(row, outcome, remedy, &*engine.clock),
        }
        row.committed_by = Some(self.delivery.message_id.clone());
        self.rows.write(&mut self.held).await?;
        self.tell();
        send_for(engine, &self.held.value).await
    }

    async fn look(&mut self) -> Result<(), Stop> {
        let asked: Vec<VpcRequest> =
            self.held.value.asks.iter().filter_map(|ask| VpcRequest::parse(&ask.to_string()).ok()).collect();
        let Some(request) = asked.first() else {
            return Err(Fix::report("a row of VPC requests holds none that can be read").into());
        };
        let list = self.context.clouds.aiven.vpcs(&request.owner).await?;
        let row = &self.held.value;
        let age = row.made_at.map(|at| self.engine.clock.since(at));
        match judge(row, request, &list, age) {
            Seen::Ready(id) => {
                self.found(id);
                self.send(&asked, id).await
            }
            Seen::Building(id, wait) => {
                self.found(id);
                Err(wait.into())
            }
            Seen::NotYet(wait) => Err(wait.into()),
            Seen::Gone(fix) => Err(fix.into()),
            Seen::Missing => self.make().await,
        }
    }

    /// Ours, if we meant to make it before.
    fn found(&mut self, id: uuid::Uuid) {
        let row = &mut self.held.value;
        let before = row.provenance.filter(|_| row.made_at.is_some() || row.vpc == Some(id));
        (row.vpc, row.provenance) = (Some(id), Some(Provenance::found(before)));
    }

    /// Each is a message like any other's: sent twice, the peering is one. Dying before the commit sends them again.
    async fn send(&self, asked: &[VpcRequest], id: uuid::Uuid) -> Result<(), Stop> {
        for peering in asked.iter().flat_map(|request| request.peerings_with(id)) {
            self.engine.send(REQUESTS, &to_text(&peering), Duration::ZERO).await.map_err(Stop::Store)?;
        }
        Ok(())
    }

    /// Claims, then asks Aiven, which knows no key for a VPC. Dying in between, or before the commit: the claim runs out, what is new has
    /// come into the list by then, and is ours.
    async fn make(&mut self) -> Result<(), Stop> {
        self.refuse_what_overlaps().await?;
        let (engine, row) = (self.engine, &mut self.held.value);
        let Some(request) = row.asks.first().and_then(|ask| VpcRequest::parse(&ask.to_string()).ok()) else {
            return Err(Fix::report("a row of VPC requests holds none that can be read").into());
        };
        let until = engine.clock.after(engine.clock.scale().claim_length());
        row.claim = Some(Claim { step: "await_vpc".to_owned(), by: self.delivery.message_id.clone(), until });
        let before = (row.vpc.take(), row.provenance.replace(Provenance::Claimed), row.made_at);
        row.made_at = Some(engine.clock.now());
        self.rows.write(&mut self.held).await.map_err(Stop::Store)?;
        let made = self.context.clouds.aiven.create_vpc(&request.owner, &request.cloud, IpNet::V4(request.cidr)).await;
        let row = &mut self.held.value;
        match made {
            Ok(summary) => {
                row.provenance = Some(Provenance::Created);
                row.vpc = summary.as_ref().map(|vpc| vpc.id);
                Err(building(summary.as_ref().map_or("asked for", |vpc| vpc.state.as_str())).into())
            }
            Err(failure) => {
                if !failure.may_have_landed() {
                    (_, row.provenance, row.made_at) = before;
                }
                Err(failure.into())
            }
        }
    }

    /// A range that a VNet could not be peered with is refused before anything is made: with the reason, to be found by its reference.
    async fn refuse_what_overlaps(&mut self) -> Result<(), Stop> {
        let mut kept = Vec::new();
        let mut refused = None;
        for ask in self.held.value.asks.clone() {
            let text = ask.to_string();
            let Ok(request) = VpcRequest::parse(&text) else { continue };
            match self.overlap(&request).await? {
                None => kept.push(ask),
                Some(fix) => {
                    let reason = format!("{} ({}); {}", fix.what, fix.why, fix.command);
                    let (storage, now) = (&self.engine.storage, self.engine.clock.now());
                    let reference = request.reference.as_deref();
                    info!(reference, "a request for a VPC was refused; table rejected says why");
                    reject(storage, VPC_REQUESTS, text.as_bytes(), &reason, reference, now)
                        .await
                        .map_err(Stop::Store)?;
                    refused = Some(fix);
                }
            }
        }
        self.held.value.asks = kept;
        match refused {
            Some(fix) if self.held.value.asks.is_empty() => Err(fix.into()),
            _ => Ok(()),
        }
    }

    /// What stands in the way of peering the range to the first VNet that it cannot be peered to.
    async fn overlap(&mut self, request: &VpcRequest) -> Result<Option<Fix>, Stop> {
        let arm = self.context.clouds.arm.clone();
        let vnets: Vec<VnetId> = request.peerings.iter().filter_map(|peering| peering.vnet.clone()).collect();
        let read = vnets.into_iter().map(|id| {
            let arm = arm.clone();
            async move { (arm.vnet(&id).await, id) }
        });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        while let Some((vnet, id)) = read.next().await {
            let vnet = vnet.inspect_err(|failure| {
                self.remedy = reader(self.context.settings.identity, &id, failure).map(|remedy| remedy.command);
            })?;
            if let Err(fix) = no_overlap(&id, &vnet, &[IpNet::V4(request.cidr)], false, None) {
                return Ok(Some(Fix { what: format!("VNet {id}: {}", fix.what), ..fix }));
            }
        }
        Ok(None)
    }

    /// One log line a commit; what a person has to attend to is a warning.
    fn tell(&self) {
        let row = &self.held.value;
        let vpc = row.vpc.map(|id| id.to_string());
        match (&row.fault, &row.waiting) {
            (Some(fault), _) => warn!(
                vpc_request = row.id,
                vpc,
                code = fault.code,
                "{} ({}) Do: {}",
                fault.what,
                fault.why,
                fault.command
            ),
            (None, Some(waiting)) => info!(vpc_request = row.id, vpc, party = %waiting.party, "{}", waiting.reason),
            (None, None) => info!(vpc_request = row.id, vpc, "the VPC is there, and its peerings are asked for"),
        }
    }
}
