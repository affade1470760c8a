//! Timer, every five minutes: sends again what is long overdue, and empties the poison queues into records. Nothing is ever lost.

mod poison;

use std::time::Duration;

use tracing::info;

use crate::create::Tools;
use crate::create_vpc::nudge;
use crate::engine::{Engine, RunError};
use crate::peering::VpcRef;
use crate::store::Flag;

/// How long after `due` a record counts as overdue. Nominal: beyond any lease, put-back or cold start.
const OVERDUE: Duration = Duration::from_secs(15 * 60);

/// Looks at every VPC with peerings on which something is under way, then at the poison queues.
pub async fn sweep(engine: &Engine, tools: &Tools) -> Result<(), RunError> {
    for vpc in engine.vpcs.flagged(Flag::Open).await? {
        match sweep_vpc(engine, &vpc).await {
            Err(error) if error.is_newer() => info!(%vpc, "{error}"),
            other => other?,
        }
    }
    nudge(engine, OVERDUE).await?;
    poison::empty(engine, tools).await
}

async fn sweep_vpc(engine: &Engine, vpc: &VpcRef) -> Result<(), RunError> {
    let under_way = engine.records.under_way(vpc).await?;
    if under_way.is_empty() {
        return close(engine, vpc).await;
    }
    for stored in under_way {
        if engine.clock.since(stored.record.due) < OVERDUE {
            continue;
        }
        if stored.record.parked {
            // It has no message of its own: its VPC is to be polled again.
            engine.send_for(&stored.record).await?;
        } else {
            engine.send_again(stored, "its message was long overdue").await?;
        }
    }
    Ok(())
}

/// A request opens its VPC before it writes its record: so close first, then look again. What a newer program keeps there may be under way.
async fn close(engine: &Engine, vpc: &VpcRef) -> Result<(), RunError> {
    if engine.records.has_newer(vpc).await? {
        return Ok(());
    }
    engine.vpcs.set(vpc, Flag::Open, false).await?;
    if !engine.records.under_way(vpc).await?.is_empty() || engine.records.has_newer(vpc).await? {
        engine.vpcs.set(vpc, Flag::Open, true).await?;
    }
    Ok(())
}
