//! Runs a step: look, claim, act, commit, send. What happens when the process dies between any two lines is said beside them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use tracing::{Instrument, info};

use super::message::{Delivery, POLL_VPC, PollMessage, is_newer, queue_of, to_text};
use super::outcome::{Act, Look, Stop};
use super::settle::{Ended, settle};
use super::step::{Entry, Job, Runbook, Runbooks};
use super::tell::{span, tell, trace_of};
use super::workflow::{Hint, Names, Workflow};
use crate::clock::Clock;
use crate::peering::{Claim, Phase, VpcRef};
use crate::state::{Flag, Lookup, Records, Rows, Shared, Versioned, Vpcs, reject};
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
    #[error("step {step} of {row} took longer than it may; its message is delivered again")]
    OverBudget {
        /// The step.
        step: String,
        /// The row's key.
        row: String,
    },
}

impl RunError {
    /// Whether a newer program's row was met, and left as it is.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_newer())
    }

    /// Whether another worker changed the row first.
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_lost_race())
    }
}

impl Engine {
    /// An engine over a storage account.
    pub fn new(storage: Storage, clock: Arc<dyn Clock>, runbooks: Runbooks) -> Self {
        let (records, shared) = (Records::new(storage.clone()), Shared::new(storage.clone()));
        let vpcs = Vpcs::new(storage.clone());
        Self { storage, records, shared, vpcs, clock, runbooks }
    }

    /// The rows of one kind.
    pub fn rows<R: Workflow>(&self) -> Rows<R> {
        Rows::new(self.storage.clone())
    }

    /// Handles a message on a step's queue.
    ///
    /// # Errors
    /// Only what a later delivery may do better: storage failed, or the step took too long.
    pub async fn run<R: Workflow>(&self, queue: &str, text: &str, delivery: &Delivery) -> Result<(), RunError> {
        let Some(message) = self.decode::<R::Message>(queue, text).await? else { return Ok(()) };
        match self.rows::<R>().load(message.key()).await? {
            Lookup::NewerSchema => Ok(self.leave_to_newer(queue, text).await?),
            Lookup::Absent => self.reject(queue, text, &format!("there is no such {}", R::NOUN)).await,
            Lookup::Found(stored) => self.judge_message(queue, text, &message, *stored, delivery).await,
        }
    }

    /// A message of this program, or of an older one. `None`: it was put back for the newer program that wrote it, or it cannot be
    /// read and is in table `rejected` now.
    pub async fn decode<M: serde::de::DeserializeOwned>(&self, queue: &str, text: &str) -> Result<Option<M>, RunError> {
        if is_newer(text) {
            self.leave_to_newer(queue, text).await?;
            return Ok(None);
        }
        match serde_json::from_str(text) {
            Ok(message) => Ok(Some(message)),
            Err(error) => {
                self.reject(queue, text, &format!("this is not a message of ours: {error}")).await?;
                Ok(None)
            }
        }
    }

    /// Puts a message that cannot be taken into table `rejected`.
    pub async fn reject(&self, queue: &str, text: &str, reason: &str) -> Result<(), RunError> {
        Ok(reject(&self.storage, queue, text.as_bytes(), reason, None, self.clock.now()).await?)
    }

