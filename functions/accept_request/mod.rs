//! The door: every request message, whatever its action. Parses, checks the allow-lists, opens the record, sends the first step.

mod retry;

use std::time::Duration;

use tracing::info;

use crate::create::Tools;
use crate::engine::{Delivery, Engine, RunError};
use crate::peering::{Action, JournalEntry, Opening, Options, PeeringKey, Record, Request, VnetId};
use crate::settings::Settings;
use crate::store::{Loaded, Stored, VpcRow, reject};

/// The public queue.
pub const REQUESTS: &str = "peering-requests";

/// Handles a message of the public queue. Bad input ends in table `rejected`, with the reason.
pub async fn accept_request(engine: &Engine, tools: &Tools, text: &str, delivery: &Delivery) -> Result<(), RunError> {
    accept(engine, tools, text, &delivery.message_id, delivery.redelivered).await
}

/// The same, of a message that came on another way.
pub async fn accept(
    engine: &Engine,
    tools: &Tools,
    text: &str,
    message_id: &str,
    redelivered: bool,
) -> Result<(), RunError> {
    let request = match Request::parse(text) {
        Ok(request) => request,
        Err(reason) => return refuse(engine, text, &reason, reference_in(text).as_deref()).await,
    };
    let reference = request.reference.clone();
    if let Err(reason) = admit(&tools.settings, &request) {
        return refuse(engine, text, &reason, reference.as_deref()).await;
    }
    if request.action == Action::Retry {
        return retry::retry(engine, request, text, message_id).await;
    }
    let (Some(key), Some(vnet)) = (request.key(), request.vnet.clone()) else {
        return refuse(engine, text, "the request names no VNet", reference.as_deref()).await;
    };
    let mut loaded = engine.records.load(&key).await?;
    if matches!(loaded, Loaded::Absent) {
        if open(engine, &request, &key, vnet, message_id).await? {
            return Ok(());
        }
        // Another request for the same pair was quicker by a hair.
        loaded = engine.records.load(&key).await?;
    }
    match loaded {
        Loaded::Here(stored) => meet(engine, *stored, request, text, message_id, redelivered).await,
        // A newer program's record is that program's to handle.
        Loaded::Newer | Loaded::Absent => Ok(engine.send(REQUESTS, text, Duration::from_secs(60)).await?),
    }
}

/// Whoever may send to the queue may ask; the settings bound what they may ask for.
fn admit(settings: &Settings, request: &Request) -> Result<(), String> {
    if !matches!(request.action, Action::Create | Action::Retry) {
        let action = request.action.to_string();
        return Err(format!("action {action:?} is not supported by this version, only \"create\" and \"retry\""));
    }
    if !settings.allowed_vpcs.is_empty() && !settings.allowed_vpcs.iter().any(|allowed| allowed.admits(&request.vpc)) {
        return Err(format!("VPC {} is not among ALLOWED_VPCS", request.vpc));
    }
    let Some(vnet) = &request.vnet else { return Ok(()) };
    if !settings.allowed_subscriptions.is_empty() && !settings.allowed_subscriptions.contains(&vnet.subscription) {
        return Err(format!("subscription {} is not among ALLOWED_SUBSCRIPTIONS", vnet.subscription));
    }
    Ok(())
}

/// The VPC's row first, so that a record is never without the timers' attention; then the record; then the first message.
/// False: there is a record already.
async fn open(
    engine: &Engine,
    request: &Request,
    key: &PeeringKey,
    vnet: VnetId,
    message_id: &str,
) -> Result<bool, RunError> {
    let opened = |row: &mut VpcRow| {
        let closed = !row.open;
        row.open = true;
        closed
    };
    engine.vpcs.change(&key.vpc, opened).await?;
    let now = engine.clock.now();
    let options = options_of(request);
    let (requested_by, reference) = (request.requested_by.clone(), request.reference.clone());
    let note = told("requested", requested_by.as_deref(), reference.as_deref());
    let opening = Opening { key: key.clone(), vnet, options, requested_by, reference };
    let mut record = Record::open(opening, engine.runbook.first(), now);
    record.committed_by = Some(message_id.to_owned());
    match engine.records.open(&record, &entry(engine, "requested", note)).await {
        Err(error) if error.is_lost_race() => return Ok(false),
        other => other?,
    }
    info!(peering = record.id, vpc = %record.key.vpc, vnet = %record.vnet, "requested");
    engine.send_for(&record).await?;
    Ok(true)
}

/// The pair is known already: the same request twice is one peering; another application or name is another peering, and refused.
async fn meet(
    engine: &Engine,
    stored: Stored,
    request: Request,
    text: &str,
    message_id: &str,
    redelivered: bool,
) -> Result<(), RunError> {
    let record = &stored.record;
    if record.committed_by.as_deref() == Some(message_id) && record.seq == 1 {
        // This very message opened the record; its worker may have died before the send.
        return if redelivered { engine.send_for(record).await } else { Ok(()) };
    }
    let asked = options_of(&request);
    if let Some(reason) = conflict(record, &asked) {
        return refuse(engine, text, &reason, request.reference.as_deref()).await;
    }
    let note = told("requested again", request.requested_by.as_deref(), request.reference.as_deref());
    engine.note(stored, entry(engine, "requested again", note)).await
}

fn conflict(record: &Record, asked: &Options) -> Option<String> {
    let pair = format!("peering {} of the same VPC and VNet exists", record.id);
    if asked.application != record.options.application {
        return Some(format!("{pair}, and with another application; delete it first"));
    }
    if asked.peering_name != record.options.peering_name {
        return Some(format!("{pair}, and with another peering_name; delete it first"));
    }
    (asked != &record.options).then(|| format!("{pair}, and with other options; send action \"update\""))
}

fn options_of(request: &Request) -> Options {
    Options {
        application: request.application,
        peering_name: request.peering_name.clone(),
        allow_forwarded_traffic: request.allow_forwarded_traffic,
        user_peer_network_cidrs: request.user_peer_network_cidrs.clone(),
    }
}

fn told(what: &str, by: Option<&str>, reference: Option<&str>) -> String {
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    let reference = reference.map(|reference| format!(", reference {reference}")).unwrap_or_default();
    format!("{what}{by}{reference}")
}

fn entry(engine: &Engine, outcome: &str, note: String) -> JournalEntry {
    let (at, step) = (engine.clock.now(), "accept_request".to_owned());
    JournalEntry { at, step, outcome: outcome.to_owned(), note, party: None, correlation: None, duration_ms: 0 }
}

async fn refuse(engine: &Engine, text: &str, reason: &str, reference: Option<&str>) -> Result<(), RunError> {
    info!(reference, "a request was refused; table rejected says why");
    Ok(reject(&engine.storage, REQUESTS, text.as_bytes(), reason, reference, engine.clock.now()).await?)
}

/// The sender's reference, if the text is JSON at all: a refusal can be found by it.
fn reference_in(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(json.get("reference")?.as_str()?.chars().filter(|c| !c.is_control()).take(256).collect())
}
