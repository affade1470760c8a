//! The handler process: launched, probed until it answers, watched, restarted or given up as the real host does.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use super::config::{App, Handler};
use super::events::{Event, Events, Stream};
use super::options::HostOptions;
use super::wire::{Request, Wire, traceparent};

/// Pause between two probes.
const PROBE: Duration = Duration::from_millis(25);

/// How far the handler has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Ready,
    /// It ended with 0 after it was ready: the host believes in it still.
    Quit,
    /// It could not be executed: nothing will change that.
    Missing,
}

/// One launch of the handler.
#[derive(Clone)]
pub(super) struct Process {
    pub(super) launch: u32,
    pub(super) pid: Option<u32>,
    pub(super) phase: Phase,
    pub(super) wire: Arc<Wire>,
}

/// What callers may ask of the handler's keeper.
pub(super) enum Order {
    /// SIGKILL from outside: a crash.
    Kill,
    /// The host kills it for a timeout, unless another launch has replaced that one.
    Restart(u32),
    /// The host ends.
    End {
        /// Leave it running.
        orphan: bool,
    },
}

/// Why a launch is over.
pub(super) enum End {
    /// Counted as an error: three of them stop the host.
    Crashed,
    NeverReady,
    /// Exit status 200, or killed by the host for a timeout: launched again, not counted.
    Again,
    Over(Phase),
    HostEnded,
}

/// Launches the handler and keeps its state.
pub(super) struct Launcher {
    spec: Spec,
    port: u16,
    probes: u32,
    traced: bool,
    events: Events,
    state: watch::Sender<Process>,
    orders: mpsc::UnboundedReceiver<Order>,
    launch: u32,
    orphan: bool,
}

/// What does not change between launches.
struct Spec {
    handler: Handler,
    environment: BTreeMap<String, String>,
}

/// The handler as the rest of the host sees it.
pub(super) struct Worker {
    pub(super) state: watch::Receiver<Process>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Worker {
    pub(super) fn order(&self, order: Order) {
        // After the host's end there is nobody to kill.
        let _ = self.orders.send(order);
    }

    /// The handler, and whether it got ready within `patience`.
    pub(super) async fn ready(&self, patience: Duration) -> (Process, bool) {
        let mut state = self.state.clone();
        let waiting = async {
            let ready = |process: &Process| matches!(process.phase, Phase::Ready | Phase::Quit);
            if state.wait_for(ready).await.is_err() {
                // The host is ending: whoever waits still is abandoned, its message left leased.
                std::future::pending::<()>().await;
            }
        };
        let in_time = tokio::time::timeout(patience, waiting).await.is_ok();
        let process = self.state.borrow().clone();
        (process, in_time)
    }

    /// Kills launch `number` unless it is gone already, and returns once its successor is launched.
    pub(super) async fn restart(&self, number: u32) {
        self.order(Order::Restart(number));
        // An error means that the host is ending: the caller is about to be dropped.
        let _ = self
            .state
            .clone()
            .wait_for(|process| process.launch > number)
            .await;
    }
}

/// A launcher on a port that stays the same for the host's life, and the view of it.
pub(super) fn prepare(app: &mut App, options: &HostOptions) -> std::io::Result<(Launcher, Worker)> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port();
    let handler = std::mem::replace(&mut app.handler, Handler::none());
    let tries = handler.initialization_timeout.as_millis() / PROBE.as_millis();
    let probes = u32::try_from(tries).unwrap_or(u32::MAX).max(1);
    let spec = Spec {
        environment: environment(app, options, port),
        handler,
    };
    let process = Process {
        launch: 0,
        pid: None,
        phase: Phase::Starting,
        wire: Arc::new(Wire::new(port)),
    };
    let (state, view) = watch::channel(process);
    let (sender, orders) = mpsc::unbounded_channel();
    let launcher = Launcher {
        spec,
        port,
        probes,
        traced: options.is_traced(),
        events: options.events.clone(),
        state,
        orders,
        launch: 0,
        orphan: false,
    };
    Ok((
        launcher,
        Worker {
            state: view,
            orders: sender,
        },
    ))
}

