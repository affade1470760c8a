//! Faults: calls that are refused, delayed or cut, and trouble in the clouds' own doings.

mod named;

use super::aiven;
use super::arm;
use super::calls::Service;
use super::clock;
use super::http::{Reply, Request};
use super::world::World;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// One thing that goes wrong; given to `Clouds::fault`.
///
/// A fault of calls strikes the calls that match `service`, method and every text in the path, skips the first
/// few if told so, and strikes once unless told otherwise. A fault that lets the call take effect strikes only
/// calls that the service answers with success, so a refusal on the way does not use it up.
#[derive(Clone)]
pub struct Fault {
    pub(crate) kind: Kind,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Call(CallFault),
    World(Arc<dyn Fn(&mut World) + Send + Sync>),
}

#[derive(Clone)]
pub(crate) struct CallFault {
    service: Option<Service>,
    methods: Vec<String>,
    path: Vec<String>,
    not_path: Vec<String>,
    skip: usize,
    times: Option<usize>,
    only_created: bool,
    pub(crate) action: Action,
}

/// What a fault does to a call.
#[derive(Clone)]
pub(crate) enum Action {
    Respond(Reply),
    CutBefore,
    CutAfter,
    CutAfterThen(Arc<dyn Fn() + Send + Sync>),
    Delay(Duration),
}

impl Fault {
    fn call(action: Action) -> Self {
        Self {
            kind: Kind::Call(CallFault {
                service: None,
                methods: Vec::new(),
                path: Vec::new(),
                not_path: Vec::new(),
                skip: 0,
                times: Some(1),
                only_created: false,
                action,
            }),
        }
    }

    /// Refuses without any effect, with the service's own error body. For Aiven `code` is the `error_code`, left
    /// out when empty; for Entra the AADSTS number.
    pub fn refuse(service: Service, status: u16, code: &str, message: &str) -> Self {
        Self::call(Action::Respond(body(service, status, code, message))).on(service)
    }

    /// Answers 429 without any effect; with `Retry-After` in nominal seconds, or without it (Aiven has the wait in
    /// the text either way).
    pub fn throttle(service: Service, retry_after: Option<u64>) -> Self {
        let reply = match service {
            Service::Aiven => aiven::errors::too_many(120, retry_after.unwrap_or(7)),
            Service::Entra => body(service, 429, "90055", "The tenant exceeded its request limit."),
            _ => body(service, 429, "TooManyRequests", "The request is being throttled. Try again later."),
        };
        let reply = match retry_after {
            Some(seconds) => reply.with("Retry-After", seconds.to_string()),
            None => reply,
        };
        Self::call(Action::Respond(reply)).on(service)
    }

    /// Cuts the connection before the service has seen the call.
    pub fn cut_before() -> Self {
        Self::call(Action::CutBefore)
    }

    /// Lets the call take effect, then cuts the connection without an answer.
    pub fn cut_after() -> Self {
        Self::call(Action::CutAfter)
    }

    /// Lets the call take effect, then runs `then` (to kill a process, say) and cuts without an answer.
    pub fn cut_after_then(then: impl Fn() + Send + Sync + 'static) -> Self {
        Self::call(Action::CutAfterThen(Arc::new(then)))
    }

    /// Answers late, by a nominal time; the effect is made after the delay.
    pub fn delay(nominal: Duration) -> Self {
        Self::call(Action::Delay(nominal))
    }

    /// Changes the state of the clouds, at once when it is given to `Clouds::fault`.
    pub fn world(change: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self { kind: Kind::World(Arc::new(change)) }
    }

    fn edit(mut self, edit: impl FnOnce(&mut CallFault)) -> Self {
        if let Kind::Call(fault) = &mut self.kind {
            edit(fault);
        }
        self
    }

    /// Strikes this service only.
    pub fn on(self, service: Service) -> Self {
        self.edit(|f| f.service = Some(service))
    }

    /// Strikes this method only; again: this one too.
    pub fn method(self, method: &str) -> Self {
        self.edit(|f| f.methods.push(method.to_ascii_uppercase()))
    }