    async fn judge_message<R: Workflow>(
        &self,
        queue: &str,
        text: &str,
        message: &R::Message,
        stored: Versioned<R>,
        delivery: &Delivery,
    ) -> Result<(), RunError> {
        let row = &stored.value;
        if !message.is_current(row) {
            return self.absorb(message, row, delivery).await;
        }
        if let Some(claim) = row.claim.as_ref().filter(|claim| claim.is_live(self.clock.now())) {
            // Its holder may be at work, or dead: nobody can tell before `until`.
            return self.put_back(queue, text, self.clock.until(claim.until)).await;
        }
        if row.is_idle() {
            return Ok(());
        }
        let Some((runbook, entry)) = R::find(&self.runbooks, &row.step) else {
            return Ok(self.leave_to_newer(queue, text).await?);
        };
        let over_budget = RunError::OverBudget { step: row.step.clone(), row: row.key().to_string() };
        let span = span(row, Some(delivery));
        let work = std::pin::pin!(self.step(runbook, entry, stored, delivery, queue, text).instrument(span));
        match select(work, self.clock.sleep(self.clock.scale().step_budget())).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(over_budget),
        }
    }

    /// A stale message means nothing, unless it is the very one whose worker made the last commit and may have died before the send.
    async fn absorb<R: Workflow>(&self, message: &R::Message, row: &R, delivery: &Delivery) -> Result<(), RunError> {
        let owed = delivery.redelivered
            && message.seq() + 1 == row.seq
            && row.committed_by.as_ref() == Some(&delivery.message_id);
        if owed {
            let Names { peering, vpc_request } = row.names();
            let (step, seq) = (&row.step, row.seq);
            info!(peering, vpc_request, step, seq, "sent once more: its worker may have died before the send");
            return self.send_for(row).await;
        }
        Ok(())
    }

    /// Look, claim, act. Dying up to the claim: the message is delivered again, and nothing has happened. Dying between claim and
    /// commit: it is delivered again, waits for the claim to run out, looks, and what it finds is ours.
    async fn step<R: Workflow>(
        &self,
        runbook: &Runbook<R>,
        entry: &Entry<R>,
        mut stored: Versioned<R>,
        delivery: &Delivery,
        queue: &str,
        text: &str,
    ) -> Result<(), RunError> {
        let began = self.clock.now();
        let mut job = self.job(stored.value.clone(), delivery);
        let outcome = match entry.step.look(&mut job).await {
            Ok(Look::Done) => Ok(Act::Done),
            Err(stop) => Err(stop),
            Ok(Look::Missing) => {
                let before = self.claim_in(&mut job, entry, delivery);
                stored.value = job.record.clone();
                match self.rows::<R>().claim(&mut stored).await {
                    Err(error) if error.is_lost_race() => return self.put_back(queue, text, LOST_CLAIM_PAUSE).await,
                    Err(error) => return Err(error.into()),
                    Ok(()) => {}
                }
                let acted = entry.step.act(&mut job).await;
                if acted.as_ref().err().is_some_and(Stop::is_refusal) {
                    job.record.withdraw(entry.step.half(), before);
                }
                acted
            }
        };
        if let Err(Stop::Store(error)) = outcome {
            // The claim, if one was made, runs out; the message comes back.
            return Err(error.into());
        }
        let mut ended = Ended::of(outcome, job.said, entry, &job.record);
        ended.remedy = job.remedy.or(ended.remedy);
        stored.value = job.record;
        self.conclude(runbook, entry, stored, ended, began, delivery).await
    }

    fn job<R>(&self, record: R, delivery: &Delivery) -> Job<R> {
        Job {
            record,
            clock: self.clock.clone(),
            shared: self.shared.clone(),
            by: delivery.message_id.clone(),
            said: None,
            remedy: None,
            seen: false,
            rows: Vec::new(),
        }
    }

    /// Writes the intent into the row: who acts, until when, and that what is found from now on is ours, unless the look saw it there.
    fn claim_in<R: Workflow>(&self, job: &mut Job<R>, entry: &Entry<R>, delivery: &Delivery) -> R::Before {
        let until = self.clock.after(self.clock.scale().claim_length());
        let row = &mut job.record;
        row.claim = Some(Claim { step: row.step.clone(), by: delivery.message_id.clone(), until });
        row.intend(entry.step.half(), job.seen, self.clock.now())
    }

    /// Commit, then send. Dying in between: the message that brought us here is delivered again, is stale, and its
    /// redelivery sends (`absorb`). A lost race at the commit: the record moved on, and whoever moved it sent.
    async fn conclude<R: Workflow>(
        &self,
        runbook: &Runbook<R>,
        entry: &Entry<R>,
        mut stored: Versioned<R>,
        ended: Ended,
        began: jiff::Timestamp,
        delivery: &Delivery,
    ) -> Result<(), RunError> {
        self.note_shared_cause(&stored.value, &ended.outcome).await?;
        let trace = trace_of(&stored.value).map(|trace| trace.to_string());
        let mut note = settle(&mut stored.value, entry, runbook, ended, self.clock.moment());
        let row = &mut stored.value;
        row.trace = trace;
        row.committed_by = Some(delivery.message_id.clone());
        note.entry.duration_ms = u64::try_from(self.clock.now().duration_since(began).as_millis()).unwrap_or_default();
        match self.rows().commit(&stored, &note.entry).await {
            Err(error) if error.is_lost_race() => {
                let Names { peering, vpc_request } = stored.value.names();
                info!(peering, vpc_request, step = entry.name, "the row moved on meanwhile");
                return Ok(());
            }
            other => other?,
        }
        tell(&stored.value, &note);
        self.send_for(&stored.value).await
    }

    /// Sends what a row needs to go on: its message with the delay left; for one that awaits a poll, a hint to poll its VPC.
    pub async fn send_for<R: Workflow>(&self, row: &R) -> Result<(), RunError> {
        match (row.phase, row.polled_vpc()) {
            (Phase::Idle { .. }, _) => return Ok(()),
            (Phase::AwaitingPoll, Some(vpc)) => return self.open_for_polls(vpc).await,
            (Phase::AwaitingPoll | Phase::Scheduled, _) => {}
        }
        let text = to_text(&R::Message::of(row))?;
        let delay = self.clock.until(row.due);
        // A retired step has no queue any more that anybody listens to.
        let function = R::find(&self.runbooks, &row.step).map_or(row.step.as_str(), |(_, entry)| entry.name);
        Ok(self.send(&queue_of(function), &text, delay).await?)
    }

    /// Lets the timer poll the VPC, and asks for a first poll at once. The record is committed before: see `poll_vpc` for why that matters.
    async fn open_for_polls(&self, vpc: &VpcRef) -> Result<(), RunError> {
        match self.vpcs.set(vpc, Flag::Waiting, true).await {
            // Its timers look at it; and the hint may meet one of its workers.
            Err(error) if error.is_newer() => info!(%vpc, "{error}"),
            other => other?,
        }
        let text = to_text(&PollMessage::of(vpc))?;
        Ok(self.send(&queue_of(POLL_VPC), &text, Duration::ZERO).await?)
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
