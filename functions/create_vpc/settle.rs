//! What an outcome makes of a row of requests. Pure: row, outcome and time in; row out. Failures are judged by the engine's tables.

use std::time::Duration;

use crate::clock::Clock;
use crate::cloud::Failure;
use crate::engine::{Fix, Stop, Verdict, Wait, classify};
use crate::peering::{Fault, Party, Status, Waiting};
use crate::state::VpcRequestRow;

/// A fault is looked at again after 5 minutes, then ever more rarely, up to hourly. Nominal seconds.
const FAULT_PACE: (u64, u64) = (5 * 60, 60 * 60);
/// After that it is left to a new request.
const FAULT_PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// From the request until a person is told, however short the single waits are. Nominal.
const TOTAL: Duration = Duration::from_secs(2 * 3600);

/// Moves a row on by one commit. `remedy` is a better way out of a failure than the tables know.
pub fn settle(row: &mut VpcRequestRow, outcome: Result<(), Stop>, remedy: Option<String>, clock: &dyn Clock) {
    row.seq += 1;
    row.claim = None;
    row.poisoned = 0;
    row.due = clock.now();
    match outcome {
        Ok(()) => done(row, clock),
        Err(Stop::Wait(wait) | Stop::Park(wait)) => wait_for(row, wait, clock),
        Err(Stop::Fix(fix)) => attend(row, fix, clock),
        Err(Stop::Failed(failure)) => judged(row, &failure, remedy, clock),
        Err(other @ (Stop::Back { .. } | Stop::Store(_))) => {
            attend(row, Fix::report(format!("a VPC request ended as {other:?}")), clock);
        }
    }
}

/// Refuses what no waiting mends: nothing goes on until somebody asks again.
pub fn refuse(row: &mut VpcRequestRow, fix: Fix, clock: &dyn Clock) {
    settle(row, Err(Stop::Fix(fix)), None, clock);
    (row.open, row.waiting) = (false, None);
    if let Some(fault) = &mut row.fault {
        fault.given_up = true;
    }
}

fn done(row: &mut VpcRequestRow, clock: &dyn Clock) {
    row.times.insert("active".to_owned(), clock.now());
    (row.status, row.open) = (Status::Active, false);
    (row.waiting, row.fault) = (None, None);
    row.asks.clear();
}

/// A wait of the same code goes on from its `since`; past its window it is a fault.
fn wait_for(row: &mut VpcRequestRow, wait: Wait, clock: &dyn Clock) {
    let (since, attempts) = going_on(row, &wait.code, clock);
    let age = clock.since(since);
    let whole = row.times.get("started").map_or(Duration::ZERO, |started| clock.since(*started));
    if age >= wait.window || whole >= TOTAL {
        let Wait { party, reason, code, overdue, .. } = wait;
        let what = format!("after {} minutes it is still so that {reason}", age.max(whole).as_secs() / 60);
        let why = format!("{party} should have been done by now");
        return attend(row, Fix { what, why, command: overdue, code, correlation: None }, clock);
    }
    row.due = clock.after(wait.delay);
    let deadline = clock.after(wait.window.saturating_sub(age));
    let Wait { party, reason, code, .. } = wait;
    row.status = if party == Party::Aiven { Status::WaitingForAiven } else { Status::Requested };
    row.waiting = Some(Waiting { party, reason, code, since, deadline, attempts });
    row.fault = None;
}

/// A person has to act. It is looked at again all the same.
fn attend(row: &mut VpcRequestRow, fix: Fix, clock: &dyn Clock) {
    let before = row.fault.as_ref().filter(|fault| fault.code == fix.code);
    let (since, attempts) = before.map_or((clock.now(), 0), |fault| (fault.since, fault.attempts + 1));
    let pace = FAULT_PACE.0.saturating_mul(1 << attempts.min(10)).min(FAULT_PACE.1);
    let given_up = clock.since(since) >= FAULT_PATIENCE;
    row.due = clock.after(Duration::from_secs(pace));
    row.status = Status::NeedsAttention;
    row.open = !given_up;
    let deadline = clock.after(FAULT_PATIENCE.saturating_sub(clock.since(since)));
    let (reason, code) = (fix.what.clone(), fix.code.clone());
    row.waiting = Some(Waiting { party: Party::Operator, reason, code, since, deadline, attempts });
    let Fix { what, why, command, code, correlation } = fix;
    row.fault = Some(Fault { what, why, command, code, correlation, since, attempts, given_up });
}

fn judged(row: &mut VpcRequestRow, failure: &Failure, remedy: Option<String>, clock: &dyn Clock) {
    let rule = classify(failure);
    let code = if failure.code.is_empty() { failure.short() } else { failure.code.clone() };
    let (since, attempts) = going_on(row, &code, clock);
    // What a person was asked to mend stays theirs until it is mended.
    let told = row.fault.as_ref().is_some_and(|fault| fault.code == code);
    let age = if told { Duration::MAX } else { clock.since(since) };
    let correlation = failure.correlation.clone();
    let command = remedy.unwrap_or_else(|| rule.fix.to_owned());
    match rule.at(failure, age, attempts) {
        Verdict::Wait { party, delay } => {
            let reason = format!("{} ({})", rule.why, failure.short());
            let window = Duration::from_secs(rule.window);
            wait_for(row, Wait { party, reason, code, delay, window, overdue: command }, clock);
        }
        Verdict::Fix => {
            let (what, why) = (failure.to_string(), rule.why.to_owned());
            attend(row, Fix { what, why, command, code, correlation }, clock);
        }
    }
}

/// Since when the row waits for this, and how often it was looked at since.
fn going_on(row: &VpcRequestRow, code: &str, clock: &dyn Clock) -> (jiff::Timestamp, u32) {
    let before = row.waiting.as_ref().filter(|waiting| waiting.code == code);
    before.map_or((clock.now(), 0), |waiting| (waiting.since, waiting.attempts + 1))
}
