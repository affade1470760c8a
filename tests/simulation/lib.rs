//! The whole app in virtual time: the product's own functions over storage in memory and the emulated clouds called in process.
//! Hours pass in milliseconds; the handler can die before any call. See [`Simulation`].

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod clock;
pub mod compare;
mod exactly;
pub mod existing;
pub mod fixture;
mod host;
mod log;
mod moments;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use emulator::clouds::{Clouds, Lags, Options, Pair, World};
use functions::app::App;
use functions::clock::Clock;
use functions::cloud;
use functions::cloud::entra::{EntraTokens, TokenSource};
use functions::invocation::{Invocation, Trigger};
use functions::peering::{PeeringKey, Record};
use functions::settings::Credential;
use functions::settings::Settings;
use functions::state::{Flag, Lookup, Records, Vpcs};
use functions::storage::memory::{MemoryQueues, MemoryTables};
use functions::storage::{Entity, Queues, Storage, Tables, Value};
use futures::FutureExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value as Json, json};

pub use clock::VirtualClock;
pub use exactly::assert_exactly;
use host::{Duplicates, Host};
pub use log::Log;
use moments::{Momentary, Moments};
use wire::{AT_WORK, Wire};
pub use wire::{Asked, Use};

/// No run takes longer, in virtual time.
const LIMIT: Duration = Duration::from_secs(9 * 24 * 3600);

/// No instant takes more turns of the host.
const MOST_TURNS: usize = 5_000;

/// How a simulation is to be.
pub struct Setup {
    /// Settings of the app beside those that the clouds give.
    pub settings: BTreeMap<String, String>,
    /// How long everything takes in the clouds.
    pub lags: Lags,
    /// Whether `reconcile`, if the app has it, goes off by itself.
    pub reconcile: bool,
    /// Whether every message is delivered twice: by turns after the first delivery ended, and while it is at work.
    pub duplicates: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { settings: BTreeMap::new(), lags: Lags::documented(), reconcile: false, duplicates: false }
    }
}

/// The app, its storage and its clouds. Must be made where tokio's time is paused (`#[tokio::test(start_paused = true)]`, or [`run`]).
pub struct Simulation {
    /// The clouds; their state is [`Simulation::world`].
    pub clouds: Clouds,
    /// Virtual time.
    pub clock: VirtualClock,
    /// The storage as it is, without moments.
    pub storage: Storage,
    /// Counts calls, and kills the handler before one of them.
    pub moments: Arc<Moments>,
    settings: BTreeMap<String, String>,
    wire: Arc<Wire>,
    momentary: Storage,
    host: Host,
    /// An instant, and the turns since time last went on.
    standing: (jiff::Timestamp, usize),
}

/// Runs a test in virtual time, outside of `#[tokio::test]`: for property tests.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

/// Runs a test in virtual time for each of some numbers, on all processors.
pub fn run_each<F: Future<Output = ()>>(numbers: impl IntoIterator<Item = usize>, test: impl Fn(usize) -> F + Sync) {
    let numbers = std::sync::Mutex::new(numbers.into_iter().collect::<Vec<_>>().into_iter());
    let next = || numbers.lock().unwrap().next();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(n) = next() {
                    run(test(n));
                }
            });
        }
    });
}

impl Simulation {
    /// A simulation as the default [`Setup`] has it; `prepare` sets the scene.
    pub fn new<T>(prepare: impl FnOnce(&mut World) -> T) -> (Self, T) {
        Self::start(Setup::default(), prepare)
    }

    /// Starts; `prepare` sets the scene.
    pub fn start<T>(setup: Setup, prepare: impl FnOnce(&mut World) -> T) -> (Self, T) {
        let mut options = Options::new("/nonexistent", 1.0);
        options.lags = setup.lags;
        let clouds = Clouds::in_process(options);
        let start = clouds.world().now();
        clouds.world().hold_time(start);
        let prepared = prepare(&mut clouds.world());
        let clock = VirtualClock::beginning(start);
        let moments = Arc::new(Moments::default());
        let (storage, momentary, queues) = empty_storage(clock, &moments);
        let wire = Arc::new(Wire {
            clouds: clouds.clone(),
            clock,
            moments: moments.clone(),
            uses: Arc::default(),
            asked: Arc::default(),
        });
        let mut settings = clouds.settings();
        settings.extend(setup.settings);
        let (at_work, timers) = (FuturesUnordered::new(), Vec::new());
        let functions = BTreeMap::new();
        let duplicates = setup.duplicates.then(Duplicates::default);
        let host = Host { functions, queues, clock, moments: moments.clone(), at_work, timers, deaths: 0, duplicates };
        let mut simulation =
            Self { clouds, clock, storage, moments, settings, wire, momentary, host, standing: (start, 0) };
        simulation.begin_process();
        let known = |name: &str| simulation.host.functions.contains_key(name);
        let mut timers = vec![("poll_waiting", 60), ("sweep", 300)];
        timers.extend((setup.reconcile && known("reconcile")).then_some(("reconcile", 3600)));
        simulation.host.timers = timers
            .into_iter()
            .map(|(name, seconds)| (name, Duration::from_secs(seconds), clock.after(Duration::from_secs(seconds))))
            .collect();
        if !setup.reconcile {
            simulation.host.functions.remove("reconcile");
        }
        (simulation, prepared)
    }

