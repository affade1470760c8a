//! Builds the handler as it is deployed: for Linux on x86-64, against an old glibc, and the same bytes wherever it is built.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Finding;
use crate::elf::CEILING;
use crate::tools::Tools;

/// What it is built for.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the handler from the sources at `root` in the folder `target`, and returns its path.
///
/// # Errors
/// It does not build, or names a folder of this machine.
pub fn build(root: &Path, target: &Path, tools: &Tools) -> Result<PathBuf, Finding> {
    let machine = Machine::here()?;
    let mut command = Command::new(&tools.zigbuild);
    command
        .current_dir(root)
        .args(["zigbuild", "--quiet", "--locked", "--release", "--package", "aiven-azure-peering", "--bin", "handler"])
        .arg(format!("--target={TARGET}.{CEILING}"))
        .arg("--target-dir")
        .arg(target)
        .env("CARGO_ZIGBUILD_ZIG_PATH", &tools.zig)
        .env("CARGO_ZIGBUILD_CACHE_DIR", tools.cache.join("wrappers"))
        .env("ZIG_GLOBAL_CACHE_DIR", tools.cache.join("zig"))
        .env("ZIG_LOCAL_CACHE_DIR", tools.cache.join("zig"));
    // Whatever else the developer's shell asks of the compilers is not the deployed app's.
    for variable in ["RUSTFLAGS", "CFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"]
    {
        command.env_remove(variable);
    }
    let remapped = machine.remapped(root, target);
    let rust: Vec<String> = remapped.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
    let c: Vec<String> = remapped.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
    command.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"));
    command.env(format!("CFLAGS_{}", TARGET.replace('-', "_")), c.join(" "));
    let failed =
        |what: &dyn std::fmt::Display| Finding::new("cargo zigbuild", what, "mend what it says above, and try again");
    let status = command.status().map_err(|error| failed(&error))?;
    if !status.success() {
        return Err(failed(&format!("failed ({status})")));
    }
    let handler = target.join(TARGET).join("release/handler");
    names_no_folder_of(&remapped, &handler)?;
    has_no_test_double(&handler)?;
    Ok(handler)
}

/// The folders of this machine that compilers write into what they build.
struct Machine {
    cargo_home: PathBuf,
    /// Where the sources of the standard library are, if they are installed.
    rust_source: PathBuf,
    /// What the standard library's sources are called in releases.
    rust_name: String,
}

impl Machine {
    fn here() -> Result<Self, Finding> {
        let sysroot = said(&["--print", "sysroot"])?;
        let library = Path::new(&sysroot).join("lib/rustlib");
        if !library.join(TARGET).is_dir() {
            let what = format!("the standard library for {TARGET} is not installed");
            return Err(Finding::new("rustc", what, format!("rustup target add {TARGET}")));
        }
        let version = said(&["--version", "--verbose"])?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo_home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
        Ok(Self { cargo_home, rust_source: library.join("src/rust"), rust_name: format!("/rustc/{commit}") })
    }

    /// What each becomes; of two that match a path, compilers take the later one.
    fn remapped(&self, root: &Path, target: &Path) -> Vec<(String, String)> {
        let pairs = [
            (self.cargo_home.as_path(), "/cargo"),
            (self.rust_source.as_path(), self.rust_name.as_str()),
            (root, "/app"),
            (target, "/target"),
        ];
        // A container may have them under the very names that they become.
        let other = pairs.iter().filter(|(from, to)| from.is_absolute() && *from != Path::new(to));
        other.map(|(from, to)| (from.display().to_string(), (*to).to_owned())).collect()
    }
}

fn said(arguments: &[&str]) -> Result<String, Finding> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).args(arguments).output();
    let output = output.map_err(|error| Finding::new("rustc", error, "install Rust with rustup"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A path of this machine in the handler would make it another one elsewhere.
fn names_no_folder_of(remapped: &[(String, String)], handler: &Path) -> Result<(), Finding> {
    let bytes = std::fs::read(handler).map_err(Finding::io(handler))?;
    let names = |folder: &str| {
        let folder = format!("{folder}/");
        bytes.windows(folder.len()).any(|window| window == folder.as_bytes())
    };
    match remapped.iter().find(|(folder, _)| names(folder)) {
        None => Ok(()),
        Some((folder, _)) => Err(Finding::new(
            handler.display(),
            format!("names the folder {folder} of this machine"),
            "find out what writes it (strings -a), and remap it in infra/package/handler.rs",
        )),
    }
}

/// What only tests use, by the names that their types leave in a program.
const TEST_DOUBLES: [&str; 2] = ["MemoryTables", "MemoryQueues"];

/// Storage in memory, and what counts the calls of storage, are for tests.
fn has_no_test_double(handler: &Path) -> Result<(), Finding> {
    let bytes = std::fs::read(handler).map_err(Finding::io(handler))?;
    let has = |name: &&&str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
    match TEST_DOUBLES.iter().find(has) {
        None => Ok(()),
        Some(name) => Err(Finding::new(
            handler.display(),
            format!("has {name}, which is for tests"),
            "build it without feature emulation of the app's package",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_handler_with_a_test_double_is_refused() {
        let folder = Scratch::new("doubles");
        folder.with("handler", b"\x7fELF\0AzureTables\0");
        assert_eq!(has_no_test_double(&folder.0.join("handler")), Ok(()));
        folder.with("handler", b"\x7fELF\0AzureTables\0MemoryTables\0");
        let found = has_no_test_double(&folder.0.join("handler")).unwrap_err();
        assert!(found.what.contains("MemoryTables"), "{found}");
    }

    #[test]
    fn a_handler_that_names_a_folder_of_this_machine_is_refused() {
        let folder = Scratch::new("paths");
        folder.with("handler", b"\x7fELF/app/functions/main.rs\0/cargo/registry");
        let remapped = [("/home/me/checkout".to_owned(), "/app".to_owned())];
        assert_eq!(names_no_folder_of(&remapped, &folder.0.join("handler")), Ok(()));
        folder.with("handler", b"\x7fELF\0/home/me/checkout/functions/main.rs\0");
        let found = names_no_folder_of(&remapped, &folder.0.join("handler")).unwrap_err();
        assert!(found.what.contains("/home/me/checkout"), "{found}");
    }

    #[test]
    fn the_folder_of_the_build_is_remapped_after_the_one_that_it_lies_in() {
        let machine = Machine { cargo_home: "/c".into(), rust_source: "/r".into(), rust_name: "/rustc/1".to_owned() };
        let remapped = machine.remapped(Path::new("/w"), Path::new("/w/target"));
        let to: Vec<&str> = remapped.iter().map(|(_, to)| to.as_str()).collect();
        assert_eq!(to, ["/cargo", "/rustc/1", "/app", "/target"]);
        assert_eq!(machine.remapped(Path::new("/app"), Path::new("/app/target")).len(), 3);
    }
}
