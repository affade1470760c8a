//! The deadline of a peering as a whole: each phase has its own, but many short ones make a long night, too.

use std::time::Duration;

use super::{SHARED, Settled};
use crate::clock::Clock;
use crate::peering::{Fault, Party, Record, Status, Waiting};
use crate::telemetry;

/// From the request, or from when it started afresh, to `Active`; then a person is told, while it goes on. Nominal.
const TOTAL: Duration = Duration::from_secs(2 * 3600);
const CODE: &str = "total_deadline";

/// Tells, once, that a peering takes too long. It goes on by itself all the same.
pub fn judge(record: &mut Record, before: (Option<Fault>, Option<Waiting>), settled: &mut Settled, clock: &dyn Clock) {
    let (fault, waiting) = before;
    let told = fault.as_ref().is_some_and(|fault| fault.code == CODE);
    let was_stopped = waiting.is_some_and(|waiting| waiting.code.starts_with(SHARED));
    let mended = fault.is_some() && !told && record.fault.is_none();
    if mended || (was_stopped && settled.party != Some(Party::Operator)) {
        record.times.insert("started".to_owned(), clock.now());
    }
    let started = record.times.get("started").or(record.times.get("requested")).copied();
    let late = started.is_some_and(|started| clock.since(started) >= TOTAL);
    if !late
        || record.fault.is_some()
        || record.status.is_final()
        || record.resting
        || settled.party == Some(Party::Operator)
    {
        return;
    }
    let reason = record.waiting.as_ref().map_or(settled.note.as_str(), |waiting| waiting.reason.as_str());
    let new = Fault {
        what: format!("not ACTIVE after {} hours; at this moment: {reason}", TOTAL.as_secs() / 3600),
        why: "no single wait ran out, but together they take far longer than a peering does".to_owned(),
        command: "read the peering's journal for the step that keeps waiting; it goes on by itself meanwhile"
            .to_owned(),
        code: CODE.to_owned(),
        correlation: settled.correlation.clone(),
        since: clock.now(),
        attempts: 0,
        given_up: false,
    };
    record.status = Status::NeedsAttention;
    settled.is_new = !told;
    if !told {
        settled.outcome = telemetry::FIX;
        settled.note = format!("{} ({}) Do: {}", new.what, new.why, new.command);
    }
    record.fault = Some(if told { fault.unwrap_or(new) } else { new });
}
