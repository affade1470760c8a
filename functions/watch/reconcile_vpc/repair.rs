//! Repair: what a vendor broke of what we created is made again, by going back to the runbook's step that makes it.

use tracing::info;

use super::brake::{self, Tally};
use super::judge::is_repairable;
use super::verdict::{is_by_hand, is_judged, was_repaired_lately};
use crate::clock::Clock;
use crate::engine::{Delivery, Engine, RunError};
use crate::peering::{Drift, JournalEntry, PeeringKey, Record};
use crate::state::{Lookup, Scope, Versioned};
use crate::telemetry;
use crate::watch::reconcile::secret::ENDS;

/// Whether something of it may be repaired now: no person's hand is in it, and each kind was not repaired for a day.
pub fn is_due(record: &Record, clock: &dyn Clock) -> bool {
    let mut broken = record.drift.iter().filter(|drift| is_repairable(record, drift)).peekable();
    !is_by_hand(record) && broken.peek().is_some() && broken.all(|drift| !was_repaired_lately(record, drift, clock))
}

/// Repairs, unless too much has drifted at once, or what all share has.
pub async fn repair(engine: &Engine, candidates: Vec<PeeringKey>, delivery: &Delivery) -> Result<(), RunError> {
    let installation = engine.shared.load(&Scope::Installation).await?.value;
    if installation.cause.is_some() || installation.drifting().any(|(_, drift)| drift.kind != ENDS) {
        info!(peerings = candidates.len(), "nothing is repaired before what all peerings share is mended");
        return Ok(());
    }
    let tally = Tally::count(engine).await?;
    if tally.is_too_much() {
        return brake::engage(engine, tally).await;
    }
    for key in candidates {
        if let Lookup::Found(stored) = engine.records.load(&key).await?
            && is_judged(&stored.value, engine.clock.now())
            && is_due(&stored.value, &*engine.clock)
        {
            begin(engine, *stored, delivery).await?;
        }
    }
    Ok(())
}

async fn begin(engine: &Engine, mut stored: Versioned<Record>, delivery: &Delivery) -> Result<(), RunError> {
    let now = engine.clock.now();
    let create = &engine.runbooks.create;
    let record = &mut stored.value;
    let broken: Vec<Drift> = record.drift.iter().filter(|drift| is_repairable(record, drift)).cloned().collect();
    let Some(step) = broken.iter().map(|drift| drift.step.clone()).min_by_key(|step| create.position(step)) else {
        return Ok(());
    };
    record.repaired.extend(broken.iter().map(|drift| (drift.kind.clone(), now)));
    record.mending = true;
    let kinds: Vec<&str> = broken.iter().map(|drift| drift.kind.as_str()).collect();
    let note = format!("{}: repaired, beginning with step {step}", kinds.join(", "));
    info!(
        event = telemetry::REPAIR,
        peering = record.id,
        step,
        kinds = kinds.join(" "),
        "what a vendor broke is made again"
    );
    let entry = JournalEntry::new(now, "reconcile_vpc", "repair", note);
    match engine.begin(stored, &step, entry, &delivery.message_id).await {
        Err(RunError::Store(error)) if error.is_lost_race() => Ok(()),
        other => other,
    }
}
