//! What each outcome makes of a record.

mod faults;
mod outcomes;
mod waits;

use std::sync::Arc;

use super::{Idle, MINUTE, ManualClock, failure, record, runbook, settled};
use crate::clock::Clock;
use crate::cloud::Service;
use crate::engine::settle::Note;
use crate::engine::{Act, Fix, Remedy, Runbook, Stop, Wait};
use crate::peering::{Claim, Party, Record, Status};

/// A record under way, the time, and the runbook it follows.
struct Scene {
    record: Record,
    clock: ManualClock,
    runbook: Runbook,
}

impl Scene {
    /// At the first of three steps, under a claim.
    fn new() -> Self {
        Self::with_remedy(None)
    }

    fn with_remedy(remedy: Option<Remedy>) -> Self {
        let clock = ManualClock::new();
        let steps = [
            ("first", Status::Authorizing, remedy),
            ("second", Status::WaitingForAiven, None),
            ("third", Status::Peering, None),
        ];
        let steps = steps.map(|(name, status, remedy)| (name, status, Arc::new(Idle(remedy)) as _));
        let mut record = record("net", "first", clock.now());
        record.claim = Some(Claim { step: "first".to_owned(), by: "m".to_owned(), until: clock.now() });
        Self { record, clock, runbook: runbook(steps.into()) }
    }

    fn at(mut self, step: &str) -> Self {
        step.clone_into(&mut self.record.step);
        self
    }

    /// Settles an outcome of the record's step; every commit moves `seq` by one and ends the claim.
    fn settle(&mut self, outcome: Result<Act, Stop>) -> Note {
        let seq = self.record.seq;
        let note = settled(&mut self.record, &self.runbook, outcome, None, &self.clock);
        assert_eq!((self.record.seq, &self.record.claim), (seq + 1, &None));
        note
    }

    /// Settles it again after some seconds.
    fn later(&mut self, seconds: u64, outcome: Result<Act, Stop>) -> Note {
        self.clock.forward(seconds);
        self.settle(outcome)
    }

    /// Nominal seconds until the record's next message is due.
    fn delay(&self) -> u64 {
        self.clock.until(self.record.due).as_secs()
    }

    fn fault(&self) -> Option<&str> {
        self.record.fault.as_ref().map(|fault| fault.code.as_str())
    }
}

fn wait(code: &str, delay: u64, window: u64) -> Result<Act, Stop> {
    Err(Wait::azure(code, "it is slow", delay, window).or("hurry it").into())
}

fn fix(code: &str) -> Result<Act, Stop> {
    let words = || "words".to_owned();
    Err(Fix { what: words(), why: words(), command: words(), code: code.to_owned(), correlation: None }.into())
}

fn failed(service: Service, status: u16, code: &str) -> Result<Act, Stop> {
    Err(failure(service, status, code).into())
}
