//! Going on, going on in parts, going back, parking.

use std::time::Duration;

use super::*;

#[test]
fn a_step_that_is_done_hands_over_to_the_next_at_once() {
    let mut scene = Scene::new();
    scene.settle(wait("slow", 10, 600));
    let note = scene.settle(Ok(Act::Done));
    let record = &scene.record;
    assert_eq!(
        (record.step.as_str(), record.status, record.due),
        ("second", Status::WaitingForAiven, scene.clock.now())
    );
    assert_eq!((&record.waiting, &record.fault), (&None, &None));
    assert_eq!(record.times["first"], scene.clock.now());
    assert_eq!((note.entry.step.as_str(), note.entry.outcome.as_str()), ("first", "advance"));
}

#[test]
fn the_last_step_ends_the_peering_in_its_end_status() {
    let mut scene = Scene::new().at("third");
    scene.settle(Ok(Act::Done));
    assert_eq!((scene.record.step.as_str(), scene.record.status), ("third", Status::Active));
}

#[test]
fn a_step_done_in_part_runs_again_at_once_and_its_wait_goes_on() {
    let mut scene = Scene::new();
    scene.settle(wait("slow", 10, 600));
    let since = scene.record.waiting.clone();
    let note = scene.later(10, Ok(Act::Again));
    assert_eq!((scene.record.step.as_str(), scene.delay()), ("first", 0));
    assert_eq!(scene.record.waiting, since);
    assert_eq!(note.entry.outcome, "again");
}

#[test]
fn what_a_step_says_is_journalled_if_it_went_on() {
    let mut scene = Scene::new();
    let said = || Some("the role is there".to_owned());
    let again = settled(&mut scene.record, &scene.runbook, Ok(Act::Again), said(), &scene.clock);
    let waits = settled(&mut scene.record, &scene.runbook, wait("slow", 1, 60), said(), &scene.clock);
    assert_eq!((again.entry.note.as_str(), waits.entry.note.as_str()), ("the role is there", "it is slow"));
}

#[test]
fn a_step_may_send_the_peering_back_and_nothing_of_the_wait_is_left() {
    let mut scene = Scene::new().at("third");
    scene.settle(fix("refused"));
    let back = Stop::Back { step: "first", why: "gone".to_owned(), after: Duration::from_secs(120) };
    let note = scene.settle(Err(back));
    let record = &scene.record;
    assert_eq!((record.step.as_str(), record.status, scene.delay()), ("first", Status::Authorizing, 120));
    assert_eq!((&record.waiting, &record.fault), (&None, &None));
    assert_eq!((note.entry.outcome.as_str(), note.entry.note.as_str()), ("back", "gone"));
}

#[test]
fn a_parked_record_is_due_at_its_deadline_and_unparked_by_the_next_commit() {
    let mut scene = Scene::new();
    let park = || Err(Stop::Park(Wait::aiven("pending", "Aiven builds", 60, 1800)));
    scene.settle(park());
    assert!(scene.record.awaits_poll());
    assert_eq!((scene.delay(), scene.record.waiting.as_ref().unwrap().party), (1800, Party::Aiven));
    // Parking again goes on with the same wait.
    scene.later(600, park());
    assert_eq!(scene.delay(), 1200);
    scene.settle(Ok(Act::Again));
    assert!(!scene.record.awaits_poll());
}

#[test]
fn parked_for_too_long_it_needs_attention_and_stays_parked_for_the_poll_to_see_it_mended() {
    let mut scene = Scene::new();
    let park = || Err(Stop::Park(Wait::aiven("pending", "Aiven builds", 60, 1800)));
    scene.settle(park());
    scene.later(1800, park());
    assert_eq!(
        (scene.record.awaits_poll(), scene.record.status, scene.fault()),
        (true, Status::NeedsAttention, Some("pending"))
    );
}

#[test]
fn a_retired_steps_record_goes_on_under_its_successors_name() {
    let mut scene = Scene::new().at("old");
    scene.settle(wait("slow", 10, 600));
    assert_eq!(scene.record.step, "second");
    let mut scene = Scene::new().at("old");
    scene.settle(Ok(Act::Done));
    assert_eq!(scene.record.step, "third");
}
