//! A hundred peerings that wait for Aiven, and what a round of polls asks of it.

use std::path::Path;
use std::time::Duration;

use emulator::clouds::{Lags, Service};
use emulator::host::Invocation;
use jiff::Timestamp;

use crate::report::Report;
use crate::scene::{Scene, Stage, flag, text};
use crate::{Outcome, process};

const VPCS: usize = 4;
const PEERINGS: usize = 100;
const ROUNDS: usize = 3;
/// A round every six seconds: long enough for all of its messages.
const SCALE: f64 = 10.0;
const LIMIT: Duration = Duration::from_secs(240);

/// Aiven builds nothing within the measurement.
pub async fn measure(handler: &Path, report: &mut Report) -> Outcome<()> {
    let lags = Lags { aiven_build: Duration::from_secs(24 * 3600), ..Lags::none() };
    let scene = Scene::start(handler, Stage::new(SCALE, lags, (VPCS, PEERINGS / VPCS, PEERINGS))).await?;
    for pair in &scene.pairs {
        scene.request("create", pair).await?;
    }
    scene.wait(PEERINGS, LIMIT, |row| text(row, "step") == "await_pending_peer" && flag(row, "parked")).await?;
    // The hints of the last to come are folded into the next round.
    let ticks = next_ticks(&scene, ROUNDS + 2).await?;
    let rounds: Vec<usize> = ticks.windows(2).skip(1).map(|round| aiven_calls(&scene, round[0], round[1])).collect();
    let most = rounds.iter().copied().max().unwrap_or_default();
    let what = format!("{PEERINGS} waiting peerings in {VPCS} VPCs: Aiven calls a poll round (of {ROUNDS}, the most)");
    report.at_most(what, most as f64, VPCS as f64, "");
    let peak = scene.handler_pid().and_then(|pid| process::memory(pid, "VmHWM"));
    report.plain(format!("handler after {PEERINGS} peerings at once: peak resident memory"), process::kib(peak));
    report.detail(format!("\nAiven calls in each of {ROUNDS} poll rounds: {rounds:?}"));
    scene.stop().await;
    Ok(())
}

/// When `count` ticks of the timer that polls began, from now on.
async fn next_ticks(scene: &Scene, count: usize) -> Outcome<Vec<Timestamp>> {
    let now = Timestamp::now();
    let period = Duration::from_secs_f64(60.0 / SCALE);
    for _ in 0..count + 3 {
        tokio::time::sleep(period).await;
        let later = |i: &&Invocation| i.function == "poll_waiting" && i.started >= now;
        let ticks: Vec<Timestamp> = scene.invocations().iter().filter(later).map(|i| i.started).collect();
        if ticks.len() >= count {
            return Ok(ticks[..count].to_vec());
        }
    }
    Err("the timer that polls does not tick".into())
}

fn aiven_calls(scene: &Scene, from: Timestamp, to: Timestamp) -> usize {
    let within = |at: Timestamp| from <= at && at < to;
    scene.clouds.calls().iter().filter(|call| call.service == Service::Aiven && within(call.at)).count()
}
