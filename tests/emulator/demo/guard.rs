//! The process that is started: runs the worker in a process group of its own, and ends that whole group whatever happens.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// What the worker is granted to tidy up in, on the wall; it needs a fraction of it.
const GRACE: Duration = Duration::from_secs(3);
/// Exit status after Ctrl-C, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Runs the worker, and returns its exit status once nothing of it is left.
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(guard())) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("the demo could not start itself again as its own worker: {error}; build it anew");
            ExitCode::FAILURE
        }
    }
}

/// The repository.
pub fn root() -> PathBuf {
    let emulator = Path::new(env!("CARGO_MANIFEST_DIR"));
    emulator.ancestors().nth(2).unwrap_or(emulator).to_owned()
}

async fn guard() -> Result<u8, Error> {
    let folder = root().join("target/environments").join(uuid::Uuid::new_v4().to_string());
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut worker = start(&folder)?;
    // Kept: once the worker is waited for, tokio forgets its number.
    let group = worker.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let status = tokio::select! {
        status = worker.wait() => ended(status?),
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => INTERRUPTED,
        _ = hangup.recv() => INTERRUPTED,
    };
    if status == INTERRUPTED {
        tell(group, Signal::TERM);
        tokio::select! {
            _ = tokio::time::timeout(GRACE, worker.wait()) => {}
            _ = interrupt.recv() => {}
        }
    }
    tell(group, Signal::KILL);
    let _ = worker.wait().await;
    gone(group).await;
    remove(&folder).await;
    if status == INTERRUPTED {
        eprintln!("ended; nothing is left running");
    }
    Ok(status)
}

fn start(folder: &Path) -> Result<Child, Error> {
    Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--folder")
        .arg(folder)
        .args(["--guard", &std::process::id().to_string()])
        .stdin(std::process::Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn ended(status: std::process::ExitStatus) -> u8 {
    match status.code() {
        Some(code) => u8::try_from(code).unwrap_or(1),
        None => {
            eprintln!("the demo was ended from outside ({status}); what it had started is ended, too");
            1
        }
    }
}

/// Signals every process of the group.
pub fn tell(group: Option<Pid>, what: Signal) {
    if let Some(group) = group {
        // An error means that the group is empty.
        let _ = kill_process_group(group, what);
    }
}

/// A killed process takes a moment to die, and only the worker can be waited for: the others are no children of the guard.
async fn gone(group: Option<Pid>) {
    for _ in 0..100 {
        if group.is_none_or(|group| test_kill_process_group(group).is_err()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A process that dies may write until it is dead, so one try may not do.
async fn remove(folder: &Path) {
    for _ in 0..20 {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            _ => return,
        }
    }
}
