//! What becomes of a message: run, put back, absorbed, refused, cut off.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::peering::Claim;

#[test]
fn a_message_of_a_newer_program_is_put_back_untouched_for_a_minute() {
    let world = world_of(Arc::new(Pass));
    let record = world.open("net");
    assert_eq!(queued(&world, "second").len(), 1);
    let text = to_text(&StepMessage { schema: crate::peering::SCHEMA + 1, ..StepMessage::of(&record) }).unwrap();
    drive(world.engine.run::<Record>("second", &text, &delivery("m"))).unwrap();
    assert_eq!(queued(&world, "second")[0].0, 60);
    assert_eq!(world.load(&record), record);
}

#[test]
fn what_is_no_message_of_ours_ends_in_table_rejected() {
    let world = world_of(Arc::new(Pass));
    let unknown = to_text(&StepMessage::of(&record("nowhere", "second", world.clock.now()))).unwrap();
    for text in ["", "{}", "not JSON", unknown.as_str()] {
        let before = world.plain.counts().total();
        drive(world.engine.run::<Record>("second", text, &delivery("m"))).unwrap();
        assert_eq!(world.plain.counts().total(), before);
        assert!(world.next_message().is_none());
    }
    let rejected = now(world.plain.tables.query("rejected", &crate::storage::Query::default(), 10)).unwrap();
    assert_eq!(rejected.entities.len(), 4);
}

#[test]
fn an_old_message_means_nothing_and_a_redelivered_one_sends_only_if_its_worker_committed() {
    let world = World::new(|_| {
        let pass = || Arc::new(Pass) as Arc<dyn Step>;
        runbook(vec![("first", Status::Authorizing, pass()), ("second", Status::Peering, pass())])
    });
    let opened = world.open("net");
    run(&world, &opened, &delivery("mine")).unwrap();
    assert_eq!(queued(&world, "second").len(), 1);
    let again = |id: &str, redelivered: bool| {
        let delivery = Delivery { message_id: id.to_owned(), redelivered, trace: None };
        drive(world.engine.run::<Record>("first", &to_text(&StepMessage::of(&opened)).unwrap(), &delivery)).unwrap();
        queued(&world, "second").len()
    };
    assert_eq!(again("mine", false), 0);
    assert_eq!(again("other", true), 0);
    assert_eq!(again("mine", true), 1);
    // Once the record has moved on further, nothing is owed any more.
    run(&world, &opened, &delivery("next")).unwrap();
    assert_eq!(again("mine", true), 0);
}

#[test]
fn when_every_message_is_delivered_twice_each_step_sends_at_most_twice() {
    let world = World::new(|cloud| {
        let make: Arc<dyn Step> = Arc::new(Make(cloud.clone(), "connection"));
        let pass = || Arc::new(Pass) as Arc<dyn Step>;
        let status = Status::Authorizing;
        runbook(vec![
            ("first", status, pass()),
            ("make", status, make),
            ("pass", status, pass()),
            ("last", status, pass()),
        ])
    });
    let record = world.open("net");
    while let Some((queue, at)) = world.queues.next_visible() {
        world.clock.set(at);
        let message = now(world.queues.receive(&queue, 1, Duration::from_secs(600))).unwrap().remove(0);
        for redelivered in [false, true] {
            let delivery = Delivery { message_id: message.id.clone(), redelivered, trace: None };
            drive(world.engine.run::<Record>(&queue, &to_text(&parsed(&message)).unwrap(), &delivery)).unwrap();
        }
        now(world.queues.delete(&queue, &message)).unwrap();
    }
    assert_eq!(world.load(&record).status, Status::Active);
    assert_eq!(world.sent(), 6, "a quiet run sends 3");
    assert_eq!(world.cloud.lock().unwrap().made, 1);
}

