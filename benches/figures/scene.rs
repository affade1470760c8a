//! A running app whose every call is known: Azurite behind the recorder, the clouds, the host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use emulator::azurite::{Azurite, Entity};
use emulator::clouds::{Clouds, Lags, Options, Pair};
use emulator::host::{Events, Flex, HostOptions, Invocation, Supervisor};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Outcome;
use crate::recorder::{Recorder, Store};
use crate::seen::Seen;

/// Everything of one measurement. Ends when dropped; [`Scene::stop`] also removes its files.
pub struct Scene {
    /// The clouds.
    pub clouds: Clouds,
    /// The pairs that may be peered.
    pub pairs: Vec<Pair>,
    /// What the handler asked of storage.
    pub recorder: Recorder,
    /// What the Functions host told of itself.
    pub seen: Seen,
    /// Queues that functions listen to.
    pub queues: usize,
    /// The app's settings.
    pub settings: BTreeMap<String, String>,
    host: Supervisor,
    azurite: Azurite,
    folder: PathBuf,
}

/// What a scene is to be.
pub struct Stage {
    /// So many times faster than the wall clock.
    pub scale: f64,
    /// How long the clouds take.
    pub lags: Lags,
    /// So many VPCs, networks, and pairs of both.
    pub networks: (usize, usize, usize),
    /// Whether each function has an instance of its own, as on Flex Consumption; they start at once.
    pub flex: bool,
    /// Other schedules of timers than theirs.
    pub schedules: Vec<(&'static str, &'static str)>,
}

impl Stage {
    /// One for peerings: sweep works for none, and would fall into the time of functions that do.
    pub fn new(scale: f64, lags: Lags, networks: (usize, usize, usize)) -> Self {
        Self { scale, lags, networks, flex: false, schedules: vec![("sweep", "0 0 0 1 1 *")] }
    }
}

