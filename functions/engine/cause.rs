//! A cause that stops every peering (Aiven's token, our own identity): recorded once, told once, over for all together.

use tracing::{error, info};

use crate::engine::{Act, Class, Engine, Failure, RunError, Stop, classify, settle};
use crate::peering::Record;
use crate::store::{Cause, Outage, Scope, StoreError};

impl Engine {
    /// Notes what a step's outcome says of such a cause: that there is one, or that it is over.
    pub(super) async fn note_shared_cause(&self, record: &Record, outcome: &Result<Act, Stop>) -> Result<(), RunError> {
        let was_stopped = record.waiting.as_ref().is_some_and(|waiting| waiting.code.starts_with(settle::SHARED));
        match outcome {
            Err(Stop::Failed(failure)) if classify(failure).class == Class::Shared => {
                Ok(self.open_cause(failure).await?)
            }
            Ok(_) if was_stopped => Ok(self.close_cause().await?),
            _ => Ok(()),
        }
    }

    /// Records a shared cause, and tells it if nobody has.
    pub async fn open_cause(&self, failure: &Failure) -> Result<(), StoreError> {
        let rule = classify(failure);
        let cause = Cause {
            code: failure.code.clone(),
            what: failure.to_string(),
            command: rule.fix.to_owned(),
            since: self.clock.now(),
        };
        let told = std::sync::atomic::AtomicBool::new(true);
        self.shared
            .change(&Scope::Installation, |row| {
                let is_new = row.cause.is_none();
                told.store(!is_new, std::sync::atomic::Ordering::Relaxed);
                if is_new {
                    row.cause = Some(cause.clone());
                }
                is_new
            })
            .await?;
        if !told.into_inner() {
            error!(service = %failure.service, code = failure.code, "{}, and every peering waits: {}", rule.why, rule.fix);
        }
        Ok(())
    }

    /// Records that it is over; deadlines do not count the time in between.
    pub async fn close_cause(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let over = |row: &mut crate::store::SharedRow| match row.cause.take() {
            Some(cause) => {
                row.outage = Some(Outage { from: cause.since, to: now });
                true
            }
            None => false,
        };
        let before = self.shared.load(&Scope::Installation).await?.0.cause;
        if before.is_some() {
            self.shared.change(&Scope::Installation, over).await?;
            info!("what stopped every peering is over");
        }
        Ok(())
    }
}
