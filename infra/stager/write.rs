//! Writes the staged app beside `out`, then renames it into place, so that nobody sees half of it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Function, StageError};

/// Distinguishes stagings of one process; the process id distinguishes processes.
static STAGING: AtomicU32 = AtomicU32::new(0);

/// How often another staging may take the place of `out` before this one gives up.
const RENAMES: usize = 20;

pub(crate) fn write(
    host_json: &Path,
    handler: &Path,
    executable: &Path,
    functions: &BTreeMap<String, Function>,
    out: &Path,
) -> Result<(), StageError> {
    let fresh = beside(out, "new");
    let written = fill(&fresh, host_json, handler, executable, functions).and_then(|()| swap(&fresh, out));
    if written.is_err() {
        // The error at hand matters more than what is left over.
        let _ = std::fs::remove_dir_all(&fresh);
    }
    written
}

fn fill(
    fresh: &Path,
    host_json: &Path,
    handler: &Path,
    executable: &Path,
    functions: &BTreeMap<String, Function>,
) -> Result<(), StageError> {
    copy(host_json, &fresh.join("host.json"))?;
    let target = fresh.join(executable);
    copy(handler, &target)?;
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o755))
        .map_err(StageError::io("make executable", &target))?;
    for (name, function) in functions {
        copy(&function.source, &fresh.join(name).join("function.json"))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), StageError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(StageError::io("create folder", folder))?;
    }
    std::fs::copy(from, to).map(drop).map_err(StageError::io("copy", from))
}

/// Puts `fresh` where `out` is. A running process keeps its open files; a rename never mixes two apps.
fn swap(fresh: &Path, out: &Path) -> Result<(), StageError> {
    let old = beside(out, "old");
    for _ in 0..RENAMES {
        match std::fs::rename(out, &old) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StageError::io("move away", out)(error)),
        }
        let renamed = std::fs::rename(fresh, out);
        // Left over, it costs disk space and nothing else.
        let _ = std::fs::remove_dir_all(&old);
        match renamed {
            Ok(()) => return Ok(()),
            // Another staging was faster: replace it in turn.
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(StageError::io("move into place", out)(error)),
        }
    }
    Err(StageError::invalid(out, "others keep replacing it", "give every caller a folder of its own"))
}

fn beside(out: &Path, suffix: &str) -> PathBuf {
    let number = STAGING.fetch_add(1, Ordering::Relaxed);
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.{}.{number}.{suffix}", std::process::id()))
}
