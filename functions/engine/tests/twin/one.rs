//! One peering and one effect, under everything that can happen: rules 1 and 2.

use super::stepped::{ANSWER_LOST, LOST};
use super::*;
use crate::engine::tests::runbook;
use crate::peering::{Provenance, Status};
use std::sync::Arc;

/// A step that makes a half, and one that only passes.
fn two_steps(foreign: bool) -> World {
    let world = World::new(|cloud| {
        let make: Arc<dyn crate::engine::Step> = Arc::new(Make(cloud.clone(), "connection"));
        runbook(vec![("make", Status::Authorizing, make), ("pass", Status::Peering, Arc::new(Pass))])
    });
    if foreign {
        world.cloud.lock().unwrap().objects.insert("connection", Found::Foreign);
    }
    world
}

/// What must be so in the end, whatever happened.
fn hold(world: &World, record: &crate::peering::Record, foreign: bool, most_sent: u64) {
    let record = world.load(record);
    let expected = if foreign { Provenance::Adopted } else { Provenance::Created };
    assert_eq!((record.status, record.provenance.aiven), (Status::Active, Some(expected)), "{record:?}");
    let cloud = world.cloud.lock().unwrap();
    assert_eq!((cloud.made, cloud.conflicts), (u32::from(!foreign), 0));
    assert!(record.claim.is_none() && record.fault.is_none(), "{record:?}");
    assert!(world.sent() <= most_sent, "{} messages were sent", world.sent());
}

/// Tries all runs within a budget; returns how many there were. None may need the sweep: a redelivery makes good what a death left.
fn explore(budget: Budget, asked: &[Asked], most_sent: u64) -> usize {
    let mut runs = 0;
    for foreign in [false, true] {
        let mut choices = Choices::default();
        loop {
            let world = two_steps(foreign);
            world.cloud.lock().unwrap().next = asked.to_vec();
            let record = world.open("net");
            let mut driver = Driver::new(&world, vec![record.clone()], budget);
            driver.run(&mut choices);
            // Only where a lease ends before its worker does, and that worker dies between commit and send, the sweep must help.
            assert!(!driver.swept || budget.redeliveries > 0, "only the sweep could help");
            hold(&world, &record, foreign, most_sent);
            runs += 1;
            if !choices.next() {
                break;
            }
        }
    }
    println!("{budget:?} {asked:?}: {runs} runs");
    runs
}

#[test]
fn a_quiet_run_sends_one_message_a_step() {
    assert_eq!(explore(Budget::default(), &[], 1), 2, "the first message is the request's");
}

#[test]
fn whoever_dies_anywhere_twice_the_effect_is_there_once_and_known_as_ours() {
    let runs = explore(Budget { deaths: 2, ..Budget::default() }, &[], 3);
    assert!(runs > 200, "{runs}");
}

#[test]
fn two_workers_with_a_copy_each_make_it_once() {
    explore(Budget { switches: 2, duplicates: 1, ..Budget::default() }, &[], 2);
    explore(Budget { deaths: 1, switches: 1, duplicates: 1, ..Budget::default() }, &[], 4);
}

#[test]
fn a_message_given_to_two_workers_at_once_or_again_sends_no_more_than_twice() {
    explore(Budget { switches: 1, redeliveries: 1, ..Budget::default() }, &[], 2);
    explore(Budget { deaths: 1, redeliveries: 1, ..Budget::default() }, &[], 5);
}

#[test]
fn a_sweep_that_comes_too_early_makes_old_messages_stale() {
    explore(Budget { switches: 1, sweeps: 1, ..Budget::default() }, &[], 3);
    explore(Budget { deaths: 1, sweeps: 1, ..Budget::default() }, &[], 3);
}

#[test]
fn an_effect_whose_answer_is_lost_is_ours_even_if_the_worker_dies() {
    explore(Budget { deaths: 1, switches: 1, ..Budget::default() }, &[Asked::AnswerLost], 4);
}

#[test]
fn a_refused_effect_is_asked_for_again_and_ours_once_it_is_made() {
    explore(Budget { deaths: 1, switches: 1, ..Budget::default() }, &[Asked::Refused], 4);
}

#[test]
fn what_somebody_made_after_a_refusal_is_adopted() {
    let world = two_steps(false);
    world.cloud.lock().unwrap().next = vec![Asked::Refused];
    let record = world.open("net");
    let mut driver = Driver::new(&world, vec![record.clone()], Budget::default());
    driver.run_until(|world| world.load(&record).waiting.is_some());
    world.cloud.lock().unwrap().objects.insert("connection", Found::Foreign);
    driver.run(&mut Choices::default());
    assert_eq!(world.load(&record).provenance.aiven, Some(Provenance::Adopted));
}

#[test]
fn what_was_adopted_vanished_and_was_made_again_is_ours_even_if_the_worker_dies() {
    for n in 0..40 {
        let world = two_steps(false);
        let mut record = world.open("net");
        record.provenance.aiven = Some(Provenance::Adopted);
        world.replace(&record);
        let mut driver = Driver::new(&world, vec![record.clone()], Budget::default());
        driver.run_and_die_at(n);
        hold(&world, &record, false, 4);
    }
}

#[test]
fn storage_may_lose_any_operation_or_any_answer() {
    for how in [LOST, ANSWER_LOST] {
        for foreign in [false, true] {
            let mut n = 1;
            loop {
                let world = two_steps(foreign);
                let record = world.open("net");
                let mut driver = Driver::new(&world, vec![record.clone()], Budget::default());
                let happened = driver.run_with_trouble(n, how);
                hold(&world, &record, foreign, 4);
                if !happened {
                    break;
                }
                n += 1;
            }
            assert!(n > 4, "{n} operations");
        }
    }
}

/// Takes minutes: `cargo test -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes"]
fn wider_budgets() {
    for (deaths, switches, duplicates, redeliveries, sweeps) in [
        (1, 2, 1, 0, 0),
        (2, 1, 1, 0, 0),
        (1, 1, 0, 1, 0),
        (0, 2, 0, 1, 0),
        (2, 1, 0, 0, 1),
        (3, 0, 1, 0, 1),
        (0, 3, 1, 0, 1),
    ] {
        let budget = Budget { deaths, switches, duplicates, redeliveries, sweeps, ..Budget::default() };
        explore(budget, &[], 8);
    }
}
