//! The life of a connection at Aiven: what its states mean, what is kept of it, and what the poll of its VPC makes of it. The steps that
//! request, await, compare and delete one all go by this file.

mod commands;

use std::time::Duration;

use jiff::Timestamp;

pub use self::commands::{add_command, delete_command};
use super::request_peering;
use crate::cloud::aiven::{Connection, ConnectionState};
use crate::engine::{Act, Fix, Judgement, Polled, Stop};
use crate::peering::{Facts, Provenance, Record, VpcRef};

/// How often a refused connection of ours is replaced before a person is asked.
pub const MOST_REPLACED: u32 = 1;
/// Before a refused connection is replaced: what refused it was most likely a right that had not spread yet. Nominal.
pub const BEFORE_REPLACING: Duration = Duration::from_secs(120);

/// How long a connection just asked for may be missing from Aiven's answer. Nominal.
const MAY_BE_MISSING: Duration = Duration::from_secs(120);
/// The code of the fault that the connection was deleted, and deleted again.
const GONE: &str = "connection_gone";

/// States that a connection does not leave by itself.
pub fn is_refused(state: &ConnectionState) -> bool {
    use ConnectionState::{DeletedByPeer, Error, InvalidSpecification, RejectedByPeer};
    matches!(state, InvalidSpecification | RejectedByPeer | Error | DeletedByPeer)
}

/// What a person does about a connection that Aiven gave up.
pub fn refused(vpc: VpcRef, connection: &Connection, ours: bool) -> Fix {
    let state = &connection.state;
    let message = connection.message.as_deref().unwrap_or("Aiven gives no reason");
    let whose =
        if ours { "it was replaced once already" } else { "it was there before us, so it is not ours to replace" };
    Fix {
        what: format!("Aiven's connection is {state}: {message}"),
        why: format!("Aiven could not peer to the VNet, and {whose}"),
        command: format!(
            "see to it that the VNet exists, that its range is free and that Aiven's service principal has its role on it; then {}: it is asked for again by itself",
            delete_command(&vpc, connection)
        ),
        code: format!("connection_{}", state.to_string().to_lowercase()),
        correlation: None,
    }
}

/// Forgets what a connection said that is there no more: the next one has a network and ids of its own.
pub fn forget(facts: &mut Facts) {
    forget_connection(facts);
    (facts.aiven_tenant, facts.aiven_vnet) = (None, None);
}

/// Forgets a connection, but not where Aiven's network was.
pub fn forget_connection(facts: &mut Facts) {
    (facts.connection, facts.pending_peer_at) = (None, None);
    (facts.aiven_state, facts.replace) = (None, false);
}

/// Whether a connection has another id than the one that is known: somebody made it since. A project's show none.
pub fn is_other(facts: &Facts, found: &Connection) -> bool {
    facts.connection.as_ref().zip(found.id.as_ref()).is_some_and(|(known, found)| known != found)
}

/// What somebody else made since is not ours to change, replace or remove.
pub fn disown_if_other(record: &mut Record, found: &Connection) {
    if is_other(&record.facts, found) {
        record.provenance.aiven = Some(Provenance::Adopted);
    }
}

/// Keeps what a connection says, as long as it says it: `state_info` vanishes later.
pub fn keep(facts: &mut Facts, connection: &Connection, now: Timestamp) {
    facts.connection = connection.id.clone().or(facts.connection.take());
    facts.aiven_state = Some(connection.state.to_string());
    if let (Some(tenant), Some(network)) = (connection.to_tenant, connection.to_network.clone()) {
        facts.aiven_tenant = Some(tenant);
        facts.aiven_vnet = Some(network);
        facts.pending_peer_at.get_or_insert(now);
    }
}

/// What one look at Aiven says of a record that awaits a poll. `is_there`: the connection is as far as its step waits for. Facts learned
/// go into the record.
pub fn on_poll(record: &mut Record, polled: &Polled<'_>, is_there: impl Fn(&Record, &Connection) -> bool) -> Judgement {
    let Some(connection) = polled.vpc.live_connection_to(&record.vnet) else { return missing(record, polled) };
    let before = record.facts.clone();
    disown_if_other(record, connection);
    keep(&mut record.facts, connection, polled.now);
    if is_refused(&connection.state) {
        return given_up(record, connection);
    }
    if is_there(record, connection) {
        return Some(Ok(Act::Done));
    }
    // The step itself sees what to make of ACTIVE: it can look at the VNet, too. Having seen it, it asks for no second look.
    if connection.state == ConnectionState::Active && before.aiven_state.as_deref() != Some("ACTIVE") {
        return Some(Ok(Act::Again));
    }
    // A state that is not known here is no proof of failure: the deadline decides.
    record.facts = before;
    tracing::debug!(peering = record.id, state = connection.state.as_str(), "waiting");
    None
}

fn missing(record: &mut Record, polled: &Polled<'_>) -> Judgement {
    let leaving =
        polled.vpc.connections_to(&record.vnet).any(|connection| connection.state == ConnectionState::Deleting);
    if leaving || polled.age < MAY_BE_MISSING {
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
