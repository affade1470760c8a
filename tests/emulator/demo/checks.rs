//! Checks that Node.js and npm are there, before anything is built.

use std::process::Stdio;

use tokio::process::Command;

use crate::screen::Screen;

/// Oldest major version of Node.js on which Azurite runs with today's storage API versions.
const NODE: u32 = 18;
const FIX: &str = "install Node.js 20 or later, with npm (https://nodejs.org), then run this again";

/// # Errors
/// What is missing or too old, and the fix.
pub async fn node(screen: &mut Screen) -> Result<(), String> {
    let node = version("node").await?;
    let npm = version("npm").await?;
    let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(format!("Azurite, the storage emulator, needs Node.js {NODE} or later and this is {node}; {FIX}"));
    }
    screen.fact("Node.js", &format!("{}, npm {npm}", node.trim_start_matches('v')));
    Ok(())
}

async fn version(program: &str) -> Result<String, String> {
    let needs = "Azurite, the storage emulator, runs on Node.js and comes from npm";
    let run = Command::new(program).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output().await;
    match run {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Ok(output) => Err(format!("{needs}, but `{program} --version` ended with {}; {FIX}", output.status)),
        Err(error) => Err(format!("{needs}, but {program} cannot be run ({error}); {FIX}")),
    }
}
