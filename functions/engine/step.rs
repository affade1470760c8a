//! What a step is, what it gets to work with, and the order of steps.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::cloud::Failure;
use crate::engine::{Act, Fix, Look, Stop, Wait};
use crate::peering::{Half, Party, Provenance, Record, Status};
use crate::state::{Scope, Shared, SharedRow, Versioned};

/// One step of a runbook. It looks whether its effect is there; if not, and only under a claim, it acts.
///
/// A step knows nothing of queues, commits or retries: it reads and writes the facts of its [`Job`], and answers.
#[async_trait]
pub trait Step: Send + Sync {
    /// The half of the peering that this step makes, if it makes one: its provenance is kept in the record.
    fn half(&self) -> Option<Half> {
        None
    }

    /// Is the effect there? Must change nothing but the job's facts.
    async fn look(&self, job: &mut Job) -> Result<Look, Stop>;

    /// Makes it. Only called under a claim, after a look that found it missing.
    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        Err(Fix::report(format!("step {} was asked to act, but has no effect", job.record.step)).into())
    }

    /// The exact way out of a failure that will not pass by itself, where this step knows a better one than the table.
    fn remedy(&self, _record: &Record, _failure: &Failure) -> Option<Remedy> {
        None
    }
}

/// Why a failure happened in this step, and the exact command that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Why, in a sentence.
    pub why: String,
    /// The command, and who may run it.
    pub command: String,
}

/// What a step works on: a copy of the record, committed when the step is done.
pub struct Job {
    /// The record. Steps write its facts.
    pub record: Record,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What peerings share.
    pub shared: Shared,
    /// Shared rows as this job last read or wrote them.
    pub rows: Vec<(Scope, Versioned<SharedRow>)>,
    /// The queue message that made the step run: the name under which it claims.
    pub by: String,
    /// What the journal shall say of the step, if it says more than "done".
    pub said: Option<String>,
    /// Whether the half that this step makes was found, in whatever state.
    pub(super) seen: bool,
}

impl Job {
    /// The instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Records that a half of the peering was found: ours, if we meant to make it before.
    pub fn found(&mut self, half: Half) {
        let entry = self.record.provenance.of(half);
        *entry = Some(Provenance::found(*entry));
        self.seen = true;
    }

    /// Records that we made a half of the peering; one that was found before, and only mended, stays whose it is.
    pub fn created(&mut self, half: Half) {
        if !self.seen {
            *self.record.provenance.of(half) = Some(Provenance::Created);
        }
    }
}

impl Wait {
    /// A wait for Azure, in nominal seconds.
    pub fn azure(code: &str, reason: impl Into<String>, delay: u64, window: u64) -> Self {
        Self::new(Party::Azure, code, reason, delay, window)
    }

    /// A wait for Aiven, in nominal seconds.
    pub fn aiven(code: &str, reason: impl Into<String>, delay: u64, window: u64) -> Self {
        Self::new(Party::Aiven, code, reason, delay, window)
    }

    /// A wait for another worker of ours, in nominal seconds.
    pub fn ourselves(reason: impl Into<String>, delay: u64) -> Self {
        Self::new(Party::Ourselves, "shared_claim", reason, delay, 3600)
    }

    fn new(party: Party, code: &str, reason: impl Into<String>, delay: u64, window: u64) -> Self {
        let (delay, window) = (Duration::from_secs(delay), Duration::from_secs(window));
        let overdue = "see the journal of the peering; `retry` starts the wait afresh".to_owned();
        Self { party, reason: reason.into(), code: code.to_owned(), delay, window, overdue }
    }

    /// The same wait, with what a person does once it is a fault.
    pub fn or(mut self, overdue: impl Into<String>) -> Self {
        self.overdue = overdue.into();
        self
    }
}

/// A row of a runbook.
#[derive(Clone)]
pub struct Entry {
    /// Name of the step: of its folder, its function, its route; its queue has hyphens.
    pub name: &'static str,
    /// Number of the step in the published runbook.
    pub number: &'static str,
    /// What the peering's status is while the step runs or waits.
    pub status: Status,
    /// What the step does, for people.
    pub title: &'static str,
    /// The step.
    pub step: Arc<dyn Step>,
}

/// A row of a runbook.
pub fn step(
    name: &'static str,
    number: &'static str,
    status: Status,
    title: &'static str,
    step: impl Step + 'static,
) -> Entry {
    Entry { name, number, status, title, step: Arc::new(step) }
}

/// The steps in their order.
#[derive(Clone)]
pub struct Runbook {
    /// In order.
    pub entries: Vec<Entry>,
    /// What the peering is when the last step is done.
    pub end: Status,
    /// Steps that are no more, and which one took over: a step's name is never used for another.
    pub retired: &'static [(&'static str, &'static str)],
}

impl Runbook {
    /// The entry of a step, or of the one that took over from it.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let name = self.retired.iter().find(|(old, _)| *old == name).map_or(name, |(_, successor)| successor);
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The entry after a step.
    pub fn after(&self, name: &str) -> Option<&Entry> {
        let position = self.entries.iter().position(|entry| entry.name == name)?;
        self.entries.get(position + 1)
    }

    /// The first step.
    pub fn first(&self) -> &'static str {
        self.entries.first().map_or("", |entry| entry.name)
    }

    /// Where a step stands in the order; a step of another runbook stands at the end.
    pub fn position(&self, name: &str) -> usize {
        let known = self.entry(name).and_then(|known| self.entries.iter().position(|entry| entry.name == known.name));
        known.unwrap_or(self.entries.len())
    }
}

/// The way there and the way back.
#[derive(Clone)]
pub struct Runbooks {
    /// How a peering comes to be.
    pub create: Runbook,
    /// How it goes.
    pub delete: Runbook,
}

impl Runbooks {
    /// The runbook that a step belongs to, and its entry.
    pub fn find(&self, step: &str) -> Option<(&Runbook, &Entry)> {
        [&self.create, &self.delete].into_iter().find_map(|runbook| Some((runbook, runbook.entry(step)?)))
    }

    /// The entry of a step.
    pub fn entry(&self, step: &str) -> Option<&Entry> {
        self.find(step).map(|(_, entry)| entry)
    }

    /// All steps.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.create.entries.iter().chain(&self.delete.entries)
    }
}
