//! What Azure charges a month for the operations that were counted: at rest, and for a hundred peerings; with the log levels of
//! `host.json`, and as it would be with every category open.
//!
//! Not in it, as nothing here shows it: the scale controller's looks at the queues, storage capacity, traffic, and whatever
//! `infra` makes only on request.

use std::path::Path;

use crate::Outcome;
use crate::at_rest::{self, Rest};
use crate::flex::Instances;
use crate::ledger::Ran;
use crate::one_peering::{Measured, Peerings};
use crate::prices as price;
use crate::recorder::Store;
use crate::report::Report;
use crate::seen::Bytes;

/// Timers, and how often a month each runs: schedules of `functions/watch/*/function.json`.
const TIMERS: [(&str, f64); 3] =
    [("poll_waiting", price::MINUTES), ("sweep", price::MINUTES / 5.0), ("reconcile", price::MINUTES / 60.0)];
/// Peerings a month.
const PEERINGS: f64 = 100.0;

/// What is charged for.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    executions: f64,
    seconds: f64,
    table: f64,
    queue: f64,
    blob_writes: f64,
    blob_others: f64,
    logs: Bytes,
}

impl Used {
    /// What a function uses each time it runs, as the mean of its runs. `logs`: of one run.
    fn each(of: &Ran, logs: Bytes) -> Self {
        let runs = of.runs.max(1) as f64;
        let of_store = |store| of.storage.iter().filter(|asked| asked.store == store).count() as f64 / runs;
        let requests = of.storage.len() as f64 / runs;
        let work = of.calls.len() as f64 / runs * price::CALL_SECONDS + requests * price::STORAGE_SECONDS;
        // The handler's own time is not a tenth of these.
        let seconds = work.max(price::LEAST_SECONDS);
        let seconds = (seconds / price::STEP_SECONDS - 1e-9).ceil() * price::STEP_SECONDS;
        let is_timer = TIMERS.iter().any(|(name, _)| *name == of.function);
        Self {
            executions: 1.0,
            seconds,
            table: of_store(Store::Table),
            // The host receives and deletes the message.
            queue: of_store(Store::Queue) + if is_timer { 0.0 } else { 2.0 },
            logs,
            ..Self::default()
        }
    }

    fn times(self, count: f64) -> Self {
        Self {
            executions: self.executions * count,
            seconds: self.seconds * count,
            table: self.table * count,
            queue: self.queue * count,
            blob_writes: self.blob_writes * count,
            blob_others: self.blob_others * count,
            logs: self.logs * count,
        }
    }

    fn gb_seconds(self) -> f64 {
        self.seconds * price::INSTANCE_GB
    }

    fn transactions(self) -> f64 {
        self.table + self.queue + self.blob_writes + self.blob_others
    }

    /// Gigabytes of logs, with our log levels and without them.
    fn log_gb(self) -> [f64; 2] {
        [self.logs.taken / 1e9, (self.logs.taken + self.logs.kept_out) / 1e9]
    }

    /// Dollars for executions, storage, and logs, these with our log levels and without them; free grants not taken off.
    fn dollars(self) -> [f64; 4] {
        let executions = self.executions / 1e6 * price::MILLION_EXECUTIONS + self.gb_seconds() * price::GB_SECOND;
        let tables_and_queues = self.table * price::TABLE_10K + self.queue * price::QUEUE_10K;
        let blobs = self.blob_writes * price::BLOB_WRITE_10K + self.blob_others * price::BLOB_OTHER_10K;
        let [with, without] = self.log_gb().map(|gb| gb * price::LOG_GB);
        [executions, (tables_and_queues + blobs) / 1e4, with, without]
    }
}

impl std::ops::Add for Used {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            executions: self.executions + other.executions,
            seconds: self.seconds + other.seconds,
            table: self.table + other.table,
            queue: self.queue + other.queue,
            blob_writes: self.blob_writes + other.blob_writes,
            blob_others: self.blob_others + other.blob_others,
            logs: self.logs + other.logs,
        }
    }
}

