//! What the engine has to know of a kind of row to move it along a runbook.

use std::ops::DerefMut;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::classify::Since;
use super::message::{StepMessage, VpcMessage};
use super::step::{Entry, Runbook, Runbooks};
use crate::peering::{Half, Party, Progress, Provenance, Record, Status, VpcRef};
use crate::state::{Row, VpcRequestRow};

/// A kind of row that moves along a runbook: the record of a peering, or a request for a VPC.
pub trait Workflow: Row + DerefMut<Target = Progress> {
    /// The message that runs its step.
    type Message: Hint<Self>;

    /// What was recorded before an act, for one that turns out to have had no effect.
    type Before: Send;

    /// What such a row is called, for people.
    const NOUN: &'static str;

    /// The runbook of a step, and its entry there.
    fn find<'a>(runbooks: &'a Runbooks, step: &str) -> Option<(&'a Runbook<Self>, &'a Entry<Self>)>;

    /// Under which names log lines speak of it.
    fn names(&self) -> Names<'_>;

    /// The VPC whose poll moves it on, where a poll does.
    fn polled_vpc(&self) -> Option<&VpcRef>;

    /// Records that something is about to be made, so that what is found from now on counts as ours. `seen`: it was found before, and is
    /// only brought to its form.
    fn intend(&mut self, half: Option<Half>, seen: bool, now: Timestamp) -> Self::Before;

    /// Takes that back: nothing was made.
    fn withdraw(&mut self, half: Option<Half>, before: Self::Before);

    /// Since when the thing exists that a failure depends on; `None`: not known.
    fn made_at(&self, since: Since) -> Option<Timestamp>;

    /// The status while a step waits for a party.
    fn waiting_status(entry: &Entry<Self>, party: Party) -> Status;

    /// Its last step is done.
    fn arrive(&mut self, now: Timestamp);
}

/// A hint to run the step of a row. Older than the row, it means nothing.
pub trait Hint<R: Row>: Serialize + DeserializeOwned + Send + Sync {
    /// The hint that belongs to a row as it stands.
    fn of(row: &R) -> Self;

    /// Which row.
    fn key(&self) -> &R::Key;

    /// The row's `seq` when it was sent.
    fn seq(&self) -> u64;

    /// Whether the row has not moved since.
    fn is_current(&self, row: &R) -> bool;
}

/// The fields by which log lines, alerts and the workbook find a row; one of them is there.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Id of a peering.
    pub peering: Option<&'a str>,
    /// Id of a request for a VPC.
    pub vpc_request: Option<&'a str>,
}

impl Workflow for Record {
    type Before = Option<Provenance>;
    type Message = StepMessage;

    const NOUN: &'static str = "peering";

    fn find<'a>(runbooks: &'a Runbooks, step: &str) -> Option<(&'a Runbook, &'a Entry)> {
        runbooks.find(step)
    }

    fn names(&self) -> Names<'_> {
        Names { peering: Some(&self.id), vpc_request: None }
    }

    fn polled_vpc(&self) -> Option<&VpcRef> {
        Some(&self.key.vpc)
    }

    fn intend(&mut self, half: Option<Half>, seen: bool, _now: Timestamp) -> Option<Provenance> {
        let provenance = self.provenance.of(half?);
        let before = *provenance;
        if !seen {
            // What was adopted or created before is gone: what is there from now on is what we make now.
            *provenance = Some(Provenance::Claimed);
        }
        before
    }

    /// Unless an earlier try may have made it, nothing found later is ours.
    fn withdraw(&mut self, half: Option<Half>, before: Option<Provenance>) {
        if let Some(half) = half {
            let provenance = self.provenance.of(half);
            *provenance = provenance.filter(|p| *p != Provenance::Claimed).or(before);
        }
    }

    fn made_at(&self, since: Since) -> Option<Timestamp> {
        let facts = &self.facts;
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

    fn waiting_status(entry: &Entry, _party: Party) -> Status {
        entry.status
    }

    fn arrive(&mut self, _now: Timestamp) {
        self.mending = false;
        self.drift.clear();
    }
}

impl Workflow for VpcRequestRow {
    type Before = (Option<Provenance>, Option<Timestamp>);
    type Message = VpcMessage;

    const NOUN: &'static str = "VPC request";

    fn find<'a>(runbooks: &'a Runbooks, step: &str) -> Option<(&'a Runbook<Self>, &'a Entry<Self>)> {
        Some((&runbooks.vpc, runbooks.vpc.entry(step)?))
    }

    fn names(&self) -> Names<'_> {
        Names { peering: None, vpc_request: Some(&self.id) }
    }

    fn polled_vpc(&self) -> Option<&VpcRef> {
        None
    }

    fn intend(&mut self, _half: Option<Half>, _seen: bool, now: Timestamp) -> Self::Before {
        self.vpc = None;
        (self.provenance.replace(Provenance::Claimed), self.made_at.replace(now))
    }

    fn withdraw(&mut self, _half: Option<Half>, before: Self::Before) {
        (self.provenance, self.made_at) = before;
    }

    fn made_at(&self, _since: Since) -> Option<Timestamp> {
        None
    }

    fn waiting_status(entry: &Entry<Self>, party: Party) -> Status {
        if party == Party::Aiven { entry.status } else { Status::Requested }
    }

    fn arrive(&mut self, now: Timestamp) {
        self.times.insert("active".to_owned(), now);
        self.asks.clear();
    }
}

impl Hint<Record> for StepMessage {
    fn of(record: &Record) -> Self {
        Self::of(record)
    }

    fn key(&self) -> &<Record as Row>::Key {
        &self.peering
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn is_current(&self, record: &Record) -> bool {
        self.seq == record.seq && self.step == record.step
    }
}

impl Hint<VpcRequestRow> for VpcMessage {
    fn of(row: &VpcRequestRow) -> Self {
        Self { schema: crate::peering::SCHEMA, request: row.id.clone(), seq: row.seq }
    }

    fn key(&self) -> &String {
        &self.request
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn is_current(&self, row: &VpcRequestRow) -> bool {
        self.seq == row.seq
    }
}
