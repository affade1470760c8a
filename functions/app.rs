//! The app put together: settings, storage, clouds, engine; and the table of its functions.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::accept_request::{REQUESTS, accept_request};
use crate::cloud::entra::EntraTokens;
use crate::cloud::{Clouds, transport};
use crate::create::{Tools, runbook};
use crate::engine::{Clock, Delivery, Engine, RunError, SystemClock, queue_of};
use crate::invocation::{Function, Functions, Invocation, Trigger};
use crate::settings::Settings;
use crate::store::{Connection, Scope, Storage};
use crate::watch::{poll_vpc::poll_vpc, poll_waiting::poll_waiting, sweep::sweep};

/// The tables. They are made at start.
const TABLES: [&str; 4] = ["peerings", "vpcs", "shared", "rejected"];

/// The app: what its functions work with.
#[derive(Clone)]
pub struct App {
    /// Runs steps.
    pub engine: Engine,
    /// The clouds and the settings.
    pub tools: Tools,
}

impl App {
    /// Puts the app together from the process's settings, over the network.
    ///
    /// # Errors
    /// One text that says which settings to mend.
    pub fn from_settings(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let settings = Settings::read(&get)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock(settings.time_scale));
        let transport = transport(get("SSL_CERT_FILE").map(PathBuf::from).as_deref())?;
        let connection = Connection::read(&get).map_err(|e| e.to_string())?;
        let storage = Storage::open(&connection, None, transport.clone(), clock.clone()).map_err(|e| e.to_string())?;
        let tokens = Arc::new(EntraTokens::new(&settings.endpoints, transport.clone(), clock.clone()));
        let clouds = Clouds::new(&settings.endpoints, transport, clock.clone(), tokens);
        Ok(Self::new(settings, clouds, storage, clock))
    }

    /// Puts the app together from parts, which may be simulated.
    pub fn new(settings: Settings, clouds: Clouds, storage: Storage, clock: Arc<dyn Clock>) -> Self {
        let tools = Tools { clouds, settings: Arc::new(settings) };
        let engine = Engine::new(storage, clock, runbook(&tools));
        Self { engine, tools }
    }

    /// Makes tables and queues, and makes sure that the storage is this installation's.
    ///
    /// # Errors
    /// Storage cannot be used, or belongs to another installation.
    pub async fn prepare(&self) -> Result<(), String> {
        let storage = &self.engine.storage;
        let tables = TABLES.iter().map(|table| storage.tables.create_table_if_missing(table));
        futures::future::try_join_all(tables).await.map_err(|e| e.to_string())?;
        let queues: Vec<String> = self.queues();
        let queues = queues.iter().map(|queue| storage.queues.create_queue_if_missing(queue));
        futures::future::try_join_all(queues).await.map_err(|e| e.to_string())?;
        let ours = &self.tools.settings.installation;
        let claimed = self.engine.shared.change(&Scope::Installation, None, |row| {
            let unclaimed = row.installation.is_none();
            if unclaimed {
                row.installation = Some(ours.clone());
            }
            unclaimed
        });
        match claimed.await.map_err(|e| e.to_string())?.row.installation {
            Some(theirs) if theirs != *ours => Err(format!(
                "this storage belongs to installation {theirs:?}, and INSTALLATION says {ours:?}: set it to {theirs:?}, or use another storage account"
            )),
            _ => Ok(()),
        }
    }

    /// Every queue that a function listens to.
    fn queues(&self) -> Vec<String> {
        let steps = self.engine.runbook.entries.iter().map(|entry| queue_of(entry.name));
        steps.chain([REQUESTS.to_owned(), queue_of("poll_vpc")]).collect()
    }

    /// The functions by name: each folder with a `function.json` is one.
    pub fn functions(&self) -> Functions {
        let mut functions = Functions::new();
        for entry in &self.engine.runbook.entries {
            let queue = queue_of(entry.name);
            functions.insert(
                entry.name,
                self.on_message(move |app, text, delivery| {
                    let queue = queue.clone();
                    async move { app.engine.run(&queue, &text, &delivery).await }
                }),
            );
        }
        functions.insert(
            "accept_request",
            self.on_message(|app, text, delivery| async move {
                accept_request(&app.engine, &app.tools, &text, &delivery).await
            }),
        );
        functions.insert(
            "poll_vpc",
            self.on_message(
                |app, text, delivery| async move { poll_vpc(&app.engine, &app.tools, &text, &delivery).await },
            ),
        );
        functions.insert("poll_waiting", self.on_timer(|app| async move { poll_waiting(&app.engine).await }));
        functions.insert("sweep", self.on_timer(|app| async move { sweep(&app.engine, &app.tools).await }));
        functions
    }

    fn on_message<F>(&self, function: impl Fn(Self, String, Delivery) -> F + Send + Sync + 'static) -> Function
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        let app = self.clone();
        Arc::new(move |invocation| match message(invocation) {
            Ok((text, delivery)) => outcome(function(app.clone(), text, delivery)),
            Err(why) => Box::pin(async { Err(why) }),
        })
    }

    fn on_timer<F>(&self, function: impl Fn(Self) -> F + Send + Sync + 'static) -> Function
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        let app = self.clone();
        Arc::new(move |_| outcome(function(app.clone())))
    }
}

fn outcome<F>(work: F) -> BoxFuture<'static, Result<(), String>>
where
    F: Future<Output = Result<(), RunError>> + Send + 'static,
{
    Box::pin(async move { work.await.map_err(|error| error.to_string()) })
}

/// A message that was put in by hand has no id; one that is made up serves as well, as nothing refers to it.
fn message(invocation: Invocation) -> Result<(String, Delivery), String> {
    let Invocation { trigger, message_id, dequeue_count } = invocation;
    let Trigger::Queue(text) = trigger else { return Err("this function takes queue messages, not timers".to_owned()) };
    let message_id = if message_id.is_empty() { uuid::Uuid::new_v4().to_string() } else { message_id };
    Ok((text, Delivery { message_id, redelivered: dequeue_count > 1 }))
}
