//! One look at both clouds, and what it says of a peering that is to be active.

use super::*;
use crate::clock::Clock;
use crate::cloud::aiven::Connection;
use crate::engine::tests::{ManualClock, record};
use crate::peering::{AppId, VnetId};

const REMOTE: &str = "/subscriptions/44444444-4444-4444-8444-444444444444/resourceGroups/ag/providers/Microsoft.Network/virtualNetworks/aiven";

/// A peering as both clouds show it, all well to begin with.
struct Seen {
    record: Record,
    vpc: Vpc,
    vnet: Option<Vnet>,
}

impl Seen {
    fn well() -> Self {
        let mut record = record("net", "await_active", ManualClock::new().now());
        record.facts.aiven_vnet = Some(REMOTE.parse().unwrap());
        record.facts.application = Some(app(1));
        (record.provenance.aiven, record.provenance.azure) = (Some(Provenance::Created), Some(Provenance::Created));
        let half = Peering {
            name: record.peering_name(),
            id: String::new(),
            remote: record.facts.aiven_vnet.clone(),
            state: PeeringState::Connected,
            sync_level: SyncLevel::FullyInSync,
            provisioning_state: ProvisioningState::Succeeded,
            remote_prefixes: Vec::new(),
            allow_vnet_access: true,
            allow_forwarded_traffic: false,
            allow_gateway_transit: false,
            use_remote_gateways: false,
        };
        let vnet = Vnet {
            id: record.vnet.to_string(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            prefixes: Vec::new(),
            peerings: vec![half],
        };
        let vpc = Vpc {
            state: VpcState::Active,
            cloud: "azure-westeurope".to_owned(),
            prefixes: Vec::new(),
            connections: vec![connection(&record, "ACTIVE")],
            refreshing: false,
        };
        Self { record, vpc, vnet: Some(vnet) }
    }

    fn connection(mut self, state: &str) -> Self {
        self.vpc.connections = vec![connection(&self.record, state)];
        self
    }

    fn half(mut self, change: impl Fn(&mut Peering)) -> Self {
        change(&mut self.vnet.as_mut().unwrap().peerings[0]);
        self
    }

    fn drifts(&self) -> Vec<Drift> {
        judge(&self.record, &self.vpc, self.vnet.as_ref(), ManualClock::new().now())
    }

    fn kinds(&self) -> Vec<String> {
        self.drifts().into_iter().map(|drift| drift.kind).collect()
    }
}

fn app(number: u128) -> AppId {
    AppId(uuid::Uuid::from_u128(number))
}

fn connection(record: &Record, state: &str) -> Connection {
    let vnet = &record.vnet;
    Connection {
        id: Some("c".to_owned()),
        subscription: vnet.subscription.to_string(),
        resource_group: Some(vnet.resource_group_lower()),
        vnet: vnet.name_lower(),
        app_id: record.facts.application,
        tenant_id: None,
        state: serde_json::from_value(state.into()).unwrap(),
        to_tenant: None,
        to_network: None,
        message: None,
        warnings: Vec::new(),
        user_peer_network_cidrs: Vec::new(),
        created: None,
        updated: None,
    }
}

#[test]
fn nothing_is_said_of_what_is_well() {
    assert_eq!(Seen::well().kinds(), [""; 0]);
}

#[test]
fn a_connection_that_is_asked_for_again_is_no_peering() {
    for state in ["APPROVED", "APPROVED_PEER_REQUESTED", "PENDING_PEER"] {
        let drifts = Seen::well().connection(state).drifts();
        assert_eq!((drifts.len(), drifts[0].kind.as_str(), drifts[0].hand), (1, "connection_pending", Hand::Vendor));
    }
}

#[test]
fn words_that_nobody_knows_prove_nothing() {
    assert_eq!(Seen::well().connection("AWAITING_STARS").kinds(), [""; 0]);
    let unheard = |word: &str| word.to_owned();
    assert_eq!(Seen::well().half(|half| half.state = PeeringState::Unknown(unheard("Paired"))).kinds(), [""; 0]);
    assert_eq!(Seen::well().half(|half| half.sync_level = SyncLevel::Unknown(unheard("Nearly"))).kinds(), [""; 0]);
}

#[test]
fn a_half_that_is_being_changed_is_not_judged() {
    for state in [ProvisioningState::Updating, ProvisioningState::Deleting] {
        let seen = Seen::well().half(|half| {
            (half.state, half.provisioning_state) = (PeeringState::Disconnected, state.clone());
        });
        assert_eq!(seen.kinds(), [""; 0]);
    }
}

#[test]
fn a_connection_for_another_application_is_somebody_elses() {
    let mut seen = Seen::well();
    seen.vpc.connections[0].app_id = Some(app(2));
    let drift = seen.drifts().remove(0);
    assert_eq!((drift.kind.as_str(), drift.hand), ("connection_differs", Hand::Person));
    assert!(drift.what.contains(&app(2).to_string()) && drift.what.contains(&app(1).to_string()), "{}", drift.what);
    assert!(drift.command.contains("avn organization vpc peering-connection delete"), "{}", drift.command);
    assert!(!is_repairable(&seen.record, &drift));
}

#[test]
fn what_follows_from_a_cause_is_not_told_beside_it() {
    let mut without_half = Seen::well().connection("DELETED_BY_PEER");
    without_half.vnet.as_mut().unwrap().peerings.clear();
    assert_eq!(without_half.kinds(), ["half_gone"]);
    for state in ["DELETING", "DELETED"] {
        let seen = Seen::well().connection(state).half(|half| half.state = PeeringState::Disconnected);
        assert_eq!(seen.kinds(), ["connection_gone"]);
    }
    let mut without_vnet = Seen::well().connection("DELETED_BY_PEER");
    without_vnet.vnet = None;
    assert_eq!(without_vnet.kinds(), ["vnet_gone"]);
}

#[test]
fn both_halves_may_be_out_of_step() {
    let seen = Seen::well().half(|half| half.sync_level = SyncLevel::LocalAndRemoteNotInSync);
    assert_eq!(seen.kinds(), ["not_in_sync", "remote_not_in_sync"]);
    let repairable: Vec<bool> = seen.drifts().iter().map(|drift| is_repairable(&seen.record, drift)).collect();
    assert_eq!(repairable, [true, false]);
}

#[test]
fn a_half_is_known_by_where_it_leads_whatever_its_name() {
    let seen = Seen::well().half(|half| "renamed".clone_into(&mut half.name));
    assert_eq!(seen.kinds(), [""; 0]);
    let elsewhere = Seen::well().half(|half| {
        half.remote = half.remote.as_ref().map(|remote| VnetId { name: "other".to_owned(), ..remote.clone() })
    });
    assert_eq!(elsewhere.kinds(), ["half_gone"]);
}

#[test]
fn only_what_is_ours_on_both_sides_is_repaired() {
    for (aiven, azure) in [(Provenance::Adopted, Provenance::Created), (Provenance::Created, Provenance::Adopted)] {
        for (state, half) in [
            ("ERROR", PeeringState::Connected),
            ("ACTIVE", PeeringState::Disconnected),
            ("DELETED", PeeringState::Disconnected),
        ] {
            let mut seen = Seen::well().connection(state).half(|found| found.state = half.clone());
            (seen.record.provenance.aiven, seen.record.provenance.azure) = (Some(aiven), Some(azure));
            let drifts = seen.drifts();
            assert!(!drifts.is_empty() && !drifts.iter().any(|drift| is_repairable(&seen.record, drift)), "{drifts:?}");
        }
    }
}

#[test]
fn forwarding_of_a_half_that_is_not_ours_is_its_owners_business() {
    let mut seen = Seen::well().half(|half| half.allow_forwarded_traffic = true);
    assert_eq!(seen.kinds(), ["forwarding_changed"]);
    seen.record.provenance.azure = Some(Provenance::Adopted);
    assert_eq!(seen.kinds(), [""; 0]);
}

#[test]
fn every_drift_says_what_is_seen_what_to_do_and_which_step_does_it() {
    let steps = ["inspect_network", "request_peering", "peer_network"];
    let states = ["DELETED", "PENDING_PEER", "ERROR", "REJECTED_BY_PEER", "INVALID_SPECIFICATION", "DELETED_BY_PEER"];
    let broken = states.map(|state| Seen::well().connection(state));
    let closed = Seen::well().half(|half| half.allow_vnet_access = false);
    for seen in broken.into_iter().chain([closed]) {
        for Drift { what, command, step, .. } in seen.drifts() {
            assert!(steps.contains(&step.as_str()), "{step}");
            assert!(!what.is_empty() && command.contains("\"action\":\"retry\""), "{what}: {command}");
        }
    }
}
