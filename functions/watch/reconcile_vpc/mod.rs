//! Queue: compares every peering of a VPC that is to be active with what both clouds say of it: one call of Aiven, one list of VNets a
//! subscription. What drifted is told once and recorded; what a vendor broke of ours is repaired by a second message, two minutes later.
//! Where a cloud gives no answer, nothing is judged; where nothing is new, nothing is written.

mod azure;
pub mod brake;
mod judge;
mod repair;
mod unknown;
mod verdict;

use std::time::Duration;

use tracing::info;

use self::azure::Azure;
use crate::cloud::aiven::Vpc;
use crate::context::Context;
use crate::create::roles::{AIVEN_ASSIGNMENT, assignment_part};
use crate::engine::{Delivery, Engine, RECONCILE_VPC, ReconcileMessage, RunError, queue_of, to_text};
use crate::peering::{Drift, PeeringKey, Record, SubscriptionId, VpcRef};
use crate::settings::Reconcile;
use crate::state::{SharedRow, Versioned};

/// By then every VPC's drift of the same pass is recorded, and what passes by itself has passed. Nominal.
const BEFORE_REPAIR: Duration = Duration::from_secs(120);
/// A hint that is older belongs to a pass that the next has overtaken. Nominal.
const STALE: Duration = Duration::from_secs(3600);

/// Handles a hint.
pub async fn reconcile_vpc(
    engine: &Engine,
    context: &Context,
    text: &str,
    delivery: &Delivery,
) -> Result<(), RunError> {
    let queue = queue_of(RECONCILE_VPC);
    let Some(message) = engine.decode::<ReconcileMessage>(&queue, text).await? else { return Ok(()) };
    let vpc: VpcRef = match message.vpc.parse() {
        Ok(vpc) => vpc,
        Err(error) => return engine.reject(&queue, text, &format!("this is not a message of ours: {error}")).await,
    };
    if delivery.redelivered {
        engine.send_what_is_owed(&vpc, delivery).await?;
    }
    if engine.clock.since(message.pass) > STALE {
        return Ok(());
    }
    Pass { engine, context, vpc, message, delivery }.run().await
}

/// One look at one VPC.
struct Pass<'a> {
    engine: &'a Engine,
    context: &'a Context,
    vpc: VpcRef,
    message: ReconcileMessage,
    delivery: &'a Delivery,
}

impl Pass<'_> {
    async fn run(self) -> Result<(), RunError> {
        let living = self.engine.records.living(&self.vpc).await?;
        if !living.iter().any(|stored| verdict::is_judged(&stored.value, self.engine.clock.now())) {
            return Ok(());
        }
        let Some(vpc) = self.aiven().await? else { return Ok(()) };
        unknown::report(self.engine, &self.vpc, &vpc, &living).await?;
        let shared = SharedDrift::load(self.engine).await?;
        let mut azure = Azure::new(self.engine, self.context);
        let mut candidates = Vec::new();
        for stored in living {
            if verdict::is_judged(&stored.value, self.engine.clock.now())
                && let Some(vnet) = azure.vnet(&stored.value).await?
            {
                let seen = judge::judge(&stored.value, &vpc, vnet, self.engine.clock.now());
                let seen = seen.into_iter().chain(shared.of(&stored.value)).collect();
                candidates.extend(self.record(stored, seen).await?);
            }
        }
        self.repair(candidates).await
    }

    /// The VPC as Aiven has it. An answer that is none judges nothing.
    async fn aiven(&self) -> Result<Option<Vpc>, RunError> {
        match self.context.clouds.aiven.vpc(&self.vpc).await {
            Ok(vpc) => {
                self.engine.close_cause().await?;
                Ok(Some(vpc))
            }
            Err(failure) => {
                self.engine.unanswered(&failure).await?;
                Ok(None)
            }
        }
    }

    /// Records what was seen, if it is new. Returns what may be repaired.
    async fn record(&self, mut stored: Versioned<Record>, seen: Vec<Drift>) -> Result<Option<PeeringKey>, RunError> {
        let repairs = self.context.settings.reconcile == Reconcile::Repair;
        if let Some(verdict) = verdict::settle(&mut stored.value, seen, repairs, &*self.engine.clock) {
            if !self.engine.observe(stored.clone(), &verdict.entry).await? {
                return Ok(None);
            }
            verdict.tell(&stored.value);
        }
        let is_candidate = repairs && repair::is_due(&stored.value, &*self.engine.clock);
        Ok(is_candidate.then_some(stored.value.key))
    }

    /// What may be repaired is, but not before every VPC of the pass was looked at.
    async fn repair(self, candidates: Vec<PeeringKey>) -> Result<(), RunError> {
        if candidates.is_empty() {
            return Ok(());
        }
        if self.message.repair {
            return repair::repair(self.engine, candidates, self.delivery).await;
        }
        info!(vpc = %self.vpc, peerings = candidates.len(), "what drifted is repaired in two minutes, unless it is too much");
        let message = to_text(&ReconcileMessage { repair: true, ..self.message })?;
        Ok(self.engine.send(&queue_of(RECONCILE_VPC), &message, BEFORE_REPAIR).await?)
    }
}

/// What the timer saw of what several peerings share.
struct SharedDrift {
    vnets: Vec<(String, SharedRow)>,
    subscriptions: Vec<(SubscriptionId, SharedRow)>,
}

impl SharedDrift {
    async fn load(engine: &Engine) -> Result<Self, RunError> {
        let vnets = engine.shared.vnets().await?.into_iter().map(|(id, row)| (id.key(), row));
        let vnets = vnets.filter(|(_, row)| !row.drift.is_empty()).collect();
        let mut subscriptions = engine.shared.subscriptions().await?;
        subscriptions.retain(|(_, row)| !row.drift.is_empty());
        Ok(Self { vnets, subscriptions })
    }

    fn of<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = Drift> + 'a {
        let own = assignment_part(record.options.application);
        let of_vnet = self.vnets.iter().filter(|(key, _)| *key == record.key.vnet).flat_map(|(_, row)| row.drifting());
        let of_vnet = of_vnet.filter(move |(part, _)| *part == AIVEN_ASSIGNMENT || *part == own);
        let rows = self.subscriptions.iter().filter(|(id, _)| *id == record.vnet.subscription);
        // What is shared was told without a peering's name; here the message can be given that its command ends with.
        let told = |drift: &Drift| format!("{}: {}", drift.command, judge::order(record, "retry"));
        let all = of_vnet.chain(rows.flat_map(|(_, row)| row.drifting()));
        all.map(move |(_, drift)| Drift { command: told(drift), ..drift.clone() })
    }
}
