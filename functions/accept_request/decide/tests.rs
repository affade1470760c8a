//! Every action on every state a record can rest or move in: a table to read.

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::engine::tests::{Idle, both, record, runbook};
use crate::engine::{Runbook, Step};
use crate::peering::{Drift, Hand};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn runbooks() -> Runbooks {
    let step = |name, status| (name, status, Arc::new(Idle(None)) as Arc<dyn Step>);
    let create = ["inspect_network", "request_peering", "await_active", "verify_connectivity"];
    let mut runbooks = both(runbook(create.map(|name| step(name, Status::Peering)).into()));
    let delete = ["delete_aiven_peering", "revoke_access"];
    let delete = runbook(delete.map(|name| step(name, Status::Deleting)).into());
    runbooks.delete = Runbook { end: Status::Deleted, ..delete };
    runbooks
}

/// A record: its status, its step, and whether it rests.
fn at(status: Status, step: &str, resting: bool) -> Record {
    let mut record = record("net", step, NOW);
    record.status = status;
    record.phase = if resting { Phase::IDLE } else { Phase::Scheduled };
    let goes = runbooks().delete.entry(step).is_some();
    record.wanted = if goes { Wanted::Deleted } else { Wanted::Active };
    record
}

fn paused(from: Option<Status>, step: &str) -> Record {
    let mut record = at(Status::Paused, step, true);
    record.phase = Phase::Idle { paused_from: from };
    record
}

/// Idle at a fault.
fn at_fault(step: &str, given_up: bool) -> Record {
    let mut record = at(Status::NeedsAttention, step, true);
    record.fault = Some(faulted(given_up));
    record
}

fn request(action: Action) -> Request {
    let text = serde_json::json!({
        "version": 1, "action": action.to_string(),
        "vpc": {"organization": "org1a2b3c4d5e6", "id": "66666666-6666-4666-8666-666666666666"},
        "vnet": record("net", "", NOW).vnet.to_string(),
    });
    Request::parse(&text.to_string()).unwrap()
}

/// A move in few words.
fn word(outcome: &Move) -> String {
    match outcome {
        Move::Begin(step) => step.clone(),
        Move::Rest { status, .. } => format!("{status:?}"),
        Move::Note(_) => "note".to_owned(),
        Move::Refuse(_) => "refuse".to_owned(),
    }
}

#[test]
#[rustfmt::skip]
fn every_action_on_every_state() {
    use Status::{Active, Authorizing, Deleted, Deleting, Drifted, NeedsAttention, Peering, Requested, WaitingForActive, WaitingForAiven};
    let (inspect, request_step, wait, verify) = ("inspect_network", "request_peering", "await_active", "verify_connectivity");
    let (delete, revoke) = ("delete_aiven_peering", "revoke_access");
    let rows = [
        // the record                                   create     delete  update        verify    retry      pause     resume
        (at(Requested, inspect, false),               ["note",    delete, "note",       "refuse", inspect,   "Paused", "note"]),
        (at(Authorizing, inspect, false),             ["note",    delete, "note",       "refuse", inspect,   "Paused", "note"]),
        (at(WaitingForAiven, request_step, false),    ["note",    delete, "note",       "refuse", request_step, "Paused", "note"]),
        (at(Peering, wait, false),                    ["note",    delete, "note",       "refuse", wait,      "Paused", "note"]),
        (at(WaitingForActive, wait, false),           ["note",    delete, "note",       "refuse", wait,      "Paused", "note"]),
        (at(NeedsAttention, wait, false),             ["note",    delete, "note",       "refuse", wait,      "Paused", "note"]),
        (at(NeedsAttention, wait, true),              ["note",    delete, "note",       "refuse", wait,      "Paused", "note"]),
        (at(Active, verify, true),                    ["note",    delete, "note",       verify,   "note",    "Paused", "note"]),
        (at(Active, verify, false),                   ["note",    delete, "note",       "note",   "note",    "Paused", "note"]),
        (at(Drifted, verify, true),                   ["note",    delete, "refuse",     "refuse", verify,    "Paused", "note"]),
        (paused(None, wait),                          ["note",    delete, "refuse",     "refuse", "refuse",  "note",   wait]),
        (paused(Some(Active), verify),                ["note",    delete, "refuse",     "refuse", "refuse",  "note",   "Active"]),
        (paused(Some(Drifted), verify),               ["note",    delete, "refuse",     "refuse", "refuse",  "note",   "Drifted"]),
        (paused(Some(NeedsAttention), wait),          ["note",    delete, "refuse",     "refuse", "refuse",  "note",   wait]),
        (paused(None, revoke),                        [inspect,   revoke, "refuse",     "refuse", "refuse",  "note",   revoke]),
        (at(Deleting, revoke, false),                 [inspect,   "note", "refuse",     "refuse", revoke,    "Paused", "note"]),
        (at(NeedsAttention, revoke, false),           [inspect,   "note", "refuse",     "refuse", revoke,    "Paused", "note"]),
        (at(NeedsAttention, revoke, true),            [inspect,   "note", "refuse",     "refuse", revoke,    "Paused", "note"]),
        (at(Deleted, revoke, true),                   [inspect,   "note", "refuse",     "refuse", "note",    "refuse", "note"]),
    ];
    let actions = [Action::Create, Action::Delete, Action::Update, Action::Verify, Action::Retry, Action::Pause, Action::Resume];
    for (before, expected) in rows {
        let moves = actions.map(|action| word(&decide(&mut before.clone(), &request(action), &runbooks(), NOW)));
        let told = format!("{:?} at {}, {:?}", before.status, before.step, before.phase);
        assert_eq!(moves, expected, "{told}");
    }
}

