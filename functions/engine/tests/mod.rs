//! The engine by itself: a clock that tests own, a runbook of scripted steps, records that read as sentences.

mod settle;
mod twin;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use super::settle::Note;
use super::settle::{Ended, settle};
use super::{Entry, Job, Look, Remedy, Runbook, Runbooks, Step, Stop, Workflow};
use crate::clock::{Clock, TimeScale};
use crate::cloud::{Failure, Service};
use crate::peering::{Opening, Options, PeeringKey, Record, Status, VnetId};

/// Minutes in seconds.
pub const MINUTE: u64 = 60;
/// Days in seconds.
pub const DAY: u64 = 24 * 3600;

/// A clock that goes only when told to. Nothing ever sleeps to its end on it.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// Stands at some instant.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap())))
    }

    /// Goes on by seconds.
    pub fn forward(&self, seconds: u64) {
        self.set(self.now() + SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
    }

    /// Goes to an instant, unless it is later already.
    pub fn set(&self, instant: Timestamp) {
        let mut now = self.0.lock().unwrap();
        *now = instant.max(*now);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn scale(&self) -> TimeScale {
        TimeScale::REAL
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

/// A step that has nothing to do, but may know a way out of a failure.
pub struct Idle(pub Option<Remedy>);

#[async_trait]
impl Step for Idle {
    async fn look(&self, _: &mut Job) -> Result<Look, Stop> {
        Ok(Look::Done)
    }

    fn remedy(&self, _: &Record, _: &Failure) -> Option<Remedy> {
        self.0.clone()
    }
}

/// A runbook of steps, which end `Active`.
pub fn runbook(steps: Vec<(&'static str, Status, Arc<dyn Step>)>) -> Runbook {
    let entry = |(name, status, step)| Entry { name, number: "1", status, title: "does it", step };
    Runbook { entries: steps.into_iter().map(entry).collect(), end: Status::Active, retired: &[("old", "second")] }
}

/// With a way back that has no steps.
pub fn both(create: Runbook) -> Runbooks {
    let vpc = Runbook { entries: Vec::new(), end: Status::Active, retired: &[] };
    Runbooks { create, delete: Runbook { entries: Vec::new(), end: Status::Deleted, retired: &[] }, vpc }
}

/// A record at the first step of a runbook. `vnet` tells peerings of one VPC apart.
pub fn record(vnet: &str, first: &str, now: Timestamp) -> Record {
    let vnet: VnetId = format!(
        "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{vnet}"
    )
    .parse()
    .unwrap();
    let vpc = "org:org1a2b3c4d5e6:66666666-6666-4666-8666-666666666666".parse().unwrap();
    let key = PeeringKey { vpc, vnet: vnet.key() };
    let opening = Opening { key, vnet, options: Options::default(), requested_by: None, reference: None };
    Record::open(opening, first, now)
}

/// A failure as a service words it.
pub fn failure(service: Service, status: u16, code: &str) -> Failure {
    Failure {
        service,
        call: "PUT /thing".into(),
        status: Some(status),
        code: code.to_owned(),
        message: "its words".to_owned(),
        retry_after: None,
        correlation: None,
        secret: None,
    }
}

/// Moves a row on by an outcome of its step.
pub fn settled<R: Workflow>(
    row: &mut R,
    runbook: &Runbook<R>,
    outcome: Result<super::Act, Stop>,
    said: Option<String>,
    clock: &dyn Clock,
) -> Note {
    let entry = runbook.entry(&row.step).unwrap();
    let ended = Ended::of(outcome, said, entry, row);
    settle(row, entry, runbook, ended, clock.moment())
}
