//! The handler as a process: built as for a deployment, its size, how soon it is ready, what memory it holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::report::Report;

const STARTS: usize = 10;

/// Builds the handler as a deployment does.
pub fn build() -> Outcome<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--locked", "--bin", "handler"])
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err("the handler does not build: see above".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release").join(format!("handler{}", std::env::consts::EXE_SUFFIX)))
}

/// The binary's size.
pub fn size(handler: &Path, report: &mut Report) -> Outcome<()> {
    let bytes = std::fs::metadata(handler)?.len();
    report.plain("handler, release build: size", format!("{} KiB", bytes / 1024));
    Ok(())
}

/// From exec to the first answer, and what memory is held then. Tables and queues are there already, as they are but once.
pub async fn starts(handler: &Path, settings: &BTreeMap<String, String>, report: &mut Report) -> Outcome<()> {
    let mut times = Vec::new();
    let mut resident = None;
    for number in 0..STARTS {
        let (mut child, took) = start(handler, settings).await?;
        times.push(took);
        if number == 0 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            resident = child.id().and_then(|pid| memory(pid, "VmRSS"));
        }
        child.kill().await?;
    }
    times.sort_unstable();
    let median = times[STARTS / 2].as_secs_f64() * 1000.0;
    report.plain(format!("handler, exec → ready: median of {STARTS}"), format!("{median:.0} ms"));
    report.plain("handler, idle: resident memory", kib(resident));
    Ok(())
}

/// Launches the handler as the Functions host does, and waits until it answers.
async fn start(handler: &Path, settings: &BTreeMap<String, String>) -> Outcome<(Child, Duration)> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let began = Instant::now();
    let child = Command::new(handler)
        .envs(settings)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if began.elapsed() > Duration::from_secs(30) {
            return Err("the handler does not listen within 30 s".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let reply = reqwest::get(format!("http://127.0.0.1:{port}/")).await?;
    let took = began.elapsed();
    if !reply.status().is_success() {
        return Err(format!("the handler answers {} to GET /", reply.status()).into());
    }
    Ok((child, took))
}

/// A line of Linux's account of a process, in KiB.
pub fn memory(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))?;
    value.trim().trim_end_matches(" kB").parse().ok()
}

/// Memory for people.
pub fn kib(value: Option<u64>) -> String {
    value.map_or_else(|| "only on Linux".to_owned(), |kib| format!("{:.1} MiB", kib as f64 / 1024.0))
}

/// How busy the machine is: above its number of cores, the times above say less.
pub fn load(report: &mut Report) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let average =
        std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next().map(str::to_owned));
    let average = average.unwrap_or_else(|| "only on Linux".to_owned());
    report.plain(format!("this machine: load average over the last minute, on {cores} cores"), average);
}
