//! What a step's outcome makes of its row. Pure: row, outcome and time in; row and journal entry out.

use std::time::Duration;

use super::classify::{Class, Verdict, classify};
use super::outcome::{Act, Fix, Stop, Wait};
use super::step::{Entry, Remedy, Runbook};
use super::workflow::Workflow;
use crate::clock::Moment;
use crate::cloud::{Failure, Service};
use crate::peering::{Fault, JournalEntry, Party, Phase, Progress, Status, Waiting};
use crate::telemetry;

/// A fault is looked at again after 5 minutes, then ever more rarely, up to hourly.
const FAULT_PACE: (u64, u64) = (5 * 60, 60 * 60);
/// After that it is left to `retry`.
const FAULT_PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Waits for a cause that all peerings share have codes that begin so; the service comes next.
const SHARED: &str = "shared:";

mod late;

/// What to journal and to log.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// For the journal.
    pub entry: JournalEntry,
    /// Whether a fix was not known before: then it is told.
    pub is_new: bool,
}

/// How a step ended.
pub struct Ended {
    /// What it says.
    pub outcome: Result<Act, Stop>,
    /// What the journal shall say of it, if it says more than "done".
    pub said: Option<String>,
    /// The way out of the failure that ended it, where its step knows a better one than the table.
    pub remedy: Option<Remedy>,
}

impl Ended {
    /// Asks the step of a failure for a remedy.
    pub fn of<R: Workflow>(outcome: Result<Act, Stop>, said: Option<String>, entry: &Entry<R>, row: &R) -> Self {
        let remedy = match &outcome {
            Err(Stop::Failed(failure)) => entry.step.remedy(row, failure),
            _ => None,
        };
        Self { outcome, said, remedy }
    }
}

/// Moves a row on by one commit.
pub fn settle<R: Workflow>(row: &mut R, entry: &Entry<R>, runbook: &Runbook<R>, ended: Ended, at: Moment) -> Note {
    row.seq += 1;
    // A retired step's successor takes over here.
    entry.name.clone_into(&mut row.step);
    row.claim = None;
    row.phase = Phase::Scheduled;
    let before = (row.fault.clone(), row.waiting.clone());
    let Ended { outcome, said, remedy } = ended;
    let mut settled = match outcome {
        Ok(Act::Done) => advance(row, entry, runbook, at),
        Ok(Act::Again) => again(row, entry, at),
        Err(Stop::Wait(wait)) if wait.party == Party::Ourselves => hiccup(row, entry, wait, None, at),
        Err(Stop::Wait(wait)) => wait_for(row, entry, wait, None, at),
        Err(Stop::Park(wait)) => park(row, entry, wait, at),
        Err(Stop::Fix(fix)) => attend(row, fix, at),
        Err(Stop::Refuse(fix)) => refuse(row, fix, at),
        Err(Stop::Back { step, why, after }) => back(row, runbook, step, why, after, at),
        Err(Stop::Failed(failure)) => judged(row, entry, &failure, remedy, at),
        Err(Stop::Store(error)) => hiccup(row, entry, Wait::ourselves(error.to_string(), 5), None, at),
    };
    if let (Some(said), true) = (said, settled.outcome == telemetry::ADVANCE || settled.outcome == telemetry::AGAIN) {
        settled.note = said;
    }
    late::judge(row, R::NOUN, before, &mut settled, at);
    let Settled { outcome, note, party, correlation, is_new } = settled;
    let journal = JournalEntry::new(at.now, entry.name, outcome, note);
    Note { entry: JournalEntry { party, correlation, ..journal }, is_new }
}

pub(super) struct Settled {
    outcome: &'static str,
    note: String,
    party: Option<Party>,
    correlation: Option<String>,
    is_new: bool,
}

impl Settled {
    fn of(outcome: &'static str, note: impl Into<String>, party: Option<Party>) -> Self {
        Self { outcome, note: note.into(), party, correlation: None, is_new: false }
    }
}

