//! The real Functions host in place of the emulated one: Core Tools' `func`, where it is installed.
//!
//! The emulated host is started all the same, with every function disabled: it listens to nothing and launches nothing.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use emulator::environment::{Environment, Setup};
use serde_json::json;
use tokio::process::{Child, Command};

use crate::screen::Screen;

const FIX: &str =
    "install Azure Functions Core Tools 4 (npm install -g azure-functions-core-tools@4), or leave --func out";

/// Whether `func` is there.
///
/// # Errors
/// It is not, and the fix.
pub async fn check(screen: &mut Screen) -> Result<(), String> {
    let run = Command::new("func").arg("--version").stdin(Stdio::null()).kill_on_drop(true).output().await;
    let version = match run {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => return Err(format!("`func --version` ended with {}; {FIX}", output.status)),
        Err(error) => return Err(format!("--func needs `func` on PATH, and it cannot be run ({error}); {FIX}")),
    };
    screen.fact("Core Tools", &format!("{version}: the real Functions host, in real time"));
    Ok(())
}

/// Leaves every function to `func` (docs: "Disable functions").
pub fn instead(setup: &mut Setup) {
    let mut folders = vec![setup.root.join("functions")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.join("function.json").is_file() {
                let setting = format!("AzureWebJobs.{}.Disabled", name.to_string_lossy());
                setup.settings.insert(setting, "true".to_owned());
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}

/// Starts `func` on the staged app; it ends when the child is dropped.
///
/// # Errors
/// A file cannot be written, or `func` cannot be started.
pub fn start(environment: &Environment, screen: &mut Screen) -> Result<Child, String> {
    let (app, log) = (environment.folder().join("app"), environment.folder().join("func.log"));
    settings(environment, &app.join("local.settings.json"))?;
    let failed = |error: std::io::Error| format!("func: {error}; {FIX}");
    let out = File::create(&log).map_err(failed)?;
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
    let child = Command::new("func")
        .args(["start", "--port", &free.port().to_string()])
        .current_dir(&app)
        .stdin(Stdio::null())
        .stderr(out.try_clone().map_err(failed)?)
        .stdout(out)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    screen.fact("func", &format!("started; what it says is in {}", log.display()));
    Ok(child)
}

/// By file, not by environment: `func` itself must not take our CA for the only one when it fetches its bundle.
fn settings(environment: &Environment, file: &Path) -> Result<(), String> {
    let mut values = environment.clouds.settings();
    for (name, value) in [
        ("AzureWebJobsStorage", environment.azurite.connection_string()),
        ("FUNCTIONS_WORKER_RUNTIME", "custom".to_owned()),
        ("TIME_SCALE", "1".to_owned()),
    ] {
        values.insert(name.to_owned(), value);
    }
    let text = json!({"IsEncrypted": false, "Values": values}).to_string();
    fs::write(file, text).map_err(|error| format!("{}: {error}; free some space", file.display()))
}
