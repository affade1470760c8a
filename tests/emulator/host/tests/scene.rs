//! Sets the scene of a test: an app of given functions, scripted answers, an account of its own; then the requests the handler got.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::azurite::{Account, Azurite};
use crate::host::{Host, HostOptions};

const HANDLER: &str = include_str!("handler.js");

/// One Azurite for all tests of the process; each test has an account of its own.
static AZURITE: OnceLock<Azurite> = OnceLock::new();
static SCENES: AtomicUsize = AtomicUsize::new(1);

/// Starts it in a thread whose runtime outlives every test's.
fn azurite() -> &'static Azurite {
    AZURITE.get_or_init(|| {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
                let installed = Azurite::ensure(&target.join("azurite")).await.unwrap();
                send.send(Azurite::start(&installed, &target.join("azurite-run")).await.unwrap()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        receive.recv().unwrap()
    })
}

pub(super) struct Scene {
    dir: PathBuf,
    connection: String,
    host_json: Value,
    rules: Vec<Value>,
    pub(super) account: Account,
    pub(super) scale: f64,
    pub(super) change: fn(&mut HostOptions),
}

/// One request as the handler saw it.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Milliseconds since 1970.
    pub(super) at: u64,
    pub(super) pid: u64,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Recorded {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn dequeue_count(&self) -> String {
        self.json()["Metadata"]["DequeueCount"].as_str().unwrap().to_owned()
    }

    /// The message, decoded twice.
    pub(super) fn message(&self) -> String {
        serde_json::from_str(self.json()["Data"]["queueItem"].as_str().unwrap()).unwrap()
    }
}

impl Scene {
    /// An app without functions, `handler` as its executable, polling at most every 200 ms.
    pub(super) fn new(name: &str) -> Self {
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("host-{}-{number}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("app")).unwrap();
        let connection = azurite().connection_string_of(number);
        Self {
            dir,
            account: Account::from_connection_string(&connection).unwrap(),
            connection,
            host_json: json!({"version": "2.0",
                "customHandler": {"description": {"defaultExecutablePath": "handler"}},
                "extensions": {"queues": {"maxPollingInterval": "00:00:00.2"}}}),
            rules: Vec::new(),
            scale: 1.0,
            change: |_| {},
        }
    }

    pub(super) fn host_json(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.host_json.pointer_mut(parent).unwrap()[key] = value;
        self
    }

    pub(super) fn function(self, name: &str, json: &Value) -> Self {
        let folder = self.dir.join("app").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("function.json"), json.to_string()).unwrap();
        self
    }

    /// Function `Jobs` on queue `jobs`.
    pub(super) fn jobs(self) -> Self {
        self.function("Jobs", &queue_trigger("jobs", json!([])))
    }

    pub(super) fn timer(self, name: &str, schedule: &str) -> Self {
        let binding = json!({"type": "timerTrigger", "direction": "in", "name": "t", "schedule": schedule});
        self.function(name, &json!({"bindings": [binding]}))
    }

    /// A rule of the scripted handler; see there.
    pub(super) fn rule(mut self, rule: Value) -> Self {
        self.rules.push(rule);
        self
    }

    /// What the handler answers to POSTs, one after the other, the last for ever.
    pub(super) fn answers(self, answers: Value) -> Self {
        self.rule(json!({"answers": answers}))
    }

    pub(super) fn scale(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    pub(super) fn options(&self) -> HostOptions {
        let app = self.dir.join("app");
        std::fs::write(app.join("host.json"), self.host_json.to_string()).unwrap();
        self.install_handler(&app);
        let mut options = HostOptions::new(app, &self.connection)
            .setting("ANSWERS", Value::Array(self.rules.clone()).to_string())
            .setting("RECORD", self.dir.join("record").display().to_string())
            .time_scale(self.scale);
        (self.change)(&mut options);
        options
    }

    /// Puts the scripted handler where `host.json` looks for it.
    fn install_handler(&self, app: &Path) {
        let name = self.host_json.pointer("/customHandler/description/defaultExecutablePath");
        let name = name.and_then(Value::as_str).unwrap().rsplit("/app/").next().unwrap();
        if name == "nothing-of-that-name" {
            return;
        }
        let path = app.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::create_dir_all(app.join("sub")).unwrap();
        std::fs::write(&path, HANDLER).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) async fn start(&self) -> Host {
        Host::start(self.options()).await.unwrap()
    }

    pub(super) fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join("record")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub(super) fn posts(&self) -> Vec<Recorded> {
        self.records().iter().filter(|record| record["method"] == "POST").map(recorded).collect()
    }

    /// Waits until `count` POSTs have come, at most 20 s.
    pub(super) async fn wait_for_posts(&self, count: usize) -> Vec<Recorded> {
        self.until(|| self.posts().len() >= count).await;
        self.posts()
    }

    pub(super) async fn until(&self, condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(20), "too late; records: {:#?}", self.posts());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the queue is empty, invisible messages included.
    pub(super) async fn wait_for_empty(&self, queue: &str) {
        let start = Instant::now();
        while self.account.count_messages(queue).await.unwrap() != Some(0) {
            assert!(start.elapsed() < Duration::from_secs(20), "{queue} is not empty; {:#?}", self.posts());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The stored texts of a queue's visible messages.
    pub(super) async fn texts(&self, queue: &str) -> Vec<String> {
        self.account.peek_messages(queue).await.unwrap().into_iter().map(|message| message.text).collect()
    }

    pub(super) async fn wait_for_texts(&self, queue: &str, count: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let there = self.account.count_messages(queue).await.unwrap().is_some();
            let texts = if there { self.texts(queue).await } else { Vec::new() };
            if texts.len() >= count {
                return texts;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{queue} holds {texts:?}; {:#?}", self.posts());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn recorded(record: &Value) -> Recorded {
    let text = |name: &str| record[name].as_str().unwrap().to_owned();
    Recorded {
        at: record["at"].as_u64().unwrap(),
        pid: record["pid"].as_u64().unwrap(),
        method: text("method"),
        path: text("path"),
        headers: serde_json::from_value(record["headers"].clone()).unwrap(),
        body: text("body"),
    }
}

/// `function.json` of a queue trigger called `queueItem`, and more bindings.
pub(super) fn queue_trigger(queue: &str, more: Value) -> Value {
    let trigger = json!({"type": "queueTrigger", "direction": "in", "name": "queueItem", "queueName": queue});
    let mut bindings = vec![trigger];
    bindings.extend(more.as_array().unwrap().clone());
    json!({"bindings": bindings})
}
