//! The whole local environment: Azurite, the emulated clouds, and the emulated Functions host that runs the staged app.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::azurite::{Account, Azurite, Entity};
use crate::clouds::{Clouds, Lags, Options, Pair};
use crate::host::{Duplicate, Events, Flex, HostOptions, Supervisor};

/// How the environment is to be.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The repository.
    pub root: PathBuf,
    /// The handler's executable.
    pub handler: PathBuf,
    /// An app that is laid out already, to be run as it is; none: one is staged from `root` and `handler`.
    pub app: Option<PathBuf>,
    /// Nominal time runs so many times faster than the clock on the wall.
    pub time_scale: f64,
    /// How long everything takes in the clouds.
    pub lags: Lags,
    /// Whether messages are delivered twice.
    pub duplicate: Duplicate,
    /// Whether each function has an instance of its own, which comes and goes.
    pub flex: Option<Flex>,
    /// Settings of the app beside those that the environment gives.
    pub settings: BTreeMap<String, String>,
    /// The token that Aiven takes.
    pub aiven_token: Option<String>,
    /// Upper bound of the host's polling interval, if a run cannot wait for the one in `host.json`.
    pub poll_cap: Option<Duration>,
    /// The folder of this run's files; none: one of its own in `target/environments`.
    pub folder: Option<PathBuf>,
}

/// The environment, running. Dropping it ends every process it started.
pub struct Environment {
    /// The clouds.
    pub clouds: Clouds,
    /// The host, kept running.
    pub supervisor: Supervisor,
    /// The storage account, for a client that is independent of the product.
    pub account: Account,
    /// Azurite.
    pub azurite: Azurite,
    folder: PathBuf,
    /// Held as long as the app in `target/app` is this environment's.
    _app: Option<File>,
}

/// Why the environment could not be set up: one sentence, with the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(String);

impl Setup {
    /// A setup for the repository at `root`, with the documented lags.
    pub fn new(root: impl Into<PathBuf>, handler: impl Into<PathBuf>, time_scale: f64) -> Self {
        Self {
            root: root.into(),
            handler: handler.into(),
            app: None,
            time_scale,
            lags: Lags::documented(),
            duplicate: Duplicate::None,
            flex: None,
            settings: BTreeMap::new(),
            aiven_token: None,
            poll_cap: None,
            folder: None,
        }
    }

    /// Starts everything but the host; `prepare` sets the scene in the clouds; then the host.
    ///
    /// # Errors
    /// What is missing, and its fix.
    pub async fn start(self, prepare: impl FnOnce(&Clouds)) -> Result<Environment, SetupError> {
        let failed = |what: &str, error: &dyn std::fmt::Display| SetupError(format!("{what}: {error}"));
        let target = self.root.join("target");
        let own = || target.join("environments").join(uuid::Uuid::new_v4().to_string());
        let folder = self.folder.clone().unwrap_or_else(own);
        std::fs::create_dir_all(folder.join("clouds")).map_err(|e| failed("the folder of the environment", &e))?;
        let installed = Azurite::ensure(&target.join("azurite")).await.map_err(|e| failed("Azurite", &e))?;
        let azurite = Azurite::start(&installed, &folder).await.map_err(|e| failed("Azurite", &e))?;
        let mut options = Options::new(folder.join("clouds"), self.time_scale);
        options.lags = self.lags.clone();
        if let Some(token) = &self.aiven_token {
            options.aiven_token.clone_from(token);
        }
        let clouds = Clouds::start(options).await.map_err(|e| failed("the emulated clouds", &e))?;
        prepare(&clouds);
        let (app, lock) = self.app(&target, &folder).map_err(|e| failed("staging the app", &e))?;
        let account = azurite.account();
        let supervisor = self.host(&app, &azurite, &clouds).await.map_err(|e| failed("the Functions host", &e))?;
        Ok(Environment { clouds, supervisor, account, azurite, folder, _app: lock })
    }

    /// The app to run; a lock is held as long as it is the one in `target/app`.
    fn app(&self, target: &Path, folder: &Path) -> Result<(PathBuf, Option<File>), stager::StageError> {
        if let Some(app) = &self.app {
            return Ok((app.clone(), None));
        }
        let (app, lock) = app_folder(target, folder);
        stager::stage(&self.root, &self.handler, &app)?;
        Ok((app, lock))
    }

