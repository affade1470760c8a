//! Deadlines, and the time that no deadline counts.

use super::*;

#[test]
fn a_state_that_is_not_known_is_waited_for_until_the_deadline_and_then_a_persons() {
    let peering = Peering::requested().now("SOMETHING_NEW");
    assert_eq!(peering.overdue(None), None);
    let peering = peering.later(1500 - 1);
    assert_eq!(peering.overdue(None), None);
    let mut peering = peering.later(1);
    assert_eq!(peering.judged(), None);
    let Some(Err(Stop::Fix(fix))) = peering.overdue(None) else { panic!("it is overdue") };
    assert_eq!(fix.code, "pending_peer");
    assert!(fix.what.ends_with("it has been so that Aiven builds its half"), "{}", fix.what);
}

#[test]
fn what_is_overdue_is_told_once_and_given_up_after_a_week() {
    let peering = Peering::requested().later(1800).told();
    assert_eq!(peering.overdue(None), None);
    let peering = peering.later(7 * DAY - 1);
    assert_eq!(peering.overdue(None), None);
    assert_eq!(fix(peering.later(1).overdue(None)).as_deref(), Some("pending_peer"));
    let given_up = Peering::requested().later(1800).told().later(7 * DAY).told();
    assert!(given_up.record.progress.fault.unwrap().given_up);
}

#[test]
fn time_in_which_a_shared_cause_stopped_all_does_not_count() {
    let peering = Peering::requested();
    let from = peering.clock.now();
    let peering = peering.later(1200);
    let outage = Outage { from, to: peering.clock.now() };
    let peering = peering.later(300);
    assert!(peering.overdue(None).is_some());
    assert_eq!(peering.overdue(Some(&outage)), None);
    assert_eq!(peering.later(1199).overdue(Some(&outage)), None);
    let peering = Peering::requested().later(1500 + 1200);
    assert!(peering.overdue(Some(&outage)).is_some());
}

#[test]
fn of_an_outage_only_the_time_since_the_wait_began_is_lost() {
    let peering = Peering::requested();
    let since = peering.record.waiting.as_ref().unwrap().since;
    let began_before = Outage { from: since - jiff::SignedDuration::from_hours(24), to: peering.clock.now() };
    // Five minutes were lost.
    let peering = peering.later(1500 + 299);
    assert_eq!(peering.overdue(Some(&began_before)), None);
    let peering = peering.later(1);
    assert!(peering.overdue(Some(&began_before)).is_some());
    let over_before = Outage { from: since - jiff::SignedDuration::from_hours(24), to: since };
    assert!(Peering::requested().later(1500).overdue(Some(&over_before)).is_some());
}

#[test]
fn a_record_that_waits_for_nothing_is_never_overdue() {
    let mut peering = Peering::requested().later(7 * DAY);
    peering.record.waiting = None;
    assert_eq!(peering.overdue(None), None);
}
