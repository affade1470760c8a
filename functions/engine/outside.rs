//! Commits that no step makes: the poll's judgements, the sweep's nudges. They keep the rules: If-Match, `seq`, then the send.

use super::message::Delivery;
use super::outcome::{Act, Stop};
use super::run::{Engine, RunError};
use super::settle::{Ended, settle};
use super::workflow::{Names, Workflow};
use crate::peering::{JournalEntry, Party, Phase, Record, Status, VpcRef};
use crate::state::{Flag, Versioned};

impl Engine {
    /// Settles a row by what was seen without its step. A lost race is no error: whoever was quicker sent.
    ///
    /// A row that awaits a poll and that a person has to attend to goes on awaiting it: the poll sees when it is mended.
    pub async fn conclude_from_outside<R: Workflow>(
        &self,
        mut stored: Versioned<R>,
        outcome: Result<Act, Stop>,
        said: Option<String>,
        delivery: Option<&Delivery>,
    ) -> Result<(), RunError> {
        let Some((runbook, entry)) = R::find(&self.runbooks, &stored.value.step) else { return Ok(()) };
        let row = &mut stored.value;
        let (awaited_poll, claim) = (row.awaits_poll(), row.claim.clone());
        let ended = Ended::of(outcome, said, entry, row);
        let note = settle(row, entry, runbook, ended, self.clock.moment());
        // Whoever holds the claim may still be at work.
        row.claim = claim;
        row.committed_by = delivery.map(|delivery| delivery.message_id.clone());
        if awaited_poll
            && note.entry.party == Some(Party::Operator)
            && let Some(fault) = row.fault.clone()
        {
            if !fault.given_up {
                row.phase = Phase::AwaitingPoll;
            }
            row.due = row.waiting.as_ref().map_or(fault.since, |waiting| waiting.deadline);
        }
        match self.rows().commit(&stored, &note.entry).await {
            Err(error) if error.is_lost_race() => return Ok(()),
            other => other?,
        }
        super::tell::span(&stored.value, delivery).in_scope(|| super::tell::tell(&stored.value, &note));
        if stored.value.awaits_poll() { Ok(()) } else { self.send_for(&stored.value).await }
    }

    /// Makes a record go on from a step at once, with fresh deadlines, because somebody asked for it. Keeps the claim it finds: the
    /// step waits for its end, and then looks. Done twice, it is done once: the later message makes the earlier stale.
    pub async fn begin(
        &self,
        mut stored: Versioned<Record>,
        step: &str,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        // First, so that no record is under way without the timers' attention.
        self.vpcs.set(&stored.value.key.vpc, Flag::Open, true).await?;
        let now = self.clock.now();
        let record = &mut stored.value;
        if let Some(entry) = self.runbooks.entry(step) {
            (record.step, record.status) = (entry.name.to_owned(), entry.status);
        }
        record.facts.recreated = 0;
        record.times.insert("started".to_owned(), now);
        self.asked(stored, Phase::Scheduled, asked, message_id).await
    }

    /// Lets a record rest in a status, because somebody asked for it. Nothing is under way until somebody asks again.
    pub async fn rest(
        &self,
        mut stored: Versioned<Record>,
        status: Status,
        paused_from: Option<Status>,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        stored.value.status = status;
        self.asked(stored, Phase::Idle { paused_from }, asked, message_id).await
    }

    /// Commits what a request made of a row, and sends. Dying in between: the request is delivered again, has been heard, and sends.
    pub async fn asked<R: Workflow>(
        &self,
        mut stored: Versioned<R>,
        phase: Phase,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        let row = &mut stored.value;
        row.seq += 1;
        (row.waiting, row.fault, row.phase, row.poisoned) = (None, None, phase, 0);
        row.due = asked.at;
        row.committed_by = Some(message_id.to_owned());
        row.hear(message_id);
        self.rows().commit(&stored, &asked).await?;
        self.send_for(&stored.value).await
    }

    /// Commits what was seen of a record that rests, and goes on resting. False: it moved on meanwhile, and nothing was written.
    pub async fn observe(&self, mut stored: Versioned<Record>, entry: &JournalEntry) -> Result<bool, RunError> {
        let record = &mut stored.value;
        record.seq += 1;
        record.due = entry.at;
        record.committed_by = None;
        match self.records.commit(&stored, entry).await {
            Err(error) if error.is_lost_race() => Ok(false),
            other => Ok(other.map(|()| true)?),
        }
    }

    /// Takes a VPC from a timer's list when nothing of it is left there. Whoever has something for the timer puts the VPC there before,
    /// or looks after writing it: so close first, then look again. What a newer program keeps there may be for the timer, too.
    pub async fn close(&self, vpc: &VpcRef, flag: Flag) -> Result<(), RunError> {
        let records = &self.records;
        if records.has_newer(vpc).await? {
            return Ok(());
        }
        self.vpcs.set(vpc, flag, false).await?;
        let left = match flag {
            Flag::Open => records.under_way(vpc).await?,
            Flag::Waiting => records.parked(vpc).await?,
        };
        if !left.is_empty() || records.has_newer(vpc).await? {
            self.vpcs.set(vpc, flag, true).await?;
        }
        Ok(())
    }

    /// A worker that died after a commit of this very message owes the sends.
    pub async fn send_what_is_owed(&self, vpc: &VpcRef, delivery: &Delivery) -> Result<(), RunError> {
        for stored in self.records.under_way(vpc).await? {
            let record = &stored.value;
            if record.committed_by.as_ref() == Some(&delivery.message_id) && !record.awaits_poll() {
                self.send_for(record).await?;
            }
        }
        Ok(())
    }

    /// Sends a row's message once more. Old copies of it, should there be any, go stale.
    pub async fn send_again<R: Workflow>(&self, mut stored: Versioned<R>, why: &str) -> Result<(), RunError> {
        let now = self.clock.now();
        let row = &mut stored.value;
        let Names { peering, vpc_request } = row.names();
        tracing::warn!(peering, vpc_request, step = row.step, seq = row.seq, "{why}: sent again");
        row.seq += 1;
        row.due = now;
        row.committed_by = None;
        let entry = JournalEntry::new(now, "sweep", "sent again", format!("step {}: {why}", row.step));
        match self.rows().commit(&stored, &entry).await {
            Err(error) if error.is_lost_race() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => self.send_for(&stored.value).await,
        }
    }

    /// Adds to the journal of a peering without moving it: `seq` stays, so its message stays good.
    pub async fn note(&self, stored: Versioned<Record>, entry: JournalEntry, message_id: &str) -> Result<(), RunError> {
        Ok(self.records.note(&stored.value, &entry, message_id).await?)
    }
}
