//! Recordings of the real Functions host judge the emulated one, and the handler: same app, same messages, same answers; the requests
//! must be the same, field by field.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod cases;
mod compare;
mod ends;
mod gate;
mod handler;
mod recording;
mod stage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use emulator::azurite::Azurite;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use cases::{CASES, Case, LEFT_OUT};
use recording::Recording;
use stage::Stage;

/// Replayed at once: mostly they wait.
const AT_ONCE: usize = 14;

/// After the end nothing more may come.
const QUIET: Duration = Duration::from_millis(600);

fn recordings() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

async fn azurite() -> Azurite {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let installed = Azurite::ensure(&target.join("azurite")).await.unwrap();
    Azurite::start(&installed, &target.join("azurite-run")).await.unwrap()
}

async fn replay(case: &'static Case, number: usize, azurite: &Azurite) -> (usize, Vec<String>) {
    let file = recordings().join(format!("{}.json", case.name));
    let mut stage = Stage::set(case, Recording::read(&file), azurite, number).await;
    stage.play().await;
    for again in 0..5 {
        if !stage.unlucky {
            break;
        }
        println!("again     {}: the host stopped while it received the message once more", case.name);
        stage = Stage::set(case, Recording::read(&file), azurite, CASES.len() + 1 + again).await;
        stage.play().await;
    }
    let mut problems = ends::problems(&stage).await;
    tokio::time::sleep(QUIET).await;
    problems.extend(compare::differences(&stage.recording, case.only, &stage.seen()));
    (stage.posts().len(), problems)
}

#[test]
fn every_case_is_replayed_or_left_out_for_a_reason() {
    let files: BTreeSet<String> = std::fs::read_dir(recordings())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: Vec<&str> = CASES.iter().map(|case| case.name).chain(LEFT_OUT.iter().map(|(name, _)| *name)).collect();
    assert_eq!(listed.len(), 80);
    assert_eq!(files, listed.iter().map(|name| (*name).to_owned()).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handler_answers_every_recorded_request() {
    handler::judge(&azurite().await).await;
}

/// `REPLAY=case05` picks those whose names start so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_emulated_host_sends_what_the_real_host_sent() {
    let began = Instant::now();
    let picked = std::env::var("REPLAY").unwrap_or_default();
    let (azurite, slots) = (Arc::new(azurite().await), Arc::new(Semaphore::new(AT_ONCE)));
    let mut running = JoinSet::new();
    for (number, case) in CASES.iter().enumerate().filter(|(_, case)| case.name.starts_with(&picked)) {
        let (azurite, slots) = (Arc::clone(&azurite), Arc::clone(&slots));
        running.spawn(async move {
            let _slot = slots.acquire_owned().await.unwrap();
            let began = Instant::now();
            let (posts, problems) = replay(case, number + 1, &azurite).await;
            (case.name, posts, began.elapsed(), problems)
        });
    }
    let (mut same, mut different) = (0, Vec::new());
    while let Some(done) = running.join_next().await {
        let (name, posts, took, problems) = done.unwrap();
        let verdict = if problems.is_empty() { "same     " } else { "DIFFERENT" };
        println!("{verdict} {name:45} {posts:3} POSTs {:5.1} s", took.as_secs_f64());
        problems.iter().for_each(|problem| println!("  {problem}"));
        if problems.is_empty() { same += 1 } else { different.push(name) }
    }
    for (name, why) in LEFT_OUT {
        println!("left out  {name}: {why}");
    }
    println!(
        "{same} the same, {} different, {} left out, {:.0} s",
        different.len(),
        LEFT_OUT.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(different.is_empty(), "{different:?}");
}
