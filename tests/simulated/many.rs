//! Fifty peerings at once over 5 VPCs and 25 VNets, quietly and under every blow that at-least-once delivery can deal:
//! the clouds must end in the same state, to the last object.

use emulator::clouds::Pair;
use functions::peering::Status;
use simulation::{Setup, Simulation, assert_exactly};

const PEERINGS: usize = 50;

async fn requested(duplicates: bool) -> (Simulation, Vec<Pair>) {
    let setup = Setup { duplicates, ..Setup::default() };
    let (simulation, pairs) = Simulation::start(setup, |world| world.pairs(5, 25, PEERINGS, false));
    assert_eq!(pairs.len(), PEERINGS);
    for pair in &pairs {
        simulation.request("create", pair).await;
    }
    (simulation, pairs)
}

/// Runs until nothing is left to do: all are `Active`. Returns how many messages were sent.
async fn run(simulation: &mut Simulation, pairs: &[Pair]) -> u64 {
    simulation.drain().await;
    let active = simulation.records().await.iter().filter(|record| record.status == Status::Active).count();
    assert_eq!(active, PEERINGS, "{}", simulation.shown().await);
    assert_exactly(&simulation.world(), pairs);
    simulation.app().engine.storage.counts().sends
}

#[tokio::test(start_paused = true)]
async fn duplicates_hardly_more_than_double_the_messages() {
    let (mut quiet, pairs) = requested(false).await;
    let in_quiet = run(&mut quiet, &pairs).await;
    let (mut simulation, pairs) = requested(true).await;
    let in_all = run(&mut simulation, &pairs).await;
    println!("{in_quiet} messages in a quiet run, {in_all} when each is delivered twice");
    // Beyond the double: a second worker that meets the claim of another peering puts its message back.
    assert!(in_quiet > 0 && in_all as f64 <= 2.1 * in_quiet as f64, "{in_all} messages for {in_quiet} in a quiet run");
}

#[tokio::test(start_paused = true)]
async fn duplicates_of_one_peering_commit_nothing() {
    let run = async |duplicates| {
        let setup = Setup { duplicates, ..Setup::default() };
        let (mut simulation, pairs) = Simulation::start(setup, |world| world.standard(1, 1, false));
        simulation.request("create", &pairs[0]).await;
        simulation.drain().await;
        assert_exactly(&simulation.world(), &pairs);
        let outcomes = |line: &String| line.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ");
        let journal: Vec<String> = simulation.journal().await.iter().map(outcomes).collect();
        // The request itself is a message, too.
        (journal, 1 + simulation.app().engine.storage.counts().sends)
    };
    let ((quiet, in_quiet), (all, in_all)) = (run(false).await, run(true).await);
    assert_eq!(quiet, all, "no duplicate commits anything");
    assert!(in_all <= 2 * in_quiet, "{in_all} messages, more than twice the {in_quiet} of a quiet run");
}

#[tokio::test(start_paused = true)]
async fn killed_handlers_make_each_thing_once() {
    let (mut simulation, pairs) = requested(false).await;
    for deaths in 1..=40 {
        simulation.moments.die_before(100 + 37 * deaths);
        let over = async |this: &Simulation| this.deaths() == deaths || this.is_drained().await;
        simulation.run_until("the next death", over).await;
    }
    simulation.moments.spare();
    run(&mut simulation, &pairs).await;
    assert!(simulation.deaths() >= 20, "the handler is to be killed at least 20 times: {}", simulation.deaths());
}
