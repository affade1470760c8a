//! Not in simulation: many peerings at once on real storage, with a handler and a host whose processes are killed without warning.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use emulator::clouds::Clouds;
use emulator::environment::Environment;
use emulator::host::Event;

use crate::scene;

const PEERINGS: usize = 20;
const LIMIT: Duration = Duration::from_secs(240);

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
async fn peerings_survive_killed_handlers_and_hosts() {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| pairs = clouds.world().pairs(4, 10, PEERINGS, false);
    let environment = scene::setup(60.0).start(prepare).await.unwrap();
    let (control, host) = (environment.supervisor.control(), environment.supervisor.control());
    let handlers = strike(&environment, 35, 15, move || control.kill_handler());
    let hosts = strike(&environment, 150, 3, move || host.kill_host());
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    scene::all_are(&environment, PEERINGS, "Active", LIMIT).await;
    let killed = (handlers.load(Ordering::SeqCst), hosts.load(Ordering::SeqCst));
    let counts = environment.supervisor.counts();
    println!("killed {killed:?} times; {} launches of the handler, {} hosts", counts.launches, counts.hosts);
    assert!(killed.0 >= 10 && killed.1 >= 2, "both are to be killed: {killed:?}");
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}