/// Adds the table of costs.
pub fn reckon(rest: &Rest, peerings: &Peerings, instances: &Instances, report: &mut Report) -> Outcome<()> {
    let (resting, made) = (a_month(rest, instances), a_peering(&peerings.further).times(PEERINGS));
    let deleted = one(&peerings.deleted).times(PEERINGS);
    let stay = stay(rest, instances);
    let cold = |of: &Measured| stay.times(of.ran.len() as f64 * PEERINGS);
    let rows = [
        (format!("at rest, {} peerings in {} VPCs", at_rest::PEERINGS, at_rest::VPCS), resting),
        (format!("{PEERINGS:.0} peerings made"), made),
        ("  the same, each after a quiet time".to_owned(), made + cold(&peerings.further)),
        (format!("{PEERINGS:.0} peerings deleted"), deleted),
        ("  the same, each after a quiet time".to_owned(), deleted + cold(&peerings.deleted)),
    ];
    usage(&rows, report);
    grants(resting + made + deleted, report);
    let mean = made.times(1.0 / PEERINGS);
    report.plain("a further peering: executions, storage transactions, seconds charged", {
        format!("{:.0}, {:.0}, {:.0} s", mean.executions, mean.transactions(), mean.seconds)
    });
    let [_, storage, with, without] = stay.dollars();
    report.plain("an instance of a queue function, from its start to its end: storage, logs", {
        format!("${storage:.4} + {with:.4} (all categories: {without:.4})")
    });
    alerts(report)?;
    always_ready(&peerings.first, rest, instances, report);
    Ok(())
}

/// A table: what is charged for, in its units, and what it costs. "All" is with every log category open, at Information.
fn usage(rows: &[(String, Used)], report: &mut Report) {
    report.detail(format!(
        "\nUS dollars a month at prices of {}: check the price list\n  {:<40}{:>11}{:>9}{:>13}{:>9}{:>9}   {:<36}{:>9}",
        price::NOTED,
        "",
        "executions",
        "GB-s",
        "transactions",
        "log GB",
        "all GB",
        "executions + storage + logs",
        "with all"
    ));
    for (what, used) in rows {
        let [with, without] = used.log_gb();
        let [executions, storage, logs, all_logs] = used.dollars();
        let sum = format!("{executions:.2} + {storage:.2} + {logs:.2} = {:.2}", executions + storage + logs);
        report.detail(format!(
            "  {what:<40}{:>11.0}{:>9.0}{:>13.0}{with:>9.2}{without:>9.2}   {sum:<36}{:>9.2}",
            used.executions,
            used.gb_seconds(),
            used.transactions(),
            executions + storage + all_logs
        ));
        report.plain(format!("{what}, a month: executions + storage + logs"), format!("${sum}"));
    }
}

/// What a subscription, or a billing account, has free each month.
fn grants(all: Used, report: &mut Report) {
    let covered = |is| if is { "covered" } else { "exceeded" };
    let executions = all.executions <= price::FREE_EXECUTIONS && all.gb_seconds() <= price::FREE_GB_SECONDS;
    report.plain("  the free executions and GB-seconds, for all of it", covered(executions));
    report.plain("  the free GB of logs, for all of it", covered(all.log_gb()[0] <= price::FREE_LOG_GB));
}

/// What the timers use, and what they fan out to.
fn a_month(rest: &Rest, instances: &Instances) -> Used {
    let runs: usize = rest.ran.iter().map(|of| of.runs).sum();
    let lines = rest.logs.lines * (1.0 / runs.max(1) as f64);
    let each = |name: &str| {
        let of = rest.of(name);
        Used::each(&of, rest.logs.of(name) * (1.0 / of.runs.max(1) as f64) + lines)
    };
    let ticks: f64 = TIMERS.iter().map(|(_, times)| times).sum();
    let timers = TIMERS.iter().map(|(name, times)| each(name).times(*times));
    let fan_out = each("reconcile_vpc").times(price::MINUTES / 60.0 * at_rest::VPCS as f64);
    timers.fold(fan_out + timers_host(rest, instances, ticks), |sum, used| sum + used)
}

