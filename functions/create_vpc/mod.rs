//! Queue `vpc-requests`: the door for an Aiven VPC that is to be, and the peerings that it is for.
//!
//! - here: parse, check the allow-lists, open the row of that owner, cloud and range, or join it.
//! - [`await_vpc`]: looks for the VPC, makes it, waits, and then sends the peering requests.
//! - `judge`: what Aiven's list says of it. Pure.
//!
//! A request for what is asked for already joins that row: whoever asks, and however often, one VPC is made.

pub mod await_vpc;
mod judge;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tracing::info;

use crate::accept_request::reference_in;
use crate::context::Context;
use crate::engine::{Delivery, Engine, RunError, Runbook, VPC_REQUESTS, step};
use crate::peering::{JournalEntry, Phase, Status, VpcRequest};
use crate::settings::Settings;
use crate::state::{self, Lookup, Versioned, VpcRequestRow, reject};
use crate::storage::Storage;

/// How long a message is put back for that a newer program, or an earlier request, has to be done with first. Nominal.
const PAUSE: Duration = Duration::from_secs(60);
/// How much of requests a row holds at once: a binary column has room for 64 KiB, and a message for 48.
const MOST_ASKED: usize = 60 * 1024;
/// How often a request meets its row again when other requests keep changing it.
const TRIES: u32 = 8;

/// The runbook: one step, which looks for the VPC, makes it, and waits until it is ready.
pub fn runbook(context: &Context, storage: &Storage) -> Runbook<VpcRequestRow> {
    let await_vpc = await_vpc::AwaitVpc { context: context.clone(), storage: storage.clone() };
    let title = "make the Aiven VPC, and ask for its peerings";
    let entries = vec![step(state::AWAIT_VPC, "before 11", Status::WaitingForAiven, title, await_vpc)];
    Runbook { entries, end: Status::Active, retired: &[] }
}

/// Handles a message of the public queue. Bad input ends in table `rejected`, with the reason.
pub async fn create_vpc(engine: &Engine, context: &Context, text: &str, delivery: &Delivery) -> Result<(), RunError> {
    let asked = VpcRequest::parse(text).and_then(|request| admit(&context.settings, &request).map(|()| request));
    let request = match asked {
        Ok(request) => request,
        Err(reason) => {
            let (reference, now) = (reference_in(text), engine.clock.now());
            info!(reference, "a request for a VPC was refused; table rejected says why");
            let refused = reject(&engine.storage, VPC_REQUESTS, text.as_bytes(), &reason, reference.as_deref(), now);
            return Ok(refused.await?);
        }
    };
    for _ in 0..TRIES {
        let mut held = match engine.rows::<VpcRequestRow>().load(&request.key()).await? {
            Lookup::NewerSchema => break,
            Lookup::Absent => Versioned::unwritten(VpcRequestRow::new(request.key(), engine.clock.now())),
            Lookup::Found(held) => *held,
        };
        match join(&mut held.value, &request, text, delivery, engine.clock.now()) {
            Joined::Heard { owes: true } => return engine.send_for(&held.value).await,
            Joined::Heard { owes: false } => return Ok(()),
            Joined::NoRoom => break,
            Joined::Yes => {}
        }
        let sender = (request.requested_by.as_deref(), request.reference.as_deref());
        let entry = JournalEntry::asked(engine.clock.now(), "create_vpc", "requested", "requested", sender);
        let id = held.value.id.clone();
        match engine.asked(held, Phase::Scheduled, entry, &delivery.message_id).await {
            // Another was quicker: this one meets the row as it then is.
            Err(error) if error.is_lost_race() => {}
            Err(error) => return Err(error),
            Ok(()) => {
                info!(vpc_request = id, reference = request.reference, "a VPC was asked for");
                return Ok(());
            }
        }
    }
    Ok(engine.send(VPC_REQUESTS, text, PAUSE).await?)
}

/// Whoever may send to the queue may ask; the settings bound what they may ask for.
fn admit(settings: &Settings, request: &VpcRequest) -> Result<(), String> {
    let owner = &request.owner;
    if !settings.admits_vpcs_of(owner) {
        return Err(format!("no VPC may be made for {owner}: {owner} itself is not among ALLOWED_VPCS"));
    }
    let mut subscriptions = request.peerings.iter().filter_map(|peering| Some(peering.vnet.as_ref()?.subscription));
    match subscriptions.find(|subscription| !settings.admits_subscription(subscription)) {
        Some(other) => Err(format!("subscription {other} is not among ALLOWED_SUBSCRIPTIONS")),
        None => Ok(()),
    }
}

/// What became of a request that met a row.
enum Joined {
    /// It moves the row.
    Yes,
    /// It has moved it before; its worker may have died before the send.
    Heard {
        /// The send is owed.
        owes: bool,
    },
    /// The requests before it have to be done first.
    NoRoom,
}

/// Adds a request to a row. An idle row begins again; on one that is under way the claim it finds stays.
fn join(row: &mut VpcRequestRow, request: &VpcRequest, text: &str, delivery: &Delivery, now: Timestamp) -> Joined {
    let id = &delivery.message_id;
    let committed = row.committed_by.as_ref() == Some(id);
    if committed || row.has_heard(id) {
        return Joined::Heard { owes: committed && delivery.redelivered };
    }
    // It was read before: it is JSON.
    let ask: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let held: usize = row.asks.iter().map(|ask| ask.to_string().len() + 1).sum();
    if !row.asks.is_empty() && held + ask.to_string().len() > MOST_ASKED {
        return Joined::NoRoom;
    }
    if !row.asks.contains(&ask) {
        row.asks.push(ask);
    }
    if row.is_idle() {
        (row.status, row.made_at) = (Status::Requested, None);
    }
    row.times.insert("started".to_owned(), now);
    (row.requested_by, row.reference) = (request.requested_by.clone(), request.reference.clone());
    Joined::Yes
}
