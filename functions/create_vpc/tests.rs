//! What a list says of a VPC that was asked for, and what an outcome makes of its row.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;

use super::judge::{Seen, judge};
use crate::clock::Clock;
use crate::cloud::Service;
use crate::cloud::aiven::{VpcState, VpcSummary};
use crate::engine::tests::{DAY, MINUTE, ManualClock, Note, failure, settled};
use crate::engine::{Act, Fix, Job, Look, Runbook, Step, Stop, Wait, step};
use crate::peering::{Phase, Provenance, Status, VpcRequest};
use crate::state::{AWAIT_VPC, VpcRequestRow};

const NEW: Option<Duration> = Some(Duration::from_secs(30));
const OLD: Option<Duration> = Some(Duration::from_secs(600));

fn request() -> VpcRequest {
    let text = json!({"version": 1, "cloud": "azure-westeurope", "cidr": "10.200.0.0/24", "project": "p"});
    VpcRequest::parse(&text.to_string()).unwrap()
}

fn row(clock: &ManualClock) -> VpcRequestRow {
    let mut row = VpcRequestRow::new(request().key(), clock.now());
    (row.seq, row.phase, row.asks) = (1, Phase::Scheduled, vec![json!({})]);
    row
}

/// Moves the row on by an outcome of its step.
fn settle(row: &mut VpcRequestRow, outcome: Result<Act, Stop>, clock: &ManualClock) -> Note {
    settled(row, &runbook(), outcome, None, clock)
}

struct Idle;

#[async_trait]
impl Step<VpcRequestRow> for Idle {
    async fn look(&self, _: &mut Job<VpcRequestRow>) -> Result<Look, Stop> {
        Ok(Look::Done)
    }
}

fn runbook() -> Runbook<VpcRequestRow> {
    let entries = vec![step(AWAIT_VPC, "", Status::WaitingForAiven, "make the VPC", Idle)];
    Runbook { entries, end: Status::Active, retired: &[] }
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
fn a_wait_has_one_deadline_and_then_needs_a_person_and_is_looked_at_again() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    let wait = || Err(Stop::Wait(Wait::aiven("x", "it is so", 30, 60 * 60)));
    settle(&mut row, wait(), &clock);
    let deadline = row.waiting.clone().unwrap().deadline;
    assert_eq!((row.status, row.seq, clock.until(row.due).as_secs()), (Status::WaitingForAiven, 2, 30));
    clock.forward(59 * MINUTE);
    settle(&mut row, wait(), &clock);
    assert_eq!((row.waiting.clone().unwrap().deadline, row.fault.is_none()), (deadline, true));
    clock.forward(MINUTE);
    assert!(settle(&mut row, wait(), &clock).is_new);
    assert_eq!((row.status, row.is_idle()), (Status::NeedsAttention, false));
    assert_eq!(clock.until(row.due).as_secs(), 5 * MINUTE);
    settle(&mut row, Ok(Act::Done), &clock);
    assert_eq!((row.status, row.is_idle(), row.fault.is_none(), row.asks.len()), (Status::Active, true, true, 0));
}

#[test]
fn a_wait_for_azure_shows_no_status_of_aivens() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    settle(&mut row, Err(Stop::Wait(Wait::azure("x", "it is so", 30, 60 * 60))), &clock);
    assert_eq!(row.status, Status::Requested);
}

#[test]
fn many_short_waits_add_up_to_a_fault() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    for n in 0..12 {
        let wait = Wait::aiven(if n % 2 == 0 { "a" } else { "b" }, "it is so", 30, 60 * 60);
        settle(&mut row, Err(Stop::Wait(wait)), &clock);
        assert!(row.fault.is_none(), "round {n}");
        clock.forward(10 * MINUTE);
    }
    settle(&mut row, Err(Stop::Wait(Wait::aiven("a", "it is so", 30, 60 * 60))), &clock);
    let fault = row.progress.fault.unwrap();
    assert_eq!(fault.code, "total_deadline");
    assert!(fault.why.contains("a VPC request does"), "{fault:?}");
}

#[test]
fn a_passing_error_keeps_the_fault_that_a_person_was_asked_to_fix() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    let busy = || Err(Stop::Failed(Box::new(failure(Service::Aiven, 503, ""))));
    settle(&mut row, busy(), &clock);
    assert!(row.fault.is_none() && row.waiting.is_some());
    settle(&mut row, Err(Fix::report("x").into()), &clock);
    let fault = row.fault.clone();
    settle(&mut row, busy(), &clock);
    assert_eq!((row.status, &row.fault), (Status::NeedsAttention, &fault));
    assert!(!row.is_idle(), "it is looked at again");
}

#[test]
fn a_fault_is_given_up_after_a_week_and_a_refusal_at_once() {
    let clock = ManualClock::new();
    let mut row = row(&clock);
    settle(&mut row, Err(Fix::report("x").into()), &clock);
    clock.forward(7 * DAY);
    settle(&mut row, Err(Fix::report("x").into()), &clock);
    assert!(row.is_idle() && row.fault.as_ref().unwrap().given_up);
    let mut other = self::row(&clock);
    settle(&mut other, Err(Stop::Refuse(Fix::report("x"))), &clock);
    assert!(other.is_idle() && other.fault.as_ref().unwrap().given_up && other.waiting.is_none());
}
