//! What the clock says of a record that awaits a poll, where Aiven's answer says nothing new. Pure.

use jiff::Timestamp;

use crate::engine::{Fix, Judgement, Stop};
use crate::peering::{Fault, Record, Waiting};
use crate::state::Outage;

/// Judges a waiting record by the clock alone. Time in which a shared cause stopped every peering does not count.
/// A fault that nobody has mended within its own deadline is said again, so that it can be given up.
pub fn overdue(record: &Record, outage: Option<&Outage>, now: Timestamp) -> Judgement {
    let waiting = record.waiting.as_ref()?;
    let lost = outage
        .filter(|outage| outage.to > waiting.since)
        .map(|outage| outage.to.duration_since(outage.from.max(waiting.since)));
    if now < waiting.deadline + lost.unwrap_or_default() {
        return None;
    }
    let fix = match &record.fault {
        Some(Fault { what, why, command, code, correlation, .. }) => Fix {
            what: what.clone(),
            why: why.clone(),
            command: command.clone(),
            code: code.clone(),
            correlation: correlation.clone(),
        },
        None => too_long(record, waiting),
    };
    Some(Err(Stop::Fix(fix)))
}

fn too_long(record: &Record, waiting: &Waiting) -> Fix {
    Fix {
        what: format!("since {:.0} it has been so that {}", waiting.since, waiting.reason),
        why: format!("{} should have been done by now", waiting.party),
        command: format!(
            "ask Aiven's support what keeps connection {} from going on; `retry` waits afresh",
            record.facts.connection.as_deref().unwrap_or("to this VNet")
        ),
        code: waiting.code.clone(),
        correlation: None,
    }
}
