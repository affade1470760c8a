//! Keeps a host running: starts another one whenever it stops, as Azure does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::config;
use super::events::{Counts, Event, Events};
use super::flex;
use super::lifecycle::{Host, HostError};
use super::options::HostOptions;

/// Hosts that run now: by the function that each is for; one that is for all by no name.
pub(super) type Current = Arc<Mutex<BTreeMap<String, Arc<Host>>>>;

/// From a host's end to the next one's start; real, not scaled.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// How often the app's configuration is looked at; the real host is told by the file system, and waits
/// as long for more changes.
const LOOK: Duration = Duration::from_millis(500);

/// When an invocation's handler is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As the call is made.
    Start,
    /// Just after its answer.
    End,
}

/// A host that is started again whenever it stops, or one for each function: [`HostOptions::flex`]. Dropping it kills them.
#[derive(Debug)]
pub struct Supervisor {
    current: Current,
    events: Events,
    enough: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the first host.
    ///
    /// # Errors
    /// When the app or the connection string is unusable.
    pub async fn start(options: HostOptions) -> Result<Self, HostError> {
        let events = options.events.clone();
        let current = Current::default();
        let (enough, asked) = watch::channel(false);
        let task = if let Some(plan) = options.flex {
            let functions = config::load(&options)?.functions;
            tokio::spawn(flex::run(options, plan, functions, Arc::clone(&current), asked))
        } else {
            let first = Host::start(options.clone()).await?;
            tokio::spawn(supervise(options, first, Arc::clone(&current), asked))
        };
        Ok(Self { current, events, enough, task: Some(task) })
    }

    /// The host that runs now, one of them if there are several; `None` between two.
    #[must_use]
    pub fn host(&self) -> Option<Arc<Host>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).values().next().cloned()
    }

    /// What kills the handler or the host from anywhere: from a cloud's fault, or an observer of events.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(Arc::downgrade(&self.current))
    }

    /// SIGKILLs the handler, if there is one; see [`Host::kill_handler`].
    pub fn kill_handler(&self) {
        self.control().kill_handler();
    }

    /// Kills the host, if there is one; see [`Host::kill`]. Another one is started.
    pub fn kill_host(&self) {
        self.control().kill_host();
    }

    /// SIGKILLs the handler at every `every`th invocation from now on, of whatever host runs then.
    pub fn kill_handler_every(&self, every: u64, moment: Moment) {
        let control = self.control();
        let seen = AtomicU64::new(0);
        self.events.observe(move |event| {
            let chosen = match event {
                Event::Started(_) => moment == Moment::Start,
                Event::Ended(_) => moment == Moment::End,
                _ => false,
            };
            if chosen && (seen.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every.max(1)) {
                control.kill_handler();
            }
        });
    }

    /// Stops the host gracefully, for good.
    pub async fn stop(mut self) {
        self.enough.send_replace(true);
        if let Some(task) = self.task.take() {
            // A supervisor that panicked has stopped too.
            let _ = task.await;
        }
    }

    /// Everything that happens in all its hosts.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The counters over all its hosts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.events.counts()
    }
}

/// Kills the handler or the host of a [`Supervisor`], as long as there is one. Keeps nothing alive.
#[derive(Debug, Clone)]
pub struct Control(Weak<Mutex<BTreeMap<String, Arc<Host>>>>);

impl Control {
    /// SIGKILLs the handler, every one that there is; see [`Host::kill_handler`].
    pub fn kill_handler(&self) {
        self.hosts().iter().for_each(|host| host.kill_handler());
    }

    /// Kills the host, every one that there is; see [`Host::kill`]. Others are started.
    pub fn kill_host(&self) {
        self.hosts().iter().for_each(|host| host.kill());
    }

    fn hosts(&self) -> Vec<Arc<Host>> {
        let hosts = self.0.upgrade().map(|all| all.lock().unwrap_or_else(PoisonError::into_inner).clone());
        hosts.unwrap_or_default().into_values().collect()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.kill_host();
    }
}

/// Keeps a host running until enough is asked for.
pub(super) async fn supervise(options: HostOptions, first: Host, current: Current, mut asked: watch::Receiver<bool>) {
    let name = options.target().unwrap_or_default().to_owned();
    let set = |host: Option<Arc<Host>>| {
        let mut all = current.lock().unwrap_or_else(PoisonError::into_inner);
        match host {
            Some(host) => all.insert(name.clone(), host),
            None => all.remove(&name),
        }
    };
    let mut host = Arc::new(first);
    set(Some(Arc::clone(&host)));
    loop {
        tokio::select! {
            _ = host.stopped() => {}
            () = changed(&options) => {
                // Both run side by side until the calls in flight of the old one have ended.
                match Host::start(options.clone()).await {
                    Ok(next) => {
                        let old = std::mem::replace(&mut host, Arc::new(next));
                        set(Some(Arc::clone(&host)));
                        tokio::spawn(async move { old.stop().await });
                    }
                    Err(error) => options.events.tell(Event::HandlerFailed(error.to_string())),
                }
                continue;
            }
            () = wait(&mut asked) => {
                host.stop().await;
                set(None);
                return;
            }
        }
        set(None);
        tokio::time::sleep(PAUSE).await;
        host = loop {
            if *asked.borrow() {
                return;
            }
            match Host::start(options.clone()).await {
                Ok(host) => break Arc::new(host),
                Err(error) => {
                    options.events.tell(Event::HandlerFailed(error.to_string()));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        set(Some(Arc::clone(&host)));
    }
}

/// Returns when the app's configuration is another one than it was at the call.
async fn changed(options: &HostOptions) {
    let at_first = configuration(&options.app_dir);
    loop {
        tokio::time::sleep(LOOK).await;
        if options.watch && configuration(&options.app_dir) != at_first {
            return;
        }
    }
}

/// The files that the real host watches, and when they were written.
fn configuration(app: &Path) -> BTreeMap<PathBuf, Option<SystemTime>> {
    let folders = std::fs::read_dir(app).into_iter().flatten().flatten();
    let functions = folders.map(|entry| entry.path().join("function.json"));
    let written = |path: &PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    functions.chain([app.join("host.json")]).map(|path| (path.clone(), written(&path))).collect()
}

pub(super) async fn wait(asked: &mut watch::Receiver<bool>) {
    // An error means that the supervisor is gone: that is asking, too.
    let _ = asked.wait_for(|asked| *asked).await;
}
