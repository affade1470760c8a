//! The rules of repair: never what was there before, once a day, not in spite of the brake, nothing judged where nobody answered,
//! and safe when the handler dies at any moment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::drifts::Scene;
use emulator::clouds::{Fault, Pair, Service};
use functions::peering::{Halves, Provenance, Status};
use functions::state::{Brake, Lookup, Records, Scope, Shared};
use simulation::{Setup, Simulation};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// As if a half had been there before the peering was asked for.
async fn adopt(scene: &Scene, change: impl Fn(&mut Halves)) {
    let records = Records::new(scene.sim.storage.clone());
    let Lookup::Found(mut stored) = records.load(&scene.record().await.key).await.unwrap() else { panic!("no record") };
    change(&mut stored.value.provenance);
    records.claim(&mut stored).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn adopted_is_never_repaired_and_its_owner_is_told() {
    let aiven: fn(&mut Halves) = |halves| halves.aiven = Some(Provenance::Adopted);
    let azure: fn(&mut Halves) = |halves| halves.azure = Some(Provenance::Adopted);
    for (adopted, command) in
        [(aiven, "avn organization vpc peering-connection delete"), (azure, "az network vnet peering delete")]
    {
        let mut scene = Scene::active("repair").await;
        adopt(&scene, adopted).await;
        scene.sim.world().put_half_in_state(&scene.vnet, &scene.remote, "Disconnected");
        scene.sim.world().lags.aiven_poll = 100 * DAY;
        if command.starts_with("avn") {
            scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
        }
        scene.pass().await;
        let record = scene.record().await;
        assert_eq!(record.status, Status::Drifted, "{}", scene.sim.shown().await);
        let told =
            record.drift.iter().any(|drift| drift.command.contains(command) && drift.command.contains("there before"));
        assert!(told, "{command}: {:#?}", record.drift);
        scene.sim.run_for(HOUR).await;
        assert!(scene.effects().is_empty());
        assert_eq!(scene.pass().await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn adopted_half_with_an_old_range_is_left() {
    let mut scene = Scene::active("repair").await;
    adopt(&scene, |halves| halves.azure = Some(Provenance::Adopted)).await;
    scene.sim.world().change_vpc_range(&scene.vpc, "10.249.0.0/24");
    scene.pass().await;
    assert!(scene.record().await.drift[0].command.contains("az network vnet peering sync"));
    scene.sim.run_for(HOUR).await;
    assert!(scene.effects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn breaking_again_within_a_day_calls_a_person() {
    let mut scene = Scene::active("repair").await;
    scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
    scene.pass().await;
    scene.sim.run_for(HOUR).await;
    scene.is_active_again().await;
    scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
    scene.pass().await;
    let record = scene.record().await;
    let fault = record.fault.clone().unwrap();
    assert_eq!((record.status, fault.code.as_str()), (Status::NeedsAttention, "drift_came_back"));
    assert!(fault.what.contains("was repaired at") && fault.command.contains("\"action\":\"retry\""), "{fault:?}");
    scene.sim.run_for(HOUR).await;
    assert!(scene.effects().is_empty());
    assert_eq!(scene.pass().await, 0, "told once");
    scene.sim.run_for(DAY).await;
    assert_eq!(scene.record().await.status, Status::NeedsAttention, "only a pass looks");
    scene.pass().await;
    scene.sim.run_for(HOUR).await;
    scene.is_active_again().await;
    assert_eq!(scene.effects().iter().filter(|effect| *effect == "POST connection").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_repairs_at_once_what_came_back() {
    let mut scene = Scene::active("repair").await;
    for _ in 0..2 {
        scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
        scene.pass().await;
        scene.sim.run_for(HOUR).await;
    }
    assert_eq!(scene.record().await.status, Status::NeedsAttention);
    scene.sim.request("retry", &scene.pair).await;
    scene.sim.run_for(HOUR).await;
    scene.is_active_again().await;
}

#[tokio::test(start_paused = true)]
async fn fixed_by_a_person_needs_no_repair() {
    for mode in ["repair", "report"] {
        let mut scene = Scene::active(mode).await;
        scene.sim.world().allow_access(&scene.vnet, &scene.remote, false);
        scene.pass().await;
        assert_eq!(scene.record().await.status, Status::Drifted);
        scene.sim.world().allow_access(&scene.vnet, &scene.remote, true);
        assert_eq!(scene.pass().await, 1);
        scene.is_active_again().await;
        assert!(scene.effects().is_empty());
        assert!(scene.sim.journal().await.last().unwrap().contains("mended it is again as it should be: access_off"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_within_two_minutes_is_not_repaired() {
    let mut scene = Scene::active("repair").await;
    scene.sim.world().lags.aiven_poll = 100 * DAY;
    scene.sim.world().put_half_in_state(&scene.vnet, &scene.remote, "Initiated");
    scene.pass().await;
    assert_eq!(scene.record().await.status, Status::Drifted);
    scene.sim.world().put_half_in_state(&scene.vnet, &scene.remote, "Connected");
    scene.sim.run_for(HOUR).await;
    scene.is_active_again().await;
    assert!(scene.effects().is_empty() && scene.record().await.repaired.is_empty());
}

#[tokio::test(start_paused = true)]
async fn manual_change_keeps_damage_from_being_repaired() {
    let mut scene = Scene::active("repair").await;
    scene.sim.world().change_vpc_range(&scene.vpc, "10.249.0.0/24");
    scene.sim.world().allow_access(&scene.vnet, &scene.remote, false);
    scene.pass().await;
    scene.sim.run_for(HOUR).await;
    assert_eq!((scene.record().await.status, scene.record().await.drift.len()), (Status::Drifted, 2));
    assert!(scene.effects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn repair_leaves_off_what_a_person_switched_off() {
    let mut scene = Scene::active("repair").await;
    scene.sim.world().change_vpc_range(&scene.vpc, "10.249.0.0/24");
    scene.pass().await;
    // Between the decision to repair and the repair itself.
    scene.sim.run_until("the repair begins", async |sim| sim.records().await[0].mending).await;
    scene.sim.world().allow_access(&scene.vnet, &scene.remote, false);
    scene.sim.run_for(10 * MINUTE).await;
    assert_eq!(scene.effects(), ["PUT half"]);
    let half = scene.sim.world().half(&scene.vnet, &scene.remote).unwrap().clone();
    assert!(!half.allow_access);
    assert_eq!(half.remote_prefixes[0].to_string(), "10.249.0.0/24");
    scene.pass().await;
    assert_eq!(scene.record().await.drift[0].kind, "access_off");
}

#[tokio::test(start_paused = true)]
async fn a_paused_peering_and_one_under_way_are_not_judged() {
    let mut scene = Scene::active("repair").await;
    scene.sim.request("pause", &scene.pair).await;
    scene.sim.run_for(MINUTE).await;
    scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
    assert_eq!(scene.pass().await, 0);
    assert_eq!(scene.calls(), (3, 3, 0), "nobody to ask for");
    scene.sim.run_for(HOUR).await;
    assert_eq!(scene.record().await.status, Status::Paused);
    scene.sim.request("resume", &scene.pair).await;
    scene.sim.run_for(MINUTE).await;
    scene.pass().await;
    scene.sim.run_until("the repair begins", async |sim| !sim.records().await[0].is_idle()).await;
    scene.sim.run_for(Duration::from_secs(5)).await;
    let seq = scene.record().await.seq;
    scene.sim.ring("reconcile").await.unwrap();
    scene.sim.run_for(Duration::from_secs(1)).await;
    assert_eq!(scene.record().await.seq, seq);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_judged_where_a_parent_gives_no_answer() {
    let vpc = |status| Fault::refuse(Service::Aiven, status, "", "no").method("GET");
    let list =
        |status, code| Fault::refuse(Service::Arm, status, code, "no").path("Microsoft.Network/virtualNetworks?");
    let vnet = |status, code| Fault::refuse(Service::Arm, status, code, "no").path("/virtualNetworks/Vnet-01?");
    let faults = [
        vpc(401),
        vpc(403),
        vpc(404),
        vpc(500),
        list(401, "InvalidAuthenticationToken"),
        list(403, "AuthorizationFailed"),
        list(404, "SubscriptionNotFound"),
        list(500, "InternalServerError"),
        vnet(401, "InvalidAuthenticationToken"),
        vnet(403, "AuthorizationFailed"),
        vnet(404, "SubscriptionNotFound"),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let mut scene = Scene::active("repair").await;
        // Were it judged, this would be seen.
        scene.sim.world().remove_peering(&scene.vnet, &scene.half);
        scene.sim.run_for(HOUR).await;
        // Aiven's refusal of our token is everybody's, and told once.
        let told = u64::from(number == 0);
        is_left_alone(scene, fault, told).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_shared_is_judged_without_an_answer() {
    let arm = |status, code, path| Fault::refuse(Service::Arm, status, code, "no").path(path);
    let faults = [
        arm(403, "AuthorizationFailed", "roleAssignments?"),
        arm(404, "SubscriptionNotFound", "roleAssignments?"),
        arm(401, "InvalidAuthenticationToken", "roleDefinitions?"),
        arm(500, "InternalServerError", "roleDefinitions?"),
    ];
    for fault in faults {
        let mut scene = Scene::active("repair").await;
        scene.sim.world().unassign_role(&scene.vnet, &scene.principal);
        scene.sim.run_for(HOUR).await;
        is_left_alone(scene, fault, 0).await;
    }
    for status in [401, 403, 429, 500] {
        let mut scene = Scene::active("repair").await;
        scene.sim.world().applications.iter_mut().for_each(|application| application.federated_credentials.clear());
        scene.sim.run_for(HOUR).await;
        is_left_alone(scene, Fault::refuse(Service::Graph, status, "", "no"), 0).await;
    }
}

async fn is_left_alone(mut scene: Scene, fault: Fault, told: u64) {
    let (record, clouds) = (scene.record().await, scene.sim.world().snapshot());
    scene.sim.clouds.fault(fault.always());
    assert_eq!(scene.pass().await, told);
    scene.sim.run_for(HOUR).await;
    assert!(scene.effects().is_empty());
    assert_eq!(scene.record().await, record);
    assert_eq!(scene.sim.world().snapshot(), clouds);
    scene.sim.clouds.clear_faults();
    assert_ne!(scene.pass().await, 0, "now it is seen");
}

/// Ten active peerings of two VPCs.
async fn ten(mode: &str) -> (Simulation, Vec<Pair>) {
    let settings = BTreeMap::from([("RECONCILE".to_owned(), mode.to_owned())]);
    let (mut sim, pairs) =
        Simulation::start(Setup { settings, ..Setup::default() }, |world| world.standard(2, 10, false));
    for pair in &pairs {
        sim.request("create", pair).await;
    }
    sim.settle().await;
    sim.run_for(HOUR).await;
    assert_eq!(count(&sim, Status::Active).await, 10, "{}", sim.shown().await);
    sim.clouds.reset_calls();
    (sim, pairs)
}

async fn count(sim: &Simulation, status: Status) -> usize {
    sim.records().await.iter().filter(|record| record.status == status).count()
}

async fn brake(sim: &Simulation) -> Option<Brake> {
    Shared::new(sim.storage.clone()).load(&Scope::Installation).await.unwrap().value.brake
}

fn writes(sim: &Simulation) -> u64 {
    sim.app().engine.storage.counts().writes
}

fn is_touched(sim: &Simulation) -> bool {
    sim.clouds.calls().iter().any(|call| matches!(call.service, Service::Aiven | Service::Arm) && call.method != "GET")
}

#[tokio::test(start_paused = true)]
async fn three_of_ten_are_repaired() {
    let (mut sim, pairs) = ten("repair").await;
    for pair in &pairs[..3] {
        sim.world().fail_connection(&pair.vpc_id, &pair.vnet, "ERROR");
    }
    sim.ring("reconcile").await.unwrap();
    sim.run_for(HOUR).await;
    assert_eq!((count(&sim, Status::Active).await, brake(&sim).await), (10, None));
}

#[tokio::test(start_paused = true)]
async fn four_of_ten_engage_the_brake() {
    let (mut sim, pairs) = ten("repair").await;
    for pair in &pairs[..4] {
        sim.world().fail_connection(&pair.vpc_id, &pair.vnet, "ERROR");
    }
    sim.ring("reconcile").await.unwrap();
    sim.run_for(HOUR).await;
    assert_eq!((count(&sim, Status::Drifted).await, is_touched(&sim)), (4, false));
    let engaged = brake(&sim).await.unwrap();
    assert_eq!((engaged.drifted, engaged.active), (4, 10));
    let before = writes(&sim);
    sim.ring("reconcile").await.unwrap();
    sim.run_for(HOUR).await;
    assert_eq!((writes(&sim), is_touched(&sim)), (before, false), "a second pass does nothing");
    for vpc in [&pairs[0].vpc, &pairs[1].vpc] {
        let all = serde_json::json!({"version": 1, "action": "retry", "vpc": vpc});
        sim.send(&all.to_string()).await;
    }
    sim.run_for(HOUR).await;
    assert_eq!(count(&sim, Status::Active).await, 10, "{}", sim.shown().await);
    sim.ring("reconcile").await.unwrap();
    assert_eq!(brake(&sim).await, None, "let go");
}

#[tokio::test(start_paused = true)]
async fn report_mode_needs_no_brake() {
    let (mut sim, pairs) = ten("report").await;
    for pair in &pairs {
        sim.world().fail_connection(&pair.vpc_id, &pair.vnet, "ERROR");
    }
    sim.ring("reconcile").await.unwrap();
    sim.run_for(HOUR).await;
    assert_eq!((count(&sim, Status::Drifted).await, is_touched(&sim), brake(&sim).await), (10, false, None));
}

#[tokio::test(start_paused = true)]
async fn repair_survives_death_before_any_call() {
    for n in 1.. {
        let mut scene = Scene::active("repair").await;
        scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
        scene.sim.clouds.reset_calls();
        scene.sim.ring("reconcile").await.unwrap();
        scene.sim.moments.die_before(n);
        scene
            .sim
            .run_until("active again", async |sim| {
                let record = &sim.records().await[0];
                record.status == Status::Active && record.is_idle() && !record.repaired.is_empty()
            })
            .await;
        let all = scene.effects();
        let made = |what: &str| all.iter().filter(|effect| *effect == what).count();
        assert_eq!((made("POST connection"), made("DELETE half")), (1, 1), "{n}: {all:?}");
        assert_eq!(scene.sim.world().connections(&scene.vpc, &scene.vnet).len(), 1, "{n}");
        assert_eq!(scene.sim.world().vnet(&scene.vnet).unwrap().peerings.len(), 1, "{n}");
        let provenance = scene.record().await.provenance;
        let created = Some(Provenance::Created);
        assert_eq!((provenance.aiven, provenance.azure), (created, created), "{n}");
        if scene.sim.deaths() == 0 {
            println!("{} moments", n - 1);
            return;
        }
        assert_eq!(scene.sim.deaths(), 1);
    }
}
