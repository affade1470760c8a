//! Queue `vpc-requests`: the door for an Aiven VPC that is to be, and the peerings that it is for.
//!
//! - here: parse, check the allow-lists, open the row of that owner, cloud and range, or join it.
//! - [`await_vpc`]: looks for the VPC, makes it, waits, and then sends the peering requests.
//! - `judge`: what Aiven's list says of it. Pure.     - `settle`: what an outcome makes of its row. Pure.
//!
//! A request for what is asked for already joins that row: whoever asks, and however often, one VPC is made.

pub mod await_vpc;
mod judge;
mod settle;
#[cfg(test)]
mod tests;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;

use crate::accept_request::reference_in;
use crate::context::Context;
use crate::engine::{Delivery, Engine, Fix, RunError, Stop, to_text};
use crate::peering::{SCHEMA, Status, VpcRequest};
use crate::settings::Settings;
use crate::state::{Lookup, Versioned, VpcRequestRow, VpcRequests, reject};
use crate::storage::StoreError;
use crate::telemetry;

/// The public queue.
pub const VPC_REQUESTS: &str = "vpc-requests";
/// The queue of the step that waits.
pub const AWAIT_VPC: &str = "await-vpc";
/// How long a message is put back for that a newer program, or an earlier request, has to be done with first. Nominal.
const PAUSE: Duration = Duration::from_secs(60);
/// How much of requests a row holds at once: a binary column has room for 64 KiB, and a message for 48.
const MOST_ASKED: usize = 60 * 1024;
/// How many messages are remembered; only the last few can come again.
const MOST_HEARD: usize = 20;

/// A hint to look at a row of requests. Older than the row, it means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcMessage {
    /// Version of this format.
    pub schema: u32,
    /// The row's key.
    pub request: String,
    /// Its `seq` when it was sent.
    pub seq: u64,
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
    let rows = VpcRequests::new(engine.storage.clone());
    loop {
        let mut held = match rows.load(&request.key()).await? {
            Lookup::NewerSchema => return Ok(engine.send(VPC_REQUESTS, text, PAUSE).await?),
            Lookup::Absent => Versioned::unwritten(new_row(&request, engine)),
            Lookup::Found(held) => *held,
        };
        match join(&mut held.value, &request, text, delivery, engine) {
            Joined::Heard { owes: true } => return send_for(engine, &held.value).await,
            Joined::Heard { owes: false } => return Ok(()),
            Joined::NoRoom => return Ok(engine.send(VPC_REQUESTS, text, PAUSE).await?),
            Joined::Yes => {}
        }
        match rows.write(&mut held).await {
            // Another was quicker: this one meets the row as it then is.
            Err(error) if error.is_lost_race() => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                info!(vpc_request = held.value.id, reference = request.reference, "a VPC was asked for");
                return send_for(engine, &held.value).await;
            }
        }
    }
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

fn new_row(request: &VpcRequest, engine: &Engine) -> VpcRequestRow {
    let now = engine.clock.now();
    VpcRequestRow {
        schema: SCHEMA,
        id: request.key(),
        requested_by: None,
        reference: None,
        status: Status::Requested,
        open: false,
        seq: 0,
        due: now,
        claim: None,
        waiting: None,
        fault: None,
        vpc: None,
        provenance: None,
        made_at: None,
        times: BTreeMap::from([("requested".to_owned(), now)]),
        committed_by: None,
        heard: Vec::new(),
        poisoned: 0,
        asks: Vec::new(),
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

/// Adds a request to a row. A row at rest begins anew; on one that is under way the claim it finds stays.
fn join(row: &mut VpcRequestRow, request: &VpcRequest, text: &str, delivery: &Delivery, engine: &Engine) -> Joined {
    let id = &delivery.message_id;
    let committed = row.committed_by.as_ref() == Some(id);
    if committed || row.heard.contains(id) {
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
    if !row.open {
        (row.status, row.made_at) = (Status::Requested, None);
    }
    (row.open, row.waiting, row.fault, row.poisoned) = (true, None, None, 0);
    row.times.insert("started".to_owned(), engine.clock.now());
    (row.requested_by, row.reference) = (request.requested_by.clone(), request.reference.clone());
    row.seq += 1;
    row.due = engine.clock.now();
    row.committed_by = Some(id.clone());
    if row.heard.len() >= MOST_HEARD {
        row.heard.remove(0);
    }
    row.heard.push(id.clone());
    Joined::Yes
}

/// Sends the row's message with the delay left.
async fn send_for(engine: &Engine, row: &VpcRequestRow) -> Result<(), RunError> {
    if !row.open {
        return Ok(());
    }
    let message = VpcMessage { schema: SCHEMA, request: row.id.clone(), seq: row.seq };
    Ok(engine.send(AWAIT_VPC, &to_text(&message), engine.clock.until(row.due)).await?)
}

/// Sends again what is overdue for longer than `most`, nominal: the message of such a row may be lost.
pub async fn nudge(engine: &Engine, most: Duration) -> Result<(), RunError> {
    let rows = VpcRequests::new(engine.storage.clone());
    for mut held in rows.open().await? {
        if engine.clock.since(held.value.due) < most {
            continue;
        }
        tracing::warn!(vpc_request = held.value.id, "its message was long overdue: sent again");
        send_again(&mut held.value, engine);
        commit(engine, &rows, held).await?;
    }
    Ok(())
}

/// A poison message of a row: sent again; after so many a person has to look, and it is tried again all the same.
pub async fn poisoned(engine: &Engine, message: &VpcMessage, most: u32) -> Result<(), RunError> {
    let rows = VpcRequests::new(engine.storage.clone());
    let mut held = match rows.load(&message.request).await? {
        Lookup::Found(held) => *held,
        Lookup::Absent => return Ok(()),
        Lookup::NewerSchema => {
            return Err(StoreError::Newer { what: format!("the row of VPC request {}", message.request) }.into());
        }
    };
    let row = &mut held.value;
    if message.seq != row.seq || !row.open {
        return Ok(());
    }
    let (times, claim) = (row.poisoned + 1, row.claim.clone());
    tracing::warn!(event = telemetry::POISONED, vpc_request = row.id, seq = row.seq, "its message failed five times");
    if times < most {
        send_again(row, engine);
    } else {
        let what = format!("{AWAIT_VPC} failed {} times over without an answer", times * 5);
        settle::settle(row, Err(Stop::Fix(Fix::report(what))), None, &*engine.clock);
    }
    // Whoever holds the claim may still be at work.
    (row.poisoned, row.claim, row.committed_by) = (times, claim, None);
    commit(engine, &rows, held).await
}

/// Old copies of its message, should there be any, go stale.
fn send_again(row: &mut VpcRequestRow, engine: &Engine) {
    row.seq += 1;
    row.due = engine.clock.now();
    row.committed_by = None;
}

/// A lost race is no error: whoever was quicker sent.
async fn commit(engine: &Engine, rows: &VpcRequests, mut held: Versioned<VpcRequestRow>) -> Result<(), RunError> {
    match rows.write(&mut held).await {
        Err(error) if error.is_lost_race() => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => send_for(engine, &held.value).await,
    }
}
