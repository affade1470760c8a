//! Reads every `<function>/function.json` as the host does: triggers, output bindings, retry policies.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::config::{ConfigError, parse};
use super::events::Event;
use super::options::HostOptions;
use super::timespan;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) trigger: Trigger,
    pub(super) outputs: Vec<Output>,
    pub(super) retry: Option<RetryPolicy>,
}

/// What starts it.
#[derive(Debug, Clone)]
pub(super) enum Trigger {
    Queue { binding: String, queue: String, data_type: DataType },
    Timer { binding: String, schedule: String, run_on_startup: bool, use_monitor: bool },
}

/// What `dataType` binds a message to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataType {
    /// The default.
    Text,
    Binary,
    /// Accepted, but no message can be bound to it: every invocation fails.
    Stream,
}

/// A queue output binding.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) queue: String,
    pub(super) binary: bool,
}

/// How often a failed call is repeated, and after which pause (nominal).
#[derive(Debug, Clone)]
pub(super) struct RetryPolicy {
    pub(super) max: u32,
    pub(super) delay: Duration,
    /// `exponentialBackoff`: doubles from `delay` to this.
    pub(super) longest: Option<Duration>,
}

/// All usable functions of the app, by name.
pub(super) fn load_all(
    root: &Path,
    options: &HostOptions,
    retry: Option<&RetryPolicy>,
) -> Result<Vec<Function>, ConfigError> {
    let unreadable = |error: std::io::Error| ConfigError { path: root.to_owned(), problem: error.to_string() };
    let mut by_name = BTreeMap::new();
    for entry in std::fs::read_dir(root).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path().join("function.json");
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_file() && !disabled(&name, options) {
            let json = parse(&path)?;
            match function(&name, &json, options, retry) {
                Ok(function) => drop(by_name.insert(name, function)),
                // The host goes on without it.
                Err(problem) => options.events.tell(Event::Trouble(format!("function {name}: {problem}"))),
            }
        }
    }
    Ok(by_name.into_values().collect())
}

/// Only the setting counts; `"disabled": true` in `function.json` is ignored by this host.
fn disabled(name: &str, options: &HostOptions) -> bool {
    let setting = |name: String| options.settings.get(&name).map(|value| value.to_ascii_lowercase());
    let value =
        setting(format!("AzureWebJobs.{name}.Disabled")).or_else(|| setting(format!("AzureWebJobs_{name}_Disabled")));
    value.is_some_and(|value| value == "true" || value == "1")
}

fn function(name: &str, json: &Value, options: &HostOptions, retry: Option<&RetryPolicy>) -> Result<Function, String> {
    let bindings: Vec<&Value> = json["bindings"].as_array().into_iter().flatten().collect();
    let mut names = bindings.iter().filter_map(|binding| binding["name"].as_str());
    if let Some(name) = names.find(|name| !is_binding_name(name)) {
        return Err(format!("binding {name:?} is not a letter followed by letters and digits"));
    }
    let text = |binding: &Value, key: &str| resolve(binding[key].as_str().unwrap_or_default(), options);
    let kind = |binding: &Value| binding["type"].as_str().unwrap_or_default().to_ascii_lowercase();
    let trigger =
        bindings.iter().find(|binding| kind(binding).ends_with("trigger")).ok_or("it has no trigger; add one")?;
    let binding = text(trigger, "name");
    let trigger = match kind(trigger).as_str() {
        "queuetrigger" => {
            Trigger::Queue { binding, queue: text(trigger, "queueName").to_lowercase(), data_type: data_type(trigger) }
        }
        "timertrigger" => Trigger::Timer {
            binding,
            schedule: text(trigger, "schedule"),
            run_on_startup: trigger["runOnStartup"] == true,
            use_monitor: trigger["useMonitor"] != false,
        },
        other => {
            return Err(format!("trigger {other} is not emulated; use a queue or a timer"));
        }
    };
    let outputs = bindings
        .iter()
        .filter(|binding| kind(binding) == "queue")
        .map(|binding| Output {
            name: text(binding, "name"),
            queue: text(binding, "queueName"),
            binary: data_type(binding) == DataType::Binary,
        })
        .collect();
    let retry = retry_policy(&json["retry"]).or_else(|| retry.cloned());
    Ok(Function { name: name.to_owned(), trigger, outputs, retry })
}

fn data_type(binding: &Value) -> DataType {
    match binding["dataType"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "binary" => DataType::Binary,
        "stream" => DataType::Stream,
        _ => DataType::Text,
    }
}

fn is_binding_name(name: &str) -> bool {
    let plain =
        name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    name == "$return" || (plain && name.len() <= 128)
}

/// `%NAME%` as a whole is a setting.
fn resolve(text: &str, options: &HostOptions) -> String {
    let name = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    name.and_then(|name| options.settings.get(name)).cloned().unwrap_or_else(|| text.to_owned())
}

/// `retry` of `function.json` or `host.json`.
pub(super) fn retry_policy(json: &Value) -> Option<RetryPolicy> {
    let span = |name: &str| json[name].as_str().and_then(timespan::parse);
    let max = json["maxRetryCount"].as_i64()?;
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    match json["strategy"].as_str()? {
        "exponentialBackoff" => {
            Some(RetryPolicy { max, delay: span("minimumInterval")?, longest: span("maximumInterval") })
        }
        _ => Some(RetryPolicy { max, delay: span("delayInterval")?, longest: None }),
    }
}
