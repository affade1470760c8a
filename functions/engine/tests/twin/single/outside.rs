//! Commits that no step makes: parking, the poll's judgements, the sweep's nudges.

use super::*;
use crate::engine::Fix;
use crate::peering::{Claim, JournalEntry};

fn poll_hints(world: &World) -> usize {
    now(world.queues.peek("poll-vpc", 32)).unwrap().len()
}

fn is_polled(world: &World, record: &Record) -> bool {
    let vpcs = crate::state::Vpcs::new(world.plain.clone());
    now(vpcs.load(&record.key.vpc)).unwrap().value.waiting
}

/// A record that has parked.
fn parked() -> (World, Record) {
    let world = world_of(Arc::new(Parks));
    let record = world.open("net");
    queued(&world, "second");
    run(&world, &record, &delivery("m")).unwrap();
    let record = world.load(&record);
    assert!(record.awaits_poll());
    (world, record)
}

fn conclude(world: &World, record: &Record, outcome: Result<Act, Stop>) -> Record {
    let stored = stored(world, record);
    drive(world.engine.conclude_from_outside(stored, outcome, None, Some(&delivery("poll")))).unwrap();
    world.load(record)
}

fn overdue() -> Result<Act, Stop> {
    let words = || "words".to_owned();
    Err(Fix { what: words(), why: words(), command: words(), code: "pending".to_owned(), correlation: None }.into())
}

#[test]
fn parking_asks_for_a_first_poll_and_has_the_timer_go_on() {
    let (world, record) = parked();
    assert!(is_polled(&world, &record));
    assert_eq!(poll_hints(&world), 1);
    assert!(queued(&world, "second").is_empty());
}

#[test]
fn what_the_poll_sees_done_advances_the_record_and_names_the_polls_message() {
    let (world, record) = parked();
    let record = conclude(&world, &record, Ok(Act::Done));
    assert_eq!((record.status, record.committed_by.as_deref()), (Status::Active, Some("poll")));
}

#[test]
fn a_parked_fault_stays_parked_and_sends_nothing() {
    let (world, record) = parked();
    queued(&world, "poll");
    let record = conclude(&world, &record, overdue());
    assert_eq!((record.awaits_poll(), record.status), (true, Status::NeedsAttention));
    assert_eq!(record.due, record.waiting.as_ref().unwrap().deadline);
    assert!(world.next_message().is_none());
}

#[test]
fn a_parked_record_that_goes_on_when_all_has_taken_too_long_is_told_of_and_goes_on() {
    let (world, record) = parked();
    queued(&world, "poll");
    world.clock.forward(crate::engine::tests::DAY / 8);
    let record = conclude(&world, &record, Ok(Act::Again));
    assert_eq!(record.fault.as_ref().unwrap().code, "total_deadline");
    assert!(!record.awaits_poll());
    assert_eq!(queued(&world, "second"), [(0, StepMessage::of(&record))]);
}

#[test]
fn a_parked_fault_that_is_mended_is_looked_at_by_its_step() {
    let (world, record) = parked();
    let record = conclude(&world, &record, overdue());
    queued(&world, "poll");
    let mut there = stored(&world, &record);
    there.value.facts.aiven_state = Some("ACTIVE".to_owned());
    drive(world.engine.conclude_from_outside(there, Ok(Act::Again), None, Some(&delivery("poll")))).unwrap();
    let record = world.load(&record);
    assert!(!record.awaits_poll());
    assert_eq!(queued(&world, "second"), [(0, StepMessage::of(&record))]);
    run(&world, &record, &delivery("m2")).unwrap();
    assert_eq!(world.load(&record).status, Status::Active);
}

#[test]
fn a_parked_fault_that_nobody_mends_is_given_up_after_a_week_and_polled_no_more() {
    let (world, record) = parked();
    let record = conclude(&world, &record, overdue());
    world.clock.forward(7 * crate::engine::tests::DAY);
    let record = conclude(&world, &record, overdue());
    assert!(record.fault.as_ref().unwrap().given_up && !record.awaits_poll());
}

#[test]
fn whoever_was_quicker_has_sent() {
    let (world, record) = parked();
    let old = stored(&world, &record);
    let moved = conclude(&world, &record, Ok(Act::Done));
    drive(world.engine.conclude_from_outside(old.clone(), Ok(Act::Done), None, None)).unwrap();
    drive(world.engine.send_again(old, "overdue")).unwrap();
    assert_eq!(world.load(&record), moved);
}

#[test]
fn a_claim_outlives_what_is_committed_from_outside() {
    let (world, mut record) = parked();
    let until = world.clock.after(Duration::from_secs(70));
    let claim = Some(Claim { step: "second".to_owned(), by: "m".to_owned(), until });
    record.claim.clone_from(&claim);
    world.replace(&record);
    assert_eq!(conclude(&world, &record, Err(Wait::azure("w", "slow", 5, 600).into())).claim, claim);
    drive(world.engine.send_again(stored(&world, &record), "overdue")).unwrap();
    assert_eq!(world.load(&record).claim, claim);
}

#[test]
fn what_is_sent_again_makes_its_old_copies_stale() {
    let world = world_of(Arc::new(Pass));
    let record = world.open("net");
    queued(&world, "second");
    drive(world.engine.send_again(stored(&world, &record), "overdue")).unwrap();
    let moved = world.load(&record);
    assert_eq!((moved.seq, moved.committed_by.as_deref()), (record.seq + 1, None));
    assert_eq!(queued(&world, "second"), [(0, StepMessage::of(&moved))]);
}

#[test]
fn a_note_moves_nothing() {
    let (world, record) = parked();
    let entry = JournalEntry { note: "asked again".to_owned(), ..super::super::world::journal(&world.clock) };
    drive(world.engine.note(stored(&world, &record), entry, "m")).unwrap();
    assert_eq!(world.load(&record), record);
}

#[test]
fn what_is_over_or_given_up_sends_nothing() {
    let (world, mut record) = parked();
    queued(&world, "poll");
    (record.status, record.phase) = (Status::Active, crate::peering::Phase::IDLE);
    drive(world.engine.send_for(&record)).unwrap();
    assert!(world.next_message().is_none());
}
