//! One look at Aiven, and what it means for a peering that waits.

use std::time::Duration;

use super::deadline::overdue;
use crate::clock::Clock;
use crate::cloud::aiven::{Connection, Vpc};
use crate::create::{await_pending_peer, connection};
use crate::delete::await_aiven_gone;
use crate::engine::tests::{DAY, ManualClock, record, runbook};
use crate::engine::{Act, Judgement, Polled, Stop};
use crate::peering::{Provenance, Record, Waiting};
use crate::state::Outage;

/// A peering that waits for Aiven.
struct Peering {
    record: Record,
    clock: ManualClock,
    /// Its connections at Aiven.
    connections: Vec<Connection>,
}

const NETWORK: &str = "/subscriptions/44444444-4444-4444-8444-444444444444/resourceGroups/ag/providers/Microsoft.Network/virtualNetworks/aiven";

impl Peering {
    /// Asked for a while ago by us, and accepted; since then it waits for Aiven's half, half an hour at most.
    fn requested() -> Self {
        let clock = ManualClock::new();
        let mut record = record("net", "await_pending_peer", clock.now());
        record.phase = crate::peering::Phase::AwaitingPoll;
        record.provenance.aiven = Some(Provenance::Created);
        record.facts.requested_at = Some(clock.now());
        record.waiting = Some(Waiting {
            party: crate::peering::Party::Aiven,
            reason: "Aiven builds its half".to_owned(),
            code: "pending_peer".to_owned(),
            since: clock.now(),
            deadline: clock.after(Duration::from_secs(1800)),
            attempts: 0,
        });
        Self { record, clock, connections: vec![] }.with("APPROVED").later(300)
    }

    /// It was there before us.
    fn adopted(mut self) -> Self {
        self.record.provenance.aiven = Some(Provenance::Adopted);
        self
    }

    /// Our half is there: it waits for ACTIVE.
    fn peered(mut self) -> Self {
        "await_active".clone_into(&mut self.record.step);
        self.record.facts.aiven_vnet = Some(NETWORK.parse().unwrap());
        self
    }

    /// One more connection to the same network.
    fn with(mut self, state: &str) -> Self {
        let vnet = &self.record.vnet;
        self.connections.push(Connection {
            id: Some("c".to_owned()),
            subscription: vnet.subscription.to_string(),
            resource_group: Some(vnet.resource_group_lower()),
            vnet: vnet.name_lower(),
            app_id: None,
            tenant_id: None,
            state: serde_json::from_value(state.into()).unwrap(),
            to_tenant: None,
            to_network: None,
            message: None,
            warnings: vec![],
            user_peer_network_cidrs: vec![],
            created: None,
            updated: None,
        });
        self
    }

    /// Its connection is in another state now.
    fn now(mut self, state: &str) -> Self {
        self.connections.clear();
        self.with(state)
    }

    /// Aiven says where its network is.
    fn with_ids(mut self) -> Self {
        let connection = self.connections.last_mut().unwrap();
        connection.to_tenant = "55555555-5555-4555-8555-555555555555".parse().ok();
        connection.to_network = Some(NETWORK.parse().unwrap());
        self
    }

    fn gone(mut self) -> Self {
        self.connections.clear();
        self
    }

    fn later(self, seconds: u64) -> Self {
        self.clock.forward(seconds);
        self
    }

    fn replaced_once(mut self) -> Self {
        self.record.facts.recreated = 1;
        self
    }

    /// What the poll makes of it.
    fn judged(&mut self) -> Judgement {
        let vpc = Vpc {
            state: crate::cloud::aiven::VpcState::Active,
            cloud: String::new(),
            prefixes: vec![],
            connections: self.connections.clone(),
            refreshing: false,
        };
        let age = self.record.facts.requested_at.map_or(Duration::MAX, |at| self.clock.since(at));
        let (record, polled) = (&mut self.record, Polled { vpc: &vpc, age, now: self.clock.now() });
        match record.step.as_str() {
            await_pending_peer::STEP => connection::on_poll(record, &polled, await_pending_peer::is_built),
            await_aiven_gone::STEP => await_aiven_gone::judge(record, &vpc),
            _ => connection::on_poll(record, &polled, |_, _| false),
        }
    }

    /// The poll's judgement is committed: the fault is told.
    fn told(mut self) -> Self {
        let outcome = self.judged().unwrap_or_else(|| self.overdue(None).unwrap());
        let step: std::sync::Arc<dyn crate::engine::Step> = std::sync::Arc::new(crate::engine::tests::Idle(None));
        let status = crate::peering::Status::WaitingForAiven;
        let steps = ["request_peering", "await_pending_peer", "await_active"];
        let runbook = runbook(steps.map(|name| (name, status, step.clone())).into());
        crate::engine::tests::settled(&mut self.record, &runbook, outcome, None, &self.clock);
        self.record.phase = crate::peering::Phase::AwaitingPoll;
        self
    }

    fn overdue(&self, outage: Option<&Outage>) -> Judgement {
        overdue(&self.record, outage, self.clock.now())
    }
}

/// The code of a fix.
fn fix(judged: Judgement) -> Option<String> {
    match judged {
        Some(Err(Stop::Fix(fix))) => Some(fix.code),
        _ => None,
    }
}

/// The step a peering is sent back to, and after how many nominal seconds.
fn back(judged: Judgement) -> Option<(&'static str, u64)> {
    match judged {
        Some(Err(Stop::Back { step, after, .. })) => Some((step, after.as_secs())),
        _ => None,
    }
}

mod clock;
mod states;

#[test]
fn a_connection_that_somebody_made_since_is_not_ours() {
    let mut peering = Peering::requested().now("PENDING_PEER").with_ids();
    peering.record.facts.connection = Some("another".to_owned());
    assert!(matches!(peering.judged(), Some(Ok(Act::Done))));
    assert_eq!(peering.record.provenance.aiven, Some(Provenance::Adopted));
    let mut peering = Peering::requested().now("ERROR");
    peering.record.facts.connection = Some("another".to_owned());
    assert_eq!(fix(peering.judged()).as_deref(), Some("connection_error"), "not ours to replace");
}
