//! What a list says of a VPC that was asked for, and what an outcome makes of its row.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::judge::{Seen, judge};
use super::settle::{refuse, settle};
use crate::clock::Clock;
use crate::cloud::Service;
use crate::cloud::aiven::{VpcState, VpcSummary};
use crate::engine::tests::{DAY, MINUTE, ManualClock, failure};
use crate::engine::{Fix, Stop, Wait};
use crate::peering::{Provenance, SCHEMA, Status, VpcRequest};
use crate::state::VpcRequestRow;

const NEW: Option<Duration> = Some(Duration::from_secs(30));
const OLD: Option<Duration> = Some(Duration::from_secs(600));

fn request() -> VpcRequest {
    let text = json!({"version": 1, "cloud": "azure-westeurope", "cidr": "10.200.0.0/24", "project": "p"});
    VpcRequest::parse(&text.to_string()).unwrap()
}

fn row(clock: &ManualClock) -> VpcRequestRow {
    let now = clock.now();
    VpcRequestRow {
        schema: SCHEMA,
        id: request().key(),
        requested_by: None,
        reference: None,
        status: Status::Requested,
        open: true,
        seq: 1,
        due: now,
        claim: None,
        waiting: None,
        fault: None,
        vpc: None,
        provenance: None,
        made_at: None,
        times: BTreeMap::from([("started".to_owned(), now)]),
        committed_by: None,
        heard: Vec::new(),
        poisoned: 0,
        asks: vec![json!({})],
    }
}

fn vpc(id: u128, state: VpcState) -> VpcSummary {
    let prefixes = vec!["10.200.0.0/24".parse().unwrap()];
    VpcSummary { id: Uuid::from_u128(id), state, cloud: "Azure-WestEurope".to_owned(), prefixes }
}

/// With what is known of the VPC, and how long ago it was asked for.
fn seen(known: Option<(u128, Provenance)>, age: Option<Duration>, list: &[VpcSummary]) -> Seen {
    let mut row = row(&ManualClock::new());
    (row.vpc, row.provenance) = (known.map(|(id, _)| Uuid::from_u128(id)), known.map(|(_, whose)| whose));
    judge(&row, &request(), list, age)
}

#[test]
fn a_ready_one_is_taken_before_one_that_is_made_and_always_the_same_of_two() {
    use VpcState::{Active, Approved, Deleting};
    let list = [vpc(1, Approved), vpc(3, Active), vpc(2, Active), vpc(0, Deleting)];
    assert_eq!(seen(None, None, &list), Seen::Ready(Uuid::from_u128(2)));
    assert!(matches!(seen(None, None, &list[..1]), Seen::Building(id, _) if id == Uuid::from_u128(1)));
    let chosen = seen(Some((3, Provenance::Adopted)), None, &list);
    assert_eq!(chosen, Seen::Ready(Uuid::from_u128(3)), "the one that was chosen before");
}

#[test]
fn another_range_or_cloud_is_another_vpc() {
    let other_cloud = VpcSummary { cloud: "azure-northeurope".to_owned(), ..vpc(1, VpcState::Active) };
    let wider = VpcSummary { prefixes: vec!["10.200.0.0/23".parse().unwrap()], ..vpc(2, VpcState::Active) };
    assert_eq!(seen(None, None, &[other_cloud, wider]), Seen::Missing);
}

#[test]
fn what_was_just_asked_for_may_be_missing_for_a_while_and_is_not_asked_for_twice() {
    for known in [None, Some((1, Provenance::Created))] {
        assert!(matches!(seen(known, NEW, &[]), Seen::NotYet(wait) if wait.code == "vpc_not_listed"));
    }
    assert_eq!(seen(None, OLD, &[]), Seen::Missing, "the call did nothing");
    let made = Some((1, Provenance::Created));
    for list in [&[][..], &[vpc(1, VpcState::Deleted)], &[vpc(1, VpcState::Deleting)]] {
        assert!(matches!(seen(made, OLD, list), Seen::Gone(_)), "a person deleted it");
    }
    assert_eq!(seen(made, None, &[]), Seen::Missing, "somebody asks again");
}