fn advance<R: Workflow>(row: &mut R, entry: &Entry<R>, runbook: &Runbook<R>, at: Moment) -> Settled {
    let now = at.now;
    row.times.insert(entry.name.to_owned(), now);
    row.waiting = None;
    row.fault = None;
    row.poisoned = 0;
    row.due = now;
    match runbook.after(entry.name) {
        Some(next) => {
            row.step = next.name.to_owned();
            row.status = next.status;
        }
        None => {
            (row.status, row.phase) = (runbook.end, Phase::IDLE);
            row.arrive(now);
        }
    }
    Settled::of(telemetry::ADVANCE, format!("done: {}", entry.title), None)
}

/// The wait goes on, if there is one: its deadline must not begin afresh with every look.
fn again<R: Workflow>(row: &mut R, entry: &Entry<R>, at: Moment) -> Settled {
    row.due = at.now;
    Settled::of(telemetry::AGAIN, format!("a part is done: {}", entry.title), None)
}

fn back<R: Workflow>(
    row: &mut R,
    runbook: &Runbook<R>,
    step: &str,
    why: String,
    after: Duration,
    at: Moment,
) -> Settled {
    row.step = step.to_owned();
    if let Some(earlier) = runbook.entry(step) {
        row.status = earlier.status;
    }
    row.waiting = None;
    row.fault = None;
    row.due = at.after(after);
    Settled::of(telemetry::BACK, why, None)
}

/// A wait of the same code goes on from its `since`; past its window it is a fault.
fn wait_for<R: Workflow>(
    row: &mut R,
    entry: &Entry<R>,
    wait: Wait,
    since: Option<jiff::Timestamp>,
    at: Moment,
) -> Settled {
    let before = row.waiting.as_ref().filter(|waiting| waiting.code == wait.code);
    let first = before.map_or_else(|| at.now, |waiting| waiting.since);
    let attempts = before.map_or(0, |waiting| waiting.attempts + 1);
    let since = since.unwrap_or(first);
    if at.since(since) >= wait.window {
        return attend(row, overdue(wait), at);
    }
    let deadline = at.after(wait.window.saturating_sub(at.since(since)));
    row.due = at.after(wait.delay);
    let Wait { party, reason, code, .. } = wait;
    row.status = R::waiting_status(entry, party);
    row.fault = None;
    let settled = Settled::of(telemetry::WAIT, reason.clone(), Some(party));
    row.waiting = Some(Waiting { party, reason, code, since: first, deadline, attempts });
    settled
}

/// A wait that says nothing of what a person was asked for: while it lasts, that does not hide.
fn hiccup<R: Workflow>(
    row: &mut R,
    entry: &Entry<R>,
    wait: Wait,
    since: Option<jiff::Timestamp>,
    at: Moment,
) -> Settled {
    let kept = row.fault.clone();
    let settled = wait_for(row, entry, wait, since, at);
    if kept.is_some() && settled.outcome == telemetry::WAIT {
        (row.fault, row.status) = (kept, Status::NeedsAttention);
    }
    settled
}

fn overdue(wait: Wait) -> Fix {
    let minutes = wait.window.as_secs().div_ceil(60);
    Fix {
        what: format!("after {minutes} minutes it is still so that {}", wait.reason),
        why: format!("{} should have been done by now", wait.party),
        command: wait.overdue,
        code: wait.code,
        correlation: None,
    }
}

fn park<R: Workflow>(row: &mut R, entry: &Entry<R>, wait: Wait, at: Moment) -> Settled {
    let settled = wait_for(row, entry, wait, None, at);
    row.phase = Phase::AwaitingPoll;
    if let Some(waiting) = &row.waiting {
        row.due = waiting.deadline;
    }
    settled
}

/// Nothing goes on until somebody asks again.
fn refuse(row: &mut Progress, fix: Fix, at: Moment) -> Settled {
    let settled = attend(row, fix, at);
    (row.phase, row.waiting) = (Phase::IDLE, None);
    if let Some(fault) = &mut row.fault {
        fault.given_up = true;
    }
    settled
}

