//! Nothing is asked for, and a hundred peerings are as they should be: what the timers ask of clouds and storage, and what the
//! Functions host asks of storage for itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use emulator::clouds::Lags;
use emulator::host::Invocation;
use jiff::Timestamp;

use crate::Outcome;
use crate::ledger::{self, Ran};
use crate::recorder::Asked;
use crate::report::Report;
use crate::scene::{Scene, Stage, flag, text};

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
    /// Lines that the handler logged, and their bytes.
    pub logged: (usize, usize),
    /// What the Functions host asked of storage for itself.
    pub host: Host,
}

/// What the emulated Functions host asks of storage for itself.
pub struct Host {
    /// Writes of a timer's status, each tick.
    pub status_writes: f64,
    /// Queues that it asks for messages, as one instance does where functions do not scale on their own.
    pub queues: usize,
    /// How often a second it asks each.
    pub receives: f64,
}

/// Peers, waits until all is quiet, counts.
pub async fn measure(handler: &Path, report: &mut Report) -> Outcome<Rest> {
    let networks = (VPCS, PEERINGS / VPCS, PEERINGS);
    let stage = Stage { watched: true, schedules: vec![RECONCILE], ..Stage::new(SCALE, Lags::none(), networks) };
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
    let made = asked.iter().filter(|asked| asked.makes()).count();
    // The host of a scene starts the handler once.
    report.plain("a start of the handler: tables and queues that it asks for", made.to_string());
    let asked: Vec<&Asked> = asked.iter().filter(|asked| moments.0 <= asked.began).collect();
    let (ran, doubtful) = ledger::all_between(moments, &invocations, &calls, &asked);
    let rest = Rest { ran, logged: scene.logged(moments), host: host(&scene, moments, &invocations, report) };
    tell(&rest, doubtful, report);
    scene.stop().await;
    Ok(rest)
}

async fn nominal_minutes(minutes: f64) {
    tokio::time::sleep(Duration::from_secs_f64(minutes * 60.0 / SCALE)).await;
}

fn host(scene: &Scene, moments: (Timestamp, Timestamp), invocations: &[Invocation], report: &mut Report) -> Host {
    let within = |at: Timestamp| moments.0 <= at && at <= moments.1;
    let asked: Vec<Asked> = scene.hosts.asked().into_iter().filter(|asked| within(asked.began)).collect();
    let of = |wish: &dyn Fn(&Asked) -> bool| asked.iter().filter(|asked| wish(asked)).count();
    let status = of(&|asked| asked.mentions("/status") && !asked.is_read());
    let renewals = of(&|asked| asked.mentions("comp=lease"));
    let (receives, messages) = (of(&Asked::is_receive), of(&|asked| asked.mentions("popreceipt")));
    let seconds = moments.1.duration_since(moments.0).as_secs_f64();
    let ticks = invocations.iter().filter(|i| within(i.started) && i.message.is_none()).count();
    let title = format!("emulated Functions host at rest, {seconds:.0} s of the wall clock");
    report.detail(format!(
        "\n{title}\n  {receives} receives of all queues ({:.0} a second), {messages} deletes and releases of messages, \
         {status} writes of timers' status for {ticks} ticks, {renewals} requests about locks, {} other",
        receives as f64 / seconds,
        asked.len() - receives - messages - status - renewals
    ));
    let queues: BTreeSet<&str> = asked.iter().filter(|asked| asked.is_receive()).filter_map(Asked::queue).collect();
    let status_writes = status as f64 / ticks.max(1) as f64;
    let each = receives as f64 / seconds / queues.len().max(1) as f64;
    report.plain("at rest, host: receives a second of each queue that is listened to", format!("{each:.1}"));
    report.plain("  writes of a timer's status, each tick", format!("{status_writes:.1}"));
    Host { status_writes, queues: queues.len(), receives: each }
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
            busy: Duration::ZERO,
        })
    }
}
