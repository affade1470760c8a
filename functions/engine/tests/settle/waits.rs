//! Waits: one deadline for one cause, however often it is looked at; failures are judged by the age of what they depend on.

use std::time::Duration;

use super::*;

#[test]
fn a_wait_says_who_why_and_until_when() {
    let mut scene = Scene::new();
    let note = scene.settle(wait("slow", 10, 600));
    let waiting = scene.record.waiting.as_ref().unwrap();
    assert_eq!((waiting.party, waiting.reason.as_str(), waiting.attempts), (Party::Azure, "it is slow", 0));
    assert_eq!((scene.delay(), scene.clock.until(waiting.deadline).as_secs()), (10, 600));
    assert_eq!((scene.record.status, note.entry.outcome.as_str()), (Status::Authorizing, "wait"));
}

#[test]
fn a_wait_for_the_same_goes_on_from_its_first_look() {
    let mut scene = Scene::new();
    let begun = scene.clock.now();
    scene.settle(wait("slow", 10, 600));
    scene.later(599, wait("slow", 10, 600));
    let waiting = scene.record.waiting.as_ref().unwrap();
    assert_eq!((waiting.since, waiting.attempts), (begun, 1));
    assert_eq!(scene.clock.until(waiting.deadline).as_secs(), 1);
    assert_eq!(scene.fault(), None);
}

#[test]
fn a_wait_for_something_else_begins_afresh() {
    let mut scene = Scene::new();
    scene.settle(wait("slow", 10, 600));
    scene.later(500, wait("slower", 10, 600));
    let waiting = scene.record.waiting.as_ref().unwrap();
    assert_eq!((waiting.since, waiting.attempts), (scene.clock.now(), 0));
}

#[test]
fn a_wait_past_its_window_is_a_fault_with_the_way_out_that_the_step_gave() {
    let mut scene = Scene::new();
    scene.settle(wait("slow", 10, 600));
    let note = scene.later(600, wait("slow", 10, 600));
    let fault = scene.record.fault.as_ref().unwrap();
    assert_eq!(fault.what, "after 10 minutes it is still so that it is slow");
    assert_eq!((fault.command.as_str(), fault.code.as_str()), ("hurry it", "slow"));
    assert_eq!(scene.record.status, Status::NeedsAttention);
    assert!(note.is_new);
}

#[test]
fn a_failure_is_waited_for_at_a_doubling_pace_from_when_it_was_first_seen() {
    let mut scene = Scene::new();
    let busy = || failed(Service::Arm, 429, "AnotherOperationInProgress");
    let mut delays = Vec::new();
    for _ in 0..4 {
        scene.settle(busy());
        delays.push(scene.delay());
    }
    assert_eq!(delays, [10, 20, 30, 30]);
    scene.later(30 * MINUTE - 1, busy());
    assert_eq!(scene.fault(), None);
    scene.later(1, busy());
    assert_eq!(scene.fault(), Some("AnotherOperationInProgress"));
}

#[test]
fn a_wait_that_the_service_asks_for_is_granted() {
    let mut scene = Scene::new();
    let mut throttled = failure(Service::Graph, 429, "");
    throttled.retry_after = Some(Duration::from_secs(300));
    scene.settle(Err(throttled.into()));
    assert_eq!(scene.delay(), 300);
}

#[test]
fn a_failure_is_as_old_as_what_it_depends_on() {
    let role = || failed(Service::Arm, 403, "AuthorizationFailed");
    // The assignment is fresh: the failure may last for what is left of its window, whenever it was first seen.
    let mut scene = Scene::new();
    scene.record.facts.assigned_at = Some(scene.clock.now());
    scene.later(14 * MINUTE, role());
    assert_eq!(
        (scene.fault(), scene.clock.until(scene.record.waiting.as_ref().unwrap().deadline).as_secs()),
        (None, 60)
    );
    scene.later(MINUTE, role());
    assert_eq!(scene.fault(), Some("AuthorizationFailed"));
    // It is old: no use waiting. It is not known: from the first look on.
    let mut scene = Scene::new();
    scene.record.facts.assigned_at = Some(scene.clock.now());
    scene.later(15 * MINUTE, role());
    assert_eq!(scene.fault(), Some("AuthorizationFailed"));
    let mut scene = Scene::new();
    scene.settle(role());
    scene.later(15 * MINUTE - 1, role());
    assert_eq!(scene.fault(), None);
}

#[test]
fn each_dependency_is_a_fact_of_the_record() {
    type Fact = fn(&mut Record) -> &mut Option<jiff::Timestamp>;
    let rows: [(Result<Act, Stop>, Fact); 5] = [
        (failed(Service::Arm, 403, "AuthorizationFailed"), |r| &mut r.facts.assigned_at),
        (failed(Service::Arm, 400, "PrincipalNotFound"), |r| &mut r.facts.principal_at),
        (failed(Service::Entra, 401, "AADSTS700213"), |r| &mut r.facts.credential_at),
        (failed(Service::Arm, 404, "RoleDefinitionDoesNotExist"), |r| &mut r.facts.role_at),
        (failed(Service::Arm, 403, "LinkedAuthorizationFailed"), |r| &mut r.facts.pending_peer_at),
    ];
    for (outcome, fact) in rows {
        let mut scene = Scene::new();
        *fact(&mut scene.record) = Some(scene.clock.now());
        scene.later(3600, outcome.clone());
        assert!(scene.fault().is_some(), "{outcome:?} is old");
        let mut scene = Scene::new();
        scene.later(3600, outcome.clone());
        assert!(scene.fault().is_none(), "{outcome:?} was just seen");
    }
}

#[test]
fn a_failure_without_a_code_is_known_by_its_status() {
    let mut scene = Scene::new();
    scene.settle(failed(Service::Graph, 503, ""));
    assert_eq!(scene.record.waiting.as_ref().unwrap().code, "Graph503");
    let unanswered = crate::cloud::Failure { status: None, ..failure(Service::Arm, 0, "") };
    scene.settle(Err(unanswered.into()));
    assert_eq!(scene.record.waiting.as_ref().unwrap().code, "ArmUnanswered");
}

#[test]
fn storage_trouble_is_a_short_wait_of_our_own() {
    let mut scene = Scene::new();
    let error = crate::storage::StoreError::NotFound { what: "row".to_owned(), op: None };
    scene.settle(Err(Stop::Store(error)));
    assert_eq!((scene.delay(), scene.record.waiting.as_ref().unwrap().party), (5, Party::Ourselves));
}
