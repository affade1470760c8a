//! Action `retry`: goes on at once, one peering or all of a VPC, with fresh deadlines.

use super::{REQUESTS, entry, refuse, told};
use crate::engine::{Engine, RunError};
use crate::peering::Request;
use crate::store::Loaded;

/// Makes each peering that is meant look again. Done twice, it is done once: the later message makes the earlier stale.
pub async fn retry(engine: &Engine, request: Request, text: &str, message_id: &str) -> Result<(), RunError> {
    let reference = request.reference.as_deref();
    let meant = match request.key() {
        None => engine.records.unfinished(&request.vpc).await?,
        Some(key) => match engine.records.load(&key).await? {
            Loaded::Here(stored) => vec![*stored],
            Loaded::Absent => {
                return refuse(engine, text, "there is no peering of this VPC and VNet to retry", reference).await;
            }
            Loaded::Newer => return Ok(engine.send(REQUESTS, text, std::time::Duration::from_secs(60)).await?),
        },
    };
    for stored in meant {
        let note = entry(engine, "retry", told("asked to retry", request.requested_by.as_deref(), reference));
        engine.start_afresh(stored, note, message_id).await?;
    }
    Ok(())
}
