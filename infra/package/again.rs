//! The sources once more, in another folder: what is built there must be the same.

use std::path::{Path, PathBuf};

use crate::Finding;

/// A copy, and where to build it.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The sources.
    pub sources: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// Where the package goes.
    pub out: PathBuf,
}

/// Copies the sources at `root` into the folder `again`, which is emptied first: nothing may be left of an earlier build.
///
/// # Errors
/// The file system refused.
pub fn copy(root: &Path, again: &Path) -> Result<Copy, Finding> {
    if again.exists() {
        std::fs::remove_dir_all(again).map_err(Finding::io(again))?;
    }
    let sources = again.join("sources");
    copy_folder(root, &sources, &["target", ".git"])?;
    Ok(Copy { sources, target: again.join("build"), out: again.to_owned() })
}

fn copy_folder(from: &Path, to: &Path, but: &[&str]) -> Result<(), Finding> {
    std::fs::create_dir_all(to).map_err(Finding::io(to))?;
    for entry in std::fs::read_dir(from).map_err(Finding::io(from))? {
        let entry = entry.map_err(Finding::io(from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if but.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            copy_folder(&path, &to.join(name), &[])?;
        } else {
            std::fs::copy(&path, to.join(name)).map_err(Finding::io(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_sources_are_copied_without_what_was_built_from_them_before() {
        let folder = Scratch::new("again");
        folder
            .with("Cargo.toml", "")
            .with("functions/target/mod.rs", "")
            .with("target/release/handler", "")
            .with(".git/HEAD", "");
        folder.with("target/again/build/stale", "");
        let copy = copy(&folder.0, &folder.0.join("target/again")).unwrap();
        let there = |path: &str| copy.sources.join(path).exists();
        assert!(there("Cargo.toml") && there("functions/target/mod.rs"));
        assert!(!there("target") && !there(".git") && !copy.target.exists());
    }
}
