//! Builds the handler: the program that the Functions host runs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::screen::Screen;

/// Builds it in the profile of this very program, and returns its path.
///
/// # Errors
/// It does not build; the error holds what cargo said.
pub async fn handler(root: &Path, screen: &mut Screen) -> Result<PathBuf, String> {
    let began = Instant::now();
    let profile = profile();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    screen.progress("building the handler (cargo build --bin handler)", &[]);
    let mut child = Command::new(&cargo)
        // Of all packages, as `cargo demo` itself: the same features, so nothing is compiled twice.
        .args(["build", "--bin", "handler", "--message-format", "json-render-diagnostics", "--profile", &profile])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cargo cannot be run ({error}); start the demo with `cargo demo`"))?;
    let (said, artifacts) = watched(&mut child, screen).await;
    let status = child.wait().await.map_err(|error| format!("cargo cannot be waited for: {error}"))?;
    let built = status.success().then(|| executable(&artifacts)).flatten();
    let handler = built.ok_or_else(|| format!("the handler does not build; cargo says:\n\n{}", said.join("\n")))?;
    screen.fact("handler", &format!("built ({:.1} s, profile {profile})", began.elapsed().as_secs_f64()));
    Ok(handler)
}

/// Cargo's progress, shown while it goes on; and its artifacts.
async fn watched(child: &mut Child, screen: &mut Screen) -> (Vec<String>, String) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let artifacts = async {
        let mut text = String::new();
        if let Some(mut stdout) = stdout {
            // What cannot be read is missed below, and reported there.
            let _ = stdout.read_to_string(&mut text).await;
        }
        text
    };
    let progress = async {
        let mut said = Vec::new();
        let Some(stderr) = stderr else { return said };
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            screen.progress("building the handler (cargo build --bin handler)", &[line.trim().to_owned()]);
            said.push(line);
        }
        said
    };
    tokio::join!(progress, artifacts)
}

/// This program lies in `…/<profile's folder>/demo`; the folder of profile `dev` is `debug`.
fn profile() -> String {
    let here = std::env::current_exe().ok();
    let folder = here.as_deref().and_then(Path::parent).and_then(Path::file_name).and_then(|name| name.to_str());
    match folder {
        None | Some("debug") => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// The executable that cargo names: right whatever `CARGO_TARGET_DIR`, target or configuration say.
fn executable(artifacts: &str) -> Option<PathBuf> {
    artifacts
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "handler")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn the_handler_is_where_cargo_says() {
        let artifacts = "{\"target\":{\"name\":\"functions\"},\"executable\":null}\n\
                         {\"target\":{\"name\":\"handler\"},\"executable\":\"/elsewhere/debug/handler\"}\n";
        assert_eq!(executable(artifacts), Some("/elsewhere/debug/handler".into()));
        assert_eq!(executable("{\"target\":{\"name\":\"handler\"},\"executable\":null}"), None);
    }
}
