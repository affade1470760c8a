//! A host from start to end: listeners, the handler's crashes, the ten seconds of a graceful stop.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::clock::Scale;
use super::config::{self, App, ConfigError};
use super::events::{Event, Events, Outcome};
use super::function::Trigger;
use super::launcher::Launcher;
use super::options::HostOptions;
use super::process::{self, End, Order, Phase, Worker};
use super::telemetry::Meter;
use super::timer_lock::Held;
use super::{queue, timer, trigger};
use crate::azurite::{Account, StorageError};

/// Errors of the handler that stop the host, if no two of them are farther apart than this (nominal).
const CRASHES: u32 = 3;
const FORGET: Duration = Duration::from_secs(30 * 60);

/// What a stopping host grants to calls in flight (nominal).
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Why a host stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The handler crashed, or did not get ready, three times. The real host exits with 0.
    Crashes,
    /// A call waited four times the initialization timeout for a handler that never answered.
    NeverReady,
    /// [`Host::stop`].
    Stopped,
    /// [`Host::kill`].
    Killed,
}

/// Why a host could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The app is not one.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The connection string is not one.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No port.
    #[error("no free port on 127.0.0.1: {0}")]
    Port(#[from] std::io::Error),
}

/// What all parts of a host share.
pub(super) struct Core {
    pub(super) app: App,
    pub(super) options: HostOptions,
    pub(super) scale: Scale,
    pub(super) account: Account,
    pub(super) worker: Worker,
    pub(super) stopping: watch::Sender<Option<StopReason>>,
    /// Locks that a killed host leaves behind.
    pub(super) held: Mutex<Vec<Held>>,
    /// First deliveries so far, for the turns of [`super::Duplicate::Each`].
    pub(super) duplicates: AtomicU64,
    pub(super) initialization: Duration,
}

impl Core {
    pub(super) fn events(&self) -> &Events {
        &self.options.events
    }

    /// Begins to stop, unless that has begun.
    pub(super) fn stop(&self, reason: StopReason) {
        self.stopping.send_if_modified(|stopping| {
            let first = stopping.is_none();
            stopping.get_or_insert(reason);
            first
        });
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.borrow().is_some()
    }

    /// Returns when the host begins to stop.
    pub(super) async fn stopped(&self) {
        // The sender is ours, so it cannot be gone.
        let _ = self.stopping.subscribe().wait_for(Option::is_some).await;
    }

    /// Sleeps, but not past the beginning of a stop; whether the host goes on.
    pub(super) async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => true,
            () = self.stopped() => false,
        }
    }
}

