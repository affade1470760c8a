//! Where a peering's time goes: handling, waits that are meant, and hops from a sent message to the function it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::clouds::Call;
use emulator::host::Invocation;
use jiff::Timestamp;

use crate::recorder::Asked;

/// A message's becoming visible.
type Visible = BTreeMap<String, Timestamp>;

/// The parts of the time from a request to its end; they add up to all of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// In functions, the clouds' answers included.
    pub handling: Duration,
    /// Until a message was due: settling times, pauses between polls, the timer's tick.
    pub waiting: Duration,
    /// From a message's being due to the start of its function.
    pub hops: Duration,
    /// How many functions that moved it were started.
    pub starts: usize,
}

/// When each message became visible: sent plus delay.
pub fn visible(storage: &[Asked], request: (Timestamp, String)) -> Visible {
    let sent = storage.iter().filter_map(|asked| {
        let (id, hidden) = asked.sent.clone()?;
        Some((id, asked.at + hidden))
    });
    sent.chain([(request.1, request.0)]).collect()
}

/// Splits the time of the peering that was worked on from `began`. Polls that asked nothing of Aiven moved nothing.
pub fn split(began: Timestamp, until: Timestamp, all: &[Invocation], calls: &[Call], visible: &Visible) -> Parts {
    let mut parts = Parts::default();
    let mut at = began;
    for invocation in all.iter().filter(|i| began <= i.started && i.started <= until && moved(i, calls)) {
        let Some(ended) = invocation.ended else { continue };
        let due = invocation.message.as_ref().and_then(|id| visible.get(id)).copied().unwrap_or(at);
        let due = due.clamp(at, invocation.started.max(at));
        parts.starts += 1;
        parts.waiting += from(at, due);
        parts.hops += from(due, invocation.started);
        parts.handling += from(invocation.started.max(at), ended);
        at = at.max(ended);
    }
    parts
}

fn moved(invocation: &Invocation, calls: &[Call]) -> bool {
    let asked = |call: &Call| invocation.started <= call.at && invocation.ended.is_some_and(|ended| call.at <= ended);
    match invocation.function.as_str() {
        "poll_waiting" | "reconcile" | "reconcile_vpc" | "sweep" => false,
        "poll_vpc" => calls.iter().any(asked),
        _ => true,
    }
}

fn from(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}
