//! `clouds`: serves the emulated clouds, and on demand the app in them, to clients that are not ours, and answers for their state.
//!
//! One line of JSON says where everything is; then each line on standard input is a question that one line of JSON
//! answers ([`answers`]). The end of standard input ends everything: whoever started it cannot leave it behind.
//!
//! - [`arguments`]: the command line        - [`scene`]: what is there before anybody comes
//! - [`answers`]: the questions             - [`state`]: both clouds as JSON

mod answers;
mod arguments;
mod scene;
mod state;

use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser as _;
use emulator::clouds::{Clouds, Options};
use emulator::environment::{Environment, Setup};

use answers::Served;
use scene::Scene;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let served = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match served.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(serve(&arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("clouds: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    std::fs::create_dir_all(&arguments.folder).map_err(|error| format!("{}: {error}", arguments.folder.display()))?;
    let (served, scene) = match &arguments.handler {
        Some(_) => with_the_app(arguments).await?,
        None => clouds_alone(arguments).await?,
    };
    println!("{}", scene.told(&served.clouds, arguments.time_scale));
    while let Some(line) = question().await {
        println!("{}", answers::answer(&served, &scene, &line).await);
    }
    if let Some(environment) = served.environment {
        environment.stop().await;
    }
    Ok(())
}

/// The next line of standard input; none at its end.
async fn question() -> Option<String> {
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await;
    line.ok()?.and_then(Result::ok)
}

async fn clouds_alone(arguments: &Arguments) -> Result<(Served, Scene), String> {
    let mut options = Options::new(&arguments.folder, arguments.time_scale);
    options.lags = arguments.lags();
    let clouds = Clouds::start(options).await.map_err(|error| error.to_string())?;
    clouds.record_bodies();
    let scene = Scene::set(arguments, &clouds);
    Ok((Served { clouds, environment: None }, scene))
}

async fn with_the_app(arguments: &Arguments) -> Result<(Served, Scene), String> {
    let root = arguments.root.as_deref().ok_or("--handler needs --root")?;
    let handler = arguments.handler.as_deref().ok_or("--handler is missing")?;
    let mut setup = Setup::new(root, handler, arguments.time_scale);
    setup.lags = arguments.lags();
    setup.folder = Some(arguments.folder.clone());
    let mut scene = None;
    let prepare = |clouds: &Clouds| {
        clouds.record_bodies();
        scene = Some(Scene::set(arguments, clouds));
    };
    let environment: Environment = setup.start(prepare).await.map_err(|error| error.to_string())?;
    let scene = scene.ok_or("the scene was not set")?;
    Ok((Served { clouds: environment.clouds.clone(), environment: Some(environment) }, scene))
}
