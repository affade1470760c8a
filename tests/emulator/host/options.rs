//! How a host is to run: the app, its settings, the scale of time, the faults of delivery.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::events::Events;
use super::flex::Flex;

/// Names what an instance is for.
const TARGET: &str = "FUNCTIONS_TARGET_GROUP";

/// Whether messages are delivered more than once, as they are when a lease is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicate {
    /// Only when something goes wrong.
    #[default]
    None,
    /// Every message twice, the second time with DequeueCount 2: by turns after the first delivery
    /// ended, and while it still runs.
    Each,
}

/// How the body of a POST is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// In chunks of about 1 KiB, as in Azure.
    #[default]
    Chunked,
    /// With a Content-Length, as under Core Tools.
    ContentLength,
}

/// How a host is to run.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// The staged app: the folder of `host.json`.
    pub app_dir: PathBuf,
    /// The storage account, with all three endpoints and the key.
    pub connection_string: String,
    /// App settings: the handler's environment, beside what every handler gets. The environment of
    /// this process is not passed on, but for `PATH`, `HOME` and `TMPDIR`.
    pub settings: BTreeMap<String, String>,
    /// Leases, timeouts, retry delays and schedules are divided by this (at least 1). Polling and the
    /// handler's start are real: they measure this machine.
    pub time_scale: f64,
    /// Upper bound for `maxPollingInterval`, if a test cannot wait for it.
    pub poll_cap: Option<Duration>,
    /// Chunks or a length.
    pub transfer: Transfer,
    /// Delivery faults.
    pub duplicate: Duplicate,
    /// Whether the handler outlives a host that was killed, or that stopped with calls in flight, as
    /// the real one does. Off: it is killed, as if it had noticed that its host is gone.
    pub orphans: bool,
    /// Whether a [`super::Supervisor`] replaces the host when its `host.json` or a `function.json`
    /// changes: the new handler starts on another port before the old one ends.
    pub watch: bool,
    /// Whether a [`super::Supervisor`] runs each function on an instance of its own, as on Flex Consumption.
    pub flex: Option<Flex>,
    /// Names the timers' locks and status blobs. Hosts that share storage and this id share them.
    pub host_id: String,
    /// Processor cores of the emulated instance; they set `newBatchThreshold`.
    pub cores: u32,
    /// Where everything that happens is told and counted.
    pub events: Events,
}

impl HostOptions {
    /// A host for the app in `app_dir` on the storage of `connection_string`, on one core, in real
    /// time, without faults.
    #[must_use]
    pub fn new(app_dir: impl Into<PathBuf>, connection_string: impl Into<String>) -> Self {
        Self {
            app_dir: app_dir.into(),
            connection_string: connection_string.into(),
            settings: BTreeMap::new(),
            time_scale: 1.0,
            poll_cap: None,
            transfer: Transfer::default(),
            duplicate: Duplicate::default(),
            orphans: false,
            watch: false,
            flex: None,
            host_id: "emulated".to_owned(),
            cores: 1,
            events: Events::new(),
        }
    }

    /// Adds an app setting.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// All app settings, the ones that the platform gives included.
    pub(super) fn app_settings(&self) -> BTreeMap<String, String> {
        let given = [
            ("FUNCTIONS_WORKER_RUNTIME", "custom"),
            ("FUNCTIONS_EXTENSION_VERSION", "~4"),
            ("AzureWebJobsStorage", &self.connection_string),
        ];
        let mut settings: BTreeMap<_, _> =
            given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.extend(self.settings.clone());
        settings
    }

    /// The function that this host is for: on Flex Consumption the platform names it, and the listeners of all others do nothing.
    pub(super) fn target(&self) -> Option<&str> {
        self.settings.get(TARGET)?.strip_prefix("function:")
    }

    /// The same for one function.
    pub(super) fn for_function(&self, function: &str) -> Self {
        self.clone().setting(TARGET, format!("function:{function}"))
    }

    /// Whether Application Insights is configured, which puts a trace context on every request.
    pub(super) fn is_traced(&self) -> bool {
        ["APPLICATIONINSIGHTS_CONNECTION_STRING", "APPINSIGHTS_INSTRUMENTATIONKEY"]
            .iter()
            .any(|name| self.settings.contains_key(*name))
    }

    /// Sets the scale of time.
    #[must_use]
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = scale;
        self
    }
}