#[test]
fn a_note_or_a_refusal_changes_nothing_of_the_record() {
    for status in [Status::Active, Status::Paused, Status::Deleted, Status::NeedsAttention, Status::Drifted] {
        for step in ["await_active", "verify_connectivity", "revoke_access"] {
            for action in [Action::Create, Action::Delete, Action::Update, Action::Verify, Action::Retry, Action::Pause]
            {
                let before = at(status, step, true);
                let mut after = before.clone();
                let outcome = decide(&mut after, &request(action), &runbooks(), NOW);
                if matches!(outcome, Move::Note(_) | Move::Refuse(_)) {
                    assert_eq!(after, before, "{action} on {status:?} at {step}");
                }
            }
        }
    }
}

#[test]
fn an_update_begins_where_the_halves_are_made_unless_it_has_yet_to_get_there() {
    let updated = |step: &str, status| {
        let mut record = at(status, step, status == Status::Active);
        let asked = Request { allow_forwarded_traffic: true, ..request(Action::Update) };
        (word(&decide(&mut record, &asked, &runbooks(), NOW)), record.options.allow_forwarded_traffic)
    };
    assert_eq!(updated("verify_connectivity", Status::Active), ("request_peering".to_owned(), true));
    assert_eq!(updated("await_active", Status::WaitingForActive), ("request_peering".to_owned(), true));
    assert_eq!(updated("inspect_network", Status::Authorizing), ("inspect_network".to_owned(), true));
}

#[test]
fn ranges_that_are_not_wanted_any_more_are_remembered_as_ours_to_take_back() {
    let mut record = at(Status::Active, "verify_connectivity", true);
    let range = |text: &str| vec![text.parse().unwrap()];
    record.options.user_peer_network_cidrs = range("10.1.0.0/16");
    let asked = Request { user_peer_network_cidrs: range("10.2.0.0/16"), ..request(Action::Update) };
    decide(&mut record, &asked, &runbooks(), NOW);
    assert_eq!(
        (&record.facts.routed, &record.options.user_peer_network_cidrs),
        (&range("10.1.0.0/16"), &range("10.2.0.0/16"))
    );
}

