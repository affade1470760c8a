//! Fetches what links the handler against an older glibc than this machine's: zig and cargo-zigbuild, of fixed versions and hashes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Finding;

/// What is fetched, with its hashes.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// How long fetching may take: 100 MB over a slow line.
const LIMIT: Duration = Duration::from_secs(600);

/// The tools, ready to use.
#[derive(Debug, Clone)]
pub struct Tools {
    /// cargo-zigbuild's executable.
    pub zigbuild: PathBuf,
    /// zig's.
    pub zig: PathBuf,
    /// Where both may keep what they make.
    pub cache: PathBuf,
}

/// The tools in `<target>/tools/zig`; fetched if they are not there in these very versions.
///
/// # Errors
/// Python is missing, or the package index cannot be reached; the error says how to go on without.
pub fn ensure(target: &Path) -> Result<Tools, Finding> {
    let tools = target.join("tools");
    let home = tools.join("zig");
    let stamp = home.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == REQUIREMENTS) {
        return found(&home, &tools);
    }
    // Half of an earlier try would be taken for the whole.
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&tools).map_err(Finding::io(&tools))?;
    let wanted = tools.join("zig.txt");
    std::fs::write(&wanted, REQUIREMENTS).map_err(Finding::io(&wanted))?;
    run(
        Command::new("python3").args(["-m", "venv"]).arg(&home),
        "install Python 3 with its venv module (Debian: apt-get install python3-venv)",
    )?;
    run(
        Command::new(home.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--retries", "2"])
            .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
            .arg(&wanted),
        "go online once, or build the handler where glibc is 2.28 or older and give it: `cargo package-app --handler PATH`",
    )?;
    let ready = found(&home, &tools)?;
    std::fs::rename(&wanted, &stamp).map_err(Finding::io(&stamp))?;
    Ok(ready)
}

/// Where Python put them.
fn found(home: &Path, tools: &Path) -> Result<Tools, Finding> {
    let python = home.join("bin/python");
    let fix = format!("remove {} and try again", home.display());
    let broken = |what: &dyn std::fmt::Display| Finding::new(python.display(), what, &fix);
    let script = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
    let said = Command::new(&python).args(["-c", script]).output().map_err(|error| broken(&error))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
    let (zigbuild, zig) = (home.join("bin/cargo-zigbuild"), folder.join("zig"));
    if let Some(missing) = [&zigbuild, &zig].into_iter().find(|tool| !tool.is_file()) {
        return Err(broken(&format!("{} is missing", missing.display())));
    }
    Ok(Tools { zigbuild, zig, cache: tools.join("zig-cache") })
}

/// Runs a command to its end, which must come within [`LIMIT`].
fn run(command: &mut Command, fix: &str) -> Result<(), Finding> {
    let place = format!("{command:?}").replace('"', "");
    let failed = |what: &dyn std::fmt::Display| Finding::new(&place, what, fix);
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|error| failed(&error))?;
    loop {
        match child.try_wait().map_err(|error| failed(&error))? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(&format!("failed ({status}), see above"))),
            None if began.elapsed() > LIMIT => {
                // It may have ended this moment; either way it is over.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(&format!("took longer than {} s", LIMIT.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn everything_that_is_fetched_is_named_with_its_version_and_hashes() {
        let lines: Vec<&str> = REQUIREMENTS.lines().filter(|line| line.contains("==")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 7);
    }

    #[test]
    fn tools_that_are_broken_are_told_with_the_fix() {
        let folder = Scratch::new("tools");
        folder.with("tools/zig/requirements.txt", REQUIREMENTS);
        let finding = ensure(&folder.0).unwrap_err();
        assert!(finding.fix.starts_with("remove ") && finding.fix.ends_with("tools/zig and try again"), "{finding}");
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_fix() {
        let finding = run(Command::new("false").arg("--quiet"), "do it by hand").unwrap_err();
        assert!(finding.to_string().starts_with("false --quiet: failed (exit status: 1)"), "{finding}");
        assert!(run(&mut Command::new("no-such-program"), "install it").unwrap_err().fix == "install it");
    }
}
