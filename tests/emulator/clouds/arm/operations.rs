//! Long-running operations of the network provider: started, polled, ended.

use super::{Caller, errors, halves, ids, method_not_allowed};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::{Operation, OperationKind, OperationState, World};
use serde_json::{Value, json};

/// An operation that has just been started, to be announced in the answer.
pub(super) struct Start {
    id: String,
    vnet: String,
}

/// One operation a network at a time (Microsoft.Network: AnotherOperationInProgress).
pub(super) fn idle(world: &World, vnet: &str) -> Answer<()> {
    let running = |o: &Operation| o.state == OperationState::InProgress && o.vnet.eq_ignore_ascii_case(vnet);
    if world.operations.values().any(running) { Err(errors::busy()) } else { Ok(()) }
}

pub(super) fn start(world: &mut World, vnet: &str, kind: OperationKind) -> Start {
    let id = clock::uuid();
    let operation = Operation {
        id: id.clone(),
        vnet: vnet.to_owned(),
        kind,
        ends_at: world.due_in(world.lags.arm_operation),
        state: OperationState::InProgress,
    };
    world.operations.insert(id.clone(), operation);
    Start { id, vnet: vnet.to_owned() }
}

impl Start {
    /// The answer to a PUT: the resource, and where to poll.
    pub(super) fn created(&self, world: &World, status: u16, body: Value) -> Reply {
        self.announce(world, Reply::new(status, body))
    }

    /// The answer to a DELETE.
    pub(super) fn accept(&self, world: &World) -> Reply {
        let location = self.url(world, "operationResults");
        self.announce(world, Reply::empty(202)).with("Location", location)
    }

    fn announce(&self, world: &World, reply: Reply) -> Reply {
        reply.with("Azure-AsyncOperation", self.url(world, "operations")).with("Retry-After", retry_after(world))
    }

    fn url(&self, world: &World, kind: &str) -> String {
        let subscription = ids::subscription(&self.vnet).unwrap_or_default();
        let location = world.vnet(&self.vnet).map_or("westeurope", |v| v.location.as_str());
        format!(
            "{}/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/{kind}/{}?api-version=2024-05-01",
            world.urls.arm, self.id
        )
    }
}

/// Seconds of nominal time, at most ten.
fn retry_after(world: &World) -> String {
    world.lags.arm_operation.as_secs().min(10).to_string()
}

pub(super) fn poll(world: &mut World, request: &Request, caller: &Caller, kind: &str, id: &str) -> Answer {
    if request.method != "GET" {
        return Err(method_not_allowed(request));
    }
    if world.upsets.forbid_polls > 0 {
        world.upsets.forbid_polls -= 1;
        let action = "Microsoft.Network/locations/operations/read";
        return Err(errors::forbidden(caller, action, request.path()));
    }
    let found = world.operations.get(id).filter(|o| world.tenant_of(&o.vnet) == Some(caller.tenant.as_str()));
    let Some(operation) = found else {
        let text = format!("Operation {id} not found.");
        return Err(errors::error(404, "OperationNotFound", &text));
    };
    // Who has no wider read needs the operation's own, of the network it is on.
    let action = match kind {
        "operations" => "Microsoft.Network/locations/operations/read",
        _ => "Microsoft.Network/locations/operationResults/read",
    };
    caller.need(world, action, &operation.vnet)?;
    match (kind, &operation.state) {
        ("operations", OperationState::InProgress) => {
            Ok(Reply::ok(json!({"status": "InProgress"})).with("Retry-After", retry_after(world)))
        }
        ("operations", OperationState::Succeeded) => Ok(Reply::ok(json!({"status": "Succeeded"}))),
        // HTTP 200 although it failed: only the body tells (ARM resource provider contract).
        ("operations", OperationState::Failed(code, message)) => {
            Ok(Reply::ok(json!({"status": "Failed", "error": {"code": code, "message": message, "details": []}})))
        }
        (_, OperationState::InProgress) => Ok(Reply::empty(202)
            .with("Location", format!("{}{}", world.urls.arm, request.target))
            .with("Retry-After", retry_after(world))),
        (_, OperationState::Succeeded) => Ok(Reply::empty(204)),
        (_, OperationState::Failed(code, message)) => Err(errors::error(409, code, message)),
    }
}

impl World {
    /// Ends the operations whose time has come.
    pub(crate) fn finish_operations(&mut self) {
        let now = self.now();
        let due = |o: &&Operation| o.state == OperationState::InProgress && o.ends_at <= now;
        let mut due: Vec<Operation> = self.operations.values().filter(due).cloned().collect();
        due.sort_by_key(|o| o.ends_at);
        for operation in due {
            let failure = self.upsets.fail_operations.pop_front();
            let state = match &failure {
                Some((code, message)) => OperationState::Failed(code.clone(), message.clone()),
                None => OperationState::Succeeded,
            };
            take_effect(self, &operation, failure.is_none());
            if let Some(operation) = self.operations.get_mut(&operation.id) {
                operation.state = state;
            }
        }
    }
}

fn take_effect(world: &mut World, operation: &Operation, succeeded: bool) {
    match &operation.kind {
        OperationKind::PutPeering(name) => halves::settle(world, &operation.vnet, name, succeeded),
        OperationKind::DeletePeering(name) if succeeded => halves::remove(world, &operation.vnet, name),
        OperationKind::DeletePeering(name) => halves::settle(world, &operation.vnet, name, true),
        OperationKind::PutVnet => {
            if let Some(vnet) = world.vnet_mut(&operation.vnet) {
                vnet.updating_until = None;
            }
        }
        OperationKind::DeleteVnet if succeeded => halves::remove_network(world, &operation.vnet),
        OperationKind::DeleteVnet => {}
    }
}
