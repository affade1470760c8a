//! What a request makes of a record that is there: one row an action. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::options_of;
use crate::create::{request_peering, verify_connectivity};
use crate::engine::Runbooks;
use crate::peering::{Action, Options, Phase, Record, Request, Status, Wanted};

/// The step from which an option that changes is brought to both halves.
const HALVES: &str = request_peering::STEP;
/// The step that looks whether it connects.
const VERIFY: &str = verify_connectivity::STEP;

/// What is to be done with a record. What the request changes of it has been changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// It goes on from a step, at once.
    Begin(String),
    /// It rests.
    Rest {
        /// In this status.
        status: Status,
        /// The status to go back to, where it is paused while idle.
        paused_from: Option<Status>,
    },
    /// Nothing moves; its journal says why.
    Note(String),
    /// The request cannot be met; `rejected` says why.
    Refuse(String),
}

/// Decides, and writes what is wanted from now on into the record.
pub fn decide(record: &mut Record, request: &Request, runbooks: &Runbooks, now: Timestamp) -> Move {
    match request.action {
        Action::Create => create(record, request, runbooks, now),
        Action::Delete => delete(record, runbooks),
        Action::Update => update(record, request, runbooks),
        Action::Verify => verify(record),
        Action::Retry => retry(record, runbooks),
        Action::Pause => pause(record),
        Action::Resume => resume(record),
    }
}

/// The same request twice is one peering. One that is on its way out comes back: its steps look what is still there.
fn create(record: &mut Record, request: &Request, runbooks: &Runbooks, now: Timestamp) -> Move {
    if record.wanted == Wanted::Active {
        return match conflict(record, &options_of(request)) {
            Some(reason) => Move::Refuse(reason),
            None => Move::Note(or_given_up(record, "requested again")),
        };
    }
    if record.status != Status::Deleted
        && let Some(reason) = other_peering(record, &options_of(request))
    {
        // What is still there of the former one has to go first: it is found by its name, and by its application.
        return Move::Refuse(format!("{reason}; it is on its way, so send this again when it is Deleted"));
    }
    take(record, options_of(request));
    if record.status == Status::Deleted {
        // A new life: what was learned and asked for in the one before means nothing in it.
        (record.facts, record.provenance) = Default::default();
        record.times = BTreeMap::from([("requested".to_owned(), now)]);
        record.repaired.clear();
    }
    record.wanted = Wanted::Active;
    record.vnet = request.vnet.clone().unwrap_or_else(|| record.vnet.clone());
    (record.requested_by, record.reference) = (request.requested_by.clone(), request.reference.clone());
    Move::Begin(runbooks.create.first().to_owned())
}

fn delete(record: &mut Record, runbooks: &Runbooks) -> Move {
    if record.wanted == Wanted::Deleted {
        return match record.status {
            Status::Deleted => Move::Note("nothing to do: it is deleted".to_owned()),
            Status::Paused => go_on(record),
            _ => Move::Note(or_given_up(record, "nothing to do: it is being deleted")),
        };
    }
    record.wanted = Wanted::Deleted;
    record.mending = false;
    record.drift.clear();
    Move::Begin(runbooks.delete.first().to_owned())
}

/// Both halves take the new options as they stand: nothing is deleted, nothing is out.
fn update(record: &mut Record, request: &Request, runbooks: &Runbooks) -> Move {
    if let Some(reason) = not_now(record, "update") {
        return Move::Refuse(reason);
    }
    let asked = options_of(request);
    if let Some(reason) = other_peering(record, &asked) {
        return Move::Refuse(reason);
    }
    if asked == record.options {
        return Move::Note("nothing to update: the options are as asked for".to_owned());
    }
    take(record, asked);
    let create = &runbooks.create;
    let at =
        if create.position(&record.step) < create.position(HALVES) { record.step.clone() } else { HALVES.to_owned() };
    Move::Begin(at)
}

/// The options from now on. What Aiven was asked to route before, it need not any more.
fn take(record: &mut Record, asked: Options) {
    let before = std::mem::replace(&mut record.options, asked).user_peer_network_cidrs;
    for range in before {
        if !record.facts.routed.contains(&range) {
            record.facts.routed.push(range);
        }
    }
}