    /// A fresh process of the handler: what it only remembered is forgotten.
    fn begin_process(&mut self) {
        self.host.functions = self.app().functions();
    }

    /// A fresh process, with a setting that has another value from now on.
    pub fn restart_with(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
        self.begin_process();
    }

    /// An empty storage takes the place of the one that was; the clouds stay, and a fresh process begins.
    pub fn empty_storage(&mut self) {
        (self.storage, self.momentary, self.host.queues) = empty_storage(self.clock, &self.moments);
        self.moments.spare();
        self.moments.take_dead();
        self.host.at_work.clear();
        self.begin_process();
    }

    /// The message of any queue that can be received first, whether anybody listens to it or not: its queue, and when.
    pub fn next_visible(&self) -> Option<(String, jiff::Timestamp)> {
        self.host.queues.next_visible()
    }

    /// The app put together anew over the same storage and clouds.
    pub fn app(&self) -> App {
        let settings = Settings::read(|name| self.settings.get(name).cloned()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(self.clock);
        let endpoints = &settings.endpoints;
        let tokens: Arc<dyn TokenSource> = match settings.credential {
            Credential::Federated => self.wire.clone(),
            // How a password is kept, refused and read anew is the production source's own doing.
            Credential::Secret => {
                Arc::new(EntraTokens::new(endpoints, settings.credential, self.wire.clone(), clock.clone()))
            }
        };
        let mut clouds = cloud::Clouds::new(endpoints, self.wire.clone(), clock.clone(), tokens);
        clouds.resolver = self.wire.clone();
        App::new(settings, clouds, self.momentary.clone(), clock)
    }

    /// The state of both clouds at the virtual present. Do not hold it across an `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.clouds.world().hold_time(self.clock.now());
        self.clouds.world()
    }

    /// Puts a text on the public queue.
    pub async fn send(&self, text: &str) {
        self.send_to("peering-requests", text).await;
    }

    /// Puts a text on any queue.
    pub async fn send_to(&self, queue: &str, text: &str) {
        self.storage.queues.create_queue_if_missing(queue).await.unwrap();
        self.storage.queues.send(queue, text, Duration::ZERO).await.unwrap();
    }

    /// A text is put on the public queue before the n-th call from now on (1: the next).
    pub fn send_before(&self, n: usize, text: String) {
        let queues = self.storage.queues.clone();
        let send = move || {
            queues.send("peering-requests", &text, Duration::ZERO).now_or_never().unwrap().unwrap();
        };
        self.moments.before(n, send);
    }

    /// Sends a request for a pair.
    pub async fn request(&self, action: &str, pair: &Pair) {
        self.send(&message(action, pair, &json!({}))).await;
    }

    /// Sends a request for a pair with further members.
    pub async fn request_with(&self, action: &str, pair: &Pair, more: &Json) {
        self.send(&message(action, pair, more)).await;
    }

    /// Invokes a function by hand: a redelivery, say, with the id of a message of long ago.
    pub async fn invoke(&self, function: &str, text: &str, message_id: &str, dequeue_count: u64) -> Result<(), String> {
        let trigger = Trigger::Queue(text.to_owned());
        self.host.functions[function](Invocation {
            trigger,
            message_id: message_id.to_owned(),
            dequeue_count,
            trace: None,
        })
        .await
    }

    /// Lets a timer go off at once, whenever it would have.
    pub async fn ring(&self, timer: &'static str) -> Result<(), String> {
        let (trigger, message_id) = (Trigger::Timer { past_due: false }, String::new());
        let functions = self.app().functions();
        AT_WORK.scope(timer, functions[timer](Invocation { trigger, message_id, dequeue_count: 0, trace: None })).await
    }

    /// What was checked for the app's calls until now, by function.
    pub fn uses(&self) -> BTreeSet<Use> {
        self.wire.uses.lock().unwrap().clone()
    }

    /// The app's calls until now, by function.
    pub fn asked(&self) -> BTreeSet<Asked> {
        self.wire.asked.lock().unwrap().clone()
    }

    /// One turn of the host.
    pub async fn turn(&mut self) {
        if self.host.turn().await {
            self.begin_process();
        }
        let now = self.clock.now();
        self.standing = if self.standing.0 == now { (now, self.standing.1 + 1) } else { (now, 0) };
        if self.standing.1 > MOST_TURNS {
            let lines: Vec<String> = self.journal().await;
            let last = lines[lines.len().saturating_sub(12)..].join("\n");
            panic!("it goes round in circles, and time stands still; the records:\n{}\n{last}", self.shown().await);
        }
    }

    /// Runs for a stretch of virtual time.
    pub async fn run_for(&mut self, nominal: Duration) {
        let end = self.clock.after(nominal);
        // A timer of nobody, so that time cannot jump over the end.
        while self.clock.now() < end {
            let rest = self.clock.until(end);
            if tokio::time::timeout(rest, self.turn()).await.is_err() {
                return;
            }
        }
    }

