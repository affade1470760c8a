//! The handler process as the rest of the host sees it: how far it is, and what may be asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::config::{App, Handler};
use super::launcher::{Launcher, Spec};
use super::options::HostOptions;
use super::wire::Wire;

/// Pause between two probes.
pub(super) const PROBE: Duration = Duration::from_millis(25);

/// How long a broken call waits for news of the process.
const NOTICE: Duration = Duration::from_millis(500);

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
    /// SIGKILL from outside, for one launch: a crash.
    Kill(u32),
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

    /// The handler, and whether it got ready within `patience`, which like the probes counts pauses, not time: on
    /// a busy machine both take longer alike.
    pub(super) async fn ready(&self, patience: Duration) -> (Process, bool) {
        let mut state = self.state.clone();
        for _ in 0..patience.as_millis().div_ceil(PROBE.as_millis()) {
            let ready = |process: &Process| matches!(process.phase, Phase::Ready | Phase::Quit);
            let turn = tokio::time::timeout(PROBE, state.wait_for(ready)).await;
            match turn.map(|process| process.ok().map(|process| process.clone())) {
                Ok(Some(process)) => return (process, true),
                // The host is ending: whoever waits still is abandoned, its message left leased.
                Ok(None) => std::future::pending().await,
                Err(_) => {}
            }
        }
        (self.state.borrow().clone(), false)
    }

    /// Returns once the end of launch `number` is noticed, or soon if it goes on: the real host knows of a crash
    /// before its calls fail, so a third crash stops the listeners before they could receive the message again.
    pub(super) async fn notice_end(&self, number: u32) {
        let mut state = self.state.clone();
        let over = state.wait_for(|process| process.launch != number || process.pid.is_none());
        // In vain, or the host is ending: either way there is no more to know.
        let _ = tokio::time::timeout(NOTICE, over).await;
    }

    /// Kills launch `number` unless it is gone already, and returns once its successor is launched.
    pub(super) async fn restart(&self, number: u32) {
        self.order(Order::Restart(number));
        // An error means that the host is ending: the caller is about to be dropped.
        let _ = self.state.clone().wait_for(|process| process.launch > number).await;
    }
}

/// A port for a handler, free now and handed out once. It lies below the range from which the system serves whoever asks for any port:
/// a handler may listen late or never, and until then nobody else may be given its port and answer in its place.
fn handler_port() -> std::io::Result<u16> {
    const PORTS: std::ops::Range<u32> = 20_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = PORTS.end - PORTS.start;
    // Processes that run side by side begin in different places.
    let first = std::process::id().wrapping_mul(7919);
    for _ in PORTS {
        let place = first.wrapping_add(NEXT.fetch_add(1, Relaxed)) % count;
        let port = u16::try_from(PORTS.start + place).map_err(std::io::Error::other)?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

/// A launcher on a port that stays the same for the host's life, and the view of it.
pub(super) fn prepare(app: &mut App, options: &HostOptions) -> std::io::Result<(Launcher, Worker)> {
    let port = handler_port()?;
    let handler = std::mem::replace(&mut app.handler, Handler::none());
    let tries = handler.initialization_timeout.as_millis() / PROBE.as_millis();
    let probes = u32::try_from(tries).unwrap_or(u32::MAX).max(1);
    let spec = Spec { environment: environment(app, options, port), handler };
    let process = Process { launch: 0, pid: None, phase: Phase::Starting, wire: Arc::new(Wire::new(port)) };
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
        probing: JoinSet::new(),
    };
    Ok((launcher, Worker { state: view, orders: sender }))
}

/// The handler inherits all app settings and gets five variables more.
fn environment(app: &App, options: &HostOptions, port: u16) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = ["PATH", "HOME", "TMPDIR"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    environment.extend(options.app_settings());
    for (name, value) in [
        ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        ("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
        ("FUNCTIONS_APP_ROOT_PATH", app.root.display().to_string()),
    ] {
        environment.insert(name.to_owned(), value);
    }
    environment
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_port_is_handed_out_twice_or_of_the_systems_own_range() {
        let ports: Vec<u16> = (0..200).map(|_| super::handler_port().unwrap()).collect();
        let different: std::collections::BTreeSet<&u16> = ports.iter().collect();
        assert_eq!(different.len(), ports.len());
        assert!(ports.iter().all(|port| (20_000..32_000).contains(port)), "{ports:?}");
    }
}
