//! The door: every request message, whatever its action. Parses, checks the allow-lists, and moves the record that is meant.

pub(crate) mod decide;

use tracing::info;

use self::decide::{Move, decide};
use crate::context::Context;
use crate::engine::{Delivery, Engine, REQUESTS, RunError};
use crate::peering::{
    Action, JournalEntry, Opening, Options, PeeringKey, Record, Request, Status, TraceParent, VnetId,
};
use crate::settings::Settings;
use crate::state::{Flag, Lookup, Versioned, reject_message, was_rejected};

/// Handles a message of the public queue. Bad input ends in table `rejected`, with the reason.
pub async fn accept_request(
    engine: &Engine,
    context: &Context,
    text: &str,
    delivery: &Delivery,
) -> Result<(), RunError> {
    let id = delivery.message_id.as_str();
    if delivery.redelivered && was_rejected(&engine.storage, (REQUESTS, id), text.as_bytes()).await? {
        return Ok(());
    }
    let request = match Request::parse(text) {
        Ok(request) => request,
        Err(reason) => return refuse(engine, text, id, &reason, reference_in(text).as_deref()).await,
    };
    let reference = request.reference.clone();
    if let Err(reason) = admit(&context.settings, &request) {
        return refuse(engine, text, id, &reason, reference.as_deref()).await;
    }
    let asked = Asked { engine, request: &request, text, delivery };
    match (request.key(), &request.vnet) {
        (Some(key), Some(vnet)) => asked.of_one(&key, vnet).await,
        _ => asked.of_all().await,
    }
}

/// Whoever may send to the queue may ask; the settings bound what they may ask for.
fn admit(settings: &Settings, request: &Request) -> Result<(), String> {
    if !settings.allowed_vpcs.is_empty() && !settings.allowed_vpcs.iter().any(|allowed| allowed.admits(&request.vpc)) {
        return Err(format!("VPC {} is not among ALLOWED_VPCS", request.vpc));
    }
    let Some(vnet) = &request.vnet else { return Ok(()) };
    if !settings.admits_subscription(&vnet.subscription) {
        return Err(format!("subscription {} is not among ALLOWED_SUBSCRIPTIONS", vnet.subscription));
    }
    Ok(())
}

/// A request as it came.
struct Asked<'a> {
    engine: &'a Engine,
    request: &'a Request,
    text: &'a str,
    delivery: &'a Delivery,
}

