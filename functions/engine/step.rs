//! What a step is, what it gets to work with, and the order of steps.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::outcome::{Act, Fix, Look, Stop, Wait};
use super::workflow::Workflow;
use crate::clock::Clock;
use crate::cloud::Failure;
use crate::cloud::aiven::Vpc;
use crate::peering::{Half, Party, Provenance, Record, Status};
use crate::state::{Scope, Shared, SharedRow, Versioned, VpcRequestRow};

/// One step of a runbook. It looks whether its effect is there; if not, and only under a claim, it acts.
///
/// A step knows nothing of queues, commits or retries: it reads and writes the facts of its [`Job`], and answers.
#[async_trait]
pub trait Step<R: Workflow = Record>: Send + Sync {
    /// The half of the peering that this step makes, if it makes one: its provenance is kept in the record.
    fn half(&self) -> Option<Half> {
        None
    }

    /// Is the effect there? Must change nothing but the job's facts.
    async fn look(&self, job: &mut Job<R>) -> Result<Look, Stop>;

    /// Makes it. Only called under a claim, after a look that found it missing.
    async fn act(&self, job: &mut Job<R>) -> Result<Act, Stop> {
        Err(Fix::report(format!("step {} was asked to act, but has no effect", job.record.step)).into())
    }

    /// What one look at Aiven says of a row that this step left to the poll; `None`: nothing is new, so nothing is written. Facts learned
    /// go into the row. Pure.
    fn on_poll(&self, _row: &mut R, _polled: &Polled<'_>) -> Judgement {
        None
    }

    /// The exact way out of a failure that will not pass by itself, where this step knows a better one than the table.
    fn remedy(&self, _row: &R, _failure: &Failure) -> Option<Remedy> {
        None
    }
}

/// What the poll of a VPC saw.
#[derive(Debug, Clone, Copy)]
pub struct Polled<'a> {
    /// The VPC, with all its connections.
    pub vpc: &'a Vpc,
    /// How long ago the row's connection was asked for. Nominal.
    pub age: Duration,
    /// When.
    pub now: Timestamp,
}

/// What is to be done with a row that awaits a poll; `None`: nothing is new, so nothing is written.
pub type Judgement = Option<Result<Act, Stop>>;

/// Why a failure happened in this step, and the exact command that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Why, in a sentence.
    pub why: String,
    /// The command, and who may run it.
    pub command: String,
}

/// What a step works on: a copy of the record, committed when the step is done.
pub struct Job<R = Record> {
    /// The row. Steps write its facts.
    pub record: R,
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
    /// A better way out of the failure that ends this run than [`Step::remedy`] can know.
    pub remedy: Option<Remedy>,
    /// Whether the half that this step makes was found, in whatever state.
    pub(super) seen: bool,
}

impl<R> Job<R> {
    /// The instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Job {
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
pub struct Entry<R: Workflow = Record> {
    /// Name of the step: of its folder, its function, its route; its queue has hyphens.
    pub name: &'static str,
    /// Number of the step in the published runbook.
    pub number: &'static str,
    /// What the peering's status is while the step runs or waits.
    pub status: Status,
    /// What the step does, for people.
    pub title: &'static str,
    /// The step.
    pub step: Arc<dyn Step<R>>,
}

/// A row of a runbook.
pub fn step<R: Workflow>(
    name: &'static str,
    number: &'static str,
    status: Status,
    title: &'static str,
    step: impl Step<R> + 'static,
) -> Entry<R> {
    Entry { name, number, status, title, step: Arc::new(step) }
}

/// The steps in their order.
pub struct Runbook<R: Workflow = Record> {
    /// In order.
    pub entries: Vec<Entry<R>>,
    /// What the peering is when the last step is done.
    pub end: Status,
    /// Steps that are no more, and which one took over: a step's name is never used for another.
    pub retired: &'static [(&'static str, &'static str)],
}

impl<R: Workflow> Clone for Entry<R> {
    fn clone(&self) -> Self {
        Self { step: self.step.clone(), ..*self }
    }
}

impl<R: Workflow> Clone for Runbook<R> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), ..*self }
    }
}

impl<R: Workflow> Runbook<R> {
    /// The entry of a step, or of the one that took over from it.
    pub fn entry(&self, name: &str) -> Option<&Entry<R>> {
        let name = self.retired.iter().find(|(old, _)| *old == name).map_or(name, |(_, successor)| successor);
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The entry after a step.
    pub fn after(&self, name: &str) -> Option<&Entry<R>> {
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

/// Every runbook.
#[derive(Clone)]
pub struct Runbooks {
    /// How a peering comes to be.
    pub create: Runbook,
    /// How it goes.
    pub delete: Runbook,
    /// How an Aiven VPC comes to be.
    pub vpc: Runbook<VpcRequestRow>,
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

    /// All steps of peerings.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.create.entries.iter().chain(&self.delete.entries)
    }
}
