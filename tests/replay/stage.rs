//! One case on stage: its app and handler in a folder, its storage account, its host; then what the handler saw.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use emulator::azurite::{Account, Azurite};
use emulator::host::{Host, HostError, HostOptions, Supervisor, Transfer};
use serde_json::Value;

use super::cases::{Case, Check, Step};
use super::compare::{Seen, is_complete};
use super::gate::Gate;
use super::recording::Recording;

const HANDLER: &str = include_str!("handler.js");
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const LIMIT: Duration = Duration::from_secs(60);

/// A host, or one with somebody who replaces it when its files change.
pub enum Running {
    Host(Host),
    Watched { _supervisor: Supervisor },
}

pub struct Stage {
    pub case: &'static Case,
    pub recording: Recording,
    pub account: Account,
    pub gate: Gate,
    pub running: Option<Running>,
    pub refusal: Option<HostError>,
    options: HostOptions,
    dir: PathBuf,
    put: usize,
    /// The host stopped while it received the message once more, which stays leased then, as under the real host. The
    /// recording was luckier: the case has to be played again.
    pub unlucky: bool,
}

impl Stage {
    /// Lays out everything that the host is started with.
    pub async fn set(case: &'static Case, recording: Recording, azurite: &Azurite, number: usize) -> Self {
        let dir = std::env::temp_dir().join(format!("replay-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let app = dir.join("app");
        lay_out(&app, case, &recording);
        let connection = azurite.connection_string_of(number);
        let queues = azurite.endpoints().queue.trim_start_matches("http://").to_owned();
        let gate = Gate::before(queues.clone()).await;
        let mut options = HostOptions::new(&app, connection.replace(&queues, &gate.address))
            .setting("ANSWERS", Value::Array(recording.rules(case.scale)).to_string())
            .setting("RECORD", dir.join("record").display().to_string())
            .setting("RH_DIR", dir.display().to_string())
            .time_scale(case.scale);
        particular(case.name, &mut options);
        let account = Account::from_connection_string(&connection).unwrap();
        Self { case, recording, account, gate, running: None, refusal: None, options, dir, put: 0, unlucky: false }
    }

    /// Plays the case to its end.
    pub async fn play(&mut self) {
        for step in self.case.steps {
            self.perform(*step).await;
            if self.unlucky {
                return;
            }
        }
        self.until("the recorded requests", |stage| is_complete(&stage.recording, stage.case.only, &stage.seen()))
            .await;
        self.put_due(usize::MAX).await;
        if self.recording.host_alive == Some(false) {
            self.stopped(LIMIT).await;
        }
    }

    async fn perform(&mut self, step: Step) {
        match step {
            Step::Enqueue => self.put_due(0).await,
            Step::Start => self.start().await,
            Step::Posts(count) => self.until("POSTs", |stage| stage.posts().len() >= count).await,
            Step::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Step::KillHandler => {
                if let Some(Running::Host(host)) = &self.running {
                    host.kill_handler();
                }
            }
            Step::KillHost => drop(self.running.take()),
            Step::Stop => {
                if let Some(Running::Host(host)) = self.running.take() {
                    host.stop().await;
                }
            }
            Step::Stopped => {
                assert!(self.stopped(LIMIT).await, "{}: the host goes on", self.case.name);
                self.unlucky = self.account.peek_messages("jobs").await.unwrap().is_empty();
            }
            Step::Touch(function) => {
                let file = self.dir.join("app").join(function).join("function.json");
                let text = std::fs::read(&file).unwrap();
                std::fs::write(file, text).unwrap();
            }
            Step::Status(function) => {
                let path = format!("timers/{}/Host.Functions.{function}/status", self.options.host_id);
                let blob = self.account.blob("azure-webjobs-hosts", &path);
                while blob.read().await.unwrap().is_none() {
                    tokio::time::sleep(Duration::from_millis(40)).await;
                }
            }
            Step::Trigger(function, input) => {
                if let Some(Running::Host(host)) = &self.running {
                    assert!(host.trigger(function, input).await.is_some(), "no function {function}");
                }
            }
            Step::Outage(milliseconds) => self.gate.outage(Duration::from_millis(milliseconds)).await,
        }
    }

    async fn start(&mut self) {
        let options = self.options.clone();
        if options.watch {
            self.running = Some(Running::Watched { _supervisor: Supervisor::start(options).await.unwrap() });
            return;
        }
        match Host::start(options).await {
            Ok(host) => self.running = Some(Running::Host(host)),
            Err(error) if self.case.check == Check::Refused => self.refusal = Some(error),
            Err(error) => panic!("{}: {error}", self.case.name),
        }
    }

    /// Whether the host stops by itself within `limit`.
    pub async fn stopped(&self, limit: Duration) -> bool {
        match &self.running {
            Some(Running::Host(host)) => tokio::time::timeout(limit, host.stopped()).await.is_ok(),
            _ => false,
        }
    }

    /// Puts the messages whose time has come after so many POSTs.
    async fn put_due(&mut self, posts: usize) {
        while let Some(message) = self.recording.enqueued.get(self.put).filter(|message| message.after <= posts) {
            self.account.create_queue(&message.queue).await.unwrap();
            self.account.put_raw(&message.queue, &message.text, Duration::ZERO, Some(WEEK)).await.unwrap();
            if self.case.name.starts_with("case14") {
                self.wear_out(&message.queue).await;
            }
            self.put += 1;
        }
    }

    /// Receives a message five times before any host does.
    async fn wear_out(&self, queue: &str) {
        for _ in 0..5 {
            let message = self.account.get_messages(queue, 1, Duration::from_secs(60)).await.unwrap().remove(0);
            self.account.update_message(queue, &message.id, &message.pop_receipt, Duration::ZERO).await.unwrap();
        }
    }

    async fn until(&mut self, what: &str, wish: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        loop {
            let posts = self.posts().len();
            if wish(self) {
                return;
            }
            if began.elapsed() > LIMIT {
                println!("{}: waited in vain for {what}", self.case.name);
                return;
            }
            if self.put > 0 {
                self.put_due(posts).await;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Everything that the handler noted.
    pub fn notes(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join("record")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The requests that it got.
    pub fn seen(&self) -> Vec<Seen> {
        self.notes().iter().filter(|note| note["kind"] == "request").map(seen).collect()
    }

    /// The POSTs among them.
    pub fn posts(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|request| request.method == "POST").collect()
    }

    /// The folder of the app, as the handler sees it.
    pub fn app(&self) -> String {
        self.dir.join("app").display().to_string()
    }

    /// Names the timers' blobs.
    pub fn host_id(&self) -> &str {
        &self.options.host_id
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn seen(note: &Value) -> Seen {
    let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("version"), "1.1");
    Seen {
        launch: note["launch"].as_u64().unwrap(),
        method: text("method"),
        path: text("path"),
        headers: serde_json::from_value(note["headers"].clone()).unwrap(),
        body: text("body"),
        chunks: serde_json::from_value(note["chunks"].clone()).unwrap(),
    }
}

fn lay_out(app: &Path, case: &Case, recording: &Recording) {
    let mut host = recording.host_json.clone();
    if let Some(span) = case.ready_within {
        host["customHandler"]["initializationTimeout"] = span.into();
    }
    // The recorded handler was a Python script; an interpreter with arguments is one whatever its name.
    let text = host.to_string().replace("<app>", &app.display().to_string());
    let text = text.replace("\"python3\"", "\"node\"").replace("\"-u\"", "\"--no-deprecation\"");
    for folder in ["bin", "sub"] {
        std::fs::create_dir_all(app.join(folder)).unwrap();
    }
    std::fs::write(app.join("host.json"), text).unwrap();
    for (function, json) in &recording.function_json {
        std::fs::create_dir_all(app.join(function)).unwrap();
        std::fs::write(app.join(function).join("function.json"), json.to_string()).unwrap();
    }
    if !case.name.starts_with("case11g") {
        let mode = if case.name.starts_with("case11h") { 0o644 } else { 0o755 };
        for path in ["handler.py", "bin/handler.py"] {
            std::fs::write(app.join(path), HANDLER).unwrap();
            std::fs::set_permissions(app.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}

/// What the recordings say of the environment of single cases.
fn particular(name: &str, options: &mut HostOptions) {
    let setting = match name.split('-').next().unwrap_or_default() {
        "case32" => ("APPLICATIONINSIGHTS_CONNECTION_STRING", "InstrumentationKey=x"),
        "case20" => ("AzureWebJobs.Off2.Disabled", "true"),
        _ => ("REPLAY", name),
    };
    options.settings.insert(setting.0.to_owned(), setting.1.to_owned());
    if name.starts_with("case16") {
        options.transfer = Transfer::ContentLength;
    }
    if name.starts_with("case09b") {
        options.cores = 2;
    }
    options.watch = name.starts_with("case22");
}