impl Asked<'_> {
    async fn of_one(&self, key: &PeeringKey, vnet: &VnetId) -> Result<(), RunError> {
        let mut loaded = self.engine.records.load(key).await?;
        if matches!(loaded, Lookup::Absent) {
            if self.request.action != Action::Create {
                let reason = format!("there is no peering of this VPC and VNet to {}", self.request.action);
                return self.refuse(&reason).await;
            }
            if self.open(key, vnet).await? {
                return Ok(());
            }
            // Another request for the same pair was quicker by a hair.
            loaded = self.engine.records.load(key).await?;
        }
        match loaded {
            Lookup::Found(stored) => self.meet(*stored).await,
            // A newer program's record is that program's to handle.
            Lookup::NewerSchema | Lookup::Absent => Ok(self.engine.leave_to_newer(REQUESTS, self.text).await?),
        }
    }

    /// Every peering of the VPC that is not as it was wanted, but for those that are to stand still.
    async fn of_all(&self) -> Result<(), RunError> {
        for stored in self.engine.records.unfinished(&self.request.vpc).await? {
            if stored.value.status != Status::Paused {
                self.meet(stored).await?;
            }
        }
        Ok(())
    }

    /// The VPC's row first, so that a record is never without the timers' attention; then the record; then the first message.
    /// False: there is a record already.
    async fn open(&self, key: &PeeringKey, vnet: &VnetId) -> Result<bool, RunError> {
        let Self { engine, request, .. } = self;
        engine.vpcs.set(&key.vpc, Flag::Open, true).await?;
        let (requested_by, reference) = (request.requested_by.clone(), request.reference.clone());
        let options = options_of(request);
        let opening = Opening { key: key.clone(), vnet: vnet.clone(), options, requested_by, reference };
        let mut record = Record::open(opening, engine.runbooks.create.first(), engine.clock.now());
        record.committed_by = Some(self.delivery.message_id.clone());
        record.hear(&self.delivery.message_id);
        record.trace = Some(self.trace());
        match engine.records.open(&record, &self.entry("requested", "requested")).await {
            Err(error) if error.is_lost_race() => return Ok(false),
            other => other?,
        }
        info!(peering = record.id, vpc = %record.key.vpc, vnet = %record.vnet, "requested");
        engine.send_for(&record).await?;
        Ok(true)
    }

    /// The pair is known already. A request that has moved it before, and comes again, moves nothing: its worker may have died before the send.
    async fn meet(&self, mut stored: Versioned<Record>) -> Result<(), RunError> {
        let (engine, id) = (self.engine, self.delivery.message_id.as_str());
        let record = &mut stored.value;
        let committed = record.committed_by.as_deref() == Some(id);
        if committed || record.has_heard(id) {
            return if committed && self.delivery.redelivered { engine.send_for(record).await } else { Ok(()) };
        }
        if self.delivery.redelivered && engine.records.has_noted(&record.key, id).await? {
            return Ok(());
        }
        let action = self.request.action.to_string();
        record.trace.get_or_insert_with(|| self.trace());
        match decide(record, self.request, &engine.runbooks, engine.clock.now()) {
            Move::Begin(step) => {
                info!(peering = record.id, step, "asked to {action}");
                let entry = self.entry(&action, &format!("asked to {action}"));
                engine.begin(stored, &step, entry, id).await
            }
            Move::Rest { status, paused_from } => {
                info!(peering = record.id, "asked to {action}");
                let entry = self.entry(&action, &format!("asked to {action}"));
                engine.rest(stored, status, paused_from, entry, id).await
            }
            Move::Note(note) => {
                let outcome = if self.request.action == Action::Create { "requested again" } else { &action };
                let entry = self.entry(outcome, &note);
                engine.note(stored, entry, id).await
            }
            Move::Refuse(reason) => self.refuse(&reason).await,
        }
    }

    /// The trace goes on from the host's; where it has none, it begins with the request.
    fn trace(&self) -> String {
        let Delivery { message_id, trace, .. } = self.delivery;
        trace.unwrap_or_else(|| TraceParent::root(message_id)).child("requested").to_string()
    }

    fn entry(&self, outcome: &str, what: &str) -> JournalEntry {
        let sender = (self.request.requested_by.as_deref(), self.request.reference.as_deref());
        JournalEntry::asked(self.engine.clock.now(), "accept_request", outcome, what, sender)
    }

    async fn refuse(&self, reason: &str) -> Result<(), RunError> {
        refuse(self.engine, self.text, &self.delivery.message_id, reason, self.request.reference.as_deref()).await
    }
}

fn options_of(request: &Request) -> Options {
    Options {
        application: request.application,
        peering_name: request.peering_name.clone(),
        allow_forwarded_traffic: request.allow_forwarded_traffic,
        user_peer_network_cidrs: request.user_peer_network_cidrs.clone(),
    }
}

async fn refuse(
    engine: &Engine,
    text: &str,
    message_id: &str,
    reason: &str,
    reference: Option<&str>,
) -> Result<(), RunError> {
    info!(reference, "a request was refused; table rejected says why");
    let (queue, now) = ((REQUESTS, message_id), engine.clock.now());
    Ok(reject_message(&engine.storage, queue, text.as_bytes(), reason, reference, now).await?)
}

/// The sender's reference, if the text is JSON at all: a refusal can be found by it.
pub fn reference_in(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(json.get("reference")?.as_str()?.chars().filter(|c| !c.is_control()).take(256).collect())
}
