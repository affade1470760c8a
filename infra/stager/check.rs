//! Checks that the host would take `host.json` and every `function.json`, and that queues are named after their functions.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Function, StageError};

/// The two queues that people send to keep public names of their own.
const PUBLIC_QUEUES: [(&str, &str); 2] = [("accept_request", "peering-requests"), ("create_vpc", "vpc-requests")];

/// `customHandler.description.defaultExecutablePath` of `host.json`, which must be a plain relative
/// path: the deployment tools mark only an entry of exactly that name as executable.
pub(crate) fn executable_path(host_json: &Path) -> Result<PathBuf, StageError> {
    let host = parse(host_json)?;
    if host["version"] != "2.0" {
        return Err(StageError::invalid(host_json, "version is not \"2.0\"", "set \"version\": \"2.0\""));
    }
    let path = host["customHandler"]["description"]["defaultExecutablePath"].as_str().unwrap_or("");
    let plain = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if path.is_empty() || path.contains('%') || path.starts_with("./") || !plain {
        return Err(StageError::invalid(
            host_json,
            "customHandler.description.defaultExecutablePath is not a plain relative path",
            "set it to \"handler\"",
        ));
    }
    Ok(PathBuf::from(path))
}

/// The functions that `files` define, by name.
pub(crate) fn functions(files: Vec<PathBuf>) -> Result<BTreeMap<String, Function>, StageError> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    let mut seen = HashSet::new();
    for file in files {
        let name = folder_name(&file)?;
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(StageError::invalid(
                &file,
                format!("a second function is called {name}"),
                "rename one folder: the host ignores case and nesting",
            ));
        }
        let queue = bindings(&name, &file)?;
        functions.insert(name, Function { source: file, queue });
    }
    Ok(functions)
}

fn folder_name(file: &Path) -> Result<String, StageError> {
    let name = file.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    if name.eq_ignore_ascii_case("host") || !is_name(name, "_-") {
        return Err(StageError::invalid(
            file,
            format!("the host refuses a function called {name:?}"),
            "name the folder with a letter, then letters, digits, _ or -, 128 characters at most",
        ));
    }
    Ok(name.to_owned())
}

/// Checks one file's bindings; returns the trigger's queue, if it has one.
fn bindings(function: &str, file: &Path) -> Result<Option<String>, StageError> {
    let config = parse(file)?;
    let bindings = config["bindings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names = HashSet::new();
    for binding in bindings {
        let name = binding["name"].as_str().unwrap_or_default();
        if name != "$return" && !is_name(name, "") {
            return Err(StageError::invalid(
                file,
                format!("the host refuses a binding called {name:?}"),
                "use a letter, then letters and digits only, or $return",
            ));
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(StageError::invalid(
                file,
                format!("two bindings are called {name}"),
                "rename one: the host ignores case",
            ));
        }
    }
    queue_of_trigger(function, file, bindings)
}

fn queue_of_trigger(function: &str, file: &Path, bindings: &[Value]) -> Result<Option<String>, StageError> {
    let triggers: Vec<&Value> = bindings.iter().filter(|binding| kind(binding).ends_with("trigger")).collect();
    let [trigger] = triggers.as_slice() else {
        return Err(StageError::invalid(
            file,
            format!("{} triggers instead of one", triggers.len()),
            "give every function exactly one trigger binding",
        ));
    };
    if kind(trigger) != "queuetrigger" {
        return Ok(None);
    }
    let expected = queue_name(function);
    match trigger["queueName"].as_str() {
        Some(queue) if queue == expected => Ok(Some(expected)),
        other => Err(StageError::invalid(
            file,
            format!("queueName is {}", other.unwrap_or("missing")),
            format!("set \"queueName\": \"{expected}\""),
        )),
    }
}

/// The queue of a function: its name with hyphens, but for the public ones.
fn queue_name(function: &str) -> String {
    PUBLIC_QUEUES
        .iter()
        .find(|(name, _)| *name == function)
        .map_or_else(|| function.replace('_', "-"), |(_, queue)| (*queue).to_owned())
}

fn kind(binding: &Value) -> String {
    binding["type"].as_str().unwrap_or_default().to_ascii_lowercase()
}

/// The host's rule for names: a letter, then up to 127 letters, digits or `extra`.
fn is_name(name: &str, extra: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

fn parse(path: &Path) -> Result<Value, StageError> {
    let text = std::fs::read_to_string(path).map_err(StageError::io("read", path))?;
    serde_json::from_str(&text)
        .map_err(|error| StageError::invalid(path, format!("not JSON: {error}"), "correct it there"))
}
