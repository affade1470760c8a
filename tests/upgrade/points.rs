//! The points at which a program is stopped: each is recorded with an old program, and reached with this one before the old rows take
//! the place of its own. The same way there for both, so the clouds stand alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use emulator::clouds::{Fault, Lags, Pair, Stalled, World};
use functions::engine::queue_of;
use functions::peering::{Record, Status};

use simulation::existing::{Thing, up_to};
use simulation::{Setup, Simulation};

/// Where a program is stopped.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// The request lies in its queue.
    Asked,
    /// The step's message lies in its queue.
    Message(&'static str),
    /// The worker died right after the step's effect, under a claim.
    Act(&'static str),
    /// The worker died right after the step's claim, before any effect.
    Claimed(&'static str),
    /// The worker died between the step's commit and its send.
    Committed(&'static str),
    /// The step waits, its message hidden.
    Waits(&'static str),
    /// The step parks, and its hint to poll lies in the queue.
    Hint(&'static str),
    /// The step is parked; no message is left.
    Parked(&'static str),
    /// The step's message failed five times.
    Poison(&'static str),
    /// The step's message is gone: only the sweep sees it.
    Lost(&'static str),
    /// A person has to act.
    Attention,
    /// A person has to act, and the poll watches.
    AttentionParked,
    /// A person did not act for seven days.
    GivenUp,
    /// Aiven's token is refused.
    Cause,
    /// Aiven's token is refused while all is parked.
    CauseParked,
    /// A message was rejected.
    Rejected,
    /// All is done.
    Active,
    /// All was done an hour ago.
    Rests,
}

/// What is there, and what is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// A VPC of an organization, a VNet.
    One,
    /// A VPC of a project, a VNet.
    Project,
    /// All that a peering needs was made by hand.
    Existing,
    /// Two VPCs, and one VNet for both.
    Two,
}

/// A point: its fixture's name, what is there, and where it is.
pub type Point = (String, Scene, Stop);

/// The steps of schema 1, in their order.
pub const STEPS: [&str; 12] = [
    "inspect_network",
    "register_application",
    "create_service_principal",
    "add_credential",
    "authorize_application",
    "admit_aiven",
    "define_aiven_role",
    "authorize_aiven",
    "request_peering",
    "await_pending_peer",
    "peer_network",
    "await_active",
];

/// All points.
pub fn points() -> Vec<Point> {
    use Scene::{Existing, One, Project, Two};
    let step = |what: &str, step: &str| format!("{what}-{step}");
    let mut all: Vec<Point> = STEPS.iter().map(|name| (step("message", name), One, Stop::Message(name))).collect();
    let makes = STEPS.iter().filter(|name| making(Fault::cut_after(), name).is_some());
    all.extend(makes.map(|name| (step("act", name), One, Stop::Act(name))));
    for name in ["register_application", "authorize_aiven", "request_peering", "peer_network"] {
        all.push((step("claimed", name), One, Stop::Claimed(name)));
        all.push((step("committed", name), One, Stop::Committed(name)));
    }
    for name in ["await_pending_peer", "await_active"] {
        all.push((step("hint", name), One, Stop::Hint(name)));
        all.push((step("parked", name), One, Stop::Parked(name)));
    }
    let rest = [
        ("asked", One, Stop::Asked),
        ("rejected", One, Stop::Rejected),
        ("waits-authorize_application", One, Stop::Waits("authorize_application")),
        ("poison-define_aiven_role", One, Stop::Poison("define_aiven_role")),
        ("lost-authorize_aiven", One, Stop::Lost("authorize_aiven")),
        ("attention", One, Stop::Attention),
        ("attention-parked", One, Stop::AttentionParked),
        ("given-up", One, Stop::GivenUp),
        ("cause", One, Stop::Cause),
        ("cause-parked", One, Stop::CauseParked),
        ("active", One, Stop::Active),
        ("active-project", Project, Stop::Active),
        ("active-existing", Existing, Stop::Active),
        ("rests", One, Stop::Rests),
        ("two-act-register_application", Two, Stop::Act("register_application")),
        ("two-act-authorize_aiven", Two, Stop::Act("authorize_aiven")),
        ("two-parked", Two, Stop::Parked("await_pending_peer")),
        ("two-cause", Two, Stop::Cause),
        ("two-active", Two, Stop::Active),
    ];
    all.extend(rest.map(|(name, scene, stop)| (name.to_owned(), scene, stop)));
    all
}

/// A fault that strikes what a step makes; none for a step that makes nothing.
fn making(fault: Fault, step: &str) -> Option<Fault> {
    Some(match step {
        "register_application" => fault.making_application(),
        "create_service_principal" | "admit_aiven" => fault.making_principal(),
        "add_credential" => fault.making_credential(),
        "authorize_application" | "authorize_aiven" => fault.making_assignment(),
        "define_aiven_role" => fault.making_definition(),
        "request_peering" => fault.making_connection(),
        "peer_network" => fault.making_peering(),
        _ => return None,
    })
}

impl Scene {
    fn prepare(self, world: &mut World) -> Vec<Pair> {
        match self {
            Self::One => world.standard(1, 1, false),
            Self::Project => world.standard(1, 1, true),
            Self::Existing => {
                let pairs = world.standard(1, 1, false);
                up_to(world, &pairs[0], Thing::Half);
                pairs
            }
            Self::Two => world.standard(2, 1, false),
        }
    }
}

/// What a point left of the clouds as they were before anybody asked.
pub struct Reached {
    /// Stopped at the point.
    pub sim: Simulation,
    /// What was asked for.
    pub pairs: Vec<Pair>,
    /// The clouds before.
    pub before: serde_json::Value,
}

/// Runs the program to a point, and stops it.
pub async fn reach(scene: Scene, stop: Stop) -> Reached {
    match stop {
        Stop::Claimed(step) => {
            dies_when(scene, step, async |sim| records(sim).await.iter().any(|record| record.claim.is_some())).await
        }
        Stop::Committed(step) => {
            let is_unsent = async |sim: &Simulation| {
                let seq = records(sim).await[0].seq;
                let at = STEPS.iter().position(|known| *known == step).unwrap();
                records(sim).await[0].step == STEPS[at + 1]
                    && seq > 1
                    && length(sim, &queue_of(STEPS[at + 1])).await == 0
            };
            dies_when(scene, step, is_unsent).await
        }
        _ => {
            let mut reached = begin(scene, Lags::documented()).await;
            drive(&mut reached.sim, &reached.pairs, stop).await;
            reached
        }
    }
}

async fn begin(scene: Scene, lags: Lags) -> Reached {
    let (sim, pairs) = Simulation::start(Setup { lags, ..Setup::default() }, |world| scene.prepare(world));
    let before = sim.world().snapshot();
    for pair in &pairs {
        sim.request("create", pair).await;
    }
    Reached { sim, pairs, before }
}

/// The program dies at a step before the first of its calls at which something is so.
async fn dies_when(scene: Scene, step: &str, is_so: impl AsyncFn(&Simulation) -> bool) -> Reached {
    for n in 1.. {
        // Without lags a step has few calls.
        let mut reached = begin(scene, Lags::none()).await;
        let sim = &mut reached.sim;
        message_of(sim, step).await;
        sim.moments.die_before(n);
        sim.run_until("to die", async |sim| sim.deaths() > 0).await;
        if is_so(sim).await {
            return reached;
        }
    }
    unreachable!("a step has calls without end")
}

async fn drive(sim: &mut Simulation, pairs: &[Pair], stop: Stop) {
    match stop {
        Stop::Asked => {}
        Stop::Message(step) => message_of(sim, step).await,
        Stop::Act(step) => act(sim, step).await,
        Stop::Hint(step) => {
            sim.run_until("a hint", async |sim| is_parked(sim, step).await && length(sim, "poll-vpc").await > 0).await;
        }
        Stop::Parked(step) => {
            sim.run_until("no hint", async |sim| is_parked(sim, step).await && length(sim, "poll-vpc").await == 0)
                .await;
        }
        Stop::Waits(step) => {
            sim.clouds.fault(Fault::principal_not_found());
            let waits = |record: &Record| record.step == step && record.waiting.is_some();
            sim.run_until("to wait", async |sim| records(sim).await.iter().any(waits)).await;
        }
        Stop::Poison(step) => {
            let queue = format!("{}-poison", queue_of(step));
            sim.storage.queues.create_queue_if_missing(&queue).await.unwrap();
            for raw in taken(sim, step).await {
                sim.storage.queues.send_raw(&queue, &raw, Duration::ZERO).await.unwrap();
            }
        }
        Stop::Lost(step) => drop(taken(sim, step).await),
        Stop::Attention => {
            sim.world().stall_propagation(Stalled::OwnApplication);
            all(sim, |record| record.fault.is_some()).await;
        }
        Stop::AttentionParked => {
            sim.world().lags.aiven_build = Duration::from_secs(10 * 24 * 3600);
            all(sim, |record| record.fault.is_some() && record.awaits_poll()).await;
        }
        Stop::GivenUp => {
            sim.world().stall_propagation(Stalled::OwnApplication);
            all(sim, |record| record.fault.as_ref().is_some_and(|fault| fault.given_up)).await;
        }
        Stop::Cause => {
            for _ in pairs {
                message_of(sim, "request_peering").await;
            }
            sim.world().expire_aiven_token();
            all(sim, |record| record.waiting.as_ref().is_some_and(|waiting| waiting.code.contains("Aiven"))).await;
        }
        Stop::CauseParked => {
            drive_to_parked(sim).await;
            sim.world().expire_aiven_token();
            sim.run_until("a cause", async |sim| {
                sim.rows("shared").await.iter().any(|row| row.properties.contains_key("cause"))
            })
            .await;
        }
        Stop::Rejected => {
            sim.send("{\"version\": 1, \"action\": \"create\", \"reference\": \"CHG-1\"}").await;
            message_of(sim, "inspect_network").await;
            sim.run_until("a rejection", async |sim| !sim.rows("rejected").await.is_empty()).await;
        }
        Stop::Active => all(sim, |record| record.status == Status::Active).await,
        Stop::Rests => {
            all(sim, |record| record.status == Status::Active).await;
            sim.run_for(Duration::from_secs(3600)).await;
        }
        Stop::Claimed(_) | Stop::Committed(_) => unreachable!(),
    }
}

/// Makes good what the point did to the clouds.
pub fn mend(world: &mut World, stop: Stop) {
    match stop {
        Stop::Attention | Stop::GivenUp => world.resume_propagation(),
        Stop::AttentionParked => {
            let vpcs = world.aiven_vpcs.iter();
            let halves = vpcs.flat_map(|vpc| vpc.connections.iter().map(|one| (vpc.id.clone(), one.id.clone())));
            let halves: Vec<_> = halves.collect();
            halves.iter().for_each(|(vpc, connection)| world.build_connection(vpc, connection));
        }
        Stop::Cause | Stop::CauseParked => world.restore_aiven_token(),
        _ => {}
    }
}

async fn drive_to_parked(sim: &mut Simulation) {
    let parked = "await_pending_peer";
    sim.run_until("no hint", async |sim| is_parked(sim, parked).await && length(sim, "poll-vpc").await == 0).await;
}

async fn records(sim: &Simulation) -> Vec<Record> {
    sim.records().await
}

async fn length(sim: &Simulation, queue: &str) -> u64 {
    sim.storage.queues.length(queue).await.unwrap_or_default()
}

async fn is_parked(sim: &Simulation, step: &str) -> bool {
    let records = records(sim).await;
    !records.is_empty() && records.iter().all(|record| record.awaits_poll() && record.step == step)
}

async fn all(sim: &mut Simulation, is_so: impl Fn(&Record) -> bool) {
    sim.run_until("all to be so", async |sim| {
        let records = records(sim).await;
        !records.is_empty() && records.iter().all(&is_so)
    })
    .await;
}

async fn message_of(sim: &mut Simulation, step: &str) {
    let queue = queue_of(step);
    sim.run_until("a message", async |sim| length(sim, &queue).await > 0).await;
}

async fn act(sim: &mut Simulation, step: &str) {
    message_of(sim, step).await;
    let (moments, struck) = (sim.moments.clone(), Arc::new(AtomicBool::new(false)));
    let strikes = struck.clone();
    let fault = Fault::cut_after_then(move || {
        strikes.store(true, SeqCst);
        moments.kill();
    });
    sim.clouds.fault(making(fault, step).unwrap());
    sim.run_until("to die", async |sim| sim.deaths() > 0).await;
    assert!(struck.load(SeqCst));
}

/// Takes the step's message away.
async fn taken(sim: &mut Simulation, step: &str) -> Vec<String> {
    message_of(sim, step).await;
    let (queues, queue) = (sim.storage.queues.clone(), queue_of(step));
    let messages = queues.receive(&queue, 32, Duration::from_secs(600)).await.unwrap();
    for message in &messages {
        queues.delete(&queue, message).await.unwrap();
    }
    messages.into_iter().map(|message| message.raw).collect()
}
