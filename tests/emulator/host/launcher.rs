//! Launches the handler once, probes it until it answers, and says why that launch was over.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::config::Handler;
use super::events::{Event, Events, Stream};
use super::process::{End, Order, PROBE, Phase, Process};
use super::wire::{Request, Wire, traceparent};

/// Launches the handler and keeps its state.
pub(super) struct Launcher {
    pub(super) spec: Spec,
    pub(super) port: u16,
    pub(super) probes: u32,
    pub(super) traced: bool,
    pub(super) events: Events,
    pub(super) state: watch::Sender<Process>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) launch: u32,
    pub(super) orphan: bool,
    /// The probes of all launches; they end with the host.
    pub(super) probing: JoinSet<()>,
}

/// What does not change between launches.
pub(super) struct Spec {
    pub(super) handler: Handler,
    pub(super) environment: BTreeMap<String, String>,
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
                self.events.tell(Event::HandlerFailed(format!("{path} cannot be executed: {error}")));
                self.show(None, Phase::Missing, &wire);
                return End::Over(Phase::Missing);
            }
        };
        let pid = child.id().unwrap_or_default();
        self.listen(&mut child);
        self.show(Some(pid), Phase::Starting, &wire);
        self.events.tell(Event::HandlerStarted { pid, launch: self.launch });
        let end = self.watch(&mut child, pid, &wire).await;
        // Calls that arrive from now on wait for the next launch.
        self.show(None, if let End::Over(phase) = end { phase } else { Phase::Starting }, &wire);
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
                Some(Order::Kill(_) | Order::Restart(_)) => {}
                Some(Order::End { .. }) | None => return false,
            }
        }
    }

    fn show(&self, pid: Option<u32>, phase: Phase, wire: &Arc<Wire>) {
        self.state.send_replace(Process { launch: self.launch, pid, phase, wire: Arc::clone(wire) });
    }

    async fn watch(&mut self, child: &mut Child, pid: u32, wire: &Arc<Wire>) -> End {
        let started = Instant::now();
        let (events, state) = (self.events.clone(), self.state.clone());
        let (launch, probes) = (self.launch, self.probes);
        // The probes of a launch that ends before it is ready go on, so its successor is asked once for each.
        let (tell, mut probing) = oneshot::channel();
        let asking = probe(Arc::clone(wire), probes, self.traced);
        // Nobody listens any more once the launch is over.
        self.probing.spawn(async move { tell.send(asking.await).unwrap_or(()) });
        let (mut ready, mut gone) = (false, false);
        loop {
            tokio::select! {
                status = child.wait(), if !gone => match judge(status.ok(), ready) {
                    // Nobody noticed that it ended before it was ready: the probes go on.
                    None => { exited(&events, pid, "exit status: 0", false); gone = true; }
                    Some((end, crash, status)) => { exited(&events, pid, &status, crash); return end; }
                },
                answered = &mut probing, if !ready => {
                    if !answered.unwrap_or(false) {
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
                    Some(Order::Kill(number)) if number == launch => { let _ = child.start_kill(); }
                    Some(Order::Restart(number)) if number == launch => {
                        let _ = child.kill().await;
                        exited(&events, pid, "killed by the host for a timeout", false);
                        return End::Again;
                    }
                    Some(Order::Kill(_) | Order::Restart(_)) => {}
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
    events.tell(Event::HandlerExited { pid, status: status.to_owned(), crash });
}

/// Asks `GET /` until anything answers: any status will do, even a connection dropped in mid-answer.
async fn probe(wire: Arc<Wire>, probes: u32, traced: bool) -> bool {
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
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => tokio::time::sleep(PROBE).await,
            _ => return true,
        }
    }
    false
}

async fn lines(stream: impl AsyncRead + Unpin, kind: Stream, events: Events) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        events.tell(Event::Line(kind, text));
        line.clear();
    }
}
