//! Transition → event: which log lines tell that a peering moved on, as queries, alerts and the workbook of `infra/` expect them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::clouds::{Clouds, Fault, Lags, Pair, Service, World};
use functions::clock::Clock;
use functions::peering::Status;
use functions::storage::Entity;
use functions::telemetry::EVENTS;
use serde_json::{Value as Json, json};
use simulation::existing::{Thing, up_to};
use simulation::{Log, Setup, Simulation, text};

const HOUR: Duration = Duration::from_secs(3600);

/// An event, and the level of its line.
type Told = (&'static str, &'static str);

const ADVANCE: Told = ("advance", "INFO");
const AGAIN: Told = ("again", "INFO");
const BACK: Told = ("back", "INFO");
const WAIT: Told = ("wait", "INFO");
const FIX: Told = ("fix", "INFO");
const NEEDS_ATTENTION: Told = ("needs_attention", "WARN");
const DEADLINE_NEAR: Told = ("deadline_near", "WARN");
const POISONED: Told = ("poisoned", "WARN");
const DRIFT: Told = ("drift", "WARN");
const REPAIR: Told = ("repair", "INFO");
const UNKNOWN: Told = ("unknown_connection", "WARN");
const BRAKE: Told = ("brake", "ERROR");
const BRAKE_OVER: Told = ("brake", "INFO");
const CAUSE: Told = ("cause_opened", "ERROR");
const CAUSE_OVER: Told = ("cause_closed", "INFO");
const SECRET: Told = ("secret_expires", "WARN");

/// What a commit of a step tells: its outcome, or a call for a person.
const OF_STEPS: [&str; 6] = ["advance", "again", "back", "wait", "fix", "needs_attention"];

/// A peering on its way, or there, and all that was logged.
struct Scene {
    sim: Simulation,
    pairs: Vec<Pair>,
    log: Log,
}

impl Scene {
    fn start(setup: Setup, prepare: impl FnOnce(&mut World) -> Vec<Pair>) -> Self {
        let log = Log::keep();
        let (sim, pairs) = Simulation::start(setup, prepare);
        Self { sim, pairs, log }
    }

    /// Asked for, with some trouble in the clouds.
    async fn requested(trouble: impl FnOnce(&Clouds)) -> Self {
        Self::requested_with(Lags::documented(), &json!({}), trouble).await
    }

    async fn requested_with(lags: Lags, more: &Json, trouble: impl FnOnce(&Clouds)) -> Self {
        let scene = Self::start(Setup { lags, ..Setup::default() }, |world| world.standard(1, 1, false));
        trouble(&scene.sim.clouds);
        scene.sim.request_with("create", &scene.pairs[0], more).await;
        scene
    }

    /// So many peerings of one VPC, all of them `Active` for an hour.
    async fn active(count: usize) -> Self {
        let mut scene = Self::start(Setup::default(), |world| world.standard(1, count, false));
        for pair in &scene.pairs {
            scene.sim.request("create", pair).await;
        }
        scene.rests(Status::Active).await;
        scene.sim.run_for(HOUR).await;
        scene
    }

    async fn rests(&mut self, status: Status) {
        self.sim.settle().await;
        for record in self.sim.records().await {
            assert_eq!(record.status, status, "{}", self.sim.shown().await);
        }
    }

    async fn reconciled(&mut self) {
        self.sim.ring("reconcile").await.unwrap();
        self.sim.run_for(HOUR).await;
    }

    fn break_connections(&self, count: usize) {
        for pair in &self.pairs[..count] {
            self.sim.world().fail_connection(&pair.vpc_id, &pair.vnet, "ERROR");
        }
    }

