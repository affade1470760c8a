//! Commits that no step makes: the poll's judgements, the sweep's nudges. They keep the rules: If-Match, `seq`, then the send.

use crate::engine::settle::settle;
use crate::engine::{Act, Delivery, Engine, RunError, Stop};
use crate::peering::{JournalEntry, Party, Record, Status, VpcRef};
use crate::state::{Flag, Versioned};

impl Engine {
    /// Settles a record by what was seen without its step. A lost race is no error: whoever was quicker sent.
    ///
    /// A parked record that a person has to attend to stays parked: the poll sees when it is mended.
    pub async fn conclude_from_outside(
        &self,
        mut stored: Versioned<Record>,
        outcome: Result<Act, Stop>,
        said: Option<String>,
        delivery: Option<&Delivery>,
    ) -> Result<(), RunError> {
        let Some((runbook, entry)) = self.runbooks.find(&stored.value.step) else { return Ok(()) };
        let record = &mut stored.value;
        let (was_parked, claim) = (record.parked, record.claim.clone());
        let note = settle(record, entry, runbook, outcome, said, &*self.clock);
        // Whoever holds the claim may still be at work.
        record.claim = claim;
        record.committed_by = delivery.map(|delivery| delivery.message_id.clone());
        if was_parked
            && note.entry.party == Some(Party::Operator)
            && let Some(fault) = &record.fault
        {
            record.parked = !fault.given_up;
            record.due = record.waiting.as_ref().map_or(fault.since, |waiting| waiting.deadline);
        }
        match self.records.commit(&stored, &note.entry).await {
            Err(error) if error.is_lost_race() => return Ok(()),
            other => other?,
        }
        super::tell::span(&stored.value, delivery).in_scope(|| super::tell::tell(&stored.value, &note));
        if stored.value.parked { Ok(()) } else { self.send_for(&stored.value).await }
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
        self.asked(stored, false, asked, message_id).await
    }

    /// Lets a record rest in a status, because somebody asked for it. Nothing is under way until somebody asks again.
    pub async fn rest(
        &self,
        mut stored: Versioned<Record>,
        status: Status,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        stored.value.status = status;
        self.asked(stored, true, asked, message_id).await
    }

    /// Commits what a request made of a record, and sends. Dying in between: the request is delivered again, has been heard, and sends.
    async fn asked(
        &self,
        mut stored: Versioned<Record>,
        resting: bool,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        let record = &mut stored.value;
        record.seq += 1;
        (record.waiting, record.fault, record.parked, record.poisoned) = (None, None, false, 0);
        record.resting = resting;
        record.due = asked.at;
        record.committed_by = Some(message_id.to_owned());
        record.hear(message_id);
        self.records.commit(&stored, &asked).await?;
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
            if record.committed_by.as_ref() == Some(&delivery.message_id) && !record.parked {
                self.send_for(record).await?;
            }
        }
        Ok(())
    }

    /// Sends a record's message once more. Old copies of it, should there be any, go stale.
    pub async fn send_again(&self, mut stored: Versioned<Record>, why: &str) -> Result<(), RunError> {
        let now = self.clock.now();
        let record = &mut stored.value;
        tracing::warn!(peering = record.id, step = record.step, seq = record.seq, "{why}: sent again");
        record.seq += 1;
        record.due = now;
        record.committed_by = None;
        let entry = JournalEntry::new(now, "sweep", "sent again", format!("step {}: {why}", record.step));
        match self.records.commit(&stored, &entry).await {
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
