//! A cause that stops every peering (Aiven's token, our own identity): recorded once, told once, over for all together.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::{error, info, warn};

use super::classify::{Class, classify};
use super::outcome::{Act, Stop};
use super::run::{Engine, RunError};
use super::settle::{cause_of, family, is_stopped_by};
use crate::cloud::{Failure, Service};
use crate::peering::{Party, Progress};
use crate::state::{Cause, Outage, Scope, SharedRow};
use crate::storage::StoreError;
use crate::telemetry;

/// The services that can stop every peering.
const STOPPERS: [Service; 2] = [Service::Aiven, Service::ManagedIdentity];

impl Engine {
    /// Notes what a step's outcome says of such a cause: that there is one, or that it is over.
    pub(super) async fn note_shared_cause(&self, row: &Progress, outcome: &Result<Act, Stop>) -> Result<(), RunError> {
        match outcome {
            Err(Stop::Failed(failure)) if classify(failure).class == Class::Shared => self.open_cause(failure).await?,
            // These say nothing of the service.
            Err(Stop::Failed(_) | Stop::Store(_)) => {}
            Err(Stop::Wait(wait)) if wait.party == Party::Ourselves => {}
            _ => {
                for service in STOPPERS.into_iter().filter(|service| is_stopped_by(row, *service)) {
                    self.close_cause_of(service).await?;
                }
            }
        }
        Ok(())
    }

    /// For who only looks: a cloud that gives no answer says nothing of what is in it.
    pub async fn unanswered(&self, failure: &Failure) -> Result<(), StoreError> {
        if classify(failure).class == Class::Shared {
            return self.open_cause(failure).await;
        }
        let Failure { service, status, code, correlation, .. } = failure;
        warn!(%service, status, code, correlation, "reconciliation got no answer, so it judges nothing: {failure}");
        Ok(())
    }

    /// Records a shared cause, and tells it if nobody has.
    pub async fn open_cause(&self, failure: &Failure) -> Result<(), StoreError> {
        let rule = classify(failure);
        let cause = Cause {
            code: cause_of(failure),
            what: failure.to_string(),
            command: rule.fix_for(failure),
            since: self.clock.now(),
        };
        let is_new = AtomicBool::new(false);
        let open = |row: &mut SharedRow| {
            // Where Aiven refuses a token, there is one: what was reported of a missing token is over.
            let missing =
                row.cause.take_if(|open| failure.service == Service::Aiven && is_of(open, Service::AivenToken));
            is_new.store(row.cause.is_none(), Relaxed);
            let since = missing.map_or(cause.since, |missing| missing.since);
            row.cause.get_or_insert_with(|| Cause { since, ..cause.clone() });
            is_new.load(Relaxed)
        };
        self.shared.change(&Scope::Installation, None, open).await?;
        if is_new.into_inner() {
            error!(event = telemetry::CAUSE_OPENED, service = %failure.service, code = failure.code, "{}, and every peering waits: {}", rule.why, cause.command);
        }
        Ok(())
    }

    /// Aiven answers: a cause of its, if there was one, is over.
    ///
    /// Returns the last stretch of time in which such a cause stopped every peering.
    pub async fn close_cause(&self) -> Result<Option<Outage>, StoreError> {
        self.close_cause_of(Service::Aiven).await
    }

    /// Records that a cause of a service is over; deadlines do not count the time in between.
    pub async fn close_cause_of(&self, service: Service) -> Result<Option<Outage>, StoreError> {
        let now = self.clock.now();
        let is_over = AtomicBool::new(false);
        let over = |row: &mut SharedRow| {
            let ended = row.cause.take_if(|cause| is_of(cause, service));
            is_over.store(ended.is_some(), Relaxed);
            let Some(cause) = ended else { return false };
            row.outage = Some(Outage { from: cause.since, to: now });
            true
        };
        let held = self.shared.change(&Scope::Installation, None, over).await?;
        if is_over.into_inner() {
            info!(event = telemetry::CAUSE_CLOSED, %service, "what stopped every peering is over");
        }
        Ok(held.value.outage)
    }
}

fn is_of(cause: &Cause, service: Service) -> bool {
    cause.code.starts_with(&family(service))
}
