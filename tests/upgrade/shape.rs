//! The columns of all rows and the members of all messages, nested ones included. None may come, go or change its type without `SCHEMA`
//! being raised. Every value here is full, written without `..`: what is new does not compile before it is added here.

use std::collections::{BTreeMap, BTreeSet};

use functions::engine::{PollMessage, ReconcileMessage, StepMessage, VpcMessage};
use functions::peering::{
    Claim, Connectivity, Drift, Facts, Fault, Halves, Hand, JournalEntry, Options, Party, PeeringKey, Phase, Progress,
    Provenance, Reach, Record, SCHEMA, Status, VnetId, VpcRef, Waiting, Wanted,
};
use functions::state::{Brake, Cause, Outage, Part, SharedRow, VpcRequestRow, VpcRow};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);
const AT: Timestamp = Timestamp::UNIX_EPOCH;
const VNET: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet";

fn text() -> Option<String> {
    Some("x".to_owned())
}

/// A value of a type that is read from JSON: ids, ranges.
fn read<T: serde::de::DeserializeOwned>(value: Json) -> T {
    serde_json::from_value(value).unwrap()
}

fn vpc() -> VpcRef {
    format!("org:org1a2b3c4d5e6:{ID}").parse().unwrap()
}

fn vnet() -> VnetId {
    VNET.parse().unwrap()
}

fn claim() -> Claim {
    Claim { step: "s".to_owned(), by: "b".to_owned(), until: AT }
}

fn waiting() -> Waiting {
    let (reason, code) = ("r".to_owned(), "c".to_owned());
    Waiting { party: Party::Azure, reason, code, since: AT, deadline: AT, attempts: 1 }
}

fn fault() -> Fault {
    let (what, why, command, code) = ("w".to_owned(), "y".to_owned(), "d".to_owned(), "c".to_owned());
    Fault { what, why, command, code, correlation: text(), since: AT, attempts: 1, given_up: true }
}

fn drift() -> Drift {
    let (kind, what, command, step) = ("k".to_owned(), "w".to_owned(), "d".to_owned(), "s".to_owned());
    Drift { kind, hand: Hand::Vendor, what, command, step, since: AT }
}

fn times() -> BTreeMap<String, Timestamp> {
    BTreeMap::from([("name".to_owned(), AT)])
}

fn reach() -> Reach {
    Reach {
        service: "s".to_owned(),
        component: "c".to_owned(),
        host: "h".to_owned(),
        port: 1,
        addresses: vec![[10, 0, 0, 1].into()],
        not_admitted: vec![read(json!("10.0.0.0/24"))],
        connected: Some(true),
        verdict: "v".to_owned(),
        good: true,
    }
}

fn facts() -> Facts {
    let (id, range) = (json!(ID), json!("10.0.0.0/24"));
    Facts {
        tenant: read(id.clone()),
        location: text(),
        prefixes: vec![read(range.clone())],
        vpc_cidrs: vec![read(range)],
        application: read(id.clone()),
        principal: read(id.clone()),
        principal_at: Some(AT),
        credential_at: Some(AT),
        peering_role: text(),
        assigned_at: Some(AT),
        aiven_principal: read(id.clone()),
        aiven_role: text(),
        aiven_assigned_at: Some(AT),
        role_at: Some(AT),
        connection: text(),
        requested_at: Some(AT),
        recreated: 1,
        replace: true,
        aiven_tenant: read(id),
        aiven_vnet: Some(vnet()),
        routed: vec![read(json!("10.0.0.0/24"))],
        pending_peer_at: Some(AT),
        peering: text(),
        operation: text(),
        aiven_state: text(),
        azure_state: text(),
        secret_at: Some(AT),
        secret_expires: Some(AT),
        connectivity: Some(Connectivity {
            at: AT,
            summary: "s".to_owned(),
            good: true,
            services: vec![reach()],
            left_out: 1,
        }),
    }
}

fn progress(phase: Phase) -> Progress {
    Progress {
        status: Status::Active,
        step: "s".to_owned(),
        seq: 1,
        due: AT,
        phase,
        claim: Some(claim()),
        waiting: Some(waiting()),
        fault: Some(fault()),
        times: times(),
        committed_by: text(),
        poisoned: 1,
        heard: vec!["m".to_owned()],
        trace: text(),
    }
}

