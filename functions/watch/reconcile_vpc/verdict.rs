//! What a record that rests becomes by what was seen of it. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use super::judge::{is_repairable, order};
use crate::clock::Clock;
use crate::peering::{Drift, Fault, Hand, JournalEntry, Record, Status, Wanted};
use crate::telemetry;

/// A kind of drift is repaired at most once in so long. Nominal.
const AT_MOST_ONCE_IN: Duration = Duration::from_secs(24 * 3600);
/// The code of the fault that what was repaired came back.
const CAME_BACK: &str = "drift_came_back";

/// What is new of a record, and was written into it.
#[derive(Debug)]
pub struct Verdict {
    /// For the journal.
    pub entry: JournalEntry,
    /// Kinds of drift that were not known before.
    new: Vec<String>,
}

/// Whether a record is to be as it was asked for, and nobody is at it.
pub fn is_judged(record: &Record, now: Timestamp) -> bool {
    let rests_in = match record.status {
        Status::Active | Status::Drifted => true,
        Status::NeedsAttention => record.fault.as_ref().is_some_and(|fault| fault.code == CAME_BACK),
        _ => false,
    };
    let is_claimed = record.claim.as_ref().is_some_and(|claim| claim.is_live(now));
    rests_in && record.is_idle() && record.wanted == Wanted::Active && !is_claimed
}

/// Whether a kind of drift was repaired so lately that it is not repaired again.
pub fn was_repaired_lately(record: &Record, drift: &Drift, clock: &dyn Clock) -> bool {
    record.repaired.get(&drift.kind).is_some_and(|at| clock.since(*at) < AT_MOST_ONCE_IN)
}

/// Whether a person's hand is in it: then nothing is repaired unasked.
pub fn is_by_hand(record: &Record) -> bool {
    record.drift.iter().any(|drift| drift.hand == Hand::Person)
}

/// Writes what was seen into the record; `None`: nothing is new.
pub fn settle(record: &mut Record, seen: Vec<Drift>, repairs: bool, clock: &dyn Clock) -> Option<Verdict> {
    let before = (record.status, std::mem::take(&mut record.drift));
    let known = |drift: &Drift| before.1.iter().find(|known| known.kind == drift.kind);
    record.drift = seen
        .into_iter()
        .map(|drift| Drift { since: known(&drift).map_or(drift.since, |known| known.since), ..drift })
        .collect();
    let fault = came_back(record, clock).filter(|_| repairs);
    record.status = match (record.drift.is_empty(), &fault) {
        (true, _) => Status::Active,
        (false, None) => Status::Drifted,
        (false, Some(_)) => Status::NeedsAttention,
    };
    if before == (record.status, record.drift.clone()) {
        return None;
    }
    let new = record.drift.iter().filter(|drift| known(drift).is_none()).map(|drift| drift.kind.clone()).collect();
    let (outcome, note) = words(record, &before.1, fault.as_ref());
    (record.fault, record.waiting) = (fault, None);
    Some(Verdict { entry: JournalEntry::new(clock.now(), "reconcile_vpc", outcome, note), new })
}

fn words(record: &Record, before: &[Drift], fault: Option<&Fault>) -> (&'static str, String) {
    if let Some(Fault { what, why, command, .. }) = fault {
        return (telemetry::FIX, format!("{what} ({why}) Do: {command}"));
    }
    if record.drift.is_empty() {
        let kinds: Vec<&str> = before.iter().map(|drift| drift.kind.as_str()).collect();
        return ("mended", format!("it is again as it should be: {} no more", kinds.join(", ")));
    }
    let all: Vec<&str> = record.drift.iter().map(|drift| drift.what.as_str()).collect();
    let commands: BTreeSet<&str> = record.drift.iter().map(|drift| drift.command.as_str()).collect();
    ("drift", format!("{} Do: {}", all.join("; "), Vec::from_iter(commands).join("; ")))
}

/// What was repaired lately, and is broken again.
fn came_back(record: &Record, clock: &dyn Clock) -> Option<Fault> {
    if is_by_hand(record) {
        return None;
    }
    let again = |drift: &&Drift| is_repairable(record, drift) && was_repaired_lately(record, drift, clock);
    let drift = record.drift.iter().find(again)?;
    let repaired = record.repaired.get(&drift.kind)?;
    Some(Fault {
        what: format!("{}, though it was repaired at {repaired:.0}", drift.what),
        why: "something undoes what is repaired, and no more than one repair a day is tried".to_owned(),
        command: format!(
            "find out what undoes it (VNet: activity log; Aiven: `avn events`); then send {}",
            order(record, "retry")
        ),
        code: CAME_BACK.to_owned(),
        correlation: None,
        since: clock.now(),
        attempts: 0,
        given_up: false,
    })
}

impl Verdict {
    /// One log line: a warning if something drifted that was not known to.
    pub fn tell(&self, record: &Record) {
        let (peering, outcome, note) = (&record.id, &self.entry.outcome, &self.entry.note);
        if self.new.is_empty() && record.fault.is_none() {
            info!(event = telemetry::DRIFT, peering, outcome, "{note}");
        } else {
            warn!(
                event = telemetry::DRIFT,
                peering,
                outcome,
                kinds = self.new.join(" "),
                by_hand = is_by_hand(record),
                "{note}"
            );
        }
    }
}
