//! What the Functions host tells of itself: executions, its own storage requests, and what Application Insights takes in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use emulator::host::{Event, Events, Invocation, Item};
use jiff::Timestamp;

/// A storage request of the host's own.
#[derive(Debug, Clone)]
pub struct HostAsked {
    /// When it was answered.
    pub at: Timestamp,
    /// The function that the instance is for; empty: for all.
    pub instance: String,
    /// Method, path and query.
    pub line: String,
}

/// Bytes of telemetry.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bytes {
    /// That Application Insights takes in.
    pub taken: f64,
    /// That the log levels of `host.json` keep out of it.
    pub kept_out: f64,
}

/// Telemetry by what it is about.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    /// Of executions, by function.
    pub executions: BTreeMap<String, Bytes>,
    /// Of storage requests of the host's own, by the function that the instance is for.
    pub requests: BTreeMap<String, Bytes>,
    /// Of the handler's lines.
    pub lines: Bytes,
}

/// Keeps it all.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    ended: Vec<Invocation>,
    asked: Vec<HostAsked>,
    items: Vec<(Timestamp, Item, bool)>,
    handlers: usize,
}

impl Seen {
    /// All that is told from now on.
    pub fn of(events: &Events) -> Self {
        let seen = Self::default();
        let kept = seen.clone();
        events.observe(move |event| kept.keep(event));
        seen
    }

    fn keep(&self, event: &Event) {
        let at = Timestamp::now();
        match event {
            Event::Ended(invocation) => self.lock().ended.push(invocation.clone()),
            Event::Asked { instance, line, .. } => {
                self.lock().asked.push(HostAsked { at, instance: instance.clone(), line: line.clone() });
            }
            Event::Telemetry(item) => self.lock().items.push((at, item.clone(), true)),
            Event::KeptOut(item) => self.lock().items.push((at, item.clone(), false)),
            Event::HandlerStarted { .. } => self.lock().handlers += 1,
            _ => {}
        }
    }

    /// Invocations that ended, in the order in which they started.
    pub fn invocations(&self) -> Vec<Invocation> {
        let mut all = self.lock().ended.clone();
        all.sort_by_key(|invocation| invocation.started);
        all
    }

    /// What the host asked of storage for itself between two moments.
    pub fn asked(&self, moments: (Timestamp, Timestamp)) -> Vec<HostAsked> {
        self.lock().asked.iter().filter(|asked| within(asked.at, moments)).cloned().collect()
    }

    /// What was logged between two moments.
    pub fn logs(&self, moments: (Timestamp, Timestamp)) -> Logs {
        let mut logs = Logs::default();
        for (_, item, taken) in self.lock().items.iter().filter(|(at, ..)| within(*at, moments)) {
            let bytes = match item.category.as_str() {
                "Azure.Core" => logs.requests.entry(item.about.clone()).or_default(),
                "Host.Function.Console" => &mut logs.lines,
                _ => logs.executions.entry(item.about.clone()).or_default(),
            };
            *(if *taken { &mut bytes.taken } else { &mut bytes.kept_out }) += item.bytes as f64;
        }
        logs
    }

    /// How many handlers were started.
    pub fn handlers(&self) -> usize {
        self.lock().handlers
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn within(at: Timestamp, moments: (Timestamp, Timestamp)) -> bool {
    moments.0 <= at && at <= moments.1
}

impl Logs {
    /// Of a function's executions.
    pub fn of(&self, function: &str) -> Bytes {
        self.executions.get(function).copied().unwrap_or_default()
    }
}

impl std::ops::Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { taken: self.taken + other.taken, kept_out: self.kept_out + other.kept_out }
    }
}

impl std::ops::Mul<f64> for Bytes {
    type Output = Self;

    fn mul(self, times: f64) -> Self {
        Self { taken: self.taken * times, kept_out: self.kept_out * times }
    }
}