fn record() -> Record {
    Record {
        schema: SCHEMA,
        id: "i".to_owned(),
        key: PeeringKey { vpc: vpc(), vnet: vnet().key() },
        vnet: vnet(),
        options: Options {
            application: read(json!(ID)),
            peering_name: text(),
            allow_forwarded_traffic: true,
            user_peer_network_cidrs: vec![read(json!("10.0.0.0/24"))],
        },
        requested_by: text(),
        reference: text(),
        wanted: Wanted::Active,
        progress: progress(Phase::Idle { paused_from: Some(Status::Active) }),
        facts: facts(),
        provenance: Halves { aiven: Some(Provenance::Created), azure: Some(Provenance::Adopted) },
        mending: true,
        drift: vec![drift()],
        repaired: times(),
    }
}

fn journal_entry() -> JournalEntry {
    let (step, outcome, note) = ("s".to_owned(), "o".to_owned(), "n".to_owned());
    JournalEntry { at: AT, step, outcome, note, party: Some(Party::Aiven), correlation: text(), duration_ms: 1 }
}

fn shared_row() -> SharedRow {
    let part = Part {
        value: Some(json!("v")),
        provenance: Some(Provenance::Claimed),
        claim: Some(claim()),
        made_at: Some(AT),
        verified_at: Some(AT),
    };
    let (code, what, command) = ("c".to_owned(), "w".to_owned(), "d".to_owned());
    SharedRow {
        schema: SCHEMA,
        installation: text(),
        parts: BTreeMap::from([("name".to_owned(), part)]),
        users: BTreeSet::from(["u".to_owned()]),
        cause: Some(Cause { code, what, command, since: AT }),
        outage: Some(Outage { from: AT, to: AT }),
        drift: BTreeMap::from([("name".to_owned(), drift())]),
        brake: Some(Brake { since: AT, drifted: 1, active: 1 }),
    }
}

fn vpc_row() -> VpcRow {
    let unknown = vec!["u".to_owned()];
    VpcRow { schema: SCHEMA, vpc: vpc().key(), open: true, waiting: true, polled_at: Some(AT), unknown }
}

fn vpc_request_row() -> VpcRequestRow {
    VpcRequestRow {
        id: "i".to_owned(),
        requested_by: text(),
        reference: text(),
        progress: progress(Phase::Scheduled),
        vpc: Some(ID),
        provenance: Some(Provenance::Created),
        made_at: Some(AT),
        asks: vec![json!({})],
    }
}

fn step_message() -> StepMessage {
    StepMessage { schema: SCHEMA, peering: record().key, step: "s".to_owned(), seq: 1, trace: text() }
}

/// A value without what it says: what each member is.
fn shape(value: &Json) -> Json {
    match value {
        Json::Null => panic!("a value that is not full says nothing of its shape"),
        Json::Bool(_) => json!("bool"),
        Json::Number(_) => json!("number"),
        Json::String(_) => json!("string"),
        Json::Array(items) => items.iter().map(shape).collect(),
        Json::Object(members) => Json::Object(members.iter().map(|(name, one)| (name.clone(), shape(one))).collect()),
    }
}

fn shape_of(value: impl serde::Serialize) -> Json {
    shape(&serde_json::to_value(value).unwrap())
}

#[test]
fn shape_changes_only_with_the_schema() {
    let now = json!({
        "record": shape_of(record()),
        "journal entry": shape_of(journal_entry()),
        "shared row": shape_of(shared_row()),
        "VPC row": shape_of(vpc_row()),
        "VPC request row": shape_of(vpc_request_row()),
        "step message": shape_of(step_message()),
        "poll message": shape_of(PollMessage { schema: SCHEMA, vpc: vpc().key() }),
        "reconcile message": shape_of(ReconcileMessage { schema: SCHEMA, vpc: vpc().key(), pass: AT, repair: true }),
        "VPC message": shape_of(VpcMessage { schema: SCHEMA, request: "r".to_owned(), seq: 1 }),
    });
    let path = simulation::fixture::folder(SCHEMA).with_extension("json");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let known: Json = serde_json::from_str(&written).unwrap_or_default();
    let advice = "what is written has changed: raise SCHEMA (functions/peering/record.rs), migrate what is older, and record the old program's fixtures first: tests/upgrade/README.md. Then this is the new file's text";
    assert!(now == known, "{}: {advice}:\n{now:#}", path.display());
}
