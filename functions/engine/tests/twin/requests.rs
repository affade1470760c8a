//! Requests at any time: a delete, a create after or amid it, a pause, a request's message that comes again. Rules 1 to 3, there and back.

use std::sync::Arc;

use super::*;
use crate::engine::tests::{both, runbook};
use crate::engine::{Runbook, Runbooks, Step};
use crate::peering::{Provenance, Record, Status, Wanted};
use crate::state::{Scope, Shared};

fn step(step: impl Step + 'static) -> Arc<dyn Step> {
    Arc::new(step)
}

fn scope() -> Scope {
    Scope::Subscription("33333333-3333-4333-8333-333333333333".parse().unwrap())
}

fn there_and_back(
    foreign: Option<&'static str>,
    create: impl FnOnce(&super::effects::Shared) -> Vec<(&'static str, Status, Arc<dyn Step>)>,
    delete: impl FnOnce(&super::effects::Shared) -> Vec<(&'static str, Status, Arc<dyn Step>)>,
) -> World {
    let world = World::there_and_back(|cloud| Runbooks {
        delete: Runbook { end: Status::Deleted, retired: &[], ..runbook(delete(cloud)) },
        ..both(runbook(create(cloud)))
    });
    if let Some(name) = foreign {
        world.cloud.lock().unwrap().objects.insert(name, Found::Foreign);
    }
    world
}

/// One half, made and removed.
fn a_half(foreign: bool) -> World {
    there_and_back(
        foreign.then_some("connection"),
        |cloud| {
            let make = step(Make(cloud.clone(), "connection"));
            vec![("make", Status::Authorizing, make), ("pass", Status::Peering, step(Pass))]
        },
        |cloud| vec![("unmake", Status::Deleting, step(Unmake(cloud.clone(), "connection")))],
    )
}

/// What two peerings share, made by the first and removed by the last.
fn what_is_shared(foreign: bool) -> World {
    there_and_back(
        foreign.then_some("assignment"),
        |cloud| vec![("share", Status::Authorizing, step(MakeShared(cloud.clone(), scope())))],
        |cloud| {
            let revoke = step(UnmakeShared(cloud.clone(), scope()));
            vec![("leave", Status::Deleting, step(Leave(scope()))), ("revoke", Status::Deleting, revoke)]
        },
    )
}

fn is_as_wanted(record: &Record) {
    let end = if record.wanted == Wanted::Active { Status::Active } else { Status::Deleted };
    assert_eq!(
        (record.status, record.is_idle(), &record.claim, &record.fault),
        (end, true, &None, &None),
        "{record:?}"
    );
}

/// As `wrong` in the model of the engine: nothing lost, doubled, orphaned or wrongly removed.
fn half_holds(world: &World, record: &Record, foreign: bool) {
    let record = world.load(record);
    is_as_wanted(&record);
    let cloud = world.cloud.lock().unwrap();
    assert_eq!((cloud.robbed, cloud.conflicts), (0, 0), "{record:?}");
    let expected = match (record.wanted, foreign) {
        (_, true) => (Some(&Found::Foreign), cloud.objects.get("connection")),
        (Wanted::Active, false) => (Some(&Found::Ours), cloud.objects.get("connection")),
        (Wanted::Deleted, false) => (None, cloud.objects.get("connection")),
    };
    assert_eq!(expected.0, expected.1, "{record:?}");
    if record.wanted == Wanted::Active {
        let provenance = if foreign { Provenance::Adopted } else { Provenance::Created };
        assert_eq!(record.provenance.aiven, Some(provenance), "{record:?}");
    }
}

/// As `wrong` in the model of shared rows.
fn shared_holds(world: &World, records: &[Record], foreign: bool) {
    let records: Vec<Record> = records.iter().map(|record| world.load(record)).collect();
    records.iter().for_each(is_as_wanted);
    let row = world::now(Shared::new(world.plain.clone()).load(&scope())).unwrap().value;
    let active: Vec<&String> = records.iter().filter(|r| r.wanted == Wanted::Active).map(|r| &r.id).collect();
    assert!(row.users.len() == active.len() && active.iter().all(|id| row.users.contains(*id)), "{row:?}");
    let cloud = world.cloud.lock().unwrap();
    assert_eq!((cloud.robbed, cloud.conflicts), (0, 0), "{row:?}");
    let there = cloud.objects.get("assignment");
    match (foreign, active.is_empty()) {
        (true, _) => assert_eq!(there, Some(&Found::Foreign), "{row:?}"),
        (false, true) => assert_eq!(there, None, "left behind: {row:?}"),
        (false, false) => {
            assert_eq!(there, Some(&Found::Ours), "active without it: {row:?}");
            assert_eq!(row.parts["assignment"].provenance, Some(Provenance::Created), "{row:?}");
        }
    }
}

fn explore(
    budget: Budget,
    asked: &[Asked],
    names: &[&str],
    new: fn(bool) -> World,
    hold: impl Fn(&World, &[Record], bool),
) -> usize {
    let mut runs = 0;
    for foreign in [false, true] {
        let mut choices = Choices::default();
        loop {
            let world = new(foreign);
            world.cloud.lock().unwrap().next = asked.to_vec();
            let records: Vec<Record> = names.iter().map(|name| world.open(name)).collect();
            let mut driver = Driver::new(&world, records.clone(), budget);
            driver.run(&mut choices);
            assert!(!driver.swept || budget.redeliveries > 0, "only the sweep could help");
            hold(&world, &records, foreign);
            // A message that is put back for a live claim counts, too.
            assert!(world.sent() <= 30, "{} messages were sent", world.sent());
            runs += 1;
            if !choices.next() {
                break;
            }
        }
    }
    println!("{budget:?} {asked:?}: {runs} runs");
    runs
}

fn one(budget: Budget, asked: &[Asked]) -> usize {
    explore(budget, asked, &["net"], a_half, |world, records, foreign| half_holds(world, &records[0], foreign))
}

fn two(budget: Budget, asked: &[Asked]) -> usize {
    explore(budget, asked, &["one", "other"], what_is_shared, shared_holds)
}

#[test]
fn a_delete_at_any_time_leaves_nothing_of_ours_whoever_dies() {
    let runs = one(Budget { deletes: 1, deaths: 1, ..Budget::default() }, &[]);
    assert!(runs > 200, "{runs}");
    one(Budget { deletes: 1, switches: 1, ..Budget::default() }, &[]);
}

#[test]
fn a_create_after_or_amid_a_delete_ends_peered() {
    let runs = one(Budget { deletes: 1, creates: 1, ..Budget::default() }, &[]);
    assert!(runs > 100, "{runs}");
}

#[test]
fn deletes_and_creates_meet_copies_of_old_messages_and_early_sweeps() {
    one(Budget { deletes: 1, duplicates: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, redeliveries: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, sweeps: 1, ..Budget::default() }, &[]);
}

#[test]
fn a_delete_whose_call_is_refused_or_whose_answer_is_lost_ends_all_the_same() {
    for first in [Asked::Refused, Asked::AnswerLost] {
        one(Budget { deletes: 1, ..Budget::default() }, &[first]);
        one(Budget { deletes: 1, ..Budget::default() }, &[first, first]);
    }
}

#[test]
fn a_request_that_is_delivered_again_however_late_moves_nothing() {
    one(Budget { deletes: 1, echoes: 1, ..Budget::default() }, &[]);
}

#[test]
fn a_pause_at_any_time_and_a_resume_later_change_nothing_of_the_end() {
    one(Budget { pauses: 1, deaths: 1, ..Budget::default() }, &[]);
    one(Budget { pauses: 1, deletes: 1, ..Budget::default() }, &[]);
}

#[test]
fn two_peerings_of_a_vnet_come_and_go_and_the_last_takes_what_they_shared() {
    let runs = two(Budget { deletes: 2, ..Budget::default() }, &[]);
    assert!(runs > 100, "{runs}");
    two(Budget { deletes: 1, deaths: 1, ..Budget::default() }, &[]);
}

#[test]
fn one_goes_while_it_comes_again() {
    two(Budget { deletes: 1, creates: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 1, ..Budget::default() }, &[Asked::AnswerLost]);
    two(Budget { deletes: 1, ..Budget::default() }, &[Asked::Refused]);
}

/// Takes minutes: `cargo test -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes"]
fn wider_budgets() {
    one(Budget { deletes: 1, deaths: 1, switches: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, deaths: 2, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, creates: 1, deaths: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, creates: 1, switches: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, duplicates: 1, switches: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, redeliveries: 1, switches: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 1, creates: 1, echoes: 1, ..Budget::default() }, &[]);
    one(Budget { pauses: 1, deletes: 1, deaths: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 1, switches: 1, ..Budget::default() }, &[]);
    one(Budget { deletes: 2, creates: 1, deaths: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 2, switches: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 2, deaths: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 1, deaths: 1, switches: 1, ..Budget::default() }, &[]);
    two(Budget { deletes: 1, creates: 1, switches: 1, ..Budget::default() }, &[]);
}
