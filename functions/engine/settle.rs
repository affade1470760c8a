//! What a step's outcome makes of its record. Pure: record, outcome and time in; record and journal entry out.

use std::time::Duration;

use crate::clock::Clock;
use crate::cloud::{Failure, Service};
use crate::engine::{Act, Class, Entry, Fix, Runbook, Since, Stop, Verdict, Wait, classify};
use crate::peering::{Fault, JournalEntry, Party, Record, Status, Waiting};
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

/// Moves a record on by one commit.
pub fn settle(
    record: &mut Record,
    entry: &Entry,
    runbook: &Runbook,
    outcome: Result<Act, Stop>,
    said: Option<String>,
    clock: &dyn Clock,
) -> Note {
    record.seq += 1;
    // A retired step's successor takes over here.
    entry.name.clone_into(&mut record.step);
    record.claim = None;
    record.parked = false;
    record.resting = false;
    let before = (record.fault.clone(), record.waiting.clone());
    let mut settled = match outcome {
        Ok(Act::Done) => advance(record, entry, runbook, clock),
        Ok(Act::Again) => again(record, entry, clock),
        Err(Stop::Wait(wait)) if wait.party == Party::Ourselves => hiccup(record, entry, wait, None, clock),
        Err(Stop::Wait(wait)) => wait_for(record, entry, wait, None, clock),
        Err(Stop::Park(wait)) => park(record, entry, wait, clock),
        Err(Stop::Fix(fix)) => attend(record, fix, clock),
        Err(Stop::Back { step, why, after }) => back(record, runbook, step, why, after, clock),
        Err(Stop::Failed(failure)) => judged(record, entry, &failure, clock),
        Err(Stop::Store(error)) => hiccup(record, entry, Wait::ourselves(error.to_string(), 5), None, clock),
    };
    if let (Some(said), true) = (said, settled.outcome == telemetry::ADVANCE || settled.outcome == telemetry::AGAIN) {
        settled.note = said;
    }
    late::judge(record, before, &mut settled, clock);
    let Settled { outcome, note, party, correlation, is_new } = settled;
    let journal = JournalEntry::new(clock.now(), entry.name, outcome, note);
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

fn advance(record: &mut Record, entry: &Entry, runbook: &Runbook, clock: &dyn Clock) -> Settled {
    let now = clock.now();
    record.times.insert(entry.name.to_owned(), now);
    record.waiting = None;
    record.fault = None;
    record.poisoned = 0;
    record.due = now;
    match runbook.after(entry.name) {
        Some(next) => {
            record.step = next.name.to_owned();
            record.status = next.status;
        }
        None => arrive(record, runbook),
    }
    Settled::of(telemetry::ADVANCE, format!("done: {}", entry.title), None)
}

/// All is as it was wanted.
fn arrive(record: &mut Record, runbook: &Runbook) {
    record.status = runbook.end;
    record.resting = true;
    record.mending = false;
    record.drift.clear();
}

/// The wait goes on, if there is one: its deadline must not begin afresh with every look.
fn again(record: &mut Record, entry: &Entry, clock: &dyn Clock) -> Settled {
    record.due = clock.now();
    Settled::of(telemetry::AGAIN, format!("a part is done: {}", entry.title), None)
}

fn back(
    record: &mut Record,
    runbook: &Runbook,
    step: &str,
    why: String,
    after: Duration,
    clock: &dyn Clock,
) -> Settled {
    record.step = step.to_owned();
    if let Some(earlier) = runbook.entry(step) {
        record.status = earlier.status;
    }
    record.waiting = None;
    record.fault = None;
    record.due = clock.after(after);
    Settled::of(telemetry::BACK, why, None)
}

/// A wait of the same code goes on from its `since`; past its window it is a fault.
fn wait_for(
    record: &mut Record,
    entry: &Entry,
    wait: Wait,
    since: Option<jiff::Timestamp>,
    clock: &dyn Clock,
) -> Settled {
    let before = record.waiting.as_ref().filter(|waiting| waiting.code == wait.code);
    let first = before.map_or_else(|| clock.now(), |waiting| waiting.since);
    let attempts = before.map_or(0, |waiting| waiting.attempts + 1);
    let since = since.unwrap_or(first);
    if clock.since(since) >= wait.window {
        return attend(record, overdue(wait), clock);
    }
    let deadline = clock.after(wait.window.saturating_sub(clock.since(since)));
    record.due = clock.after(wait.delay);
    record.status = entry.status;
    record.fault = None;
    let Wait { party, reason, code, .. } = wait;
    let settled = Settled::of(telemetry::WAIT, reason.clone(), Some(party));
    record.waiting = Some(Waiting { party, reason, code, since: first, deadline, attempts });
    settled
}

/// A wait that says nothing of what a person was asked for: while it lasts, that does not hide.
fn hiccup(
    record: &mut Record,
    entry: &Entry,
    wait: Wait,
    since: Option<jiff::Timestamp>,
    clock: &dyn Clock,
) -> Settled {
    let kept = record.fault.clone();
    let settled = wait_for(record, entry, wait, since, clock);
    if kept.is_some() && settled.outcome == telemetry::WAIT {
        (record.fault, record.status) = (kept, Status::NeedsAttention);
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

fn park(record: &mut Record, entry: &Entry, wait: Wait, clock: &dyn Clock) -> Settled {
    let settled = wait_for(record, entry, wait, None, clock);
    record.parked = true;
    if let Some(waiting) = &record.waiting {
        record.due = waiting.deadline;
    }
    settled
}

/// A person has to act. The look runs again all the same: after 5 minutes, then ever more rarely.
fn attend(record: &mut Record, fix: Fix, clock: &dyn Clock) -> Settled {
    let now = clock.now();
    let before = record.fault.as_ref().filter(|fault| fault.code == fix.code);
    let (since, attempts) = before.map_or((now, 0), |fault| (fault.since, fault.attempts + 1));
    let is_new = before.is_none();
    let delay = FAULT_PACE.0.saturating_mul(1 << attempts.min(10)).min(FAULT_PACE.1);
    let given_up = clock.since(since) >= FAULT_PATIENCE;
    record.status = Status::NeedsAttention;
    record.resting = given_up;
    record.due = clock.after(Duration::from_secs(delay));
    let first = record.waiting.as_ref().filter(|waiting| waiting.code == fix.code).map_or(now, |waiting| waiting.since);
    let deadline = clock.after(FAULT_PATIENCE.saturating_sub(clock.since(since)));
    let (party, reason, code) = (Party::Operator, fix.what.clone(), fix.code.clone());
    record.waiting = Some(Waiting { party, reason, code, since: first, deadline, attempts });
    let Fix { what, why, command, code, correlation } = fix;
    let note = format!("{what} ({why}) Do: {command}");
    record.fault =
        Some(Fault { what, why, command, code, correlation: correlation.clone(), since, attempts, given_up });
    Settled { outcome: telemetry::FIX, note, party: Some(Party::Operator), correlation, is_new }
}

fn judged(record: &mut Record, entry: &Entry, failure: &Failure, clock: &dyn Clock) -> Settled {
    let rule = classify(failure);
    let code = code_of(failure);
    let before = record.waiting.as_ref().filter(|waiting| waiting.code == code);
    let attempts = before.map_or(0, |waiting| waiting.attempts + 1);
    let since = dependency(record, rule.since).or(before.map(|waiting| waiting.since));
    // What a person was asked to mend stays theirs until it is mended, whatever came in between.
    let is_told = record.fault.as_ref().is_some_and(|fault| fault.code == code);
    let age = if is_told { Duration::MAX } else { since.map_or(Duration::ZERO, |since| clock.since(since)) };
    let remedy = entry.step.remedy(record, failure);
    let mut settled = match rule.at(failure, age, attempts) {
        Verdict::Fix => {
            let (why, command) = match remedy {
                Some(remedy) => (remedy.why, remedy.command),
                None => (rule.why.to_owned(), rule.fix.to_owned()),
            };
            attend(record, Fix { what: failure.to_string(), why, command, code, correlation: None }, clock)
        }
        Verdict::Wait { party, delay } => {
            let reason = format!("{} ({})", rule.why, failure.short());
            let window = Duration::from_secs(rule.window);
            let overdue = remedy.map_or_else(|| rule.fix.to_owned(), |remedy| remedy.command);
            let wait = Wait { party, reason, code, delay, window, overdue };
            match rule.class {
                // Something new has come into view: the fault, if there was one, is mended.
                Class::Propagating | Class::Exists | Class::Shared => wait_for(record, entry, wait, since, clock),
                _ => hiccup(record, entry, wait, since, clock),
            }
        }
    };
    settled.correlation.clone_from(&failure.correlation);
    if let Some(fault) = record.fault.as_mut().filter(|_| settled.outcome == telemetry::FIX) {
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
    format!("{}{}", family(failure.service), failure.code)
}

/// What the names of a service's causes begin with.
pub(super) fn family(service: Service) -> String {
    format!("{service:?}:")
}

/// Whether a record waits for a cause of a service that stops every peering.
pub(super) fn is_stopped_by(record: &Record, service: Service) -> bool {
    let code = record.waiting.as_ref().and_then(|waiting| waiting.code.strip_prefix(SHARED));
    code.is_some_and(|code| code.starts_with(&family(service)))
}

/// Since when the thing is there that a failure depends on; `None`: not known, so it counts from when it was first seen.
fn dependency(record: &Record, since: Since) -> Option<jiff::Timestamp> {
    let facts = &record.facts;
    match since {
        Since::FirstSeen => None,
        Since::OurAssignment => facts.assigned_at,
        Since::PrincipalMade => facts.principal_at,
        Since::CredentialMade => facts.credential_at,
        Since::SecretMade => facts.secret_at,
        Since::RoleMade => facts.role_at,
        Since::PendingPeer => facts.pending_peer_at,
    }
}
