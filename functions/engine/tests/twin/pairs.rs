//! Two peerings of one VNet, and what they share: rule 3, with the real rows.

use std::sync::Arc;

use super::*;
use crate::engine::tests::runbook;
use crate::peering::{Provenance, Record, Status};
use crate::state::{Scope, Shared};

/// One step, which joins the VNet's users and sees to its assignment.
fn sharing(foreign: bool) -> (World, Scope) {
    let scope = Scope::Subscription("33333333-3333-4333-8333-333333333333".parse().unwrap());
    let world = World::new(|cloud| {
        let step: Arc<dyn crate::engine::Step> = Arc::new(MakeShared(cloud.clone(), scope.clone()));
        runbook(vec![("share", Status::Authorizing, step)])
    });
    if foreign {
        world.cloud.lock().unwrap().objects.insert("assignment", Found::Foreign);
    }
    (world, scope)
}

fn hold(world: &World, scope: &Scope, records: &[Record], foreign: bool) {
    let row = world::now(Shared::new(world.plain.clone()).load(scope)).unwrap().value;
    let part = &row.parts["assignment"];
    let expected = if foreign { Provenance::Adopted } else { Provenance::Created };
    assert_eq!((part.provenance, &part.claim), (Some(expected), &None), "{row:?}");
    assert_eq!(part.made_at.is_some(), !foreign, "{row:?}");
    let cloud = world.cloud.lock().unwrap();
    assert_eq!((cloud.made, cloud.conflicts), (u32::from(!foreign), 0));
    for record in records {
        let record = world.load(record);
        assert!(row.users.contains(&record.id), "{row:?}");
        assert_eq!(record.status, Status::Active, "{record:?}");
    }
}

fn explore(budget: Budget, asked: &[Asked]) -> usize {
    let mut runs = 0;
    for foreign in [false, true] {
        let mut choices = Choices::default();
        loop {
            let (world, scope) = sharing(foreign);
            world.cloud.lock().unwrap().next = asked.to_vec();
            let records = [world.open("one"), world.open("other")];
            let mut driver = Driver::new(&world, records.to_vec(), budget);
            driver.run(&mut choices);
            // Only where a lease ends before its worker does, and that worker dies between commit and send, the sweep must help.
            assert!(!driver.swept || budget.redeliveries > 0, "only the sweep could help");
            hold(&world, &scope, &records, foreign);
            assert!(world.sent() <= 40, "{} messages were sent", world.sent());
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
fn two_peerings_at_once_make_what_they_share_once() {
    let runs = explore(Budget { switches: 2, ..Budget::default() }, &[]);
    assert!(runs > 200, "{runs}");
}

#[test]
fn whoever_dies_making_it_the_other_finds_it_and_it_is_ours() {
    explore(Budget { deaths: 1, switches: 1, ..Budget::default() }, &[]);
}

#[test]
fn its_answer_may_be_lost_or_it_may_be_refused_at_first() {
    explore(Budget { deaths: 1, ..Budget::default() }, &[Asked::AnswerLost]);
    explore(Budget { switches: 1, ..Budget::default() }, &[Asked::AnswerLost]);
    explore(Budget { switches: 1, ..Budget::default() }, &[Asked::Refused]);
}

#[test]
fn what_somebody_made_after_a_refusal_is_adopted() {
    let (world, scope) = sharing(false);
    world.cloud.lock().unwrap().next = vec![Asked::Refused];
    let record = world.open("one");
    let mut driver = Driver::new(&world, vec![record.clone()], Budget::default());
    driver.run_until(|world| world.load(&record).waiting.is_some());
    world.cloud.lock().unwrap().objects.insert("assignment", Found::Foreign);
    driver.run(&mut Choices::default());
    hold(&world, &scope, &[record], true);
}

#[test]
fn a_copy_of_a_message_does_not_make_it_twice() {
    explore(Budget { switches: 1, duplicates: 1, ..Budget::default() }, &[]);
    explore(Budget { switches: 1, redeliveries: 1, ..Budget::default() }, &[]);
}

/// Takes minutes: `cargo test -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes"]
fn wider_budgets() {
    explore(Budget { switches: 3, ..Budget::default() }, &[]);
    explore(Budget { deaths: 2, ..Budget::default() }, &[]);
    explore(Budget { deaths: 1, switches: 1, ..Budget::default() }, &[Asked::AnswerLost]);
    explore(Budget { switches: 2, ..Budget::default() }, &[Asked::Refused]);
    explore(Budget { deaths: 2, switches: 1, ..Budget::default() }, &[]);
    explore(Budget { deaths: 1, switches: 2, ..Budget::default() }, &[]);
    explore(Budget { deaths: 1, switches: 1, duplicates: 1, ..Budget::default() }, &[]);
    explore(Budget { deaths: 1, switches: 1, ..Budget::default() }, &[Asked::Refused]);
}
