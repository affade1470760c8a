//! Timer, every five minutes: sends again what is long overdue, empties the poison queues into records, and checks that Aiven's token can
//! be read. Nothing is ever lost.

mod poison;

use std::time::Duration;

use tracing::{info, warn};

use crate::cloud::Service;
use crate::context::Context;
use crate::engine::{Engine, Fix, RunError, Stop, Workflow};
use crate::peering::VpcRef;
use crate::state::{Flag, Versioned, VpcRequestRow};

/// How long after `due` a record counts as overdue. Nominal: beyond any lease, put-back or cold start.
const OVERDUE: Duration = Duration::from_secs(15 * 60);
/// A step whose message failed, or was lost, so often without being done is a person's to look at.
const MOST_POISONED: u32 = 3;

/// Empties the poison queues, then looks at what is overdue. In this order, or a message that failed five times would be stale before
/// it is counted. What fails of it keeps nothing else from being done, and is the timer's error in the end.
pub async fn sweep(engine: &Engine, context: &Context) -> Result<(), RunError> {
    let poison = poison::empty(engine, context).await;
    let peerings = sweep_all(engine).await;
    let requests = sweep_requests(engine).await;
    let token = check_token(engine, context).await;
    poison.and(peerings).and(requests).and(token)
}

/// Reports that Aiven's token cannot be read before anything needs it: a new deployment has none.
async fn check_token(engine: &Engine, context: &Context) -> Result<(), RunError> {
    match context.clouds.aiven.check_token().await {
        Ok(()) => engine.close_cause_of(Service::AivenToken).await.map(drop)?,
        Err(failure) => engine.open_cause(&failure).await?,
    }
    Ok(())
}

/// Looks at every VPC with peerings on which something is under way.
async fn sweep_all(engine: &Engine) -> Result<(), RunError> {
    let mut done = Ok(());
    for vpc in engine.vpcs.flagged(Flag::Open).await? {
        match sweep_vpc(engine, &vpc).await {
            Err(error) if error.is_newer() => info!(%vpc, "{error}"),
            Err(error) => {
                warn!(%vpc, "its peerings could not be swept: {error}");
                done = Err(error);
            }
            Ok(()) => {}
        }
    }
    done
}

async fn sweep_vpc(engine: &Engine, vpc: &VpcRef) -> Result<(), RunError> {
    let under_way = engine.records.under_way(vpc).await?;
    if under_way.is_empty() {
        // A request opens its VPC before it writes its record.
        return engine.close(vpc, Flag::Open).await;
    }
    for stored in under_way {
        if engine.clock.since(stored.value.due) < OVERDUE {
            continue;
        }
        if stored.value.awaits_poll() {
            // It has no message of its own: its VPC is to be polled again.
            engine.send_for(&stored.value).await?;
        } else {
            send_again_or_tell(engine, stored, "its message was long overdue").await?;
        }
    }
    Ok(())
}

/// Looks at every request for a VPC on which something is under way.
async fn sweep_requests(engine: &Engine) -> Result<(), RunError> {
    for stored in engine.rows::<VpcRequestRow>().under_way().await? {
        if engine.clock.since(stored.value.due) >= OVERDUE {
            send_again_or_tell(engine, stored, "its message was long overdue").await?;
        }
    }
    Ok(())
}

/// Sends a row's message again. A step that kills its process every time never answers, and its message never becomes poison as the
/// next one makes it stale: so the third time, either way, a person has to look, while it goes on being tried.
async fn send_again_or_tell<R: Workflow>(engine: &Engine, mut stored: Versioned<R>, why: &str) -> Result<(), RunError> {
    let row = &mut stored.value;
    row.poisoned += 1;
    if row.poisoned < MOST_POISONED {
        return engine.send_again(stored, why).await;
    }
    let what = format!("step {} was sent {} times over and never done: {why}", row.step, row.poisoned);
    engine.conclude_from_outside(stored, Err(Stop::Fix(Fix::report(what))), None, None).await
}