    /// Exactly these events were told, and each commit of a step by one line, in the words of the journal.
    async fn told(self, wanted: &[Told]) -> BTreeSet<&'static str> {
        let lines: Vec<Json> = self.log.lines().into_iter().filter(|line| line["event"].is_string()).collect();
        let word = |line: &Json, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let told: BTreeSet<_> = lines.iter().map(|line| (word(line, "event"), word(line, "level"))).collect();
        let wanted: BTreeSet<Told> = wanted.iter().copied().collect();
        assert_eq!(told, wanted.iter().map(|(event, level)| ((*event).into(), (*level).into())).collect());
        let of_commits = |line: &&Json| OF_STEPS.contains(&word(line, "event").as_str());
        let commits: Vec<_> = lines.iter().filter(of_commits).collect();
        assert!(commits.iter().all(|line| line["peering"].is_string() && line["step"].is_string()), "{commits:#?}");
        let shown =
            |line: &&Json| format!("{} {} {}", word(line, "step"), word(line, "outcome"), word(line, "message"));
        let mut shown: Vec<String> = commits.iter().map(shown).collect();
        let rows = self.sim.rows("peerings").await;
        let is_of_step =
            |row: &&Entity| text(row, "step") != "reconcile_vpc" && OF_STEPS.contains(&text(row, "outcome").as_str());
        let entries = rows.iter().filter(is_of_step);
        let entry = |row| format!("{} {} {}", text(row, "step"), text(row, "outcome"), text(row, "note"));
        let mut journal: Vec<String> = entries.map(entry).collect();
        shown.sort();
        journal.sort();
        assert_eq!(shown, journal);
        wanted.into_iter().map(|(event, _)| event).collect()
    }

    /// How often a person was called.
    fn calls(&self) -> usize {
        self.log.events("needs_attention").len()
    }
}

#[tokio::test(start_paused = true)]
async fn each_transition_tells_its_events() {
    let mut all = BTreeSet::new();
    all.extend(a_quiet_run().await);
    all.extend(a_fault_until_a_person_acts().await);
    all.extend(a_wait_past_its_deadline().await);
    all.extend(a_step_taken_back().await);
    all.extend(a_deadline_that_is_near().await);
    all.extend(poison_until_a_person_looks().await);
    all.extend(a_repair_and_what_breaks_again().await);
    all.extend(an_unknown_connection().await);
    all.extend(the_brake().await);
    all.extend(a_cause_that_all_share().await);
    all.extend(the_end_of_a_password().await);
    // At the start of the app, before anything moves: `settings`.
    all.insert("setting_ignored");
    assert_eq!(all, EVENTS.into_iter().collect(), "every event there is has its transition here");
}

async fn a_quiet_run() -> BTreeSet<&'static str> {
    let mut scene = Scene::requested(|_| {}).await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT]).await
}

async fn a_fault_until_a_person_acts() -> BTreeSet<&'static str> {
    let log = Log::keep();
    let (sim, pairs) = Simulation::new(|world| {
        let pairs = world.standard(1, 1, false);
        up_to(world, &pairs[0], Thing::Half);
        pairs
    });
    let mut scene = Scene { sim, pairs, log };
    scene.sim.request_with("create", &scene.pairs[0], &json!({"allow_forwarded_traffic": true})).await;
    scene.rests(Status::NeedsAttention).await;
    scene.sim.run_for(HOUR).await;
    assert_eq!(scene.calls(), 1, "called once, though it was looked at again and again");
    scene.sim.world().vnet_mut(&scene.pairs[0].vnet).unwrap().peerings[0].allow_forwarded = true;
    scene.sim.run_for(HOUR).await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, NEEDS_ATTENTION, FIX]).await
}

async fn a_wait_past_its_deadline() -> BTreeSet<&'static str> {
    let busy = |clouds: &Clouds| {
        let fault = Fault::refuse(Service::Arm, 429, "AnotherOperationInProgress", "busy");
        clouds.fault(fault.method("PUT").path("/virtualNetworkPeerings/").always());
    };
    let mut scene = Scene::requested(busy).await;
    scene.rests(Status::NeedsAttention).await;
    assert_eq!(scene.calls(), 1);
    scene.told(&[ADVANCE, AGAIN, WAIT, DEADLINE_NEAR, NEEDS_ATTENTION]).await
}

async fn a_step_taken_back() -> BTreeSet<&'static str> {
    let mut scene = Scene::requested(|clouds| clouds.world().refuse_connections(1, "REJECTED_BY_PEER")).await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT, BACK]).await
}

async fn a_deadline_that_is_near() -> BTreeSet<&'static str> {
    let lags = Lags { aiven_build: Duration::from_secs(28 * 60), ..Lags::documented() };
    let mut scene = Scene::requested_with(lags, &json!({}), |_| {}).await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT, DEADLINE_NEAR]).await
}

