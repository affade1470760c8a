//! One peering at a time: its API calls, its storage requests, where its time goes.

use std::path::Path;
use std::time::Duration;

use emulator::clouds::{Lags, Pair};
use jiff::Timestamp;

use crate::ledger::{self, Ran};
use crate::report::Report;
use crate::scene::{Scene, text};
use crate::timeline::{self, Parts};
use crate::{Outcome, process};

/// Our own settling times pass in seconds, and timers seldom tick while a function runs.
const SCALE: f64 = 30.0;
/// A timer's tick inside a function's time spoils a measurement: then all is measured again.
const TRIES: usize = 6;
const LIMIT: Duration = Duration::from_secs(90);

/// What the steps that make something shared are called.
const SHARED: [&str; 7] = [
    "register_application",
    "create_service_principal",
    "add_credential",
    "authorize_application",
    "admit_aiven",
    "define_aiven_role",
    "authorize_aiven",
];

/// One peering, measured.
struct Measured {
    ran: Vec<Ran>,
    parts: Parts,
}

/// Networks 1 and 3 are in one subscription, 2 in another; all get the same VPC.
pub async fn measure(handler: &Path, report: &mut Report) -> Outcome<()> {
    for _ in 0..TRIES {
        let scene = Scene::start(handler, SCALE, Lags::none(), (1, 3, 3)).await?;
        let mut measured = Vec::new();
        for (number, pair) in scene.pairs.iter().enumerate() {
            measured.extend(peer(&scene, number + 1, pair).await?);
        }
        let stopped = scene.stop_host().await;
        if let [first, elsewhere, further] = measured.as_slice() {
            calls(first, elsewhere, further, report);
            storage(first, further, report);
            time(first, further, report);
            process::starts(handler, &stopped.settings, report).await?;
            stopped.stop().await;
            return Ok(());
        }
        stopped.stop().await;
    }
    Err(format!("in {TRIES} runs a timer ticked each time while a function ran: is the machine busy?").into())
}

/// `None` if what belongs to whom cannot be told.
async fn peer(scene: &Scene, number: usize, pair: &Pair) -> Outcome<Option<Measured>> {
    scene.quiet(LIMIT).await?;
    let request = scene.request(pair).await?;
    let began = request.0;
    scene.wait(number, LIMIT, |row| text(row, "status") == "Active").await?;
    // The last function may still be ending.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let until = Timestamp::now();
    let (all, calls, asked) = (scene.invocations(), scene.clouds.calls(), scene.recorder.asked());
    let parts = timeline::split(began, until, &all, &calls, &timeline::visible(&asked, request));
    Ok(ledger::between((began, until), &all, &calls, &asked).map(|ran| Measured { ran, parts }))
}

fn calls(first: &Measured, elsewhere: &Measured, further: &Measured, report: &mut Report) {
    for (title, of, goal) in [
        ("first peering of an installation", first, Some(40.0)),
        ("further VNet, same subscription", further, Some(15.0)),
        ("further VNet, first of another subscription", elsewhere, None),
    ] {
        let api = ledger::total(&of.ran);
        let what = format!("{title}: API calls beyond polling, without tokens");
        match goal {
            Some(goal) => report.at_most(what, api.work() as f64, goal, ""),
            None => report.plain(what, api.work().to_string()),
        }
        report.plain("  of these: Graph + ARM + Aiven", format!("{} + {} + {}", api.graph, api.arm, api.aiven));
        report.plain("  beside these: polling, tokens", format!("{}, {}", api.polling, api.tokens));
        report.functions(title, &of.ran);
    }
}

fn storage(first: &Measured, further: &Measured, report: &mut Report) {
    let requests = |ran: &[Ran]| ran.iter().map(|of| of.storage.len()).sum::<usize>() as f64;
    let runs = |ran: &[Ran]| ran.iter().map(|of| of.runs).sum::<usize>() as f64;
    for (title, of) in [("first", first), ("further", further)] {
        let mean = requests(&of.ran) / runs(&of.ran);
        report.at_most(format!("{title} peering: storage requests an invocation, average"), mean, 4.0, "");
        let steps: Vec<Ran> = of.ran.iter().filter(|ran| ran.function != "poll_vpc").cloned().collect();
        let mean = requests(&steps) / steps.len() as f64;
        report.at_most(format!("{title} peering: storage requests a step, all its runs, average"), mean, 4.0, "");
    }
    let most = first.ran.iter().filter(|of| SHARED.contains(&of.function.as_str())).max_by_key(|of| of.storage.len());
    if let Some(most) = most {
        let what = format!("a step that makes something shared, at most ({})", most.function);
        report.at_most(what, most.storage.len() as f64, 8.0, "");
    }
}

fn time(first: &Measured, further: &Measured, report: &mut Report) {
    for (title, Measured { parts, .. }) in [("first", first), ("further", further)] {
        let what = |of: &str| format!("{title} peering, request → Active without lags: {of}");
        report.at_most(what("handling"), parts.handling.as_secs_f64(), 1.0, " s");
        report.at_most(what("queue hops"), parts.hops.as_secs_f64(), 5.0, " s");
        let waiting = parts.waiting.as_secs_f64();
        report.plain(what("waits that are meant"), format!("{waiting:.1} s"));
        report.plain("  which in nominal time is", format!("{:.0} s", waiting * SCALE));
    }
}
