//! What Azure charges a month for the operations that were counted: at rest, and for a hundred peerings.
//!
//! Not in it, as nothing here shows it: the scale controller's looks at the queues, receives of an instance that waits for more before
//! it is taken away, storage capacity, traffic, and whatever `infra` makes only on request.

use std::path::Path;

use crate::Outcome;
use crate::at_rest::{self, Host, Rest};
use crate::ledger::Ran;
use crate::one_peering::{Measured, Peerings};
use crate::prices as price;
use crate::recorder::Store;
use crate::report::Report;

/// Timers, and how often a month each runs: schedules of `functions/watch/*/function.json`.
const TIMERS: [(&str, f64); 3] =
    [("poll_waiting", price::MINUTES), ("sweep", price::MINUTES / 5.0), ("reconcile", price::MINUTES / 60.0)];
/// Peerings a month.
const PEERINGS: f64 = 100.0;
/// An instance that runs a timer holds the timer's lock, and the lock of the primary host.
const LOCKS: f64 = 2.0;

/// What is charged for.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    executions: f64,
    seconds: f64,
    table: f64,
    queue: f64,
    blob_writes: f64,
    blob_others: f64,
    log_bytes: f64,
}

impl Used {
    /// What a function uses each time it runs, as the mean of its runs. `logged`: bytes of its lines.
    fn each(of: &Ran, logged: f64) -> Self {
        let runs = of.runs.max(1) as f64;
        let of_store = |store| of.storage.iter().filter(|asked| asked.store == store).count() as f64 / runs;
        let requests = of.storage.len() as f64 / runs;
        let work = of.calls.len() as f64 / runs * price::CALL_SECONDS + requests * price::STORAGE_SECONDS;
        let seconds = work.max(of.busy.as_secs_f64() / runs).max(price::LEAST_SECONDS);
        let seconds = (seconds / price::STEP_SECONDS - 1e-9).ceil() * price::STEP_SECONDS;
        let is_timer = TIMERS.iter().any(|(name, _)| *name == of.function);
        Self {
            executions: 1.0,
            seconds,
            table: of_store(Store::Table),
            // The host receives and deletes the message.
            queue: of_store(Store::Queue) + if is_timer { 0.0 } else { 2.0 },
            log_bytes: price::HOST_TELEMETRY + logged,
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
            log_bytes: self.log_bytes * count,
        }
    }

    fn gb_seconds(self) -> f64 {
        self.seconds * price::INSTANCE_GB
    }

    fn log_gb(self) -> f64 {
        self.log_bytes / 1e9
    }

    /// Dollars for executions, storage and logs; free grants not taken off.
    fn dollars(self) -> [f64; 3] {
        let executions = self.executions / 1e6 * price::MILLION_EXECUTIONS + self.gb_seconds() * price::GB_SECOND;
        let tables_and_queues = self.table * price::TABLE_10K + self.queue * price::QUEUE_10K;
        let blobs = self.blob_writes * price::BLOB_WRITE_10K + self.blob_others * price::BLOB_OTHER_10K;
        [executions, (tables_and_queues + blobs) / 1e4, self.log_gb() * price::LOG_GB]
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
            log_bytes: self.log_bytes + other.log_bytes,
        }
    }
}

/// Adds the table of costs.
pub fn reckon(rest: &Rest, peerings: &Peerings, report: &mut Report) -> Outcome<()> {
    let (resting, a_hundred) = (a_month(rest), a_peering(&peerings.further).times(PEERINGS));
    let deleted = one(&peerings.deleted).times(PEERINGS);
    let columns = [
        (format!("at rest, {} peerings in {} VPCs", at_rest::PEERINGS, at_rest::VPCS), resting),
        (format!("{PEERINGS:.0} peerings made"), a_hundred),
        (format!("{PEERINGS:.0} peerings deleted"), deleted),
    ];
    usage(&columns, report);
    for (what, used) in columns {
        let [executions, storage, logs] = used.dollars();
        report.plain(format!("{what}, a month: executions + storage + logs"), {
            format!("${executions:.2} + {storage:.2} + {logs:.2}")
        });
    }
    grants(resting + a_hundred + deleted, report);
    let mean = a_hundred.times(1.0 / PEERINGS);
    report.plain("a further peering: executions, storage transactions, seconds charged", {
        format!("{:.0}, {:.0}, {:.0} s", mean.executions, mean.table + mean.queue, mean.seconds)
    });
    alerts(report)?;
    always_ready(&peerings.first, &rest.host, report);
    Ok(())
}

