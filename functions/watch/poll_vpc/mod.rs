//! Queue: asks Aiven once about a VPC, and judges every peering of it that waits. Writes nothing where nothing is new.

mod deadline;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tracing::info;

use crate::cloud::Failure;
use crate::cloud::aiven::Vpc;
use crate::context::Context;
use crate::engine::{
    Class, Delivery, Engine, POLL_VPC, PollMessage, Polled, RunError, classify, queue_of, tell_if_late,
};
use crate::peering::{Record, VpcRef};
use crate::state::{Flag, Outage, Scope, Versioned};

/// Polls of one VPC are at least this far apart, nominal; hints that come sooner are folded into the timer's next.
const APART: Duration = Duration::from_secs(10);

/// Handles a hint. One that meets a newer program's row means nothing here: that program's timer gives the next.
pub async fn poll_vpc(engine: &Engine, context: &Context, text: &str, delivery: &Delivery) -> Result<(), RunError> {
    match poll(engine, context, text, delivery).await {
        Err(error) if error.is_newer() => {
            info!("{error}");
            Ok(())
        }
        other => other,
    }
}

async fn poll(engine: &Engine, context: &Context, text: &str, delivery: &Delivery) -> Result<(), RunError> {
    let queue = queue_of(POLL_VPC);
    let Some(message) = engine.decode::<PollMessage>(&queue, text).await? else { return Ok(()) };
    let vpc: VpcRef = match message.vpc.parse() {
        Ok(vpc) => vpc,
        Err(error) => return engine.reject(&queue, text, &format!("this is not a message of ours: {error}")).await,
    };
    if delivery.redelivered {
        engine.send_what_is_owed(&vpc, delivery).await?;
    }
    if !begin(engine, &vpc).await? {
        return Ok(());
    }
    let waiting = engine.records.parked(&vpc).await?;
    if waiting.is_empty() {
        // A record parks first and then opens its VPC, unless it saw it open.
        return engine.close(&vpc, Flag::Waiting).await;
    }
    let answer = context.clouds.aiven.vpc(&vpc).await;
    let outage = outage(engine, &answer).await?;
    for stored in waiting {
        judge_one(engine, stored, &answer, outage.as_ref(), delivery).await?;
    }
    Ok(())
}

/// Takes the poll upon itself by writing `polled_at`: of two at once, one gives way.
async fn begin(engine: &Engine, vpc: &VpcRef) -> Result<bool, RunError> {
    let mut held = engine.vpcs.load(vpc).await?;
    let now = engine.clock.now();
    // What a clock that was ahead wrote is no reason to wait until then.
    if !held.is_written() || held.value.polled_at.is_some_and(|at| at <= now && engine.clock.since(at) < APART) {
        return Ok(false);
    }
    held.value.polled_at = Some(now);
    match engine.vpcs.write(&mut held).await {
        Err(error) if error.is_lost_race() => Ok(false),
        other => Ok(other.map(|()| true)?),
    }
}

/// Notes a cause that stops all peerings, or its end. Returns the last such stretch of time, which no deadline counts.
async fn outage(engine: &Engine, answer: &Result<Vpc, Failure>) -> Result<Option<Outage>, RunError> {
    match answer {
        Ok(_) => Ok(engine.close_cause().await?),
        Err(failure) => {
            if classify(failure).class == Class::Shared {
                engine.open_cause(failure).await?;
            }
            Ok(engine.shared.load(&Scope::Installation).await?.value.outage)
        }
    }
}

async fn judge_one(
    engine: &Engine,
    mut stored: Versioned<Record>,
    answer: &Result<Vpc, Failure>,
    outage: Option<&Outage>,
    delivery: &Delivery,
) -> Result<(), RunError> {
    let record = &mut stored.value;
    if record.is_idle() {
        return Ok(());
    }
    let (age, now) = (record.facts.requested_at.map_or(Duration::MAX, |at| engine.clock.since(at)), engine.clock.now());
    if let Some(outage) = outage {
        // Deadlines begin afresh when what stopped every peering is over.
        let started = record.times.entry("started".to_owned()).or_insert(outage.to);
        *started = outage.to.max(*started);
    }
    let judged = match answer {
        Ok(vpc) => {
            let entry = engine.runbooks.entry(&record.step).cloned();
            entry.and_then(|entry| entry.step.on_poll(record, &Polled { vpc, age, now }))
        }
        // Deadlines rest while nobody's peering can move.
        Err(failure) if classify(failure).class == Class::Shared => return Ok(()),
        Err(_) => None,
    };
    match judged.or_else(|| deadline::overdue(&stored.value, outage, now)) {
        Some(outcome) => {
            let said =
                stored.value.facts.aiven_state.as_ref().map(|state| format!("the connection is {state} at Aiven"));
            engine.conclude_from_outside(stored, outcome, said, Some(delivery)).await
        }
        None => {
            tell_if_late(&stored.value, now);
            Ok(())
        }
    }
}
