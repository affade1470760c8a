//! What happened: every event to whoever listens, and counters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::lifecycle::StopReason;
use super::telemetry::{Item, Meter};

/// Events a slow subscriber may lag behind before it loses some.
const BUFFER: usize = 16_384;

/// Which of the handler's streams a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Information, to the real host.
    Stdout,
    /// An error, to the real host, unless the line contains "warn".
    Stderr,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The handler answered as it should, and all outputs were written.
    Succeeded,
    /// It failed: the message is tried again or goes to the poison queue.
    Failed(String),
    /// It took longer than `functionTimeout`.
    TimedOut,
}

/// One call of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The invocation id that the handler was given.
    pub id: Uuid,
    /// Function name.
    pub function: String,
    /// Message id, if a queue triggered it.
    pub message: Option<String>,
    /// How often the message was received, this time included; 0 for timers.
    pub dequeue_count: u32,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; `None` while it runs.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A host started.
    HostStarted,
    /// A host stopped.
    HostStopped(StopReason),
    /// The handler was launched.
    HandlerStarted {
        /// Process id.
        pid: u32,
        /// 1 for the first launch by this host.
        launch: u32,
    },
    /// The handler answers.
    HandlerReady {
        /// Process id.
        pid: u32,
        /// From launch to the first answer.
        after: std::time::Duration,
    },
    /// The handler ended.
    HandlerExited {
        /// Process id.
        pid: u32,
        /// Exit status in words.
        status: String,
        /// Whether the host counts it as a crash.
        crash: bool,
    },
    /// The handler could not be launched, or did not get ready.
    HandlerFailed(String),
    /// A line of the handler's output.
    Line(Stream, String),
    /// An entry of an answer's `Logs`.
    Log {
        /// Function name.
        function: String,
        /// The entry.
        text: String,
    },
    /// An invocation starts: the POST is about to be sent.
    Started(Invocation),
    /// An invocation ended.
    Ended(Invocation),
    /// A message was moved to a poison queue.
    Poisoned {
        /// Its queue.
        queue: String,
        /// Its id.
        message: String,
        /// Why.
        reason: String,
    },
    /// A queue output was written.
    Sent {
        /// The queue.
        queue: String,
        /// The function whose output it is.
        function: String,
    },
    /// Storage answered a request of the host's own. Observers alone are told: a subscriber would fall behind.
    Asked {
        /// The function that the host is for; empty: for all.
        instance: String,
        /// Method, path below the account, query.
        line: String,
        /// HTTP status.
        status: u16,
    },
    /// Application Insights takes an item in, if the app's settings name one. Told to observers alone.
    Telemetry(Item),
    /// The same, but the log levels of `host.json` keep it out.
    KeptOut(Item),
    /// Storage refused or did not answer, or a function cannot be used; the host goes on.
    Trouble(String),
}

/// Counters over all hosts that share one [`Events`].
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Deliveries a queue: POSTs begun for its messages.
    pub delivered: BTreeMap<String, u64>,
    /// Distinct message ids delivered, a queue.
    pub messages: BTreeMap<String, BTreeSet<String>>,
    /// Handler launches.
    pub launches: u64,
    /// Handler exits that the host counts as crashes.
    pub crashes: u64,
    /// Hosts started.
    pub hosts: u64,
    /// Messages moved to poison queues.
    pub poisoned: u64,
    /// Messages written through output bindings.
    pub sent: u64,
}

type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

struct State {
    counts: Counts,
    observers: Vec<Observer>,
    meter: Option<Meter>,
}

/// Tells everything that happens. Clones share one stream and one set of counters.
#[derive(Clone)]
pub struct Events {
    sender: broadcast::Sender<Event>,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Events {
    /// Nothing happened yet.
    #[must_use]
    pub fn new() -> Self {
        let state = State { counts: Counts::default(), observers: Vec::new(), meter: None };
        Self { sender: broadcast::Sender::new(BUFFER), state: Arc::new(Mutex::new(state)) }
    }

    /// All events from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// Calls `observer` with every event, in the host's own task: between [`Event::Started`] and the
    /// POST nothing else happens, so it can kill the handler at a chosen moment. It must not block.
    pub fn observe(&self, observer: impl Fn(&Event) + Send + Sync + 'static) {
        self.lock().observers.push(Arc::new(observer));
    }

    /// The counters now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Counts telemetry from now on; the hosts that follow one another on one app share one meter.
    pub(super) fn meter(&self, meter: Option<Meter>) {
        self.lock().meter = meter;
    }

    pub(super) fn tell(&self, event: Event) {
        let (observers, items) = {
            let mut state = self.lock();
            count(&mut state.counts, &event);
            let items = state.meter.as_mut().map(|meter| meter.items(&event)).unwrap_or_default();
            (state.observers.clone(), items)
        };
        let tell = |event: &Event| observers.iter().for_each(|observer| observer(event));
        tell(&event);
        items.iter().for_each(tell);
        if !matches!(event, Event::Asked { .. }) {
            // No subscriber is fine.
            let _ = self.sender.send(event);
        }
    }

    pub(super) fn delivered(&self, queue: &str, message: &str) {
        let counts = &mut self.lock().counts;
        *counts.delivered.entry(queue.to_owned()).or_default() += 1;
        counts.messages.entry(queue.to_owned()).or_default().insert(message.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters stay usable after a test panicked elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(counts: &mut Counts, event: &Event) {
    match event {
        Event::HostStarted => counts.hosts += 1,
        Event::HandlerStarted { .. } => counts.launches += 1,
        Event::HandlerExited { crash: true, .. } => counts.crashes += 1,
        Event::Poisoned { .. } => counts.poisoned += 1,
        Event::Sent { .. } => counts.sent += 1,
        _ => {}
    }
}
