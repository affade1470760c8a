//! Runs a step: look, claim, act, commit, send. What happens when the process dies between any two lines is said beside them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use tracing::{Instrument, info};

use crate::clock::Clock;
use crate::engine::settle::settle;
use crate::engine::tell::{span, tell, trace_of};
use crate::engine::{
    Act, Delivery, Entry, Job, Look, PollMessage, Runbook, Runbooks, StepMessage, Stop, is_newer, queue_of,
};
use crate::peering::{Claim, Provenance, Record};
use crate::state::{Flag, Lookup, Records, Shared, Versioned, Vpcs, reject};
use crate::storage::{Storage, StoreError};

/// How long a message of a newer program is put back for: until one of its workers takes it. Nominal.
const NEWER_PAUSE: Duration = Duration::from_secs(60);
/// How long a message is put back for when another worker was quicker to claim. Nominal.
const LOST_CLAIM_PAUSE: Duration = Duration::from_secs(5);

/// What runs steps: storage, time, and the runbook.
#[derive(Clone)]
pub struct Engine {
    /// Tables and queues.
    pub storage: Storage,
    /// The records of peerings.
    pub records: Records,
    /// What peerings share.
    pub shared: Shared,
    /// The VPCs.
    pub vpcs: Vpcs,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The steps.
    pub runbooks: Runbooks,
}

/// Why an invocation failed. The host puts its message back.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Storage did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The step was cut off: whoever gets its message next waits for its claim to run out, and looks.
    #[error("step {step} of peering {peering} took longer than it may; its message is delivered again")]
    OverBudget {
        /// The step.
        step: String,
        /// The peering's id.
        peering: String,
    },
}

impl RunError {
    /// Whether a newer program's row was met, and left as it is.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_newer())
    }
}

impl Engine {
    /// An engine over a storage account.
    pub fn new(storage: Storage, clock: Arc<dyn Clock>, runbooks: Runbooks) -> Self {
        let (records, shared) = (Records::new(storage.clone()), Shared::new(storage.clone()));
        let vpcs = Vpcs::new(storage.clone());
        Self { storage, records, shared, vpcs, clock, runbooks }
    }

