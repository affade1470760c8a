//! What one look at Aiven says of one waiting peering. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::cloud::aiven::{Connection, ConnectionState, Vpc};
use crate::create::await_pending_peer;
use crate::create::request_peering::{
    self, BEFORE_REPLACING, MOST_REPLACED, disown_if_other, forget, is_refused, keep, refused,
};
use crate::delete::await_aiven_gone::{self, forget_half, is_gone};
use crate::engine::{Act, Fix, Stop};
use crate::peering::{Fault, Provenance, Record, Waiting};
use crate::state::Outage;

/// How long a connection just asked for may be missing from Aiven's answer. Nominal.
const MAY_BE_MISSING: Duration = Duration::from_secs(120);

/// The code of the fault that the connection was deleted, and deleted again.
const GONE: &str = "connection_gone";

/// What is to be done with a waiting record; `None`: nothing is new, so nothing is written.
pub type Judgement = Option<Result<Act, Stop>>;

/// Judges a waiting record by Aiven's answer. Facts learned go into the record.
pub fn judge(record: &mut Record, vpc: &Vpc, age: Duration, now: Timestamp) -> Judgement {
    if record.step == await_aiven_gone::STEP {
        return is_gone(record, vpc).then(|| {
            forget_half(record);
            Ok(Act::Done)
        });
    }
    let Some(connection) = vpc.live_connection_to(&record.vnet) else { return missing(record, vpc, age) };
    let before = record.facts.clone();
    disown_if_other(record, connection);
    keep(&mut record.facts, connection, now);
    match (&connection.state, record.step.as_str()) {
        (state, _) if is_refused(state) => given_up(record, connection),
        (ConnectionState::PendingPeer | ConnectionState::Active, await_pending_peer::STEP)
            if record.facts.aiven_vnet.is_some() =>
        {
            Some(Ok(Act::Done))
        }
        // The step itself sees what to make of ACTIVE: it can look at the VNet, too. Having seen it, it asks for no second look.
        (ConnectionState::Active, _) if before.aiven_state.as_deref() != Some("ACTIVE") => Some(Ok(Act::Again)),
        (state, _) => {
            // A state that is not known here is no proof of failure: the deadline decides.
            record.facts = before;
            tracing::debug!(peering = record.id, state = state.as_str(), "waiting");
            None
        }
    }
}

fn missing(record: &mut Record, vpc: &Vpc, age: Duration) -> Judgement {
    let leaving = vpc.connections_to(&record.vnet).any(|connection| connection.state == ConnectionState::Deleting);
    if leaving || age < MAY_BE_MISSING {
        return None;
    }
    // A person who was asked to delete it has. One who was told that it is gone has yet to say `retry`.
    let asked_to = match &record.fault {
        Some(fault) if fault.code == GONE => return None,
        fault => fault.is_some(),
    };
    if asked_to || record.facts.recreated < MOST_REPLACED {
        record.facts.recreated += u32::from(!asked_to);
        forget(&mut record.facts);
        let why = "the connection is gone at Aiven: it is asked for again".to_owned();
        return Some(Err(Stop::Back { step: request_peering::STEP, why, after: Duration::ZERO }));
    }
    Some(Err(Stop::Fix(Fix {
        what: "the connection is gone at Aiven, again".to_owned(),
        why: "somebody deletes it as often as we ask for it".to_owned(),
        command: "find out who deletes it: `avn events`; then send `retry`".to_owned(),
        code: GONE.to_owned(),
        correlation: None,
    })))
}

/// The first time, the cause is most likely a right that had not spread: it is replaced. The second time a person is asked.
fn given_up(record: &mut Record, connection: &Connection) -> Judgement {
    let ours = record.provenance.aiven == Some(Provenance::Created);
    if ours && record.facts.recreated < MOST_REPLACED {
        forget(&mut record.facts);
        let why = format!("Aiven's connection ended {}: it is replaced once", connection.state);
        return Some(Err(Stop::Back { step: request_peering::STEP, why, after: BEFORE_REPLACING }));
    }
    let fix = refused(record.key.vpc.clone(), connection, ours);
    let told = record.fault.as_ref().is_some_and(|fault| fault.code == fix.code);
    (!told).then_some(Err(Stop::Fix(fix)))
}

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

#[cfg(test)]
mod tests;
