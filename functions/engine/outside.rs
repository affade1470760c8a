//! Commits that no step makes: the poll's judgements, the sweep's nudges. They keep the rules: If-Match, `seq`, then the send.

use crate::engine::settle::settle;
use crate::engine::{Act, Delivery, Engine, RunError, Stop};
use crate::peering::JournalEntry;
use crate::store::Stored;

impl Engine {
    /// Settles a record by what was seen without its step. A lost race is no error: whoever was quicker sent.
    ///
    /// A parked record that a person has to attend to stays parked: the poll sees when it is mended.
    pub async fn conclude_from_outside(
        &self,
        mut stored: Stored,
        outcome: Result<Act, Stop>,
        said: Option<String>,
        delivery: Option<&Delivery>,
    ) -> Result<(), RunError> {
        let Some(entry) = self.runbook.entry(&stored.record.step) else { return Ok(()) };
        let record = &mut stored.record;
        let (was_parked, claim) = (record.parked, record.claim.clone());
        let note = settle(record, entry, &self.runbook, outcome, said, &*self.clock);
        // Whoever holds the claim may still be at work.
        record.claim = claim;
        record.committed_by = delivery.map(|delivery| delivery.message_id.clone());
        if was_parked
            && note.entry.outcome == "fix"
            && let Some(fault) = &record.fault
        {
            record.parked = !fault.given_up;
            record.due = record.waiting.as_ref().map_or(fault.since, |waiting| waiting.deadline);
        }
        match self.records.commit(&stored, &note.entry).await {
            Err(error) if error.is_lost_race() => return Ok(()),
            other => other?,
        }
        super::run::tell(&stored.record, &note);
        if stored.record.parked { Ok(()) } else { self.send_for(&stored.record).await }
    }

    /// Makes a record's step look again at once, with fresh deadlines, because somebody asked for it. Keeps the claim it finds: the
    /// step waits for its end. A finished record only gets a line in its journal.
    pub async fn start_afresh(
        &self,
        mut stored: Stored,
        asked: JournalEntry,
        message_id: &str,
    ) -> Result<(), RunError> {
        let now = self.clock.now();
        let record = &mut stored.record;
        if record.status.is_final() {
            return self.note(stored, asked).await;
        }
        if let Some(entry) = self.runbook.entry(&record.step) {
            record.status = entry.status;
        }
        record.seq += 1;
        (record.waiting, record.fault, record.parked, record.poisoned) = (None, None, false, 0);
        record.facts.recreated = 0;
        record.times.insert("started".to_owned(), now);
        record.due = now;
        record.committed_by = Some(message_id.to_owned());
        self.records.commit(&stored, &asked).await?;
        self.send_for(&stored.record).await
    }

    /// Sends a record's message once more. Old copies of it, should there be any, go stale.
    pub async fn send_again(&self, mut stored: Stored, why: &str) -> Result<(), RunError> {
        let now = self.clock.now();
        let record = &mut stored.record;
        tracing::warn!(peering = record.id, step = record.step, seq = record.seq, "{why}: sent again");
        record.seq += 1;
        record.due = now;
        record.committed_by = None;
        let entry = JournalEntry {
            at: now,
            step: "sweep".to_owned(),
            outcome: "sent again".to_owned(),
            note: format!("step {}: {why}", record.step),
            party: None,
            correlation: None,
            duration_ms: 0,
        };
        match self.records.commit(&stored, &entry).await {
            Err(error) if error.is_lost_race() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => self.send_for(&stored.record).await,
        }
    }
}

impl Engine {
    /// Adds to the journal of a peering without moving it: `seq` stays, so its message stays good.
    pub async fn note(&self, stored: Stored, entry: JournalEntry) -> Result<(), RunError> {
        Ok(self.records.note(&stored.record, &entry).await?)
    }
}