async fn poison_until_a_person_looks() -> BTreeSet<&'static str> {
    let mut scene = Scene::requested(|_| {}).await;
    scene.sim.run_until("the record", async |sim| sim.records().await.len() == 1).await;
    for times in 1..=3 {
        let record = scene.sim.records().await.remove(0);
        let message = json!({"schema": record.schema, "peering": record.key, "step": record.step, "seq": record.seq});
        let queue = format!("{}-poison", functions::engine::queue_of(&record.step));
        scene.sim.send_to(&queue, &message.to_string()).await;
        scene.sim.ring("sweep").await.unwrap();
        assert_eq!((scene.sim.records().await[0].poisoned, scene.calls()), (times, usize::from(times == 3)));
    }
    scene.sim.run_until("it to go on", async |sim| sim.records().await[0].status == Status::Active).await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT, POISONED, NEEDS_ATTENTION]).await
}

async fn a_repair_and_what_breaks_again() -> BTreeSet<&'static str> {
    let mut scene = Scene::active(1).await;
    scene.break_connections(1);
    scene.reconciled().await;
    scene.rests(Status::Active).await;
    assert_eq!(scene.log.events("drift").len(), 1, "a drift is told once");
    scene.break_connections(1);
    scene.reconciled().await;
    scene.rests(Status::NeedsAttention).await;
    // It calls a person as a drift does.
    assert_eq!((scene.log.events("drift").len(), scene.calls()), (2, 0));
    scene.told(&[ADVANCE, AGAIN, WAIT, DRIFT, REPAIR]).await
}

async fn an_unknown_connection() -> BTreeSet<&'static str> {
    let log = Log::keep();
    let (sim, (pairs, stranger)) = Simulation::new(|world| {
        let mut pairs = world.standard(1, 2, false);
        let stranger = pairs.pop().unwrap();
        (pairs, stranger)
    });
    let mut scene = Scene { sim, pairs, log };
    scene.sim.request("create", &scene.pairs[0]).await;
    scene.rests(Status::Active).await;
    let app = scene.sim.world().applications[0].app_id.clone();
    scene.sim.world().add_connection(&scene.pairs[0].vpc_id, &stranger.vnet, &app, "PENDING_PEER").unwrap();
    scene.reconciled().await;
    scene.told(&[ADVANCE, AGAIN, WAIT, UNKNOWN]).await
}

async fn the_brake() -> BTreeSet<&'static str> {
    let mut scene = Scene::active(4).await;
    scene.break_connections(4);
    scene.reconciled().await;
    let retry = json!({"version": 1, "action": "retry", "vpc": scene.pairs[0].vpc});
    scene.sim.send(&retry.to_string()).await;
    scene.sim.run_for(HOUR).await;
    scene.reconciled().await;
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT, DRIFT, BRAKE, BRAKE_OVER]).await
}

async fn a_cause_that_all_share() -> BTreeSet<&'static str> {
    let mut scene = Scene::requested(|_| {}).await;
    let parked = async |sim: &Simulation| sim.records().await.iter().any(|record| record.step == "await_pending_peer");
    scene.sim.run_until("it to be parked", parked).await;
    scene.sim.world().expire_aiven_token();
    scene.sim.run_for(HOUR).await;
    scene.sim.world().restore_aiven_token();
    scene.rests(Status::Active).await;
    scene.told(&[ADVANCE, AGAIN, WAIT, CAUSE, CAUSE_OVER]).await
}

async fn the_end_of_a_password() -> BTreeSet<&'static str> {
    let mut scene = Scene::start(Setup { settings: BTreeMap::new(), ..Setup::default() }, |world| {
        world.secret_mode();
        world.standard(1, 1, false)
    });
    scene.sim.request("create", &scene.pairs[0]).await;
    scene.rests(Status::Active).await;
    scene.sim.run_for(HOUR).await;
    let end = scene.sim.clock.after(29 * 24 * HOUR);
    for application in &mut scene.sim.world().applications {
        application.passwords.iter_mut().for_each(|password| password.end = end);
    }
    scene.reconciled().await;
    scene.told(&[ADVANCE, AGAIN, WAIT, SECRET]).await
}