/// A person has to act. The look runs again all the same: after 5 minutes, then ever more rarely.
fn attend(row: &mut Progress, fix: Fix, at: Moment) -> Settled {
    let now = at.now;
    let before = row.fault.as_ref().filter(|fault| fault.code == fix.code);
    let (since, attempts) = before.map_or((now, 0), |fault| (fault.since, fault.attempts + 1));
    let is_new = before.is_none();
    let delay = FAULT_PACE.0.saturating_mul(1 << attempts.min(10)).min(FAULT_PACE.1);
    let given_up = at.since(since) >= FAULT_PATIENCE;
    row.status = Status::NeedsAttention;
    if given_up {
        row.phase = Phase::IDLE;
    }
    row.due = at.after(Duration::from_secs(delay));
    let first = row.waiting.as_ref().filter(|waiting| waiting.code == fix.code).map_or(now, |waiting| waiting.since);
    let deadline = at.after(FAULT_PATIENCE.saturating_sub(at.since(since)));
    let (party, reason, code) = (Party::Operator, fix.what.clone(), fix.code.clone());
    row.waiting = Some(Waiting { party, reason, code, since: first, deadline, attempts });
    let Fix { what, why, command, code, correlation } = fix;
    let note = format!("{what} ({why}) Do: {command}");
    row.fault = Some(Fault { what, why, command, code, correlation: correlation.clone(), since, attempts, given_up });
    Settled { outcome: telemetry::FIX, note, party: Some(Party::Operator), correlation, is_new }
}

fn judged<R: Workflow>(
    row: &mut R,
    entry: &Entry<R>,
    failure: &Failure,
    remedy: Option<Remedy>,
    at: Moment,
) -> Settled {
    let rule = classify(failure);
    let code = code_of(failure);
    let before = row.waiting.as_ref().filter(|waiting| waiting.code == code);
    let attempts = before.map_or(0, |waiting| waiting.attempts + 1);
    let since = row.made_at(rule.since).or(before.map(|waiting| waiting.since));
    // What a person was asked to mend stays theirs until it is mended, whatever came in between.
    let is_told = row.fault.as_ref().is_some_and(|fault| fault.code == code);
    let age = if is_told { Duration::MAX } else { since.map_or(Duration::ZERO, |since| at.since(since)) };
    let mut settled = match rule.at(failure, age, attempts) {
        Verdict::Fix => {
            let (why, command) = match remedy {
                Some(remedy) => (remedy.why, remedy.command),
                None => (rule.why.to_owned(), rule.fix_for(failure)),
            };
            attend(row, Fix { what: failure.to_string(), why, command, code, correlation: None }, at)
        }
        Verdict::Wait { party, delay } => {
            let reason = format!("{} ({})", rule.why, failure.short());
            let window = Duration::from_secs(rule.window);
            let overdue = remedy.map_or_else(|| rule.fix_for(failure), |remedy| remedy.command);
            let wait = Wait { party, reason, code, delay, window, overdue };
            match rule.class {
                // Something new has come into view: the fault, if there was one, is mended.
                Class::Propagating | Class::Exists | Class::Shared => wait_for(row, entry, wait, since, at),
                _ => hiccup(row, entry, wait, since, at),
            }
        }
    };
    settled.correlation.clone_from(&failure.correlation);
    if let Some(fault) = row.fault.as_mut().filter(|_| settled.outcome == telemetry::FIX) {
        fault.correlation.clone_from(&failure.correlation);
    }
    settled
}

/// What a wait for a failure is about.
fn code_of(failure: &Failure) -> String {
    let code = match (failure.code.is_empty(), failure.status) {
        (false, _) => failure.code.clone(),
        (true, Some(status)) => format!("{:?}{status}", failure.service),
        (true, None) => format!("{:?}Unanswered", failure.service),
    };
    if classify(failure).class == Class::Shared { format!("{SHARED}{}", cause_of(failure)) } else { code }
}

/// What a cause is called that stops every peering: the service, and its code.
pub(super) fn cause_of(failure: &Failure) -> String {
    format!("{:?}:{}", failure.service, failure.code)
}

/// What the names of a service's causes begin with. Aiven's include those of its token: where Aiven answers, there is one.
pub(super) fn family(service: Service) -> String {
    match service {
        Service::Aiven => "Aiven".to_owned(),
        other => format!("{other:?}:"),
    }
}

/// Whether a row waits for a cause of a service that stops every peering.
pub(super) fn is_stopped_by(row: &Progress, service: Service) -> bool {
    let code = row.waiting.as_ref().and_then(|waiting| waiting.code.strip_prefix(SHARED));
    code.is_some_and(|code| code.starts_with(&family(service)))
}
