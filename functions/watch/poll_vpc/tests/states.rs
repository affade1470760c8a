//! Every state of a connection, and none at all.

use super::*;

#[test]
fn nothing_new_is_nothing_written() {
    for state in ["APPROVED", "APPROVED_PEER_REQUESTED", "SOMETHING_NEW", "PENDING_PEER"] {
        let mut peering = Peering::requested().now(state);
        let facts = peering.record.facts.clone();
        assert_eq!(peering.judged(), None, "{state}");
        assert_eq!(peering.record.facts, facts, "{state}");
    }
    assert_eq!(Peering::requested().peered().now("PENDING_PEER").with_ids().judged(), None);
}

#[test]
fn pending_peer_with_its_ids_is_what_was_waited_for() {
    let mut peering = Peering::requested().now("PENDING_PEER").with_ids();
    assert_eq!(peering.judged(), Some(Ok(Act::Done)));
    let facts = &peering.record.facts;
    assert_eq!(facts.aiven_vnet.as_ref().map(ToString::to_string).as_deref(), Some(NETWORK));
    assert!(facts.aiven_tenant.is_some());
    assert_eq!(facts.pending_peer_at, Some(peering.clock.now()));
}

#[test]
fn active_with_its_ids_is_more_than_was_waited_for() {
    assert_eq!(Peering::requested().now("ACTIVE").with_ids().judged(), Some(Ok(Act::Done)));
}

#[test]
fn active_is_for_the_step_to_look_at_once() {
    for peering in [Peering::requested(), Peering::requested().peered()] {
        let step = peering.record.step.clone();
        let mut peering = peering.now("ACTIVE");
        if step == "await_active" {
            peering.record.facts.aiven_state = Some("PENDING_PEER".to_owned());
        }
        assert_eq!(peering.judged(), Some(Ok(Act::Again)), "{step}");
        assert_eq!(peering.record.facts.aiven_state.as_deref(), Some("ACTIVE"));
        // The step has looked, and waits again.
        assert_eq!(peering.judged(), None, "{step}");
    }
}

#[test]
fn refused_once_it_is_replaced_after_a_pause_and_what_it_said_is_forgotten() {
    for state in ["REJECTED_BY_PEER", "INVALID_SPECIFICATION", "ERROR", "DELETED_BY_PEER"] {
        let mut peering = Peering::requested().peered().now(state).with_ids();
        assert_eq!(back(peering.judged()), Some(("request_peering", 120)), "{state}");
        let facts = &peering.record.facts;
        assert_eq!((&facts.connection, &facts.aiven_vnet, facts.pending_peer_at), (&None, &None, None), "{state}");
    }
}

#[test]
fn refused_twice_a_person_is_told_once() {
    let mut peering = Peering::requested().replaced_once().now("REJECTED_BY_PEER");
    assert_eq!(fix(peering.judged()).as_deref(), Some("connection_rejected_by_peer"));
    let mut told = peering.told();
    assert_eq!(told.judged(), None);
    // Another reason is another fault.
    assert_eq!(fix(told.now("INVALID_SPECIFICATION").judged()).as_deref(), Some("connection_invalid_specification"));
}

#[test]
fn what_was_there_before_us_is_not_ours_to_replace() {
    assert!(fix(Peering::requested().adopted().now("ERROR").judged()).is_some());
}

#[test]
fn once_a_person_has_mended_it_the_peering_goes_on() {
    let told = || Peering::requested().replaced_once().now("REJECTED_BY_PEER").told();
    assert_eq!(told().now("PENDING_PEER").with_ids().judged(), Some(Ok(Act::Done)));
    // Deleted, as the fix said.
    assert_eq!(back(told().gone().later(600).judged()), Some(("request_peering", 0)));
}

#[test]
fn a_connection_may_be_missing_while_it_is_new_or_while_its_forerunner_leaves() {
    let mut new = Peering::requested().gone();
    new.record.facts.requested_at = Some(new.clock.now());
    assert_eq!(new.judged(), None);
    assert_eq!(new.later(119).judged(), None);
    assert_eq!(Peering::requested().now("DELETING").later(DAY).judged(), None);
}

#[test]
fn a_connection_that_is_gone_is_asked_for_again_once_then_a_person_is_told_once() {
    let mut peering = Peering::requested().peered().gone();
    assert_eq!(back(peering.judged()), Some(("request_peering", 0)));
    assert_eq!((peering.record.facts.recreated, &peering.record.facts.aiven_vnet), (1, &None));
    assert_eq!(back(Peering::requested().now("DELETED").judged()), Some(("request_peering", 0)));
    assert_eq!(fix(peering.judged()).as_deref(), Some("connection_gone"));
    assert_eq!(peering.told().later(600).judged(), None);
}

#[test]
fn of_two_connections_to_one_network_the_living_one_counts() {
    let mut peering = Peering::requested().now("DELETED").with("PENDING_PEER").with_ids();
    assert_eq!(peering.judged(), Some(Ok(Act::Done)));
}

#[test]
fn a_connection_to_another_network_is_not_ours() {
    let mut peering = Peering::requested().now("PENDING_PEER").with_ids();
    peering.connections[0].resource_group = Some("another".to_owned());
    assert_eq!(back(peering.judged()), Some(("request_peering", 0)));
}
