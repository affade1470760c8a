//! Fifty peerings at once over 5 VPCs and 25 VNets, quietly and under every blow that at-least-once delivery can deal:
//! the clouds must end in the same state, to the last object.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emulator::clouds::{Clouds, Pair};
use emulator::environment::{Environment, Setup};
use emulator::host::{Duplicate, Event};
use tokio::sync::Mutex;

use crate::scene;

const PEERINGS: usize = 50;
/// On the wall clock; a quiet run takes a fifth of it.
const LIMIT: Duration = Duration::from_secs(240);

/// One run at a time: fifty peerings keep a small machine busy, and a busy machine is another test.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

async fn start(setup: Setup) -> (Environment, Vec<Pair>) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| pairs = clouds.world().pairs(5, 25, PEERINGS, false);
    let environment = setup.start(prepare).await.unwrap();
    assert_eq!(pairs.len(), PEERINGS);
    (environment, pairs)
}

async fn run(environment: &Environment, pairs: &[Pair]) {
    for pair in pairs {
        environment.request(pair).await.unwrap();
    }
    let began = std::time::Instant::now();
    scene::all_are(environment, PEERINGS, "Active", LIMIT).await;
    println!(
        "{PEERINGS} Active after {:?}; {} messages; {:?}",
        began.elapsed(),
        scene::messages(environment),
        environment.clouds.calls_by_service()
    );
    scene::assert_exactly(environment, pairs);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_peerings_make_each_shared_thing_once() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (environment, pairs) = start(scene::setup(30.0)).await;
    run(&environment, &pairs).await;
    environment.stop().await;
}

/// At least so many kills a run.
const KILLS: usize = 20;

/// Calls `strike` at every `every`-th invocation that begins, up to `most` times; counts the strikes.
fn strike(
    environment: &Environment,
    every: usize,
    most: usize,
    strike: impl Fn() + Send + Sync + 'static,
) -> Arc<AtomicUsize> {
    let (begun, struck) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = struck.clone();
    environment.supervisor.events().observe(move |event| {
        if !matches!(event, Event::Started { .. }) || counted.load(Ordering::SeqCst) >= most {
            return;
        }
        if (begun.fetch_add(1, Ordering::SeqCst) + 1) % every == 0 {
            counted.fetch_add(1, Ordering::SeqCst);
            strike();
        }
    });
    struck
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_peerings_survive_a_handler_that_is_killed_again_and_again() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (environment, pairs) = start(scene::setup(30.0)).await;
    let control = environment.supervisor.control();
    let kills = strike(&environment, 35, 40, move || control.kill_handler());
    run(&environment, &pairs).await;
    let counts = environment.supervisor.counts();
    println!(
        "killed {} times; {} launches of the handler, {} hosts",
        kills.load(Ordering::SeqCst),
        counts.launches,
        counts.hosts
    );
    assert!(kills.load(Ordering::SeqCst) >= KILLS, "the handler is to be killed at least {KILLS} times");
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_peerings_survive_a_host_that_is_killed_and_started_again() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (environment, pairs) = start(scene::setup(30.0)).await;
    let control = environment.supervisor.control();
    let kills = strike(&environment, 200, 5, move || control.kill_host());
    run(&environment, &pairs).await;
    assert!(kills.load(Ordering::SeqCst) >= 3, "the host is to be killed");
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_delivered_twice_are_absorbed_and_at_most_double() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let (quiet, pairs) = start(scene::setup(30.0)).await;
    run(&quiet, &pairs).await;
    let in_quiet = scene::messages(&quiet);
    quiet.stop().await;
    let mut setup = scene::setup(30.0);
    setup.duplicate = Duplicate::Each;
    let (environment, pairs) = start(setup).await;
    run(&environment, &pairs).await;
    let in_all = scene::messages(&environment);
    println!("{in_quiet} messages in a quiet run, {in_all} when each is delivered twice");
    assert!(in_all <= 2 * in_quiet, "{in_all} messages, more than twice the {in_quiet} of a quiet run");
    environment.stop().await;
}
