//! The app put together: settings, storage, clouds, engine; and the table of its functions.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tracing::{info, warn};

use crate::accept_request::accept_request;
use crate::clock::{Clock, SystemClock};
use crate::cloud::entra::EntraTokens;
use crate::cloud::{Clouds, transport};
use crate::context::Context;
use crate::create;
use crate::create_vpc::{self, create_vpc};
use crate::delete;
use crate::engine::{Delivery, Engine, FunctionSpec, Message, RunError, Runbooks, Timer, Trigger};
use crate::invocation::{self, Function, Functions, Invocation};
use crate::peering::Record;
use crate::settings::Settings;
use crate::state::{Scope, SharedRow, VpcRequestRow};
use crate::storage::{Connection, Storage, StoreError};
use crate::telemetry;
use crate::watch::{
    poll_vpc::poll_vpc, poll_waiting::poll_waiting, reconcile::reconcile, reconcile_vpc::reconcile_vpc, sweep::sweep,
};

/// The tables. They are made at start.
const TABLES: [&str; 4] = ["peerings", "vpcs", "shared", "rejected"];

/// The app: what its functions work with.
#[derive(Clone)]
pub struct App {
    /// Runs steps.
    pub engine: Engine,
    /// The clouds and the settings.
    pub context: Context,
    prepared: Arc<OnceCell<()>>,
}

/// Why the app cannot work with its storage.
#[derive(Debug, thiserror::Error)]
pub enum Unprepared {
    /// It belongs to another installation: a mistake in the settings, which no retry mends.
    #[error(
        "this storage belongs to installation {theirs:?}, and INSTALLATION says {ours:?}: set it to {theirs:?}, or use another storage account"
    )]
    OtherInstallation {
        /// Who owns the storage.
        theirs: String,
        /// Who we are.
        ours: String,
    },
    /// It cannot be used at this moment.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