#[test]
fn a_twin_that_leaves_is_waited_for_and_one_that_has_left_is_not() {
    assert!(
        matches!(seen(None, None, &[vpc(1, VpcState::Deleting)]), Seen::NotYet(wait) if wait.code == "vpc_deleting")
    );
    assert_eq!(seen(None, None, &[vpc(1, VpcState::Deleted)]), Seen::Missing);
}

#[test]
fn an_unknown_state_is_waited_for() {
    let odd = vpc(1, VpcState::Unknown("REBUILDING".to_owned()));
    assert!(matches!(seen(None, None, &[odd]), Seen::Building(_, wait) if wait.reason.contains("REBUILDING")));
}

#[test]
fn a_wait_has_one_deadline_and_is_then_a_persons_and_still_looked_at() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    let wait = || Err(Stop::Wait(Wait::aiven("x", "it is so", 30, 60 * 60)));
    settle(&mut row, wait(), None, &clock);
    let deadline = row.waiting.clone().unwrap().deadline;
    assert_eq!((row.status, row.seq, clock.until(row.due).as_secs()), (Status::WaitingForAiven, 2, 30));
    clock.forward(59 * MINUTE);
    settle(&mut row, wait(), None, &clock);
    assert_eq!((row.waiting.clone().unwrap().deadline, row.fault.is_none()), (deadline, true));
    clock.forward(MINUTE);
    settle(&mut row, wait(), None, &clock);
    assert_eq!((row.status, row.open), (Status::NeedsAttention, true));
    assert_eq!(clock.until(row.due).as_secs(), 5 * MINUTE);
    settle(&mut row, Ok(()), None, &clock);
    assert_eq!((row.status, row.open, row.fault.is_none(), row.asks.len()), (Status::Active, false, true, 0));
}

#[test]
fn many_short_waits_make_a_long_night_too() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    for n in 0..12 {
        let wait = Wait::aiven(if n % 2 == 0 { "a" } else { "b" }, "it is so", 30, 60 * 60);
        settle(&mut row, Err(Stop::Wait(wait)), None, &clock);
        assert!(row.fault.is_none(), "round {n}");
        clock.forward(10 * MINUTE);
    }
    settle(&mut row, Err(Stop::Wait(Wait::aiven("a", "it is so", 30, 60 * 60))), None, &clock);
    assert!(row.fault.unwrap().what.contains("after 120 minutes"));
}

#[test]
fn failures_are_judged_by_the_tables_and_a_better_command_is_kept() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    let busy = || Err(Stop::Failed(Box::new(failure(Service::Aiven, 503, ""))));
    settle(&mut row, busy(), None, &clock);
    assert!(row.fault.is_none() && row.waiting.is_some());
    let limit = crate::cloud::Failure { message: "VPC limit reached".to_owned(), ..failure(Service::Aiven, 403, "") };
    settle(&mut row, Err(Stop::Failed(Box::new(limit))), Some("do this".to_owned()), &clock);
    let fault = row.fault.clone().unwrap();
    assert_eq!((fault.command.as_str(), row.status), ("do this", Status::NeedsAttention));
    settle(&mut row, busy(), None, &clock);
    assert!(row.open, "it is looked at again");
}

#[test]
fn a_fault_is_given_up_after_a_week_and_a_refusal_at_once() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    settle(&mut row, Err(Fix::report("x").into()), None, &clock);
    clock.forward(7 * DAY);
    settle(&mut row, Err(Fix::report("x").into()), None, &clock);
    assert!(!row.open && row.fault.as_ref().unwrap().given_up);
    let mut other = self::row(&clock);
    refuse(&mut other, Fix::report("x"), &clock);
    assert!(!other.open && other.fault.unwrap().given_up && other.waiting.is_none());
}
