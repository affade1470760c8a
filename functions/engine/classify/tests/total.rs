//! What holds for every failure there can be.

use proptest::prelude::*;

use super::*;
use crate::cloud::NOT_SENT;
use crate::peering::Party;

const SERVICES: [Service; 7] = [
    Service::Aiven,
    Service::Arm,
    Service::Graph,
    Service::Entra,
    Service::ManagedIdentity,
    Service::KeyVault,
    Service::AivenToken,
];

fn delay(failure: &Failure, attempts: u32) -> u64 {
    match classify(failure).at(failure, Duration::ZERO, attempts) {
        Verdict::Wait { delay, .. } => delay.as_secs(),
        Verdict::Fix => panic!("{failure} is not waited for"),
    }
}

#[test]
fn the_pace_doubles_up_to_the_slowest() {
    let busy = failure(Service::Arm, 429, "AnotherOperationInProgress", "");
    assert_eq!([0, 1, 2, 3, 40].map(|attempts| delay(&busy, attempts)), [10, 20, 30, 30, 30]);
    let role = failure(Service::Arm, 403, "AuthorizationFailed", "");
    assert_eq!([0, 1, 2, 3, u32::MAX].map(|attempts| delay(&role, attempts)), [30, 60, 120, 120, 120]);
}

#[test]
fn a_service_that_asks_for_a_longer_wait_gets_it_and_a_shorter_one_is_not_believed() {
    for service in SERVICES {
        let mut throttled = failure(service, 429, "", "");
        let own = delay(&throttled, 0);
        throttled.retry_after = Some(Duration::from_secs(777));
        assert_eq!(delay(&throttled, 0), 777, "{service}");
        throttled.retry_after = Some(Duration::from_secs(1));
        assert_eq!(delay(&throttled, 0), own, "{service}");
    }
}

#[test]
fn whoever_has_to_move_is_named() {
    let party = |failure: &Failure| match classify(failure).at(failure, Duration::ZERO, 0) {
        Verdict::Wait { party, .. } => Some(party),
        Verdict::Fix => None,
    };
    assert_eq!(party(&failure(Service::Aiven, 503, "", "")), Some(Party::Aiven));
    assert_eq!(party(&failure(Service::Entra, 503, "", "")), Some(Party::Azure));
    assert_eq!(party(&failure(Service::Aiven, 401, "", "")), Some(Party::Operator));
    assert_eq!(party(&failure(Service::ManagedIdentity, 500, "", "")), Some(Party::Operator));
}

#[test]
fn codes_are_known_in_any_case() {
    let lower = failure(Service::Arm, 409, "roleassignmentexists", "");
    assert_eq!(classify(&lower).class, Class::Exists);
}

#[test]
fn no_answer_is_waited_for_and_may_have_landed() {
    for service in SERVICES {
        let unanswered = Failure { status: None, ..failure(service, 0, "", "connection reset") };
        assert!(matches!(classify(&unanswered).class, Class::Transient | Class::Shared), "{service}");
        // Without a token nothing was sent.
        assert_eq!(unanswered.may_have_landed(), service != Service::AivenToken);
    }
}

#[test]
fn a_link_to_a_foreign_address_is_not_followed_and_not_waited_for() {
    let foreign = Failure { status: None, ..failure(Service::Arm, 0, NOT_SENT, "https://elsewhere") };
    assert_eq!(classify(&foreign).class, Class::Permanent);
    assert!(!foreign.may_have_landed());
}

#[test]
fn only_a_clear_refusal_means_that_nothing_was_made() {
    let landed = |status| failure(Service::Arm, status, "", "").may_have_landed();
    assert!([200, 201, 202, 408, 500, 502, 503, 504].into_iter().all(landed));
    assert!(![400, 401, 403, 404, 409, 412, 422, 429].into_iter().any(landed));
}

proptest! {
    #[test]
    fn every_failure_has_a_rule_and_is_a_fix_exactly_once_its_window_is_over(
        service in prop::sample::select(&SERVICES[..]),
        status in prop::option::of(any::<u16>()),
        code in "\\PC{0,40}",
        message in "\\PC{0,80}",
        retry_after in prop::option::of(any::<u64>()),
        age in prop_oneof![0..3_000_000u64, any::<u64>()],
        attempts in any::<u32>(),
    ) {
        let retry_after = retry_after.map(Duration::from_secs);
        let failure = Failure { status, retry_after, ..failure(service, 0, &code, &message) };
        let rule = classify(&failure);
        let verdict = rule.at(&failure, Duration::from_secs(age), attempts);
        prop_assert_eq!(verdict == Verdict::Fix, age >= rule.window);
        if let Verdict::Wait { delay, .. } = verdict {
            prop_assert!(delay >= Duration::from_secs(rule.pace));
            prop_assert!(rule.pace > 0 && rule.slowest >= rule.pace);
            prop_assert!(retry_after.is_none_or(|asked| delay >= asked));
        }
        let _ = failure.may_have_landed();
    }
}