    async fn host(&self, app: &Path, azurite: &Azurite, clouds: &Clouds) -> Result<Supervisor, crate::host::HostError> {
        let mut options = HostOptions::new(app, azurite.connection_string()).time_scale(self.time_scale);
        options.settings.extend(clouds.settings());
        options.settings.insert("AzureWebJobsStorage".to_owned(), azurite.connection_string());
        options.settings.insert("TIME_SCALE".to_owned(), self.time_scale.to_string());
        options.settings.extend(self.settings.clone());
        options.duplicate = self.duplicate;
        options.flex = self.flex;
        options.poll_cap = self.poll_cap;
        options.events = Events::new();
        Supervisor::start(options).await
    }
}

impl Environment {
    /// Puts a request on the public queue, as any client of Azure Storage would.
    ///
    /// # Errors
    /// Storage refused.
    pub async fn request(&self, pair: &Pair) -> Result<String, SetupError> {
        self.send(&json!({"version": 1, "action": "create", "vpc": pair.vpc, "vnet": pair.vnet}).to_string()).await
    }

    /// Puts a text on the public queue.
    ///
    /// # Errors
    /// Storage refused.
    pub async fn send(&self, text: &str) -> Result<String, SetupError> {
        self.account.enqueue("peering-requests", text).await.map_err(|e| SetupError(e.to_string()))
    }

    /// The records of peerings, as rows.
    ///
    /// # Errors
    /// Storage refused.
    pub async fn records(&self) -> Result<Vec<Entity>, SetupError> {
        Ok(self.rows("peerings").await?.into_iter().filter(|row| is_row(row, "peering|")).collect())
    }

    /// The journal of all peerings, in order.
    ///
    /// # Errors
    /// Storage refused.
    pub async fn journal(&self) -> Result<Vec<Entity>, SetupError> {
        Ok(self.rows("peerings").await?.into_iter().filter(|row| is_row(row, "journal|")).collect())
    }

    /// All rows of a table; none if there is no such table.
    ///
    /// # Errors
    /// Storage refused.
    pub async fn rows(&self, table: &str) -> Result<Vec<Entity>, SetupError> {
        self.account.entities(table).await.map_err(|e| SetupError(e.to_string()))
    }

    /// Waits until the records are as wished.
    ///
    /// # Errors
    /// They are not within `limit` of wall-clock time; the error shows how they are.
    pub async fn wait_until(
        &self,
        limit: Duration,
        wish: impl Fn(&[Entity]) -> bool,
    ) -> Result<Vec<Entity>, SetupError> {
        let began = Instant::now();
        loop {
            let records = self.records().await?;
            if wish(&records) {
                return Ok(records);
            }
            if began.elapsed() > limit {
                return Err(SetupError(format!("after {limit:?} the records still are:\n{}", shown(&records))));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The folder of this run's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends everything, and removes its files.
    pub async fn stop(self) {
        let Self { clouds, supervisor, azurite, folder, .. } = self;
        supervisor.stop().await;
        azurite.stop().await;
        drop(clouds);
        // What cannot be removed lies below target/, where it does no harm.
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// `target/app`, unless another environment runs from there at this moment: then a folder of its own.
fn app_folder(target: &Path, folder: &Path) -> (PathBuf, Option<File>) {
    let lock = File::create(target.join("app.lock")).ok().filter(|lock| lock.try_lock().is_ok());
    let app = if lock.is_some() { target.join("app") } else { folder.join("app") };
    (app, lock)
}

fn is_row(row: &Entity, prefix: &str) -> bool {
    row.get("RowKey").and_then(Value::as_str).is_some_and(|key| key.starts_with(prefix))
}

/// The gist of some records, a line each.
pub fn shown(records: &[Entity]) -> String {
    let text =
        |row: &Entity, name: &str| row.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let line = |row: &Entity| {
        let columns = ["id", "status", "step", "seq", "parked", "due", "claim", "waiting", "fault"];
        let shown = columns.iter().filter_map(|name| text(row, name).map(|value| format!("{name}={value}")));
        shown.collect::<Vec<_>>().join(" ")
    };
    records.iter().map(line).collect::<Vec<_>>().join("\n")
}