impl App {
    /// Puts the app together from the process's settings, over the network.
    ///
    /// # Errors
    /// One text that says which settings to mend.
    pub fn from_settings(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut settings = Settings::read(&get)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock(settings.time_scale));
        let transport = transport(get("SSL_CERT_FILE").map(PathBuf::from).as_deref())?;
        let connection = Connection::read(&get).map_err(|e| e.to_string())?;
        settings.ignored.extend(connection.ignored.clone());
        for said in &settings.ignored {
            warn!(event = telemetry::SETTING_IGNORED, "{said}");
        }
        let storage = Storage::open(&connection, None, transport.clone(), clock.clone()).map_err(|e| e.to_string())?;
        let tokens =
            Arc::new(EntraTokens::new(&settings.endpoints, settings.credential, transport.clone(), clock.clone()));
        let clouds = Clouds::new(&settings.endpoints, transport, clock.clone(), tokens);
        Ok(Self::new(settings, clouds, storage, clock))
    }

    /// Puts the app together from parts, which may be simulated.
    pub fn new(settings: Settings, clouds: Clouds, storage: Storage, clock: Arc<dyn Clock>) -> Self {
        let context = Context { clouds, settings: Arc::new(settings) };
        let (create, delete) = (create::runbook(&context), delete::runbook(&context));
        let runbooks = Runbooks { create, delete, vpc: create_vpc::runbook(&context, &storage) };
        let engine = Engine::new(storage, clock, runbooks);
        Self { engine, context, prepared: Arc::default() }
    }

    /// Makes tables and queues, and makes sure that the storage is this installation's. Once: every function waits for it, and tries
    /// it again where it failed.
    ///
    /// # Errors
    /// Storage cannot be used, or belongs to another installation.
    pub async fn prepare(&self) -> Result<(), Unprepared> {
        self.prepared.get_or_try_init(|| self.prepare_storage()).await.copied()
    }

    async fn prepare_storage(&self) -> Result<(), Unprepared> {
        let storage = &self.engine.storage;
        let tables = TABLES.iter().map(|table| storage.tables.create_table_if_missing(table));
        futures::future::try_join_all(tables).await?;
        let queues: Vec<String> = self.engine.runbooks.queues().map(|(queue, _)| queue).collect();
        let queues = queues.iter().map(|queue| storage.queues.create_queue_if_missing(queue));
        futures::future::try_join_all(queues).await?;
        let ours = &self.context.settings.installation;
        let claim = |row: &mut SharedRow| {
            let unclaimed = row.installation.is_none();
            row.installation.get_or_insert_with(|| ours.clone());
            unclaimed
        };
        let owner = match self.engine.shared.owner().await? {
            None => self.engine.shared.change(&Scope::Installation, None, claim).await?.value.installation,
            owner => owner,
        };
        match owner {
            Some(theirs) if theirs != *ours => Err(Unprepared::OtherInstallation { theirs, ours: ours.clone() }),
            _ => Ok(()),
        }
    }

    /// The functions by name: each folder with a `function.json` is one.
    pub fn functions(&self) -> Functions {
        let specs = self.engine.runbooks.functions();
        let function = |spec: FunctionSpec| match spec.trigger {
            Trigger::Timer(timer) => self.on_timer(move |app| async move { app.tick(timer).await }),
            Trigger::Queue(kind) => {
                let queue = spec.queue(kind);
                self.on_message(&queue.clone(), move |app, text, delivery| {
                    let queue = queue.clone();
                    async move { app.take(kind, &queue, &text, &delivery).await }
                })
            }
        };
        specs.into_iter().map(|spec| (spec.name, function(spec))).collect()
    }

    async fn take(&self, kind: Message, queue: &str, text: &str, delivery: &Delivery) -> Result<(), RunError> {
        let Self { engine, context, .. } = self;
        match kind {
            Message::Request => accept_request(engine, context, text, delivery).await,
            Message::VpcRequest => create_vpc(engine, context, text, delivery).await,
            Message::PeeringStep => engine.run::<Record>(queue, text, delivery).await,
            Message::VpcStep => engine.run::<VpcRequestRow>(queue, text, delivery).await,
            Message::PollVpc => poll_vpc(engine, context, text, delivery).await,
            Message::ReconcileVpc => reconcile_vpc(engine, context, text, delivery).await,
        }
    }

    async fn tick(&self, timer: Timer) -> Result<(), RunError> {
        match timer {
            Timer::PollWaiting => poll_waiting(&self.engine).await,
            Timer::Reconcile => reconcile(&self.engine, &self.context).await,
            Timer::Sweep => sweep(&self.engine, &self.context).await,
        }
    }

    /// A function that takes the messages of a queue.
    fn on_message<F>(
        &self,
        queue: &str,
        function: impl Fn(Self, String, Delivery) -> F + Send + Sync + 'static,
    ) -> Function
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        let (app, queue) = (self.clone(), queue.to_owned());
        Arc::new(move |invocation| match message(invocation) {
            Ok((text, delivery)) => {
                let work = function(app.clone(), text.clone(), delivery);
                outcome(app.clone(), Some((queue.clone(), text)), work)
            }
            Err(why) => Box::pin(async { Err(why) }),
        })
    }

    fn on_timer<F>(&self, function: impl Fn(Self) -> F + Send + Sync + 'static) -> Function
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        let app = self.clone();
        Arc::new(move |_| outcome(app.clone(), None, function(app.clone())))
    }
}

/// Does the work of an invocation. Where that meets a newer program's row, it is left to that program's workers: `message`, if there is
/// one, is put back on its queue.
fn outcome<F>(app: App, message: Option<(String, String)>, work: F) -> BoxFuture<'static, Result<(), String>>
where
    F: Future<Output = Result<(), RunError>> + Send + 'static,
{
    Box::pin(async move {
        app.prepare().await.map_err(|error| error.to_string())?;
        let Err(error) = work.await else { return Ok(()) };
        if !error.is_newer() {
            return Err(error.to_string());
        }
        info!("{error}");
        let Some((queue, text)) = message else { return Ok(()) };
        app.engine.leave_to_newer(&queue, &text).await.map_err(|error| error.to_string())
    })
}

