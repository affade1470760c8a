//! Timer, every minute: asks for a poll of every VPC that has a waiting peering. Reads one row a VPC, never the peerings.

use std::time::Duration;

use crate::engine::{Engine, POLL_VPC, PollMessage, RunError, queue_of, to_text};
use crate::state::Flag;

/// One message a VPC; a VPC polled less than ten seconds ago absorbs it.
pub async fn poll_waiting(engine: &Engine) -> Result<(), RunError> {
    for vpc in engine.vpcs.flagged(Flag::Waiting).await? {
        engine.send(&queue_of(POLL_VPC), &to_text(&PollMessage::of(&vpc))?, Duration::ZERO).await?;
    }
    Ok(())
}