fn verify(record: &Record) -> Move {
    match (record.status, record.is_idle()) {
        (Status::Active, true) => Move::Begin(VERIFY.to_owned()),
        (Status::Active, false) => Move::Note("nothing to do: it is being verified".to_owned()),
        (status, _) => Move::Refuse(format!(
            "peering {} is {status:?}, and only an Active one can be verified; it is verified by itself when it gets there",
            record.id
        )),
    }
}

/// Goes on at once, with fresh deadlines; and what a person changed of ours may be put back.
fn retry(record: &mut Record, runbooks: &Runbooks) -> Move {
    match record.status {
        Status::Active | Status::Deleted => return Move::Note(format!("nothing to retry: it is {:?}", record.status)),
        Status::Paused => return Move::Refuse(format!("peering {} is paused; send action \"resume\"", record.id)),
        _ => {}
    }
    record.mending = record.wanted == Wanted::Active;
    let drifted = record.drift.iter().map(|drift| drift.step.as_str());
    let earliest = drifted.min_by_key(|step| runbooks.create.position(step)).filter(|_| record.mending);
    Move::Begin(earliest.unwrap_or(&record.step).to_owned())
}

/// A peering that was given up does not go on by itself, whatever is asked again.
fn or_given_up(record: &Record, note: &str) -> String {
    if is_given_up(record) {
        return format!("{note}, but it was given up, so it goes on when action \"retry\" is sent");
    }
    note.to_owned()
}

fn is_given_up(record: &Record) -> bool {
    record.fault.as_ref().is_some_and(|fault| fault.given_up)
}

fn pause(record: &Record) -> Move {
    match record.status {
        Status::Paused => Move::Note("nothing to do: it is paused".to_owned()),
        Status::Deleted => Move::Refuse(format!("peering {} is deleted", record.id)),
        status => {
            // What came back after a repair is a fault that was not given up: the next pass says it again.
            let came_back = status == Status::NeedsAttention && !is_given_up(record);
            let from = if came_back { Status::Drifted } else { status };
            let paused_from = Some(from).filter(|_| record.is_idle());
            Move::Rest { status: Status::Paused, paused_from }
        }
    }
}

fn resume(record: &Record) -> Move {
    if record.status == Status::Paused {
        go_on(record)
    } else {
        Move::Note("nothing to do: it is not paused".to_owned())
    }
}

fn go_on(record: &Record) -> Move {
    match record.phase {
        Phase::Idle { paused_from: Some(status @ (Status::Active | Status::Drifted)) } => {
            Move::Rest { status, paused_from: None }
        }
        _ => Move::Begin(record.step.clone()),
    }
}

fn not_now(record: &Record, action: &str) -> Option<String> {
    let id = &record.id;
    match (record.wanted, record.status) {
        (Wanted::Deleted, _) => {
            Some(format!("peering {id} is deleted, or on its way; {action} needs one that is to stay"))
        }
        // Its steps would undo what looks like a person's hand, which only a retry may.
        (_, Status::Drifted) => {
            Some(format!("peering {id} is Drifted; mend it as its drift says, or send action \"retry\", then {action}"))
        }
        (_, Status::Paused) => Some(format!("peering {id} is paused; send action \"resume\", then {action}")),
        _ => None,
    }
}

fn conflict(record: &Record, asked: &Options) -> Option<String> {
    let differs = || {
        format!("peering {} of the same VPC and VNet exists, and with other options; send action \"update\"", record.id)
    };
    other_peering(record, asked).or_else(|| (asked != &record.options).then(differs))
}

fn other_peering(record: &Record, asked: &Options) -> Option<String> {
    let pair = format!("peering {} of the same VPC and VNet exists", record.id);
    if asked.application != record.options.application {
        return Some(format!("{pair}, and with another application; delete it first"));
    }
    (asked.peering_name != record.options.peering_name)
        .then(|| format!("{pair}, and with another peering_name; delete it first"))
}

#[cfg(test)]
mod tests;