    /// Handles a message on a step's queue.
    ///
    /// # Errors
    /// Only what a later delivery may do better: storage failed, or the step took too long.
    pub async fn run(&self, queue: &str, text: &str, delivery: &Delivery) -> Result<(), RunError> {
        if is_newer(text) {
            return Ok(self.leave_to_newer(queue, text).await?);
        }
        let message: StepMessage = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("this is not a message of ours: {error}");
                return Ok(reject(&self.storage, queue, text.as_bytes(), &reason, None, self.clock.now()).await?);
            }
        };
        match self.records.load(&message.peering).await? {
            Lookup::NewerSchema => Ok(self.leave_to_newer(queue, text).await?),
            Lookup::Absent => {
                let reason = "there is no such peering";
                Ok(reject(&self.storage, queue, text.as_bytes(), reason, None, self.clock.now()).await?)
            }
            Lookup::Found(stored) => self.judge_message(queue, text, &message, *stored, delivery).await,
        }
    }

    async fn judge_message(
        &self,
        queue: &str,
        text: &str,
        message: &StepMessage,
        stored: Versioned<Record>,
        delivery: &Delivery,
    ) -> Result<(), RunError> {
        let record = &stored.value;
        if message.seq != record.seq || message.step != record.step {
            return self.absorb(message, record, delivery).await;
        }
        if let Some(claim) = record.claim.as_ref().filter(|claim| claim.is_live(self.clock.now())) {
            // Its holder may be at work, or dead: nobody can tell before `until`.
            return self.put_back(queue, text, self.clock.until(claim.until)).await;
        }
        if record.resting {
            return Ok(());
        }
        let Some((runbook, entry)) = self.runbooks.find(&record.step) else {
            return Ok(self.leave_to_newer(queue, text).await?);
        };
        let (step, peering) = (record.step.clone(), record.id.clone());
        let span = span(record, Some(delivery));
        let work = std::pin::pin!(self.step((runbook, entry), stored, delivery, queue, text).instrument(span));
        match select(work, self.clock.sleep(self.clock.scale().step_budget())).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(RunError::OverBudget { step, peering }),
        }
    }

    /// A stale message means nothing, unless it is the very one whose worker made the last commit and may have died before the send.
    async fn absorb(&self, message: &StepMessage, record: &Record, delivery: &Delivery) -> Result<(), RunError> {
        let owed = delivery.redelivered
            && message.seq + 1 == record.seq
            && record.committed_by.as_ref() == Some(&delivery.message_id);
        if owed {
            info!(
                peering = record.id,
                step = record.step,
                seq = record.seq,
                "sent once more: its worker may have died before the send"
            );
            return self.send_for(record).await;
        }
        Ok(())
    }

    /// Look, claim, act. Dying up to the claim: the message is delivered again, and nothing has happened. Dying between claim and
    /// commit: it is delivered again, waits for the claim to run out, looks, and what it finds is ours.
    async fn step(
        &self,
        (runbook, entry): (&Runbook, &Entry),
        mut stored: Versioned<Record>,
        delivery: &Delivery,
        queue: &str,
        text: &str,
    ) -> Result<(), RunError> {
        let began = self.clock.now();
        let mut job = Job {
            record: stored.value.clone(),
            clock: self.clock.clone(),
            shared: self.shared.clone(),
            by: delivery.message_id.clone(),
            said: None,
            seen: false,
            rows: Vec::new(),
        };
        let outcome = match entry.step.look(&mut job).await {
            Ok(Look::Done) => Ok(Act::Done),
            Err(stop) => Err(stop),
            Ok(Look::Missing) => {
                let before = self.claim_in(&mut job, entry, delivery);
                stored.value = job.record.clone();
                match self.records.claim(&mut stored).await {
                    Err(error) if error.is_lost_race() => return self.put_back(queue, text, LOST_CLAIM_PAUSE).await,
                    Err(error) => return Err(error.into()),
                    Ok(()) => {}
                }
                let acted = entry.step.act(&mut job).await;
                if let (true, Some(half)) = (acted.as_ref().err().is_some_and(Stop::is_refusal), entry.step.half()) {
                    // Nothing was made: unless an earlier try may have been, nothing found later is ours.
                    let provenance = job.record.provenance.of(half);
                    *provenance = provenance.filter(|p| *p != Provenance::Claimed).or(before);
                }
                acted
            }
        };
        if let Err(Stop::Store(error)) = outcome {
            // The claim, if one was made, runs out; the message comes back.
            return Err(error.into());
        }
        stored.value = job.record;
        self.conclude((runbook, entry), stored, Ended { outcome, said: job.said, began }, delivery).await
    }

    /// Writes the intent into the record: who acts, until when, and that a half found from now on is ours, unless the look
    /// saw it there. Returns what was recorded of the half before.
    fn claim_in(&self, job: &mut Job, entry: &Entry, delivery: &Delivery) -> Option<Provenance> {
        let record = &mut job.record;
        let until = self.clock.after(self.clock.scale().claim_length());
        record.claim = Some(Claim { step: record.step.clone(), by: delivery.message_id.clone(), until });
        let provenance = record.provenance.of(entry.step.half()?);
        let before = *provenance;
        if !job.seen {
            // What was adopted or created before is gone: what is there from now on is what we make now.
            *provenance = Some(Provenance::Claimed);
        }
        before
    }

    /// Commit, then send. Dying in between: the message that brought us here is delivered again, is stale, and its
    /// redelivery sends (`absorb`). A lost race at the commit: the record moved on, and whoever moved it sent.
    async fn conclude(
        &self,
        (runbook, entry): (&Runbook, &Entry),
        mut stored: Versioned<Record>,
        ended: Ended,
        delivery: &Delivery,
    ) -> Result<(), RunError> {
        let Ended { outcome, said, began } = ended;
        self.note_shared_cause(&stored.value, &outcome).await?;
        let trace = trace_of(&stored.value).map(|trace| trace.to_string());
        let mut note = settle(&mut stored.value, entry, runbook, outcome, said, &*self.clock);
        let record = &mut stored.value;
        record.trace = trace;
        record.committed_by = Some(delivery.message_id.clone());
        note.entry.duration_ms = u64::try_from(self.clock.now().duration_since(began).as_millis()).unwrap_or_default();
        match self.records.commit(&stored, &note.entry).await {
            Err(error) if error.is_lost_race() => {
                info!(peering = stored.value.id, step = entry.name, "the record moved on meanwhile");
                return Ok(());
            }
            other => other?,
        }
        tell(&stored.value, &note);
        self.send_for(&stored.value).await
    }

    /// Sends what a record needs to go on: its message with the delay left; for a parked one, a hint to poll its VPC.
    pub async fn send_for(&self, record: &Record) -> Result<(), RunError> {
        if record.resting {
            return Ok(());
        }
        if record.parked {
            return self.open_for_polls(record).await;
        }
        let text = to_text(&StepMessage::of(record));
        let delay = self.clock.until(record.due);
        // A retired step has no queue any more that anybody listens to.
        let function = self.runbooks.entry(&record.step).map_or(record.step.as_str(), |entry| entry.name);
        Ok(self.send(&queue_of(function), &text, delay).await?)
    }

    /// Lets the timer poll the VPC, and asks for a first poll at once. The record is committed before: see `poll_vpc` for why that matters.
    async fn open_for_polls(&self, record: &Record) -> Result<(), RunError> {
        match self.vpcs.set(&record.key.vpc, Flag::Waiting, true).await {
            // Its timers look at it; and the hint may meet one of its workers.
            Err(error) if error.is_newer() => info!(peering = record.id, "{error}"),
            other => other?,
        }
        let text = to_text(&PollMessage::of(&record.key.vpc));
        Ok(self.send("poll-vpc", &text, Duration::ZERO).await?)
    }

    /// Sends a message after a nominal delay.
    pub async fn send(&self, queue: &str, text: &str, delay: Duration) -> Result<(), StoreError> {
        self.storage.queues.send(queue, text, self.clock.scale().real(delay)).await
    }

    /// Puts a message back for a minute: it is a newer program's, or about what is.
    pub async fn leave_to_newer(&self, queue: &str, text: &str) -> Result<(), StoreError> {
        self.send(queue, text, NEWER_PAUSE).await
    }

    async fn put_back(&self, queue: &str, text: &str, delay: Duration) -> Result<(), RunError> {
        Ok(self.send(queue, text, delay).await?)
    }
}

/// How a step ended, before its record is settled.
struct Ended {
    outcome: Result<Act, Stop>,
    said: Option<String>,
    began: jiff::Timestamp,
}

/// A message's text. Ours cannot fail to serialise: strings and numbers only.
pub fn to_text(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}