/// What is charged for, in its units.
fn usage(columns: &[(String, Used)], report: &mut Report) {
    report.detail(format!(
        "\nUS dollars at prices of {}: check the price list\n  {:<44}{:>13}{:>12}{:>12}{:>12}{:>10}",
        price::NOTED,
        "a month",
        "executions",
        "GB-seconds",
        "table",
        "queue, blob",
        "log MB"
    ));
    for (what, used) in columns {
        let others = used.queue + used.blob_writes + used.blob_others;
        report.detail(format!(
            "  {what:<44}{:>13.0}{:>12.0}{:>12.0}{others:>12.0}{:>10.0}",
            used.executions,
            used.gb_seconds(),
            used.table,
            used.log_bytes / 1e6
        ));
    }
}

/// What a subscription, or a billing account, has free each month.
fn grants(all: Used, report: &mut Report) {
    let covered = |is| if is { "covered" } else { "exceeded" };
    let executions = all.executions <= price::FREE_EXECUTIONS && all.gb_seconds() <= price::FREE_GB_SECONDS;
    report.plain("  the free executions and GB-seconds, for all of it", covered(executions));
    report.plain("  the free GB of logs, for all of it", covered(all.log_gb() <= price::FREE_LOG_GB));
}

/// What the timers use, and what they fan out to.
fn a_month(rest: &Rest) -> Used {
    let runs: usize = rest.ran.iter().map(|of| of.runs).sum();
    let (lines, bytes) = rest.logged;
    let logged = (bytes as f64 + lines as f64 * price::LINE_OVERHEAD) / runs.max(1) as f64;
    let timers = TIMERS.into_iter().map(|(name, times)| {
        // Each timer has an instance of its own, which may stay the whole month.
        let renewals = price::MINUTES * 60.0 / price::LOCK_RENEWAL_SECONDS * LOCKS;
        let each = Used { blob_writes: rest.host.status_writes, ..Used::each(&rest.of(name), logged) };
        each.times(times) + Used { blob_others: renewals, ..Used::default() }
    });
    let fan_out = Used::each(&rest.of("reconcile_vpc"), logged).times(price::MINUTES / 60.0 * at_rest::VPCS as f64);
    timers.fold(fan_out, |sum, used| sum + used)
}

/// What was counted for one, and the polls while Aiven takes its time, were it the only one of its VPC.
fn a_peering(of: &Measured) -> Used {
    let polled = of.ran.iter().find(|of| of.function == "poll_vpc");
    let poll = polled.map(|of| Used::each(of, 0.0)).unwrap_or_default();
    // The timer's message.
    let poll = Used { queue: poll.queue + 1.0, ..poll };
    one(of) + poll.times(2.0 * price::AIVEN_MINUTES)
}

fn one(of: &Measured) -> Used {
    let (lines, bytes) = of.logged;
    let logged = Used { log_bytes: bytes as f64 + lines as f64 * price::LINE_OVERHEAD, ..Used::default() };
    of.ran.iter().map(|of| Used::each(of, 0.0).times(of.runs as f64)).fold(logged, |sum, used| sum + used)
}

/// Counted where they are declared.
fn alerts(report: &mut Report) -> Outcome<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/modules/alerts.bicep");
    let text = std::fs::read_to_string(path)?;
    let all = text.matches("every: 'PT").count();
    let often = text.matches("every: 'PT5M'").count();
    let dollars = often as f64 * price::ALERT_5_MINUTES + (all - often) as f64 * price::ALERT_15_MINUTES;
    report.plain(format!("{all} alert rules, a month ({often} look every 5 minutes)"), format!("${dollars:.2}"));
    Ok(())
}

/// The functions that a first peering wakes, each on instances of its own; and what it costs to keep one instance of each.
fn always_ready(first: &Measured, host: &Host, report: &mut Report) {
    let functions = first.ran.len();
    let dollars = price::MINUTES * 60.0 * price::INSTANCE_GB * price::ALWAYS_READY_GB_SECOND;
    report.plain("functions that a first peering starts cold, one after the other", functions.to_string());
    let receives = host.receives * price::MINUTES * 60.0 / 1e4 * price::QUEUE_10K;
    report.plain("  an instance kept always ready, a month: memory + receives of its queue", {
        format!("${dollars:.2} + {receives:.2}")
    });
    report.plain("  one for each of these functions", format!("${:.2}", (dollars + receives) * functions as f64));
    report.plain(format!("receives of one instance that listens to all {} queues, a month", host.queues), {
        format!("${:.2}", receives * host.queues as f64)
    });
}