    /// Runs until something is so.
    pub async fn run_until(&mut self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let end = self.clock.after(LIMIT);
        while !is_so(self).await {
            if self.clock.now() > end {
                panic!("{what}: not in {LIMIT:?}; the records:\n{}", self.shown().await);
            }
            self.turn().await;
        }
    }

    /// Runs until every record rests or waits for a person, nobody is at work, and no message is to be received at this instant.
    pub async fn settle(&mut self) {
        self.run_until("to settle", async |this| this.is_settled().await).await;
    }

    /// See [`Simulation::settle`].
    pub async fn is_settled(&self) -> bool {
        let now = self.clock.now();
        self.host.is_idle_until(now + jiff::SignedDuration::from_secs(1))
            && self.requests_left().await == 0
            && self.records().await.iter().all(|record| record.is_idle() || record.fault.is_some())
    }

    async fn requests_left(&self) -> u64 {
        self.storage.queues.length("peering-requests").await.unwrap_or_default()
    }

    /// Runs until no message is left in any queue, hidden ones included, and no VPC is to be polled.
    pub async fn drain(&mut self) {
        self.run_until("to drain", async |this| this.is_drained().await).await;
    }

    /// See [`Simulation::drain`].
    pub async fn is_drained(&self) -> bool {
        self.host.is_idle_until(jiff::Timestamp::MAX)
            && Vpcs::new(self.storage.clone()).flagged(Flag::Waiting).await.unwrap_or_default().is_empty()
    }

    /// How often the handler died.
    pub fn deaths(&self) -> usize {
        self.host.deaths
    }

    /// All records.
    pub async fn records(&self) -> Vec<Record> {
        let rows = self.rows("peerings").await;
        let keys = rows.iter().filter_map(|row| {
            Some(PeeringKey { vpc: row.partition.parse().ok()?, vnet: row.row.strip_prefix("peering|")?.to_owned() })
        });
        let records = Records::new(self.storage.clone());
        let mut all = Vec::new();
        for key in keys {
            match records.load(&key).await.unwrap() {
                Lookup::Found(stored) => all.push(stored.value),
                other => panic!("{key}: {other:?}"),
            }
        }
        all
    }

    /// The record of a pair, if there is one.
    pub async fn record(&self, pair: &Pair) -> Option<Record> {
        let vnet = pair.vnet.to_lowercase();
        let is_it = |record: &Record| {
            record.vnet.to_string().to_lowercase() == vnet && record.key.vpc.id().to_string() == pair.vpc_id
        };
        self.records().await.into_iter().find(is_it)
    }

    /// The journal of all peerings, in order: step, outcome, note.
    pub async fn journal(&self) -> Vec<String> {
        let rows = self.rows("peerings").await;
        let line =
            |row: &Entity| format!("{} {}: {} {}", row.row, text(row, "step"), text(row, "outcome"), text(row, "note"));
        rows.iter().filter(|row| row.row.starts_with("journal|")).map(line).collect()
    }

    /// All rows of a table; none if there is no such table.
    pub async fn rows(&self, table: &str) -> Vec<Entity> {
        let all = self.storage.tables.query(table, &functions::storage::Query::default(), usize::MAX).await;
        all.map(|rows| rows.entities).unwrap_or_default()
    }

    /// The records, a line each, and their journals: for the message of a failed test.
    pub async fn shown(&self) -> String {
        let mut lines: Vec<String> = self
            .records()
            .await
            .iter()
            .map(|r| {
                format!(
                    "{} {:?} {} seq {} resting {} parked {} due {} claim {:?} waiting {:?} fault {:?} provenance {:?}",
                    r.id,
                    r.status,
                    r.step,
                    r.seq,
                    r.is_idle(),
                    r.awaits_poll(),
                    r.due,
                    r.claim,
                    r.waiting,
                    r.fault,
                    r.provenance
                )
            })
            .collect();
        lines.push(format!("now {}", self.clock.now()));
        lines.extend(self.journal().await);
        lines.join("\n")
    }
}

/// Storage in memory: as it is, with moments, and its queues.
fn empty_storage(clock: VirtualClock, moments: &Arc<Moments>) -> (Storage, Storage, Arc<MemoryQueues>) {
    let tables: Arc<dyn Tables> = Arc::new(MemoryTables::new(Arc::new(clock)));
    let queues = Arc::new(MemoryQueues::new(Arc::new(clock)));
    let storage = Storage::new(tables.clone(), queues.clone());
    let momentary = Storage::new(
        Arc::new(Momentary(tables, moments.clone())),
        Arc::new(Momentary(queues.clone() as Arc<dyn Queues>, moments.clone())),
    );
    (storage, momentary, queues)
}

/// A column of a row, as text.
pub fn text(row: &Entity, column: &str) -> String {
    match row.properties.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

/// A request as anybody would write it.
pub fn message(action: &str, pair: &Pair, more: &Json) -> String {
    let mut request = json!({"version": 1, "action": action, "vpc": pair.vpc, "vnet": pair.vnet});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request.to_string()
}
