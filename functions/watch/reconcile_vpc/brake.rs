//! The brake: so much drifted at once that repairing it by itself could do more harm than good, or it is ourselves who see wrongly.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::{error, info};

use crate::engine::{Engine, RunError};
use crate::peering::Status;
use crate::state::{Brake, Scope, SharedRow};
use crate::telemetry;

/// More than so many peerings, and …
const MOST: usize = 3;
/// … more than one in so many.
const ONE_IN: usize = 10;

/// How many peerings have drifted, those included that are being repaired, of how many that are or were active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    drifted: usize,
    active: usize,
}

impl Tally {
    /// Counts the records of the whole installation.
    pub async fn count(engine: &Engine) -> Result<Self, RunError> {
        let mut tally = Self { drifted: 0, active: 0 };
        for vpc in engine.vpcs.all().await? {
            for stored in engine.records.living(&vpc).await? {
                let record = &stored.value;
                let drifted = !record.drift.is_empty() && record.status != Status::Paused;
                tally.drifted += usize::from(drifted);
                tally.active += usize::from(drifted || record.status == Status::Active);
            }
        }
        Ok(tally)
    }

    /// Whether nothing is to be repaired.
    pub fn is_too_much(self) -> bool {
        self.drifted > MOST && self.drifted * ONE_IN > self.active
    }
}

/// Records that nothing is repaired, and tells it, unless it is known.
pub async fn engage(engine: &Engine, Tally { drifted, active }: Tally) -> Result<(), RunError> {
    let brake = Brake { since: engine.clock.now(), drifted, active };
    let is_new = AtomicBool::new(false);
    let change = |row: &mut SharedRow| {
        is_new.store(row.brake.is_none(), Relaxed);
        row.brake.get_or_insert_with(|| brake.clone());
        is_new.load(Relaxed)
    };
    engine.shared.change(&Scope::Installation, None, change).await?;
    if is_new.into_inner() {
        error!(
            event = telemetry::BRAKE,
            drifted,
            active,
            "{drifted} of {active} peerings have drifted at once, so none is repaired by itself: see what they have in common; then send action \"retry\" for each VPC"
        );
    }
    Ok(())
}

/// Lets go of the brake when no more is as much.
pub async fn release(engine: &Engine) -> Result<(), RunError> {
    if engine.shared.load(&Scope::Installation).await?.value.brake.is_none()
        || Tally::count(engine).await?.is_too_much()
    {
        return Ok(());
    }
    engine.shared.change(&Scope::Installation, None, |row| row.brake.take().is_some()).await?;
    info!(event = telemetry::BRAKE, "no more than usual has drifted: what a vendor broke is repaired again");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_and_more_than_a_tenth_are_too_much() {
        let is_too_much = |drifted, active| Tally { drifted, active }.is_too_much();
        for (drifted, active) in [(4, 39), (4, 4), (51, 500), (500, 500)] {
            assert!(is_too_much(drifted, active), "{drifted} of {active}");
        }
        for (drifted, active) in [(0, 0), (3, 3), (3, 10), (4, 40), (50, 500)] {
            assert!(!is_too_much(drifted, active), "{drifted} of {active}");
        }
    }
}