#[test]
fn another_application_or_name_of_the_same_pair_is_refused_until_it_is_deleted() {
    let asked = || Request { peering_name: Some("other".to_owned()), ..request(Action::Create) };
    for (status, step) in
        [(Status::Active, "verify_connectivity"), (Status::Paused, "await_active"), (Status::Deleting, "revoke_access")]
    {
        let Move::Refuse(reason) = decide(&mut at(status, step, false), &asked(), &runbooks(), NOW) else {
            panic!("{status:?}")
        };
        assert!(reason.contains("another peering_name"), "{reason}");
    }
    let begun = decide(&mut at(Status::Deleted, "revoke_access", true), &asked(), &runbooks(), NOW);
    assert_eq!(word(&begun), "inspect_network");
}

#[test]
fn what_comes_again_after_it_was_deleted_knows_nothing_of_before() {
    let mut record = at(Status::Deleted, "revoke_access", true);
    record.facts.connection = Some("old".to_owned());
    record.provenance.azure = Some(crate::peering::Provenance::Adopted);
    // Nothing of the next connection is ours to take back because it was asked for in this life.
    record.options.user_peer_network_cidrs = vec!["10.1.0.0/16".parse().unwrap()];
    decide(&mut record, &request(Action::Create), &runbooks(), NOW);
    assert_eq!(
        (record.wanted, record.facts, record.provenance),
        (Wanted::Active, Default::default(), Default::default())
    );
}

#[test]
fn a_retry_allows_mending_and_begins_at_the_first_step_that_something_drifted_of() {
    let mut record = at(Status::Drifted, "verify_connectivity", true);
    record.drift = ["await_active", "request_peering"]
        .map(|step| Drift {
            kind: "half_gone".to_owned(),
            hand: Hand::Person,
            what: String::new(),
            command: String::new(),
            step: step.to_owned(),
            since: NOW,
        })
        .into();
    let begun = decide(&mut record, &request(Action::Retry), &runbooks(), NOW);
    assert_eq!((word(&begun).as_str(), record.mending), ("request_peering", true));
    let mut going = at(Status::NeedsAttention, "revoke_access", false);
    decide(&mut going, &request(Action::Retry), &runbooks(), NOW);
    assert!(!going.mending, "what is deleted is not mended");
}

#[test]
fn a_delete_ends_mending() {
    let mut record = Record { mending: true, ..paused(Some(Status::Active), "verify_connectivity") };
    decide(&mut record, &request(Action::Delete), &runbooks(), NOW);
    assert_eq!((record.wanted, record.mending), (Wanted::Deleted, false));
}

fn faulted(given_up: bool) -> crate::peering::Fault {
    let text = String::new;
    let (what, why, command, code) = (text(), text(), text(), text());
    crate::peering::Fault { what, why, command, code, correlation: None, since: NOW, attempts: 0, given_up }
}

/// What the engine commits of a pause.
fn pause(record: &mut Record) {
    let decided = decide(record, &request(Action::Pause), &runbooks(), NOW);
    let Move::Rest { status: Status::Paused, paused_from } = decided else { panic!("{decided:?}") };
    (record.status, record.phase) = (Status::Paused, Phase::Idle { paused_from });
}

#[test]
fn what_came_back_after_a_repair_is_drifted_and_not_active_when_it_is_resumed() {
    let mut record = at_fault("verify_connectivity", false);
    pause(&mut record);
    let resumed = Move::Rest { status: Status::Drifted, paused_from: None };
    assert_eq!(decide(&mut record, &request(Action::Resume), &runbooks(), NOW), resumed);
    let mut given_up = at_fault("await_active", true);
    pause(&mut given_up);
    assert_eq!(word(&decide(&mut given_up, &request(Action::Resume), &runbooks(), NOW)), "await_active");
}

#[test]
fn whoever_asks_again_for_what_was_given_up_is_told_that_it_does_not_go_on() {
    for (action, step) in [(Action::Create, "await_active"), (Action::Delete, "revoke_access")] {
        let mut record = at_fault(step, true);
        let Move::Note(note) = decide(&mut record, &request(action), &runbooks(), NOW) else { panic!("{action}") };
        assert!(note.contains("given up") && note.contains("\"retry\""), "{note}");
    }
}
