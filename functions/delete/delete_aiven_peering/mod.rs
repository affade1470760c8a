//! The way back, step 1: deletes the connection at Aiven, an organization's by its id, a project's by its network. Deleting takes Aiven a while.

use async_trait::async_trait;

use super::stays;
use crate::cloud::Failure;
use crate::cloud::aiven::{Connection, Vpc};
use crate::context::Context;
use crate::create::connection::is_other;
use crate::engine::{Act, Job, Look, Step, Stop};
use crate::peering::{Half, Record};

/// What Aiven's half is called in the journal.
pub const NAME: &str = "Aiven's connection";

/// Its name.
pub const STEP: &str = "delete_aiven_peering";

/// See the module.
pub struct DeleteAivenPeering {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for DeleteAivenPeering {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if let Some(why) = stays(&mut job.record, Half::Aiven, NAME) {
            job.said = Some(why);
            return Ok(Look::Done);
        }
        match vpc(&self.context, &job.record).await? {
            Some(vpc) if ours(&job.record, &vpc).is_some() => Ok(Look::Missing),
            _ => {
                job.said = Some(format!("{NAME} is gone already, or going"));
                Ok(Look::Done)
            }
        }
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let Some(vpc) = vpc(&self.context, &job.record).await? else { return Ok(Act::Done) };
        let Some(connection) = ours(&job.record, &vpc) else { return Ok(Act::Done) };
        match self.context.clouds.aiven.delete_connection(&job.record.key.vpc, connection).await {
            Err(failure) if is_absent(&failure) => Ok(Act::Done),
            other => Ok(other.map(|()| Act::Done)?),
        }
    }
}

/// The VPC; `None`: it does not exist any more, and its connections with it.
pub fn vpc_unless_absent(answer: Result<Vpc, Failure>) -> Result<Option<Vpc>, Failure> {
    match answer {
        Err(failure) if is_absent(&failure) => Ok(None),
        other => other.map(Some),
    }
}

async fn vpc(context: &Context, record: &Record) -> Result<Option<Vpc>, Stop> {
    Ok(vpc_unless_absent(context.clouds.aiven.vpc(&record.key.vpc).await)?)
}

/// Aiven says 403, not 404, of what a token may not see.
fn is_absent(failure: &Failure) -> bool {
    failure.status == Some(404)
}

/// The connection that we made, if it lives. One with another id or for another application was made by somebody else since.
pub fn ours<'a>(record: &Record, vpc: &'a Vpc) -> Option<&'a Connection> {
    let connection = vpc.live_connection_to(&record.vnet)?;
    let facts = &record.facts;
    let other_app = facts.application.zip(connection.app_id).is_some_and(|(a, b)| a != b);
    (!other_app && !is_other(facts, connection)).then_some(connection)
}
