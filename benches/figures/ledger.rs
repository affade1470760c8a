//! Which function made which call: by the invocation in whose time it fell, for one peering at a time.

use emulator::clouds::{Call, Service};
use emulator::host::Invocation;
use jiff::Timestamp;

use crate::recorder::Asked;

/// Timers, which work for no peering in particular.
const TIMERS: [&str; 2] = ["poll_waiting", "sweep"];

/// All that a function did for a peering.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its name.
    pub function: String,
    /// How often it was invoked.
    pub runs: usize,
    /// What it asked of the clouds.
    pub calls: Vec<Call>,
    /// What it asked of storage.
    pub storage: Vec<Asked>,
}

/// Calls of the clouds by kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Api {
    /// Microsoft Graph.
    pub graph: usize,
    /// Resource Manager, polls of operations excluded.
    pub arm: usize,
    /// Aiven, polls excluded.
    pub aiven: usize,
    /// Polls of operations and of VPCs.
    pub polling: usize,
    /// The token service and the managed-identity endpoint.
    pub tokens: usize,
}

impl Api {
    /// Beyond polling, without tokens.
    pub fn work(self) -> usize {
        self.graph + self.arm + self.aiven
    }
}

impl std::ops::AddAssign for Api {
    fn add_assign(&mut self, other: Self) {
        self.graph += other.graph;
        self.arm += other.arm;
        self.aiven += other.aiven;
        self.polling += other.polling;
        self.tokens += other.tokens;
    }
}

impl Ran {
    /// Its calls by kind.
    pub fn api(&self) -> Api {
        let mut api = Api::default();
        for call in &self.calls {
            match call.service {
                Service::Entra | Service::Identity => api.tokens += 1,
                _ if self.is_poll(call) => api.polling += 1,
                Service::Graph => api.graph += 1,
                Service::Arm => api.arm += 1,
                Service::Aiven => api.aiven += 1,
            }
        }
        api
    }

    fn is_poll(&self, call: &Call) -> bool {
        self.function == "poll_vpc"
            || ["/operations/", "/operationResults/"].iter().any(|kind| call.path.contains(kind))
    }
}

/// All of a peering's functions together.
pub fn total(ran: &[Ran]) -> Api {
    let mut total = Api::default();
    ran.iter().for_each(|of| total += of.api());
    total
}

/// What the functions did between two moments, in the order of their first invocations; timers are left out. `None` if
/// something fell into the time of two invocations, so that nobody can tell whose it was.
pub fn between(
    moments: (Timestamp, Timestamp),
    invocations: &[Invocation],
    calls: &[Call],
    storage: &[Asked],
) -> Option<Vec<Ran>> {
    let within = |at: Timestamp| moments.0 <= at && at <= moments.1;
    let mine: Vec<&Invocation> = invocations.iter().filter(|invocation| within(invocation.started)).collect();
    let mut ran: Vec<Ran> = Vec::new();
    for invocation in &mine {
        let entry = entry(&mut ran, &invocation.function);
        entry.runs += 1;
    }
    for call in calls.iter().filter(|call| within(call.at)) {
        if let Some(function) = whose((call.at, call.at), &mine)? {
            entry(&mut ran, function).calls.push(call.clone());
        }
    }
    for asked in storage.iter().filter(|asked| within(asked.at)) {
        if let Some(function) = whose((asked.began, asked.at), &mine)? {
            entry(&mut ran, function).storage.push(asked.clone());
        }
    }
    ran.retain(|of| !TIMERS.contains(&of.function.as_str()));
    Some(ran)
}

/// The one function in whose time a call began and ended: `None` if there were several, `Some(None)` if there was none.
/// A message's next function may start before the sending one ends, but not before the sending began.
fn whose<'a>(call: (Timestamp, Timestamp), invocations: &[&'a Invocation]) -> Option<Option<&'a str>> {
    let around = |i: &&&Invocation| i.started <= call.0 && i.ended.is_none_or(|ended| call.1 <= ended);
    let mut around = invocations.iter().filter(around);
    match (around.next(), around.next()) {
        (Some(one), None) => Some(Some(&one.function)),
        (None, _) => Some(None),
        _ => None,
    }
}

fn entry<'a>(ran: &'a mut Vec<Ran>, function: &str) -> &'a mut Ran {
    let at = ran.iter().position(|of| of.function == function).unwrap_or(ran.len());
    if at == ran.len() {
        ran.push(Ran { function: function.to_owned(), runs: 0, calls: Vec::new(), storage: Vec::new() });
    }
    &mut ran[at]
}
