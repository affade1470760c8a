//! Installs Azurite from npm into a cache folder, once, whoever asks first.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::AzuriteError;

/// The version is named because `npm install azurite` on Node.js 20 silently takes an older one that
/// does not know today's storage API versions.
const VERSION: &str = "3.37.0";

/// An installed Azurite.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its main script.
    pub(super) script: PathBuf,
}

/// Installs Azurite into `cache` unless it is there. Blocks, for half a minute the first time.
pub(super) fn ensure(cache: &Path) -> Result<Installed, AzuriteError> {
    let home = cache.join(VERSION);
    let installed = Installed { script: home.join("node_modules/azurite/dist/src/azurite.js") };
    if installed.script.is_file() {
        return Ok(installed);
    }
    std::fs::create_dir_all(cache).map_err(|error| folder(cache, &error))?;
    let _lock = lock(cache)?;
    if !installed.script.is_file() {
        npm_install(cache, &home)?;
    }
    Ok(installed)
}

/// Installs beside `home` and renames, so that a killed installation leaves no half of one.
fn npm_install(cache: &Path, home: &Path) -> Result<(), AzuriteError> {
    need("node", "install Node.js 20 or later, with npm")?;
    let fresh = cache.join(format!("{VERSION}.{}", std::process::id()));
    std::fs::create_dir_all(&fresh).map_err(|error| folder(&fresh, &error))?;
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix"])
        .arg(&fresh)
        .arg(format!("azurite@{VERSION}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| AzuriteError::Install {
            problem: format!("npm cannot be run: {error}"),
            fix: "install Node.js 20 or later, with npm",
        })?;
    if !output.status.success() {
        let _ = std::fs::remove_dir_all(&fresh);
        return Err(AzuriteError::Install {
            problem: format!("npm failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
            fix: "check that the npm registry can be reached, then run this again",
        });
    }
    std::fs::rename(&fresh, home).map_err(|error| folder(home, &error))
}

fn need(program: &str, fix: &'static str) -> Result<(), AzuriteError> {
    let run = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    match run {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(AzuriteError::Install { problem: format!("{program} ended with {}", output.status), fix }),
        Err(error) => Err(AzuriteError::Install { problem: format!("{program} cannot be run: {error}"), fix }),
    }
}

fn folder(path: &Path, error: &std::io::Error) -> AzuriteError {
    AzuriteError::Install { problem: format!("{}: {error}", path.display()), fix: "make that folder writable" }
}

/// Waits until nobody else installs. The lock ends with its file, and that with its process, however it ends.
fn lock(cache: &Path) -> Result<File, AzuriteError> {
    let path = cache.join("lock");
    let lock = File::create(&path).map_err(|error| folder(&path, &error))?;
    lock.lock().map_err(|error| folder(&path, &error))?;
    Ok(lock)
}