    /// Strikes only calls whose path and query contain this text, in any case; again: this text too.
    pub fn path(self, text: &str) -> Self {
        self.edit(|f| f.path.push(text.to_ascii_lowercase()))
    }

    /// Spares calls whose path and query contain this text.
    pub fn without(self, text: &str) -> Self {
        self.edit(|f| f.not_path.push(text.to_ascii_lowercase()))
    }

    /// Lets the first `n` matching calls pass.
    pub fn after(self, n: usize) -> Self {
        self.edit(|f| f.skip = n)
    }

    /// Strikes `n` times.
    pub fn times(self, n: usize) -> Self {
        self.edit(|f| f.times = Some(n))
    }

    /// Strikes every time.
    pub fn always(self) -> Self {
        self.edit(|f| f.times = None)
    }

    /// With effect only: strikes answers 201 and Aiven's 200 to a POST, not those that found the thing there.
    pub fn created_only(self) -> Self {
        self.edit(|f| f.only_created = true)
    }
}

impl CallFault {
    fn matches(&self, service: Service, request: &Request) -> bool {
        let target = request.target.to_ascii_lowercase();
        self.service.is_none_or(|s| s == service)
            && (self.methods.is_empty() || self.methods.contains(&request.method))
            && self.path.iter().all(|p| target.contains(p.as_str()))
            && !self.not_path.iter().any(|p| target.contains(p.as_str()))
    }

    /// Counts a matching call; says whether it is struck.
    fn strike(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(times) = &mut self.times {
            *times = times.saturating_sub(1);
        }
        true
    }

    fn spent(&self) -> bool {
        self.times == Some(0)
    }
}

/// The standing faults.
#[derive(Default)]
pub(crate) struct Faults {
    standing: Vec<CallFault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: CallFault) {
        self.standing.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.standing.clear();
    }

    pub(crate) fn standing(&self) -> usize {
        self.standing.len()
    }

    /// The fault that strikes before the service sees the call.
    pub(crate) fn before(&mut self, service: Service, request: &Request) -> Option<Action> {
        self.find(service, request, |f| matches!(f.action, Action::Respond(_) | Action::CutBefore | Action::Delay(_)))
    }

    /// The fault that strikes after the service has answered with success.
    pub(crate) fn after(&mut self, service: Service, request: &Request, reply: &Reply) -> Option<Action> {
        let success = (200..300).contains(&reply.status);
        let created = reply.status == 201 || (service == Service::Aiven && request.method == "POST");
        self.find(service, request, |f| {
            matches!(f.action, Action::CutAfter | Action::CutAfterThen(_)) && success && (created || !f.only_created)
        })
    }

    fn find(&mut self, service: Service, request: &Request, kind: impl Fn(&CallFault) -> bool) -> Option<Action> {
        let mut struck = None;
        for fault in &mut self.standing {
            if struck.is_none() && kind(fault) && fault.matches(service, request) && fault.strike() {
                struck = Some(fault.action.clone());
            }
        }
        self.standing.retain(|f| !f.spent());
        struck
    }
}

/// An error body in the service's own shape.
fn body(service: Service, status: u16, code: &str, message: &str) -> Reply {
    match service {
        Service::Aiven if code.is_empty() => aiven::errors::error(status, message),
        Service::Aiven => aiven::errors::coded(status, code, message),
        Service::Arm => arm::errors::error(status, code, message),
        Service::Graph => super::graph::errors::error(status, code, message),
        Service::Entra => {
            let description =
                format!("AADSTS{code}: {message}\r\nTrace ID: {}\r\nCorrelation ID: {}", clock::uuid(), clock::uuid());
            let number: u32 = code.parse().unwrap_or_default();
            Reply::new(
                status,
                json!({"error": "temporarily_unavailable", "error_description": description, "error_codes": [number]}),
            )
        }
        Service::Identity => Reply::new(status, json!({"statusCode": status, "message": message})),
        Service::KeyVault => super::key_vault::errors::error(status, code, message),
    }
}
