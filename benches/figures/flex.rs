//! An instance a function, as on Flex Consumption: the tokens of a first peering are those of many handlers, and each instance
//! asks storage for itself.

use std::path::Path;
use std::time::{Duration, Instant};

use emulator::clouds::{Lags, Service};
use jiff::Timestamp;

use crate::Outcome;
use crate::report::Report;
use crate::scene::{Scene, Stage, flag, text};
use crate::seen::HostAsked;

const SCALE: f64 = 15.0;
const LIMIT: Duration = Duration::from_secs(180);
/// Their instances are there without any peering.
const TIMERS: [&str; 3] = ["poll_waiting", "sweep", "reconcile"];
/// The function whose instance waits for messages.
const WAITING: &str = "accept_request";
/// Slow enough that a busy machine keeps up.
const REST_SCALE: f64 = 2.0;
const REST: Duration = Duration::from_secs(60);

/// What instances ask of storage for themselves.
pub struct Instances {
    /// Requests a minute about locks, of the timers' three instances together.
    pub locks: f64,
    /// Looks a minute at the lock of the primary host, of an instance that has not got it.
    pub looks: f64,
    /// How often a second an instance asks its queue for messages.
    pub receives: f64,
}

/// Peers once; then looks at instances that do nothing.
pub async fn measure(handler: &Path, report: &mut Report) -> Outcome<Instances> {
    peer(handler, report).await?;
    rest(handler, report).await
}

async fn peer(handler: &Path, report: &mut Report) -> Outcome<()> {
    let stage = Stage { flex: true, ..Stage::new(SCALE, Lags::none(), (1, 1, 1)) };
    let scene = Scene::start(handler, stage).await?;
    scene.request("create", &scene.pairs[0]).await?;
    scene.wait(1, LIMIT, |row| text(row, "status") == "Active" && flag(row, "resting")).await?;
    let calls = scene.clouds.calls();
    let of = |service: Service| calls.iter().filter(|call| call.service == service).count();
    let (identity, tokens) = (of(Service::Identity), of(Service::Entra));
    report.plain("first peering, an instance a function: calls of the identity endpoint, of Entra", {
        format!("{identity}, {tokens}")
    });
    let started = scene.seen.handlers().saturating_sub(TIMERS.len());
    report.plain("  instances started for it, beside the timers'", started.to_string());
    scene.stop().await;
    Ok(())
}

async fn rest(handler: &Path, report: &mut Report) -> Outcome<Instances> {
    let stage = Stage { flex: true, ..Stage::new(REST_SCALE, Lags::none(), (1, 1, 1)) };
    let scene = Scene::start(handler, stage).await?;
    // Any message starts the instance; this one is refused and gone.
    scene.send("{}").await?;
    let (began, start) = (Instant::now(), Timestamp::now());
    while !scene.invocations().iter().any(|invocation| invocation.function == WAITING) {
        if began.elapsed() > LIMIT {
            return Err(format!("{WAITING} was not started by its message").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(REST).await;
    let now = Timestamp::now();
    let asked = scene.seen.asked((now - REST, now));
    let minutes = REST.as_secs_f64() * REST_SCALE / 60.0;
    let count = |wish: &dyn Fn(&HostAsked) -> bool| asked.iter().filter(|asked| wish(asked)).count() as f64 / minutes;
    let instances = Instances {
        locks: count(&|asked| TIMERS.contains(&asked.instance.as_str()) && asked.line.contains("/locks/")),
        looks: count(&|asked| asked.instance == WAITING && asked.line.contains("/locks/")),
        receives: receives(&scene.seen.asked((start, now))),
    };
    report.plain("three timers' instances: requests a minute about locks", format!("{:.1}", instances.locks));
    report.plain("an instance without the host lock: looks a minute", format!("{:.1}", instances.looks));
    report.plain("an instance that waits for messages: receives a second", format!("{:.2}", instances.receives));
    scene.stop().await;
    Ok(instances)
}

/// Receives a second, by the shortest tenth of the pauses: what is above is this machine's being busy.
fn receives(asked: &[HostAsked]) -> f64 {
    let receive = |asked: &&HostAsked| asked.instance == WAITING && asked.line.starts_with("GET ");
    let times: Vec<Timestamp> = asked.iter().filter(receive).map(|asked| asked.at).collect();
    let mut pauses: Vec<f64> = times.windows(2).map(|two| two[1].duration_since(two[0]).as_secs_f64()).collect();
    pauses.sort_by(f64::total_cmp);
    pauses.get(pauses.len() / 10).map_or(0.0, |pause| 1.0 / pause)
}
