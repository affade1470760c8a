//! Builds the deployment package of the function app: the same bytes from the same sources, checked before anybody deploys them.
//!
//! ```text
//! handler   builds the handler for Linux on x86-64 and a glibc of 2018, with no path of this machine in it
//! tools     fetches what that needs into target/tools
//! elf       measures what the handler really asks of the machine it will run on
//! archive   the zip
//! again     the sources in another folder, to build them twice
//! snapshots what the templates would make, as the compiler predicted it
//! checks    what must agree: functions, templates, settings, host.json
//! ```

pub mod again;
pub mod archive;
pub mod checks;
pub mod elf;
pub mod handler;
pub mod snapshots;
pub mod tools;

use std::path::Path;

/// Something that would not work once deployed, or that could not be done: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}; {fix}")]
pub struct Finding {
    /// The file or command at fault.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    /// Where, what, and what to do.
    pub fn new(place: impl ToString, what: impl ToString, fix: impl ToString) -> Self {
        Self { place: place.to_string(), what: what.to_string(), fix: fix.to_string() }
    }

    /// The file system refused.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let place = path.display().to_string();
        move |error| Self::new(place, error, "make it readable and writable, with room on the disk")
    }
}

impl From<stager::StageError> for Finding {
    fn from(error: stager::StageError) -> Self {
        match error {
            stager::StageError::Io { what, path, source } => {
                Self::io(&path)(std::io::Error::new(source.kind(), format!("cannot {what}: {source}")))
            }
            stager::StageError::Invalid { path, problem, fix } => Self::new(path.display(), problem, fix),
        }
    }
}

#[cfg(test)]
mod scratch;