/// A message that was put in by hand has no id; one that is made up serves as well, as nothing refers to it.
fn message(invocation: Invocation) -> Result<(String, Delivery), String> {
    let Invocation { trigger, message_id, dequeue_count, trace } = invocation;
    let invocation::Trigger::Queue(text) = trigger else {
        return Err("this function takes queue messages, not timers".to_owned());
    };
    let message_id = if message_id.is_empty() { uuid::Uuid::new_v4().to_string() } else { message_id };
    Ok((text, Delivery { message_id, redelivered: dequeue_count > 1, trace: trace.and_then(|text| text.parse().ok()) }))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;
    use crate::storage::memory;

    fn app(installation: &str, storage: &Storage) -> App {
        let id = "22222222-2222-4222-8222-222222222222";
        let settings = Settings::read(|name| match name {
            "AZURE_TENANT_ID" | "AZURE_CLIENT_ID" | "AZURE_PRINCIPAL_ID" => Some(id.to_owned()),
            "AIVEN_TOKEN" => Some("token".to_owned()),
            "INSTALLATION" => Some(installation.to_owned()),
            _ => None,
        })
        .unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock(settings.time_scale));
        let transport = transport(None).unwrap();
        let tokens =
            Arc::new(EntraTokens::new(&settings.endpoints, settings.credential, transport.clone(), clock.clone()));
        let clouds = Clouds::new(&settings.endpoints, transport, clock.clone(), tokens);
        App::new(settings, clouds, storage.clone(), clock)
    }

    #[tokio::test]
    async fn storage_belongs_to_the_installation_that_used_it_first() {
        let storage = memory::storage(Arc::new(SystemClock(crate::clock::TimeScale::REAL)));
        app("default", &storage).prepare().await.unwrap();
        app("default", &storage).prepare().await.unwrap();
        let refused = app("other", &storage).prepare().await.unwrap_err();
        assert!(matches!(refused, Unprepared::OtherInstallation { .. }), "{refused}");
        assert!(refused.to_string().contains("\"default\"") && refused.to_string().contains("\"other\""), "{refused}");
    }

    /// What the app asks for, whatever it is told: with a connection string, an identity, or nothing at all.
    fn settings_asked_for() -> BTreeSet<String> {
        let id = "22222222-2222-4222-8222-222222222222";
        let enough = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_PRINCIPAL_ID", "AIVEN_TOKEN"];
        let asked = RefCell::new(BTreeSet::new());
        for storage in ["", "AzureWebJobsStorage__accountName"] {
            let app = App::from_settings(|name| {
                asked.borrow_mut().insert(name.to_owned());
                match name {
                    name if name == storage => Some("account".to_owned()),
                    name => enough.contains(&name).then(|| id.to_owned()),
                }
            });
            assert_eq!(app.is_ok(), !storage.is_empty(), "{:?}", app.err());
        }
        asked.into_inner()
    }

    /// What is read past the reader of settings: by `main.rs`, and by azure_identity.
    const READ_ELSEWHERE: [&str; 4] = ["FUNCTIONS_CUSTOMHANDLER_PORT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "LOG"];

    #[tokio::test]
    async fn the_list_of_settings_names_all_that_are_read_and_no_other() {
        let mut read = settings_asked_for();
        read.extend(READ_ELSEWHERE.map(str::to_owned));
        let listed: Vec<&str> = crate::settings::names::NAMES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, read.iter().map(String::as_str).collect::<Vec<_>>(), "functions/settings/names.rs");
    }

    #[test]
    fn the_environment_is_read_in_main_and_nowhere_else() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
        let mut found = BTreeSet::new();
        for path in files(&root) {
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            for read in ["env::var", "from_env("] {
                if product.contains(read) && !path.ends_with("conformance.rs") {
                    found.insert(path.strip_prefix(&root).unwrap().to_owned());
                }
            }
        }
        assert_eq!(found, BTreeSet::from(["main.rs".into()]));
    }

    fn files(folder: &std::path::Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[tokio::test]
    async fn every_folder_with_a_function_json_is_a_function_and_the_other_way_round() {
        let storage = memory::storage(Arc::new(SystemClock(crate::clock::TimeScale::REAL)));
        let functions = app("default", &storage).functions();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
        let found: BTreeSet<String> = files(&root)
            .into_iter()
            .filter(|path| path.ends_with("function.json"))
            .map(|path| path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), functions.keys().copied().collect::<Vec<_>>());
    }
}