/// What the host asks for itself on the timers' instances, which may stay the whole month.
fn timers_host(rest: &Rest, instances: &Instances, ticks: f64) -> Used {
    let (writes, locks) = (rest.tick.writes * ticks, instances.locks * price::MINUTES);
    let taken = rest.tick.log * ticks;
    let kept_out = rest.request_log * (writes + locks) - taken;
    Used { blob_writes: writes, blob_others: locks, logs: Bytes { taken, kept_out }, ..Used::default() }
}

/// An instance of a queue function from its start to its end, without the executions.
fn stay(rest: &Rest, instances: &Instances) -> Used {
    let receives = instances.receives * 60.0 * price::IDLE_MINUTES;
    let looks = instances.looks * price::IDLE_MINUTES;
    Used {
        table: rest.start.0,
        queue: rest.start.1 + receives,
        blob_others: looks,
        logs: Bytes { taken: price::START_LOG, kept_out: rest.request_log * (receives + looks) },
        ..Used::default()
    }
}

/// What was counted for one, and the polls while Aiven takes its time, were it the only one of its VPC.
fn a_peering(of: &Measured) -> Used {
    let logs = |of_poll: &Ran| of.logs.of(&of_poll.function) * (1.0 / of_poll.runs.max(1) as f64);
    let polled = of.ran.iter().find(|of| of.function == "poll_vpc");
    let poll = polled.map(|of| Used::each(of, logs(of))).unwrap_or_default();
    // The timer's message.
    let poll = Used { queue: poll.queue + 1.0, ..poll };
    one(of) + poll.times(2.0 * price::AIVEN_MINUTES)
}

fn one(of: &Measured) -> Used {
    let lines = Used { logs: of.logs.lines, ..Used::default() };
    of.ran
        .iter()
        .map(|ran| Used::each(ran, of.logs.of(&ran.function) * (1.0 / ran.runs.max(1) as f64)).times(ran.runs as f64))
        .fold(lines, |sum, used| sum + used)
}

/// Counted in what the templates would make.
fn alerts(report: &mut Report) -> Outcome<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/snapshots/main.json");
    let text = std::fs::read_to_string(path)?;
    let all = text.matches("\"evaluationFrequency\":").count();
    let often = text.matches("\"evaluationFrequency\": \"PT5M\"").count();
    let dollars = often as f64 * price::ALERT_5_MINUTES + (all - often) as f64 * price::ALERT_15_MINUTES;
    report.plain(format!("{all} alert rules, a month ({often} look every 5 minutes)"), format!("${dollars:.2}"));
    Ok(())
}

/// The functions that a first peering wakes, each on instances of its own; and what it costs to keep one instance of each.
fn always_ready(first: &Measured, rest: &Rest, instances: &Instances, report: &mut Report) {
    let functions = first.ran.len();
    let dollars = price::MINUTES * 60.0 * price::INSTANCE_GB * price::ALWAYS_READY_GB_SECOND;
    report.plain("functions that a first peering starts cold, one after the other", functions.to_string());
    let seconds = price::MINUTES * 60.0;
    let receives = instances.receives * seconds / 1e4 * price::QUEUE_10K;
    let looks = instances.looks * price::MINUTES / 1e4 * price::BLOB_OTHER_10K;
    let log = |queues: f64| {
        (instances.receives * queues * seconds + instances.looks * price::MINUTES) * rest.request_log / 1e9
    };
    report.plain("  an instance kept always ready, a month: memory + receives of its queue + looks at the lock", {
        format!("${dollars:.2} + {receives:.2} + {looks:.2}")
    });
    report.plain("    the SDK's log of these requests, kept out by host.json", format!("{:.0} GB", log(1.0)));
    report.plain("  one for each of these functions", {
        format!("${:.2}", (dollars + receives + looks) * functions as f64)
    });
    let queues = rest.queues as f64;
    report.plain(
        format!("one instance that listens to all {queues} queues, a month: receives; the SDK's log of them, kept out"),
        format!("${:.2}; {:.0} GB", receives * queues, log(queues)),
    );
}
