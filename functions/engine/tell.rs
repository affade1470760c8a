//! What a commit says to the log: one line, in the span of the peering's trace.

use tracing::{Span, info, info_span, warn};

use super::message::Delivery;
use super::settle::Note;
use super::workflow::{Names, Workflow};
use crate::peering::{JournalEntry, Party, Progress, TraceParent, Waiting};
use crate::telemetry;

/// The part of a wait's time after which it is told that it may become a fault.
const LATE: f64 = 0.8;

/// One log line a commit; a fault that was not known before is a warning.
pub(super) fn tell<R: Workflow>(row: &R, note: &Note) {
    let JournalEntry { step, outcome, note: said, correlation, duration_ms, .. } = &note.entry;
    let Names { peering, vpc_request } = row.names();
    let party = note.entry.party.map(|party| party.to_string());
    if outcome == telemetry::FIX && note.is_new {
        let event = telemetry::NEEDS_ATTENTION;
        warn!(event, peering, vpc_request, step, party, correlation, outcome, duration_ms, "{said}");
    } else {
        info!(event = outcome, peering, vpc_request, step, party, correlation, outcome, duration_ms, "{said}");
    }
    tell_if_late(row, note.entry.at);
}

/// A wait that has used most of its time: somebody may want to ask before it is a fault.
pub fn tell_if_late<R: Workflow>(row: &R, now: jiff::Timestamp) {
    let waiting = row.waiting.as_ref().filter(|waiting| waiting.party != Party::Operator);
    let Some(Waiting { since, deadline, reason, party, .. }) = waiting else { return };
    let (used, whole) = (now.duration_since(*since), deadline.duration_since(*since));
    if used.as_secs_f64() >= LATE * whole.as_secs_f64() {
        let Names { peering, vpc_request } = row.names();
        let (event, step, party) = (telemetry::DEADLINE_NEAR, &row.step, party.to_string());
        warn!(
            event,
            peering, vpc_request, step, party, "it becomes a fault at {deadline:.0} if it is still so that {reason}"
        );
    }
}

/// The span of this run of a step: a child of the one before it, however long ago; beside the host's own operation.
pub(super) fn span(row: &Progress, delivery: Option<&Delivery>) -> Span {
    let hex = |id: u128| format!("{id:032x}");
    let operation_id = delivery.and_then(|delivery| delivery.trace).map(|trace| hex(trace.trace));
    let Some(trace) = trace_of(row) else { return info_span!("step", operation_id) };
    let (trace_id, span_id) = (hex(trace.trace), format!("{:016x}", trace.span));
    info_span!("step", trace_id, span_id, parent = row.trace, operation_id)
}

pub(super) fn trace_of(row: &Progress) -> Option<TraceParent> {
    let parent: TraceParent = row.trace.as_ref()?.parse().ok()?;
    Some(parent.child(&format!("{} {}", row.step, row.seq)))
}
