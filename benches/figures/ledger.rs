//! Which function made which call: by the invocation in whose time it fell, for one peering at a time.

use emulator::clouds::{Call, Service};
use emulator::host::Invocation;
use jiff::Timestamp;

use crate::recorder::Asked;

/// Timers and what they fan out to, which work for no peering in particular.
const TIMERS: [&str; 4] = ["poll_waiting", "reconcile", "reconcile_vpc", "sweep"];

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
    /// Storage requests of the invocation that made most.
    pub most: usize,
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
    /// The token service, the managed-identity endpoint, and the vault that keeps a credential for them.
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
                Service::Entra | Service::Identity | Service::KeyVault => api.tokens += 1,
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

/// Several functions together.
pub fn total<'a>(ran: impl IntoIterator<Item = &'a Ran>) -> Api {
    let mut total = Api::default();
    ran.into_iter().for_each(|of| total += of.api());
    total
}

/// What the functions did between two moments, in the order of their first invocations, timers left out; and how many calls
/// fell into the time of several functions: those are given to the last that began.
pub fn between(
    moments: (Timestamp, Timestamp),
    invocations: &[Invocation],
    calls: &[Call],
    storage: &[Asked],
) -> (Vec<Ran>, usize) {
    let storage: Vec<&Asked> = storage.iter().filter(|asked| !asked.by_timer()).collect();
    let (mut ran, doubtful) = all_between(moments, invocations, calls, &storage);
    ran.retain(|of| !TIMERS.contains(&of.function.as_str()));
    (ran, doubtful)
}

/// [`between`] with the timers, and all that was asked of storage.
pub fn all_between(
    moments: (Timestamp, Timestamp),
    invocations: &[Invocation],
    calls: &[Call],
    storage: &[&Asked],
) -> (Vec<Ran>, usize) {
    let within = |at: Timestamp| moments.0 <= at && at <= moments.1;
    let mine: Vec<&Invocation> = invocations.iter().filter(|invocation| within(invocation.started)).collect();
    let (mut ran, mut doubtful) = (Vec::new(), 0);
    let mut of_each = vec![0; mine.len()];
    for invocation in &mine {
        entry(&mut ran, &invocation.function).runs += 1;
    }
    for call in calls {
        if let Some(at) = whose((call.at, call.at), &mine, &mut doubtful) {
            entry(&mut ran, &mine[at].function).calls.push(call.clone());
        }
    }
    for asked in storage {
        if let Some(at) = whose((asked.began, asked.at), &mine, &mut doubtful) {
            let of = entry(&mut ran, &mine[at].function);
            of.storage.push(Asked::clone(asked));
            of_each[at] += 1;
            of.most = of.most.max(of_each[at]);
        }
    }
    (ran, doubtful)
}

/// The invocation in whose time a call began and ended. A message's next function may start before the sending one ends,
/// but not before the sending began.
fn whose(call: (Timestamp, Timestamp), invocations: &[&Invocation], doubtful: &mut usize) -> Option<usize> {
    let around = |i: &Invocation| i.started <= call.0 && i.ended.is_none_or(|ended| call.1 <= ended);
    let around: Vec<usize> = (0..invocations.len()).filter(|&at| around(invocations[at])).collect();
    *doubtful += usize::from(around.windows(2).any(|two| invocations[two[0]].function != invocations[two[1]].function));
    around.last().copied()
}

fn entry<'a>(ran: &'a mut Vec<Ran>, function: &str) -> &'a mut Ran {
    let at = ran.iter().position(|of| of.function == function).unwrap_or(ran.len());
    if at == ran.len() {
        let (function, calls, storage) = (function.to_owned(), Vec::new(), Vec::new());
        ran.push(Ran { function, runs: 0, calls, storage, most: 0 });
    }
    &mut ran[at]
}