#[test]
fn a_message_that_meets_a_live_claim_is_put_back_until_it_ends_even_its_own() {
    let world = world_of(Arc::new(Pass));
    let mut record = world.open("net");
    queued(&world, "second");
    let until = world.clock.after(Duration::from_secs(70));
    record.claim = Some(Claim { step: "second".to_owned(), by: "mine".to_owned(), until });
    world.replace(&record);
    run(&world, &record, &delivery("mine")).unwrap();
    assert_eq!(queued(&world, "second"), [(70, StepMessage::of(&record))]);
    run(&world, &record, &delivery("mine")).unwrap();
    assert_eq!(world.load(&record).status, Status::Active);
}

#[test]
fn a_paused_peering_stands_still() {
    let world = world_of(Arc::new(Pass));
    let mut record = world.open("net");
    queued(&world, "second");
    (record.status, record.phase) = (Status::Paused, crate::peering::Phase::IDLE);
    world.replace(&record);
    run(&world, &record, &delivery("m")).unwrap();
    assert_eq!(world.load(&record), record);
    assert!(world.next_message().is_none());
}

#[test]
fn a_retired_steps_record_is_run_by_its_successor_and_its_messages_go_there() {
    let world = world_of(Arc::new(Parks));
    let old = record("net", "old", world.clock.now());
    let entry = super::super::world::journal(&world.clock);
    now(Records::new(world.plain.clone()).open(&old, &entry)).unwrap();
    drive(world.engine.send_for(&old)).unwrap();
    assert_eq!(queued(&world, "second"), [(0, StepMessage::of(&old))]);
    drive(world.engine.run::<Record>("second", &to_text(&StepMessage::of(&old)).unwrap(), &delivery("m"))).unwrap();
    assert_eq!(world.load(&old).step, "second");
}

/// A clock whose sleeps end when they have been asked so often.
#[derive(Debug)]
struct Hasty(ManualClock, AtomicUsize);

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn scale(&self) -> TimeScale {
        TimeScale::REAL
    }

    async fn sleep(&self, _: Duration) {
        std::future::poll_fn(|_| match self.1.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => std::task::Poll::Pending,
            Err(_) => std::task::Poll::Ready(()),
        })
        .await;
    }
}

#[test]
fn a_step_cut_off_by_its_budget_anywhere_is_taken_up_by_the_next_worker() {
    let mut cut = 0;
    for moments in 0..12 {
        let world = World::new(|cloud| {
            let make: Arc<dyn Step> = Arc::new(Make(cloud.clone(), "connection"));
            runbook(vec![("make", Status::Authorizing, make)])
        });
        let record = world.open("net");
        let clock = Arc::new(Hasty(world.clock.clone(), AtomicUsize::new(moments)));
        let hurried = Engine { clock, ..world.engine.clone() };
        let message = now(world.queues.receive("make", 1, Duration::from_secs(20))).unwrap().remove(0);
        let text = to_text(&StepMessage::of(&record)).unwrap();
        match drive(hurried.run::<Record>("make", &text, &delivery(&message.id))) {
            Err(RunError::OverBudget { step, .. }) => assert_eq!(step, "make"),
            other => {
                other.unwrap();
                break;
            }
        }
        cut += 1;
        let mut driver = Driver::new(&world, vec![record.clone()], Budget::default());
        driver.run(&mut Choices::default());
        let record = world.load(&record);
        assert_eq!(record.provenance.aiven, Some(crate::peering::Provenance::Created), "cut off after {moments}");
        assert_eq!(world.cloud.lock().unwrap().made, 1);
    }
    assert!(cut > 4, "{cut}");
}

#[test]
fn a_step_has_a_minute_and_on_a_fast_clock_at_least_three_seconds_of_the_wall() {
    let budget = |scale: f64| {
        let scale = TimeScale::new(scale).unwrap();
        (scale.step_budget().as_secs(), scale.claim_length().as_secs())
    };
    assert_eq!([1.0, 20.0, 60.0, 600.0].map(budget), [(60, 70), (60, 80), (180, 240), (1800, 2400)]);
}

#[test]
fn a_wait_beyond_the_calendar_ends_with_it() {
    assert_eq!(ManualClock::new().after(Duration::MAX), jiff::Timestamp::MAX);
}
