//! Lays the function app out as the Functions host wants it: `<out>/host.json`, the handler, `<out>/<function>/function.json`.
//!
//! The host looks for functions one folder deep (docs: "Azure Functions custom handlers",
//! folder structure); the source tree nests them by subject. The emulated host, the real one and the
//! deployment package all run what this crate wrote.

mod check;
mod find;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was staged.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The app's root: the folder that holds `host.json`.
    pub root: PathBuf,
    /// Path of the handler inside `root`.
    pub handler: PathBuf,
    /// Every function by name, in order.
    pub functions: BTreeMap<String, Function>,
}

impl Staged {
    /// Queues that trigger a function, in order of function name.
    #[must_use]
    pub fn queues(&self) -> Vec<&str> {
        self.functions.values().filter_map(|function| function.queue.as_deref()).collect()
    }
}

/// One staged function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Where its `function.json` was found.
    pub source: PathBuf,
    /// Its queue, if a queue triggers it.
    pub queue: Option<String>,
}

/// Why nothing was staged, and what to do. The previous `out`, if any, is untouched.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The file system refused.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there but the host would not take it.
    #[error("{path}: {problem}; {fix}")]
    Invalid {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        fix: String,
    },
}

impl StageError {
    fn invalid(path: &Path, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Invalid { path: path.to_owned(), problem: problem.into(), fix: fix.into() }
    }

    fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// Stages the app whose `host.json` and `functions/` are in `source_root`, with the built
/// `handler_binary`, as the folder `out`. What was at `out` is replaced as a whole.
///
/// # Errors
/// When a file is missing, or the host would refuse it; the error names the file and the fix.
pub fn stage(source_root: &Path, handler_binary: &Path, out: &Path) -> Result<Staged, StageError> {
    let host_json = source_root.join("host.json");
    let executable = check::executable_path(&host_json)?;
    if !handler_binary.is_file() {
        return Err(StageError::invalid(handler_binary, "the handler is not built", "run `cargo build --bin handler`"));
    }
    let functions = functions(source_root)?;
    write::write(&host_json, handler_binary, &executable, &functions, out)?;
    Ok(Staged { root: out.to_owned(), handler: out.join(executable), functions })
}

/// The functions below `source_root`, by name: what [`stage`] would stage.
///
/// # Errors
/// The host would refuse one of them; the error names the file and the fix.
pub fn functions(source_root: &Path) -> Result<BTreeMap<String, Function>, StageError> {
    check::functions(find::function_files(&source_root.join("functions"))?)
}

#[cfg(test)]
mod tests;