/// The handler inherits all app settings and gets five variables more.
fn environment(app: &App, options: &HostOptions, port: u16) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = ["PATH", "HOME", "TMPDIR"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    for (name, value) in [
        ("FUNCTIONS_WORKER_RUNTIME", "custom"),
        ("FUNCTIONS_EXTENSION_VERSION", "~4"),
        ("AzureWebJobsStorage", &options.connection_string),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    environment.extend(options.settings.clone());
    for (name, value) in [
        ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        ("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
        ("FUNCTIONS_APP_ROOT_PATH", app.root.display().to_string()),
    ] {
        environment.insert(name.to_owned(), value);
    }
    environment
}

impl Launcher {
    /// Launches the handler once, and returns when that launch is over.
    pub(super) async fn run(&mut self) -> End {
        self.launch += 1;
        let wire = Arc::new(Wire::new(self.port));
        let mut child = match self.spec.spawn().await {
            Ok(child) => child,
            Err(error) => {
                let path = self.spec.handler.executable.display();
                self.events.tell(Event::HandlerFailed(format!(
                    "{path} cannot be executed: {error}"
                )));
                self.show(None, Phase::Missing, &wire);
                return End::Over(Phase::Missing);
            }
        };
        let pid = child.id().unwrap_or_default();
        self.listen(&mut child);
        self.show(Some(pid), Phase::Starting, &wire);
        self.events.tell(Event::HandlerStarted {
            pid,
            launch: self.launch,
        });
        let end = self.watch(&mut child, pid, &wire).await;
        // Calls that arrive from now on wait for the next launch.
        self.show(
            None,
            if let End::Over(phase) = end {
                phase
            } else {
                Phase::Starting
            },
            &wire,
        );
        if matches!(end, End::HostEnded) && self.orphan {
            // It lives on, as under the real host; only this process's end takes it along.
            std::mem::forget(child);
        }
        end
    }

    /// After a launch that nothing follows: whether the host wants another one all the same.
    pub(super) async fn wait_for_restart(&mut self) -> bool {
        loop {
            match self.orders.recv().await {
                Some(Order::Restart(number)) if number == self.launch => return true,
                Some(Order::Kill | Order::Restart(_)) => {}
                Some(Order::End { .. }) | None => return false,
            }
        }
    }

    fn show(&self, pid: Option<u32>, phase: Phase, wire: &Arc<Wire>) {
        self.state.send_replace(Process {
            launch: self.launch,
            pid,
            phase,
            wire: Arc::clone(wire),
        });
    }

    async fn watch(&mut self, child: &mut Child, pid: u32, wire: &Arc<Wire>) -> End {
        let started = Instant::now();
        let (events, state) = (self.events.clone(), self.state.clone());
        let (launch, probes) = (self.launch, self.probes);
        let probing = probe(wire, probes, self.traced);
        tokio::pin!(probing);
        let (mut ready, mut gone) = (false, false);
        loop {
            tokio::select! {
                status = child.wait(), if !gone => match judge(status.ok(), ready) {
                    // Nobody noticed that it ended before it was ready: the probes go on.
                    None => { exited(&events, pid, "exit status: 0", false); gone = true; }
                    Some((end, crash, status)) => { exited(&events, pid, &status, crash); return end; }
                },
                answered = &mut probing, if !ready => {
                    if !answered {
                        events.tell(Event::HandlerFailed("Initializing HttpWorker timed out.".to_owned()));
                        let _ = child.kill().await;
                        return End::NeverReady;
                    }
                    ready = true;
                    state.send_replace(Process { launch, pid: Some(pid), phase: Phase::Ready, wire: Arc::clone(wire) });
                    events.tell(Event::HandlerReady { pid, after: started.elapsed() });
                }
                order = self.orders.recv() => match order {
                    // Its end is seen above.
                    Some(Order::Kill) => { let _ = child.start_kill(); }
                    Some(Order::Restart(number)) if number == launch => {
                        let _ = child.kill().await;
                        exited(&events, pid, "killed by the host for a timeout", false);
                        return End::Again;
                    }
                    Some(Order::Restart(_)) => {}
                    Some(Order::End { orphan: true }) => { self.orphan = true; return End::HostEnded; }
                    Some(Order::End { orphan: false }) | None => {
                        let _ = child.kill().await;
                        exited(&events, pid, "killed by the host at its end", false);
                        return End::HostEnded;
                    }
                },
            }
        }
    }

    fn listen(&self, child: &mut Child) {
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(lines(stdout, Stream::Stdout, self.events.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(lines(stderr, Stream::Stderr, self.events.clone()));
        }
    }
}

impl Spec {
    /// Executes it directly, no shell. A file that a concurrent fork still holds open for writing is
    /// "busy" for a moment: that is this process's doing, not the app's.
    async fn spawn(&self) -> std::io::Result<Child> {
        let mut tries = 0;
        loop {
            match self.command().spawn() {
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 50 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                spawned => return spawned,
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.handler.executable);
        let id = uuid::Uuid::new_v4().to_string();
        command
            .args(&self.handler.arguments)
            .current_dir(&self.handler.directory)
            .env_clear()
            .envs(&self.environment)
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &id)
            .env("FUNCTIONS_HTTPWORKER_ID", &id)
            // Ctrl-C in a terminal is for whoever runs the host, who then decides.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// What an exit means; `None` for an exit with 0 before the handler was ready.
fn judge(status: Option<ExitStatus>, ready: bool) -> Option<(End, bool, String)> {
    let text = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
    match status.and_then(|status| status.code()) {
        Some(200) => Some((End::Again, false, text)),
        Some(0) if ready => Some((End::Over(Phase::Quit), false, text)),
        Some(0) => None,
        _ => Some((End::Crashed, true, text)),
    }
}

fn exited(events: &Events, pid: u32, status: &str, crash: bool) {
    events.tell(Event::HandlerExited {
        pid,
        status: status.to_owned(),
        crash,
    });
}

/// Asks `GET /` until anything answers: any status will do, even a connection dropped in mid-answer.
async fn probe(wire: &Arc<Wire>, probes: u32, traced: bool) -> bool {
    for _ in 0..probes {
        let request = Request {
            method: "GET",
            path: "/".to_owned(),
            headers: Vec::new(),
            content: traced.then(traceparent).into_iter().collect(),
            body: None,
            chunked: false,
        };
        match wire.send(request).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                tokio::time::sleep(PROBE).await
            }
            _ => return true,
        }
    }
    false
}

async fn lines(stream: impl AsyncRead + Unpin, kind: Stream, events: Events) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned();
        events.tell(Event::Line(kind, text));
        line.clear();
    }
}
