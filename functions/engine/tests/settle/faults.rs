//! Faults: told once, looked at ever more rarely, not hidden by hiccups, given up after a week.

use super::super::DAY;
use super::*;

const ROLE: (Service, u16, &str) = (Service::Arm, 403, "RequestDisallowedByPolicy");

fn policy() -> Result<Act, Stop> {
    failed(ROLE.0, ROLE.1, ROLE.2)
}

#[test]
fn a_fix_is_told_once_and_looked_at_from_five_minutes_up_to_hourly() {
    let mut scene = Scene::new();
    let (mut delays, mut told) = (Vec::new(), 0);
    for _ in 0..6 {
        told += u32::from(scene.settle(fix("wrong")).is_new);
        delays.push(scene.delay() / MINUTE);
        scene.clock.forward(scene.delay());
    }
    assert_eq!((delays, told), (vec![5, 10, 20, 40, 60, 60], 1));
    assert_eq!(scene.record.status, Status::NeedsAttention);
    assert_eq!(scene.record.waiting.as_ref().unwrap().party, Party::Operator);
}

#[test]
fn after_a_week_it_is_given_up_and_not_before() {
    let mut scene = Scene::new();
    scene.settle(fix("wrong"));
    scene.later(7 * DAY - 1, fix("wrong"));
    assert!(!scene.record.fault.as_ref().unwrap().given_up);
    let note = scene.later(1, fix("wrong"));
    assert!(scene.record.fault.as_ref().unwrap().given_up && !note.is_new);
}

#[test]
fn another_fault_is_told_anew_and_begins_at_the_quick_pace() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.settle(fix("wrong"));
    }
    assert!(scene.settle(fix("worse")).is_new);
    assert_eq!((scene.fault(), scene.delay()), (Some("worse"), 5 * MINUTE));
}

#[test]
fn a_fault_that_is_mended_is_forgotten_when_the_step_goes_on() {
    let mut scene = Scene::new();
    scene.settle(fix("wrong"));
    scene.settle(Ok(Act::Done));
    assert_eq!((scene.fault(), scene.record.status), (None, Status::WaitingForAiven));
    let mut scene = Scene::new();
    scene.settle(fix("wrong"));
    scene.settle(wait("slow", 10, 600));
    assert_eq!((scene.fault(), scene.record.status), (None, Status::Authorizing));
}

#[test]
fn a_failure_that_does_not_pass_is_a_fault_with_the_tables_way_out_or_the_steps_own() {
    let mut scene = Scene::new();
    let mut refused = failure(ROLE.0, ROLE.1, ROLE.2);
    refused.correlation = Some("c0ffee".to_owned());
    let note = scene.settle(Err(refused.clone().into()));
    let fault = scene.record.fault.as_ref().unwrap();
    assert!(fault.what.contains("RequestDisallowedByPolicy") && fault.command.contains("exemption"), "{fault:?}");
    assert_eq!((fault.correlation.as_deref(), note.entry.correlation.as_deref()), (Some("c0ffee"), Some("c0ffee")));
    let remedy = Remedy { why: "because".to_owned(), command: "az do it".to_owned() };
    let mut scene = Scene::with_remedy(Some(remedy));
    scene.settle(Err(refused.into()));
    let fault = scene.record.fault.as_ref().unwrap();
    assert_eq!((fault.why.as_str(), fault.command.as_str()), ("because", "az do it"));
}

#[test]
fn a_hiccup_does_not_hide_what_a_person_has_to_do() {
    let hiccups = [
        failed(Service::Arm, 503, ""),
        failed(Service::Arm, 429, ""),
        failed(Service::Arm, 401, ""),
        Err(Wait::ourselves("another peering is making it", 5).into()),
    ];
    for hiccup in hiccups {
        let mut scene = Scene::new();
        scene.settle(policy());
        scene.settle(policy());
        let fault = scene.record.fault.clone();
        scene.later(MINUTE, hiccup.clone());
        assert_eq!((&scene.record.fault, scene.record.status), (&fault, Status::NeedsAttention), "{hiccup:?}");
        let again = scene.later(MINUTE, policy());
        assert!(!again.is_new, "{hiccup:?}");
        assert_eq!((scene.record.fault.as_ref().unwrap().attempts, scene.delay()), (2, 20 * MINUTE), "{hiccup:?}");
    }
}

#[test]
fn a_fault_whose_failure_has_a_window_stays_one_through_a_hiccup() {
    let mut scene = Scene::new();
    let forbidden = || failed(Service::Aiven, 403, "");
    scene.settle(forbidden());
    assert!(scene.later(2 * MINUTE, forbidden()).is_new);
    scene.later(MINUTE, failed(Service::Aiven, 503, ""));
    assert!(!scene.later(MINUTE, forbidden()).is_new);
    assert_eq!(scene.fault(), Some("Aiven403"));
}

#[test]
fn a_hiccup_that_does_not_pass_becomes_the_fault() {
    let mut scene = Scene::new();
    scene.settle(policy());
    scene.settle(failed(Service::Arm, 503, ""));
    assert!(scene.later(30 * MINUTE, failed(Service::Arm, 503, "")).is_new);
    assert_eq!(scene.fault(), Some("Arm503"));
}

#[test]
fn a_failure_that_follows_from_what_was_mended_ends_the_fault() {
    let mut scene = Scene::new();
    scene.settle(policy());
    scene.settle(failed(Service::Arm, 403, "AuthorizationFailed"));
    assert_eq!((scene.fault(), scene.record.status), (None, Status::Authorizing));
}

#[test]
fn a_cause_that_all_share_is_waited_for_and_marked_as_such() {
    let mut scene = Scene::new();
    scene.settle(failed(Service::Aiven, 401, "authentication_failed"));
    let waiting = scene.record.waiting.as_ref().unwrap();
    assert_eq!((waiting.code.as_str(), waiting.party), ("shared:Aiven:authentication_failed", Party::Operator));
    scene.later(13 * DAY, failed(Service::Aiven, 401, "authentication_failed"));
    assert_eq!(scene.fault(), None);
}
