//! Flex Consumption: each function on an instance of its own, started when there is work for it, gone when it has been idle.
//!
//! Documented: "each function scales independently" (flex-consumption-plan, "Per-function scaling"); the scale controller
//! watches the queue's length (functions-target-based-scaling); "after your function app has been idle for a number of
//! minutes, the platform may scale the number of instances down to zero", and the next message waits for a cold start
//! (event-driven-scaling, "Cold start"). The instance runs the whole app, and listens for one function
//! (`FUNCTIONS_TARGET_GROUP`, seen with the real host 4.1037).
//!
//! Not documented, so chosen here: how many minutes; how often the scale controller looks. A timer's instance stays: its next run
//! is never far off, and how the platform would wake it is not documented. A queue has one instance at most, as sixteen
//! messages at once need no second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::Scale;
use super::events::{Event, Events};
use super::function::{Function, Trigger};
use super::lifecycle::Host;
use super::options::HostOptions;
use super::supervisor::{Current, PAUSE, supervise, wait};
use crate::azurite::{Account, StorageError};

/// How often the scale controller looks for messages; real, not scaled.
const LOOK: Duration = Duration::from_millis(250);

/// How instances come and go (nominal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flex {
    /// From the first message to the start of the host.
    pub cold_start: Duration,
    /// How long an instance stays without an execution.
    pub idle: Duration,
}

impl Flex {
    /// Instances that take so long to start, and stay ten idle minutes.
    #[must_use]
    pub fn new(cold_start: Duration) -> Self {
        Self { cold_start, idle: Duration::from_secs(600) }
    }
}

/// Runs an instance for each function until enough is asked for.
pub(super) async fn run(
    options: HostOptions,
    plan: Flex,
    functions: Vec<Function>,
    current: Current,
    asked: watch::Receiver<bool>,
) {
    let mut instances = JoinSet::new();
    for function in functions {
        let queue = match function.trigger {
            Trigger::Queue { queue, .. } => Some(queue),
            Trigger::Timer { .. } => None,
        };
        let active = Active::watch(&options.events, function.name.clone());
        let options = options.for_function(&function.name);
        let instance = Instance { options, plan, queue, active, current: Arc::clone(&current), asked: asked.clone() };
        instances.spawn(instance.come_and_go());
    }
    while instances.join_next().await.is_some() {}
}

struct Instance {
    options: HostOptions,
    plan: Flex,
    /// None: it is a timer's.
    queue: Option<String>,
    active: Active,
    current: Current,
    asked: watch::Receiver<bool>,
}

impl Instance {
    async fn come_and_go(mut self) {
        let scale = Scale::new(self.options.time_scale);
        while !*self.asked.borrow() {
            let mut asked = self.asked.clone();
            tokio::select! {
                () = self.wanted() => {}
                () = wait(&mut asked) => return,
            }
            tokio::time::sleep(scale.real(self.plan.cold_start)).await;
            match Host::start(self.options.clone()).await {
                Ok(host) => self.stay(host, scale.real(self.plan.idle)).await,
                Err(error) => {
                    self.options.events.tell(Event::HandlerFailed(error.to_string()));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Returns when there is a message; for a timer at once.
    async fn wanted(&self) {
        let Some(queue) = &self.queue else { return };
        while !self.has_message(queue).await.unwrap_or(false) {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn has_message(&self, queue: &str) -> Result<bool, StorageError> {
        let account = Account::from_connection_string(&self.options.connection_string)?;
        Ok(!account.peek_messages(queue).await?.is_empty())
    }

    /// Runs the host, started again when it stops by itself, until it has been idle for long.
    async fn stay(&mut self, host: Host, idle: Duration) {
        self.active.now();
        let (enough, told) = watch::channel(false);
        let run = supervise(self.options.clone(), host, Arc::clone(&self.current), told);
        let (active, stays) = (self.active.clone(), self.queue.is_none());
        let end = async {
            tokio::select! {
                () = active.idle(idle), if !stays => {}
                () = wait(&mut self.asked) => {}
            }
            enough.send_replace(true);
        };
        tokio::join!(run, end);
    }
}

/// When a function last began or ended an execution.
#[derive(Clone)]
struct Active(Arc<Mutex<Instant>>);

impl Active {
    fn watch(events: &Events, function: String) -> Self {
        let active = Self(Arc::new(Mutex::new(Instant::now())));
        let seen = active.clone();
        events.observe(move |event| {
            if let Event::Started(of) | Event::Ended(of) = event
                && of.function == function
            {
                seen.now();
            }
        });
        active
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn idle(&self, long: Duration) {
        loop {
            let since = self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            match long.checked_sub(since) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left).await,
                _ => return,
            }
        }
    }
}
