//! Finds every folder that is a function: one that holds a `function.json`.

use std::path::{Path, PathBuf};

use crate::StageError;

/// Every `function.json` below `folder`, sorted.
pub(crate) fn function_files(folder: &Path) -> Result<Vec<PathBuf>, StageError> {
    let mut found = Vec::new();
    visit(folder, &mut found)?;
    if found.is_empty() {
        return Err(StageError::invalid(
            folder,
            "no function.json below it",
            "give every function's folder a function.json",
        ));
    }
    found.sort();
    Ok(found)
}

fn visit(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), StageError> {
    for entry in std::fs::read_dir(folder).map_err(StageError::io("read folder", folder))? {
        let path = entry.map_err(StageError::io("read folder", folder))?.path();
        if path.is_dir() {
            visit(&path, found)?;
        } else if path.file_name().is_some_and(|name| name == "function.json") {
            found.push(path);
        }
    }
    Ok(())
}