impl Scene {
    /// Starts it all.
    pub async fn start(handler: &Path, stage: Stage) -> Outcome<Self> {
        let Stage { scale, lags, networks, flex, schedules } = stage;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/environments").join(format!("figures-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("clouds"))?;
        let installed = Azurite::ensure(&root.join("target/azurite")).await?;
        let azurite = Azurite::start(&installed, &folder).await?;
        let mut options = Options::new(folder.join("clouds"), scale);
        options.lags = lags;
        let clouds = Clouds::start(options).await?;
        let (vpcs, vnets, count) = networks;
        let pairs = clouds.world().pairs(vpcs, vnets, count, false);
        let recorder = Recorder::default();
        let mut settings = clouds.settings();
        settings.insert("AzureWebJobsStorage".to_owned(), recorded(&azurite, &recorder).await?);
        settings.insert("TIME_SCALE".to_owned(), scale.to_string());
        // The host counts what it would send there.
        settings.insert("APPLICATIONINSIGHTS_CONNECTION_STRING".to_owned(), "InstrumentationKey=none".to_owned());
        let app = folder.join("app");
        stager::stage(root, handler, &app)?;
        for (timer, schedule) in schedules {
            reschedule(&app, timer, schedule)?;
        }
        let queues = queues(&app)?;
        // The host's own requests are not the handler's.
        let mut options = HostOptions::new(&app, azurite.connection_string()).time_scale(scale);
        options.settings = settings.clone();
        options.flex = flex.then(|| Flex::new(Duration::ZERO));
        let events = Events::new();
        let seen = Seen::of(&events);
        options.events = events;
        let host = Supervisor::start(options).await?;
        Ok(Self { clouds, pairs, recorder, seen, queues, settings, host, azurite, folder })
    }

    /// Asks for something to be done about a peering; returns when, and the message's id.
    pub async fn request(&self, action: &str, pair: &Pair) -> Outcome<(Timestamp, String)> {
        let text = json!({"version": 1, "action": action, "vpc": pair.vpc, "vnet": pair.vnet}).to_string();
        let at = Timestamp::now();
        Ok((at, self.send(&text).await?))
    }

    /// Puts a text on the public queue; returns the message's id.
    pub async fn send(&self, text: &str) -> Outcome<String> {
        Ok(self.azurite.account().enqueue("peering-requests", text).await?)
    }

    /// Waits until so many peerings satisfy `wish`.
    pub async fn wait(&self, count: usize, limit: Duration, wish: impl Fn(&Entity) -> bool) -> Outcome<()> {
        let began = Instant::now();
        loop {
            let rows = self.azurite.account().entities("peerings").await?;
            let records = rows.iter().filter(|row| text(row, "RowKey").starts_with("peering|"));
            let (good, bad): (Vec<_>, Vec<_>) = records.partition(|row| wish(row));
            if good.len() >= count {
                return Ok(());
            }
            if began.elapsed() > limit {
                let example = bad.first().map_or_else(String::new, |row| format!("; one of the others: {row:?}"));
                return Err(
                    format!("after {limit:?} only {} of {count} peerings are there{example}", good.len()).into()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the timer polls no VPC any more: the last poll has seen that nothing waits.
    pub async fn quiet(&self, limit: Duration) -> Outcome<()> {
        let began = Instant::now();
        while self.azurite.account().entities("vpcs").await?.iter().any(|row| flag(row, "waiting")) {
            if began.elapsed() > limit {
                return Err(format!("after {limit:?} a VPC is polled still, although nothing waits").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Invocations that ended, in the order in which they started.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.seen.invocations()
    }

    /// Process id of the handler.
    pub fn handler_pid(&self) -> Option<u32> {
        self.host.host()?.handler_pid()
    }

    /// Ends the host; storage and clouds stay.
    pub async fn stop_host(self) -> Stopped {
        let Self { clouds, recorder, mut settings, host, azurite, folder, .. } = self;
        host.stop().await;
        settings.insert("AzureWebJobsStorage".to_owned(), azurite.connection_string());
        Stopped { settings, recorder, azurite, folder, _clouds: clouds }
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.stop_host().await.stop().await;
    }
}

/// A scene whose host has stopped.
pub struct Stopped {
    /// The app's settings, storage reached directly.
    pub settings: BTreeMap<String, String>,
    recorder: Recorder,
    azurite: Azurite,
    folder: PathBuf,
    _clouds: Clouds,
}

impl Stopped {
    /// Ends everything, and removes the files.
    pub async fn stop(self) {
        self.recorder.stop();
        self.azurite.stop().await;
        // What cannot be removed lies below target/, where it does no harm.
        let _ = std::fs::remove_dir_all(self.folder);
    }
}

/// Gives a timer of the staged app another schedule.
fn reschedule(app: &Path, timer: &str, schedule: &str) -> Outcome<()> {
    let path = app.join(timer).join("function.json");
    let mut function: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    function["bindings"][0]["schedule"] = json!(schedule);
    Ok(std::fs::write(path, function.to_string())?)
}

/// A column as text.
pub fn text<'a>(row: &'a Entity, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// A column that is true.
pub fn flag(row: &Entity, column: &str) -> bool {
    row.get(column).and_then(Value::as_bool) == Some(true)
}

/// How many functions of the staged app listen to a queue.
fn queues(app: &Path) -> Outcome<usize> {
    let mut queues = 0;
    for entry in std::fs::read_dir(app)? {
        let text = std::fs::read_to_string(entry?.path().join("function.json")).unwrap_or_default();
        queues += usize::from(text.contains("queueTrigger"));
    }
    Ok(queues)
}

/// The connection string of the account, its queues and tables behind the recorder.
async fn recorded(azurite: &Azurite, recorder: &Recorder) -> Outcome<String> {
    let mut connection = azurite.connection_string();
    let endpoints = azurite.endpoints();
    for (store, address) in [(Store::Queue, &endpoints.queue), (Store::Table, &endpoints.table)] {
        connection = connection.replace(address.as_str(), &recorder.before(store, address).await?);
    }
    Ok(connection)
}
