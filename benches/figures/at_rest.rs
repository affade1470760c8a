//! Nothing is asked for, and a hundred peerings are as they should be: what the timers ask of clouds and storage, what the
//! Functions host writes for each of their ticks, and what Application Insights takes in.

use std::path::Path;
use std::time::Duration;

use emulator::clouds::Lags;
use jiff::Timestamp;

use crate::Outcome;
use crate::ledger::{self, Ran};
use crate::recorder::{Asked, Store};
use crate::report::Report;
use crate::scene::{Scene, Stage, flag, text};
use crate::seen::{Bytes, HostAsked, Logs};

/// VPCs that have peerings.
pub const VPCS: usize = 4;
/// Peerings, all of them active.
pub const PEERINGS: usize = 100;
const SCALE: f64 = 20.0;
const LIMIT: Duration = Duration::from_secs(240);
/// Minutes, nominal, after which everything is old enough to be looked at, and sweep has seen that nothing is under way.
const SETTLED: f64 = 22.0;
/// Minutes, nominal, that are counted: two passes of `reconcile`.
const COUNTED: f64 = 20.0;
/// Each at a time of its own, as in `functions/watch`; but passes are an hour apart there.
const RECONCILE: (&str, &str) = ("reconcile", "45 */10 * * * *");

/// What was counted.
pub struct Rest {
    /// What each function did.
    pub ran: Vec<Ran>,
    /// What went to Application Insights.
    pub logs: Logs,
    /// What the host does for a tick of a timer.
    pub tick: Tick,
    /// Bytes that the SDK's log has for a storage request of the host.
    pub request_log: f64,
    /// Queues that functions listen to.
    pub queues: usize,
    /// What a start of the handler asks of tables, and of queues.
    pub start: (f64, f64),
}

/// What the host does for a tick of a timer, as a mean.
pub struct Tick {
    /// Writes: the container, the status.
    pub writes: f64,
    /// Bytes that the SDK's log has of it even so.
    pub log: f64,
}

/// Peers, waits until all is quiet, counts.
pub async fn measure(handler: &Path, report: &mut Report) -> Outcome<Rest> {
    let networks = (VPCS, PEERINGS / VPCS, PEERINGS);
    let stage = Stage { schedules: vec![RECONCILE], ..Stage::new(SCALE, Lags::none(), networks) };
    let scene = Scene::start(handler, stage).await?;
    for pair in &scene.pairs {
        scene.request("create", pair).await?;
    }
    scene.wait(PEERINGS, LIMIT, |row| text(row, "status") == "Active" && flag(row, "resting")).await?;
    nominal_minutes(SETTLED).await;
    let from = Timestamp::now();
    nominal_minutes(COUNTED).await;
    let moments = (from, Timestamp::now());
    // What began is let end.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (invocations, calls, asked) = (scene.invocations(), scene.clouds.calls(), scene.recorder.asked());
    let handlers = scene.seen.handlers().max(1) as f64;
    let of_start = |store| asked.iter().filter(|asked| asked.makes() && asked.store == store).count() as f64 / handlers;
    // And a look whose tables they are.
    let start = (of_start(Store::Table) + 1.0, of_start(Store::Queue));
    report.plain("a start of the handler: requests of tables, of queues", format!("{:.1}, {:.1}", start.0, start.1));
    let asked: Vec<&Asked> = asked.iter().filter(|asked| moments.0 <= asked.began).collect();
    let (ran, doubtful) = ledger::all_between(moments, &invocations, &calls, &asked);
    let logs = scene.seen.logs(moments);
    let (tick, request_log) = host(&scene, moments, &logs, report);
    let rest = Rest { ran, logs, tick, request_log, queues: scene.queues, start };
    tell(&rest, doubtful, report);
    scene.stop().await;
    Ok(rest)
}

async fn nominal_minutes(minutes: f64) {
    tokio::time::sleep(Duration::from_secs_f64(minutes * 60.0 / SCALE)).await;
}

/// What the host does for a tick, and the bytes of the SDK's log for a request.
fn host(scene: &Scene, moments: (Timestamp, Timestamp), logs: &Logs, report: &mut Report) -> (Tick, f64) {
    let asked = scene.seen.asked(moments);
    let of = |wish: &dyn Fn(&HostAsked) -> bool| asked.iter().filter(|asked| wish(asked)).count().max(1) as f64;
    let status = of(&|asked| asked.line.contains("/timers/"));
    let containers = of(&|asked| asked.line.contains("restype=container"));
    let bytes = logs.requests.values().fold(Bytes::default(), |sum, of| sum + *of);
    // Every tick writes its status once.
    let tick = Tick { writes: (status + containers) / status, log: bytes.taken / status };
    let each = (bytes.taken + bytes.kept_out) / of(&|_| true);
    report.plain("at rest, host: writes a tick of a timer", format!("{:.1}", tick.writes));
    report.plain(
        "  the SDK's log of a storage request; of it taken in a tick",
        format!("{each:.0}, {:.0} bytes", tick.log),
    );
    (tick, each)
}

fn tell(rest: &Rest, doubtful: usize, report: &mut Report) {
    let doubt = if doubtful == 0 { String::new() } else { format!(" ({doubtful} calls of doubtful origin)") };
    report.functions(&format!("at rest, {PEERINGS} peerings in {VPCS} VPCs{doubt}"), &rest.ran);
    for timer in ["poll_waiting", "sweep"] {
        let of = rest.of(timer);
        report.plain(format!("at rest, each {timer}: storage requests"), each(of.storage.len(), of.runs));
    }
    let passes = rest.of("reconcile").runs;
    let pass: Vec<&Ran> = rest.ran.iter().filter(|of| of.function.starts_with("reconcile")).collect();
    // Nobody else asks the clouds of anything.
    let api = ledger::total(&rest.ran);
    let storage = || pass.iter().flat_map(|of| &of.storage);
    let reads = storage().filter(|asked| asked.is_read()).count();
    let sends = storage().filter(|asked| asked.mentions("/messages")).count();
    let title = format!("a reconcile pass, {PEERINGS} peerings, {VPCS} VPCs, as they should be");
    report.plain(format!("{title}: Aiven calls"), each(api.aiven, passes));
    report.plain("  ARM calls, Graph calls", format!("{}, {}", each(api.arm, passes), each(api.graph, passes)));
    report.plain("  table reads", each(reads, passes));
    report.plain("  table writes, messages sent", {
        format!("{}, {}", each(storage().count() - reads - sends, passes), each(sends, passes))
    });
}

fn each(count: usize, runs: usize) -> String {
    let each = count as f64 / runs.max(1) as f64;
    if each.fract() == 0.0 { format!("{each:.0}") } else { format!("{each:.1}") }
}

impl Rest {
    /// What a function did; nothing, if it did not run.
    pub fn of(&self, function: &str) -> Ran {
        let known = self.ran.iter().find(|of| of.function == function).cloned();
        known.unwrap_or_else(|| Ran {
            function: function.to_owned(),
            runs: 0,
            calls: Vec::new(),
            storage: Vec::new(),
            most: 0,
        })
    }
}
