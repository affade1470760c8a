//! Timer, every hour: looks whether what several peerings share is as it should be (three calls of Graph in all, and three of ARM a
//! subscription, one more for each application of a sender's), and then asks for a look at every VPC. Writes nothing where nothing is new.

mod installation;
pub mod secret;
mod subscription;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use tracing::{info, warn};

use super::reconcile_vpc::brake;
use crate::clock::Clock;
use crate::context::Context;
use crate::create::register_application;
use crate::engine::{Engine, RECONCILE_VPC, ReconcileMessage, RunError, queue_of, to_text};
use crate::peering::{AppId, Drift, Hand, Provenance, SCHEMA};
use crate::state::{Part, Scope, SharedRow, Versioned};
use crate::telemetry;

/// So many subscriptions are looked at at once.
const AT_ONCE: usize = 4;
/// What was just made need not be seen everywhere yet. Nominal.
const YOUNG: Duration = Duration::from_secs(15 * 60);

/// One message a VPC, after a look at what they share.
pub async fn reconcile(engine: &Engine, context: &Context) -> Result<(), RunError> {
    let vpcs = engine.vpcs.all().await?;
    if vpcs.is_empty() {
        return Ok(());
    }
    let pass = engine.clock.now();
    brake::release(engine).await?;
    let principals = installation::look(engine, context).await?;
    let vnets = subscription::used(engine).await?;
    let looks = vnets.into_iter().map(|(id, vnets)| subscription::look(engine, context, &principals, id, vnets));
    stream::iter(looks).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    for vpc in vpcs {
        let message = ReconcileMessage { schema: SCHEMA, vpc: vpc.key(), pass, repair: false };
        engine.send(&queue_of(RECONCILE_VPC), &to_text(&message)?, Duration::ZERO).await?;
    }
    Ok(())
}

/// What was seen of the parts of a row: as it should be (`None`), or not. What could not be looked at is not in it.
type Seen = BTreeMap<String, Option<Drift>>;

/// Records what was seen of a row, and tells what is new. A part that drifted is no longer taken for granted: who needs it looks.
async fn record(engine: &Engine, scope: &Scope, held: Versioned<SharedRow>, seen: &Seen) -> Result<(), RunError> {
    let before = held.value.drift.clone();
    let after = engine.shared.change(scope, Some(held), |row| apply(row, seen)).await?.value.drift;
    for (part, drift) in after.iter().filter(|(part, drift)| before.get(*part).is_none_or(|old| old.kind != drift.kind))
    {
        let event = if drift.kind == secret::ENDS { telemetry::SECRET_EXPIRES } else { telemetry::DRIFT };
        warn!(event, part, kinds = drift.kind, "{} Do: {}", drift.what, drift.command);
    }
    for (part, drift) in before.iter().filter(|(part, _)| !after.contains_key(*part)) {
        info!(event = telemetry::DRIFT, part, kinds = drift.kind, "it is again as it should be");
    }
    Ok(())
}

fn apply(row: &mut SharedRow, seen: &Seen) -> bool {
    let before = row.drift.clone();
    for (part, drift) in seen {
        match drift {
            None => drop(row.drift.remove(part)),
            Some(drift) => {
                let known = before.get(part).filter(|known| known.kind == drift.kind);
                if known.is_none()
                    && let Some(part) = row.parts.get_mut(part)
                {
                    part.verified_at = None;
                }
                let since = known.map_or(drift.since, |known| known.since);
                row.drift.insert(part.clone(), Drift { since, ..drift.clone() });
            }
        }
    }
    row.drift != before
}

/// A person's hand in what several peerings share.
fn by_hand(kind: &str, step: &str, what: String, command: String, now: Timestamp) -> Drift {
    let (kind, step) = (kind.to_owned(), step.to_owned());
    Drift { kind, hand: Hand::Person, what, command, step, since: now }
}

/// The application itself was deleted.
fn application_gone(app: AppId, now: Timestamp) -> Drift {
    let what = format!("application {app}, as which peerings are made, is gone");
    let command = "restore it among the deleted applications in the Entra portal; after 30 days it is gone for good";
    by_hand(
        "application_gone",
        register_application::STEP,
        what,
        format!("{command} (an Application Administrator)"),
        now,
    )
}

/// Whether a part is there to be looked at: made or adopted a while ago, and nobody is at it.
fn is_settled(part: &Part, clock: &dyn Clock) -> bool {
    let claimed = part.claim.is_some() || part.provenance == Some(Provenance::Claimed);
    part.value.is_some() && !claimed && part.made_at.is_none_or(|at| clock.since(at) >= YOUNG)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "aiven_assignment";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn seen(kind: &str, second: i64) -> Seen {
        let drift = by_hand(kind, "authorize_aiven", "it is gone".to_owned(), "give it back".to_owned(), at(second));
        Seen::from([(PART.to_owned(), Some(drift))])
    }

    fn row() -> SharedRow {
        let mut row: SharedRow = serde_json::from_value(serde_json::json!({"schema": SCHEMA})).unwrap();
        row.part(PART).verified_at = Some(at(-60));
        row
    }

    #[test]
    fn what_is_known_is_not_written_again_and_keeps_the_time_of_its_first_sight() {
        let mut row = row();
        assert!(apply(&mut row, &seen("gone", 0)));
        assert!(!apply(&mut row, &seen("gone", 3600)));
        assert_eq!(row.drift[PART].since, at(0));
        assert!(apply(&mut row, &seen("changed", 7200)));
        assert_eq!(row.drift[PART].since, at(7200));
    }

    #[test]
    fn who_needs_what_drifted_looks_and_what_was_seen_there_since_drifts_no_more() {
        let mut row = row();
        apply(&mut row, &seen("gone", 0));
        assert_eq!(row.parts[PART].verified_at, None);
        assert_eq!(row.drifting().count(), 1);
        row.part(PART).verified_at = Some(at(600));
        assert_eq!(row.drifting().count(), 0, "a retry made it again");
    }

    #[test]
    fn what_is_as_it_should_be_is_forgotten_and_what_nobody_looked_at_is_not() {
        let mut row = row();
        apply(&mut row, &seen("gone", 0));
        assert!(!apply(&mut row, &Seen::new()));
        assert!(apply(&mut row, &Seen::from([(PART.to_owned(), None)])));
        assert!(row.drift.is_empty());
    }
}
