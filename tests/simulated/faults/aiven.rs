//! Aiven's own doings: connections that it refuses, ids that it forgets, states that nobody knows, a token that expires.

use std::time::Duration;

use emulator::clouds::{Clouds, Lags, Pair, Service};
use functions::peering::Status;
use functions::state::{Cause, Scope, Shared};
use functions::telemetry::CAUSE_OPENED;
use serde_json::json;
use simulation::{Log, Setup, Simulation};

use super::{becomes_active, fault, passes, passes_in, requested, told};

#[tokio::test(start_paused = true)]
async fn connection_rejected_once_is_made_again() {
    let (simulation, pair) = passes(|clouds, _| clouds.world().refuse_connections(1, "REJECTED_BY_PEER")).await;
    assert_eq!(simulation.record(&pair).await.unwrap().facts.recreated, 1);
    let calls = simulation.clouds.calls();
    let deletes = calls.iter().filter(|call| call.service == Service::Aiven && call.method == "DELETE");
    assert_eq!(deletes.count(), 1, "the refused connection was deleted, once");
}

#[tokio::test(start_paused = true)]
async fn connection_rejected_twice_calls_a_person() {
    let trouble = |clouds: &Clouds, _: &Pair| clouds.world().refuse_connections(2, "INVALID_SPECIFICATION");
    let (mut simulation, pair) = requested(Setup::default(), trouble).await;
    let fault = fault(&mut simulation, &pair).await;
    assert!(fault.what.contains("INVALID_SPECIFICATION"), "{fault:?}");
    assert!(fault.command.contains("avn organization vpc peering-connection delete"), "{fault:?}");
    simulation.run_for(Duration::from_secs(1800)).await;
    assert_eq!(told(&simulation).await, 1, "told once");
    simulation.world().aiven_vpc_mut(&pair.vpc_id).unwrap().connections.clear();
    becomes_active(&mut simulation, &pair).await;
}

#[tokio::test(start_paused = true)]
async fn whole_vpc_can_be_told_to_retry() {
    let trouble = |clouds: &Clouds, _: &Pair| clouds.world().refuse_connections(2, "REJECTED_BY_PEER");
    let (mut simulation, pair) = requested(Setup::default(), trouble).await;
    fault(&mut simulation, &pair).await;
    let request = json!({"version": 1, "action": "retry", "vpc": pair.vpc, "reference": "CHG-9"});
    simulation.send(&request.to_string()).await;
    becomes_active(&mut simulation, &pair).await;
    let journal = simulation.journal().await.join("\n");
    assert!(journal.contains("CHG-9"), "who asked is journalled: {journal}");
}

#[tokio::test(start_paused = true)]
async fn ids_forgotten_after_pending_peer_were_kept() {
    // Polled again and again while the connection says no more where Aiven's network is.
    let slow = Duration::from_secs(600);
    let lags = Lags { aiven_poll: slow, aiven_refresh: slow, ..Lags::documented() };
    let forget = |clouds: &Clouds, _: &Pair| {
        clouds.world().upsets.forget_state_info_after = Some(Duration::from_secs(150));
    };
    let (simulation, pair) = passes_in(Setup { lags, ..Setup::default() }, forget).await;
    let facts = simulation.record(&pair).await.unwrap().facts;
    assert!(facts.aiven_tenant.is_some() && facts.aiven_vnet.is_some(), "{facts:?}");
}

#[tokio::test(start_paused = true)]
async fn unknown_state_is_waited_out() {
    let magic = Some(("PENDING_MAGIC".to_owned(), Duration::from_secs(240)));
    passes(|clouds, _| clouds.world().upsets.unknown_state = magic).await;
}

async fn cause(simulation: &Simulation) -> Option<Cause> {
    Shared::new(simulation.storage.clone()).load(&Scope::Installation).await.unwrap().value.cause
}

#[tokio::test(start_paused = true)]
async fn expired_token_is_one_cause_for_all_and_told_once() {
    let lags = Lags { aiven_build: Duration::from_secs(900), ..Lags::documented() };
    let setup = Setup { lags, ..Setup::default() };
    let (mut simulation, pairs) = Simulation::start(setup, |world| world.pairs(2, 20, 20, false));
    let log = Log::keep();
    for pair in &pairs {
        simulation.request("create", pair).await;
    }
    let parked = async |this: &Simulation| {
        let records = this.records().await;
        records.len() == 20 && records.iter().all(|record| record.step == "await_pending_peer")
    };
    simulation.run_until("all to be parked", parked).await;
    simulation.world().expire_aiven_token();
    simulation.run_until("the cause", async |this| cause(this).await.is_some()).await;
    assert!(cause(&simulation).await.unwrap().command.contains("AIVEN_TOKEN"));
    // Three deadlines of 30 minutes: none of them counts while the token is what is waited for.
    simulation.run_for(Duration::from_secs(90 * 60)).await;
    assert!(simulation.records().await.iter().all(|record| record.status == Status::WaitingForAiven));
    simulation.world().restore_aiven_token();
    let active = async |this: &Simulation| this.records().await.iter().all(|record| record.status == Status::Active);
    simulation.run_until("all to be Active", active).await;
    assert!(cause(&simulation).await.is_none(), "it is over");
    let opened = log.events(CAUSE_OPENED);
    assert_eq!(opened.len(), 1, "told once: {opened:#?}");
    assert!(opened[0]["message"].as_str().unwrap().contains("every peering waits"), "{opened:?}");
}
