//! The demo proper: checks, builds, starts the environment, asks for peerings, shows them, judges them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use emulator::azurite::Azurite;
use emulator::clouds::Clouds;
use emulator::environment::{Environment, Setup};
use emulator::host::Flex;
use rustix::process::{Signal, getpgrp};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Work};
use crate::follow::Follower;
use crate::guard::{INTERRUPTED, root, tell};
use crate::runbook::Runbook;
use crate::screen::Screen;
use crate::stage::Stage;
use crate::{build, checks, func, lifecycle, serve, summary, trouble};

/// How often the worker looks whether its guard is still there, on the wall.
const GUARD_CHECK: Duration = Duration::from_millis(200);
/// How long tidying up may take without a guard, on the wall.
const ALONE: Duration = Duration::from_millis(1500);
/// What takes no longer is not worth a word.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Runs the demo as the guard's worker.
pub fn main(arguments: &Arguments, work: &Work) -> ExitCode {
    let status = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        // Dropping the runtime waits for an installation by npm; that was ended with the group.
        Ok(runtime) => runtime.block_on(until_told(arguments, work)),
        Err(error) => {
            eprintln!("no threads can be started: {error}");
            1
        }
    };
    if std::os::unix::process::parent_id() != work.guard {
        alone(work);
    }
    ExitCode::from(status)
}

/// Runs to the end, or until the guard says stop or is gone.
async fn until_told(arguments: &Arguments, work: &Work) -> u8 {
    let Ok(mut stop) = signal(SignalKind::terminate()) else { return 1 };
    let mut screen = Screen::new();
    let outcome = tokio::select! {
        outcome = run(arguments, work, &mut screen) => match outcome {
            // Told to stop, cargo or npm may end before this process has read the same signal.
            Err(_) if tokio::time::timeout(AT_ONCE, stop.recv()).await.is_ok() => None,
            outcome => Some(outcome),
        },
        _ = stop.recv() => None,
        () = guard_gone(work.guard) => {
            end_alone();
            None
        }
    };
    match outcome {
        Some(Ok(true)) => 0,
        Some(Ok(false)) => 1,
        Some(Err(why)) => {
            screen.error(&why);
            1
        }
        None => {
            screen.clear();
            INTERRUPTED
        }
    }
}

async fn guard_gone(guard: u32) {
    while std::os::unix::process::parent_id() == guard {
        tokio::time::sleep(GUARD_CHECK).await;
    }
}

/// Nobody ends the group any more, so the worker does: gently now, and for certain a moment later.
fn end_alone() {
    std::thread::spawn(|| {
        std::thread::sleep(ALONE);
        tell(Some(getpgrp()), Signal::KILL);
    });
    tell(Some(getpgrp()), Signal::TERM);
}

/// What the guard would do at the end.
fn alone(work: &Work) {
    // What cannot be removed lies below target/, where it does no harm.
    let _ = std::fs::remove_dir_all(&work.folder);
    tell(Some(getpgrp()), Signal::KILL);
}

/// Whether all peerings are as they should be.
async fn run(arguments: &Arguments, work: &Work, screen: &mut Screen) -> Result<bool, String> {
    let root = root();
    screen.title("aiven-azure-peering: a demo. All of it runs on this machine.");
    checks::node(screen).await?;
    if arguments.func {
        func::check(screen).await?;
    }
    let handler = build::handler(&root, screen).await?;
    let runbook = Runbook::read(&root)?;
    azurite(&root, screen).await?;
    let mut stage = Stage::default();
    let mut setup = Setup::new(&root, handler, arguments.time_scale);
    setup.folder = Some(work.folder.clone());
    setup.duplicate = trouble::duplicate(&arguments.fault);
    setup.flex = arguments.cold_start.map(Flex::new);
    if arguments.func {
        func::instead(&mut setup);
    }
    let environment = start(setup, arguments, &mut stage, screen).await?;
    let _func = if arguments.func { Some(func::start(&environment, screen)?) } else { None };
    trouble::in_the_clouds(&arguments.fault, &environment.clouds);
    let well = shown(arguments, &environment, &stage, &runbook, screen).await?;
    environment.stop().await;
    Ok(well)
}

async fn azurite(root: &std::path::Path, screen: &mut Screen) -> Result<(), String> {
    let began = Instant::now();
    let cache = root.join("target/azurite");
    let mut installing = std::pin::pin!(Azurite::ensure(&cache));
    let installed = match tokio::time::timeout(AT_ONCE, &mut installing).await {
        Ok(installed) => installed,
        Err(_) => {
            screen.progress("installing Azurite (Azure Storage on a laptop) from npm, only this once", &[]);
            installing.await
        }
    };
    installed.map_err(|error| error.to_string())?;
    if began.elapsed() > AT_ONCE {
        screen.fact("Azurite", &format!("installed from npm in {:.0} s", began.elapsed().as_secs_f64()));
    }
    Ok(())
}

async fn start(
    setup: Setup,
    arguments: &Arguments,
    stage: &mut Stage,
    screen: &mut Screen,
) -> Result<Environment, String> {
    let began = Instant::now();
    screen.progress("starting Azurite, the emulated clouds and the emulated Functions host", &[]);
    let prepare = |clouds: &Clouds| *stage = Stage::set(arguments, clouds);
    let environment = setup.start(prepare).await.map_err(|error| error.to_string())?;
    let text = "Azurite, both emulated clouds, the Functions host";
    screen.fact("started", &format!("{text} ({:.1} s)", began.elapsed().as_secs_f64()));
    screen.fact("time", &format!("runs {} times faster than the clock on the wall", arguments.time_scale));
    for name in &arguments.fault {
        screen.fact("fault", &format!("{name}: {}", trouble::meaning(name)));
    }
    Ok(environment)
}

async fn shown(
    arguments: &Arguments,
    environment: &Environment,
    stage: &Stage,
    runbook: &Runbook,
    screen: &mut Screen,
) -> Result<bool, String> {
    let mut follower = Follower::new(environment, runbook, arguments);
    let mut well = true;
    if arguments.lifecycle {
        well = lifecycle::show(environment, &stage.asked[0], &mut follower, arguments.limit(), screen).await?;
    } else if !stage.asked.is_empty() {
        screen.blank();
        for pair in &stage.asked {
            environment.request(pair).await.map_err(|error| error.to_string())?;
        }
        let following = follower.until_settled(stage.asked.len(), arguments.limit(), screen);
        tokio::select! {
            followed = following => followed?,
            () = trouble::in_the_host(&arguments.fault, &environment.supervisor) => {}
        }
        well = summary::show(environment, stage, follower.began(), arguments.time_scale, screen).await?;
    }
    if arguments.serve {
        serve::explain(environment, stage, screen)?;
        tokio::select! {
            followed = follower.forever(screen) => followed?,
            () = trouble::in_the_host(&arguments.fault, &environment.supervisor) => {}
        }
    }
    Ok(well)
}
