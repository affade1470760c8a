//! The way back, step 2: waits until the connection is gone at Aiven. DELETED entries linger in its list; absence counts, too. The poll of
//! the VPC looks for all.

use std::time::Duration;

use async_trait::async_trait;

use super::delete_aiven_peering::{self, NAME, ours, vpc_unless_absent};
use super::stays;
use crate::cloud::aiven::{ConnectionState, Vpc};
use crate::context::Context;
use crate::create::connection::forget_connection;
use crate::engine::{Act, Job, Judgement, Look, Polled, Step, Stop, Wait};
use crate::peering::{Half, Record};

/// Minutes, as a rule; then it is not normal any more. Nominal seconds.
const WINDOW: u64 = 45 * 60;
/// A connection that still lives has not heard of its deletion yet, or outlived it: it is deleted again. Nominal.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Its name.
pub const STEP: &str = "await_aiven_gone";

/// See the module.
pub struct AwaitAivenGone {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for AwaitAivenGone {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if stays(&mut job.record, Half::Aiven, NAME).is_some() {
            return Ok(Look::Done);
        }
        let vpc = vpc_unless_absent(self.context.clouds.aiven.vpc(&job.record.key.vpc).await)?;
        if vpc.as_ref().is_none_or(|vpc| is_gone(&job.record, vpc)) {
            forget_half(&mut job.record);
            return Ok(Look::Done);
        }
        if vpc.is_some_and(|vpc| ours(&job.record, &vpc).is_some()) {
            let why = "the connection is still there: it is deleted again".to_owned();
            return Err(Stop::Back { step: delete_aiven_peering::STEP, why, after: AGAIN_AFTER });
        }
        Err(Stop::Park(Wait::aiven("deleting", "Aiven deletes its half", 60, WINDOW).or(
            "ask Aiven's support what keeps the connection DELETING, with its id from the record; `retry` waits afresh",
        )))
    }

    fn on_poll(&self, record: &mut Record, polled: &Polled<'_>) -> Judgement {
        judge(record, polled.vpc)
    }
}

/// Whether it is gone, and forgets it if so.
pub fn judge(record: &mut Record, vpc: &Vpc) -> Judgement {
    is_gone(record, vpc).then(|| {
        forget_half(record);
        Ok(Act::Done)
    })
}

/// Nothing of ours lives, and nothing is on its way out.
fn is_gone(record: &Record, vpc: &Vpc) -> bool {
    let leaving = vpc.connections_to(&record.vnet).any(|connection| connection.state == ConnectionState::Deleting);
    !leaving && ours(record, vpc).is_none()
}

/// What is found from now on was made by somebody else. Where Aiven's network was is kept: our half leads there.
fn forget_half(record: &mut Record) {
    record.provenance.aiven = None;
    forget_connection(&mut record.facts);
}