/// A running host. Dropping it kills it.
pub struct Host {
    core: Arc<Core>,
    ended: watch::Receiver<Option<StopReason>>,
    tasks: Vec<AbortHandle>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Host").field("app", &self.core.app.root).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts a host: launches the handler and begins to listen, not waiting for either.
    ///
    /// # Errors
    /// When `host.json` or a `function.json` or the connection string is unusable.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let events = options.events.clone();
        let instance = options.target().unwrap_or_default().to_owned();
        let account = Account::from_connection_string(&options.connection_string)?.watched(move |line, status| {
            events.tell(Event::Asked { instance: instance.clone(), line: line.to_owned(), status });
        });
        let mut app = config::load(&options)?;
        options.events.meter(options.is_traced().then(|| meter(&app, options.time_scale)));
        let initialization = app.handler.initialization_timeout;
        let (launcher, worker) = process::prepare(&mut app, &options)?;
        let core = Arc::new(Core {
            app,
            scale: Scale::new(options.time_scale),
            account,
            worker,
            stopping: watch::Sender::new(None),
            held: Mutex::default(),
            duplicates: AtomicU64::new(0),
            initialization,
            options,
        });
        core.events().tell(Event::HostStarted);
        Ok(Self::run(core, launcher))
    }

    fn run(core: Arc<Core>, launcher: Launcher) -> Self {
        let target = core.options.target();
        let mine = |index: &usize| target.is_none_or(|name| core.app.functions[*index].name == name);
        let listeners: Vec<JoinHandle<()>> = (0..core.app.functions.len())
            .filter(mine)
            .map(|index| match core.app.functions[index].trigger {
                Trigger::Queue { .. } => tokio::spawn(queue::listen(Arc::clone(&core), index)),
                Trigger::Timer { .. } => tokio::spawn(timer::run(Arc::clone(&core), index)),
            })
            .collect();
        let primary = tokio::spawn(Held::be_primary(Arc::clone(&core)));
        let tasks = listeners.iter().chain([&primary]).map(JoinHandle::abort_handle).collect();
        let (tell, ended) = watch::channel(None);
        let keeper = tokio::spawn(keep(Arc::clone(&core), launcher));
        tokio::spawn(shut_down(Arc::clone(&core), listeners, keeper, tell));
        Self { core, ended, tasks }
    }

    /// Stops as on SIGTERM: no new messages, ten seconds (nominal) for calls in flight, then the
    /// handler is killed, or left alone if calls are still in flight; their messages stay leased.
    pub async fn stop(&self) {
        self.core.stop(StopReason::Stopped);
        self.stopped().await;
    }

    /// Ends as on SIGKILL: messages and locks stay leased, nothing is told to anybody.
    pub fn kill(&self) {
        for task in &self.tasks {
            task.abort();
        }
        self.core.stop(StopReason::Killed);
        self.core.worker.order(Order::End { orphan: self.core.options.orphans });
    }

    /// Returns when the host has stopped, by itself or by request.
    pub async fn stopped(&self) -> StopReason {
        match self.ended.clone().wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(StopReason::Killed),
            Err(_) => StopReason::Killed,
        }
    }

    /// SIGKILLs the handler, as somebody else would: a crash to the host. Nothing happens if it is gone
    /// already, so two kills at once are one crash.
    pub fn kill_handler(&self) {
        self.core.worker.order(Order::Kill(self.launches()));
    }

    /// Invokes a function at once, as `POST /admin/functions/{name}` does: a queue function with `input`
    /// as its message, or a timer. `None` if there is no such function.
    pub async fn trigger(&self, function: &str, input: &str) -> Option<Outcome> {
        trigger::by_hand(&self.core, function, input).await
    }

    /// Process id of the running handler.
    #[must_use]
    pub fn handler_pid(&self) -> Option<u32> {
        self.core.worker.state.borrow().pid
    }

    /// How often this host launched the handler.
    #[must_use]
    pub fn launches(&self) -> u32 {
        self.core.worker.state.borrow().launch
    }

    /// Whether the handler answers.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.core.worker.state.borrow().phase == Phase::Ready
    }

    /// Everything that happens.
    #[must_use]
    pub fn events(&self) -> &Events {
        self.core.events()
    }

    /// Names of the functions that are loaded.
    #[must_use]
    pub fn functions(&self) -> Vec<&str> {
        self.core.app.functions.iter().map(|function| function.name.as_str()).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

fn meter(app: &App, scale: f64) -> Meter {
    let queues = app.functions.iter().any(|function| matches!(function.trigger, Trigger::Queue { .. }));
    Meter::new(app.log_filter.clone(), Scale::new(scale), queues)
}

/// Launches the handler again and again, and counts its errors.
async fn keep(core: Arc<Core>, mut launcher: Launcher) {
    // Without functions there is nothing to run it for.
    if core.app.functions.is_empty() {
        return;
    }
    let (mut errors, mut last) = (0, None::<Instant>);
    loop {
        match launcher.run().await {
            End::Again => {}
            End::HostEnded => return,
            End::Over(_) => {
                if !launcher.wait_for_restart().await {
                    return;
                }
            }
            End::Crashed | End::NeverReady => {
                if last.is_some_and(|last| last.elapsed() > core.scale.real(FORGET)) {
                    errors = 0;
                }
                (errors, last) = (errors + 1, Some(Instant::now()));
                if errors >= CRASHES {
                    core.stop(StopReason::Crashes);
                    return;
                }
            }
        }
    }
}

async fn shut_down(
    core: Arc<Core>,
    listeners: Vec<JoinHandle<()>>,
    keeper: JoinHandle<()>,
    tell: watch::Sender<Option<StopReason>>,
) {
    core.stopped().await;
    let reason = (*core.stopping.borrow()).unwrap_or(StopReason::Killed);
    let aborts: Vec<AbortHandle> = listeners.iter().map(JoinHandle::abort_handle).collect();
    let all = async {
        for listener in listeners {
            // A listener that panicked has ended too.
            let _ = listener.await;
        }
    };
    let budget = if reason == StopReason::Killed { Duration::ZERO } else { core.scale.real(SHUTDOWN) };
    let finished = tokio::time::timeout(budget, all).await.is_ok();
    aborts.iter().for_each(AbortHandle::abort);
    core.worker.order(Order::End { orphan: !finished && core.options.orphans });
    let _ = keeper.await;
    let held = std::mem::take(&mut *core.held.lock().unwrap_or_else(PoisonError::into_inner));
    tokio::spawn(Held::expire_all(held, core.scale));
    core.events().tell(Event::HostStopped(reason));
    tell.send_replace(Some(reason));
}
