//! The deadline of a peering as a whole: each phase has its own, but many short ones make a long night, too.

use std::time::Duration;

use super::{SHARED, Settled};
use crate::clock::Moment;
use crate::peering::{Fault, Party, Progress, Status, Waiting};
use crate::telemetry;

/// From the request, or from when it started afresh, to `Active`; then a person is told, while it goes on. Nominal.
const TOTAL: Duration = Duration::from_secs(2 * 3600);
const CODE: &str = "total_deadline";

/// Tells, once, that a peering takes too long. It goes on by itself all the same.
pub fn judge(
    row: &mut Progress,
    noun: &str,
    before: (Option<Fault>, Option<Waiting>),
    settled: &mut Settled,
    at: Moment,
) {
    let (fault, waiting) = before;
    let told = fault.as_ref().is_some_and(|fault| fault.code == CODE);
    let was_stopped = waiting.is_some_and(|waiting| waiting.code.starts_with(SHARED));
    let mended = fault.is_some() && !told && row.fault.is_none();
    if mended || (was_stopped && settled.party != Some(Party::Operator)) {
        row.times.insert("started".to_owned(), at.now);
    }
    let started = row.times.get("started").or(row.times.get("requested")).copied();
    let late = started.is_some_and(|started| at.since(started) >= TOTAL);
    if !late || row.fault.is_some() || row.status.is_final() || row.is_idle() || settled.party == Some(Party::Operator)
    {
        return;
    }
    let reason = row.waiting.as_ref().map_or(settled.note.as_str(), |waiting| waiting.reason.as_str());
    let new = Fault {
        what: format!("not ACTIVE after {} hours; at this moment: {reason}", TOTAL.as_secs() / 3600),
        why: format!("no single wait ran out, but together they take far longer than a {noun} does"),
        command: format!("read the {noun}'s journal for the step that keeps waiting; it goes on by itself meanwhile"),
        code: CODE.to_owned(),
        correlation: settled.correlation.clone(),
        since: at.now,
        attempts: 0,
        given_up: false,
    };
    row.status = Status::NeedsAttention;
    settled.is_new = !told;
    if !told {
        settled.outcome = telemetry::FIX;
        settled.note = format!("{} ({}) Do: {}", new.what, new.why, new.command);
    }
    row.fault = Some(if told { fault.unwrap_or(new) } else { new });
}
