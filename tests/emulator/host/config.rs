//! Reads `host.json` and every `<function>/function.json` as the host does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::events::Event;
use super::options::HostOptions;
use super::timespan;

/// Why an app cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ConfigError {
    /// The file at fault.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// A staged app.
#[derive(Debug)]
pub(super) struct App {
    pub(super) root: PathBuf,
    pub(super) handler: Handler,
    pub(super) queues: Queues,
    /// `None` is unbounded.
    pub(super) function_timeout: Option<Duration>,
    pub(super) functions: Vec<Function>,
}

/// `customHandler.description`.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) executable: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) initialization_timeout: Duration,
}

impl Handler {
    /// What is left in the app once the launcher has taken the handler.
    pub(super) fn none() -> Self {
        let none = PathBuf::new();
        Self {
            executable: none.clone(),
            arguments: Vec::new(),
            directory: none,
            initialization_timeout: Duration::ZERO,
        }
    }
}

/// `extensions.queues`.
#[derive(Debug)]
pub(super) struct Queues {
    pub(super) batch_size: u32,
    pub(super) new_batch_threshold: u32,
    pub(super) max_polling_interval: Duration,
    pub(super) visibility_timeout: Duration,
    pub(super) max_dequeue_count: u32,
    pub(super) base64: bool,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) trigger: Trigger,
    pub(super) outputs: Vec<Output>,
    pub(super) retry: Option<RetryPolicy>,
}

#[derive(Debug, Clone)]
pub(super) enum Trigger {
    Queue {
        binding: String,
        queue: String,
        data_type: DataType,
    },
    Timer {
        binding: String,
        schedule: String,
        run_on_startup: bool,
        use_monitor: bool,
    },
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

#[derive(Debug, Clone)]
pub(super) struct RetryPolicy {
    pub(super) max: u32,
    pub(super) delay: Duration,
    /// `exponentialBackoff`: doubles from `delay` to this.
    pub(super) longest: Option<Duration>,
}

pub(super) fn load(options: &HostOptions) -> Result<App, ConfigError> {
    let root = std::path::absolute(&options.app_dir).unwrap_or_else(|_| options.app_dir.clone());
    let path = root.join("host.json");
    let host = parse(&path)?;
    let broken = |problem: &str| ConfigError {
        path: path.clone(),
        problem: problem.to_owned(),
    };
    let queues =
        queues(&host["extensions"]["queues"], options).map_err(|problem| broken(&problem))?;
    let handler = handler(&host, &root, options).ok_or_else(|| {
        broken("customHandler.description.defaultExecutablePath is missing; name the handler")
    })?;
    let retry = retry_policy(&host["retry"]);
    let functions = functions(&root, options, retry.as_ref())?;
    Ok(App {
        root,
        handler,
        queues,
        function_timeout: function_timeout(&host),
        functions,
    })
}

fn parse(path: &Path) -> Result<Value, ConfigError> {
    let broken = |problem: String| ConfigError {
        path: path.to_owned(),
        problem,
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| broken(format!("cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| broken(format!("is not JSON: {error}")))
}

/// Thirty minutes unless given; `-1` is unbounded.
fn function_timeout(host: &Value) -> Option<Duration> {
    match host["functionTimeout"].as_str() {
        Some("-1") => None,
        Some(text) => timespan::parse(text).or(Some(Duration::from_secs(1800))),
        None => Some(Duration::from_secs(1800)),
    }
}

fn queues(json: &Value, options: &HostOptions) -> Result<Queues, String> {
    let span = |name: &str| match json[name].as_str() {
        Some(text) => timespan::parse(text)
            .map(Some)
            .ok_or_else(|| format!("extensions.queues.{name} is not hh:mm:ss")),
        None => Ok(None),
    };
    let count = |name: &str| {
        json[name]
            .as_u64()
            .and_then(|value| u32::try_from(value).ok())
    };
    let batch_size = count("batchSize").unwrap_or(16);
    if !(1..=32).contains(&batch_size) {
        return Err("extensions.queues.batchSize must be 1 to 32".to_owned());
    }
    let polling = span("maxPollingInterval")?.unwrap_or(Duration::from_secs(60));
    Ok(Queues {
        batch_size,
        new_batch_threshold: count("newBatchThreshold").unwrap_or(batch_size / 2 * options.cores),
        max_polling_interval: options.poll_cap.map_or(polling, |cap| cap.min(polling)),
        visibility_timeout: span("visibilityTimeout")?.unwrap_or(Duration::ZERO),
        max_dequeue_count: count("maxDequeueCount").unwrap_or(5).max(1),
        base64: !json["messageEncoding"]
            .as_str()
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("none")),
    })
}

fn handler(host: &Value, root: &Path, options: &HostOptions) -> Option<Handler> {
    let section = [&host["customHandler"], &host["httpWorker"]]
        .into_iter()
        .find(|section| section.is_object())?;
    let description = &section["description"];
    let expand = |text: &str| expand(text, options);
    let path = description["defaultExecutablePath"]
        .as_str()
        .map(expand)
        .filter(|path| !path.is_empty())?;
    // A relative path is below the app only if such a file exists; otherwise it is a command on PATH.
    let executable = Some(root.join(&path))
        .filter(|file| file.is_file())
        .unwrap_or_else(|| PathBuf::from(&path));
    let texts = |name: &str| -> Vec<String> {
        description[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(expand)
            .collect()
    };
    let mut arguments = texts("arguments");
    arguments.extend(description["defaultWorkerPath"].as_str().map(expand));
    arguments.extend(texts("workerArguments"));
    // The host joins them with blanks, unquoted; the runtime splits them again.
    let arguments = split(&arguments.join(" "));
    let directory = description["workingDirectory"]
        .as_str()
        .map_or_else(|| root.to_owned(), |path| root.join(expand(path)));
    let initialization_timeout = section["initializationTimeout"]
        .as_str()
        .and_then(timespan::parse)
        .unwrap_or(Duration::from_secs(30));
    Some(Handler {
        executable,
        arguments,
        directory,
        initialization_timeout,
    })
}

/// Splits at blanks outside double quotes.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            '"' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => {
                word.push(other);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

/// Replaces `%NAME%` by the setting; an unknown one by nothing.
fn expand(text: &str, options: &HostOptions) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) = rest
        .split_once('%')
        .and_then(|(before, tail)| Some((before, tail.split_once('%')?)))
    {
        out.push_str(before);
        out.push_str(options.settings.get(name).map_or("", String::as_str));
        rest = after;
    }
    out + rest
}

fn functions(
    root: &Path,
    options: &HostOptions,
    retry: Option<&RetryPolicy>,
) -> Result<Vec<Function>, ConfigError> {
    let unreadable = |error: std::io::Error| ConfigError {
        path: root.to_owned(),
        problem: error.to_string(),
    };
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
                Err(problem) => options
                    .events
                    .tell(Event::Trouble(format!("function {name}: {problem}"))),
            }
        }
    }
    Ok(by_name.into_values().collect())
}

/// Only the setting counts; `"disabled": true` in `function.json` is ignored by this host.
fn disabled(name: &str, options: &HostOptions) -> bool {
    let setting = |name: String| {
        options
            .settings
            .get(&name)
            .map(|value| value.to_ascii_lowercase())
    };
    let value = setting(format!("AzureWebJobs.{name}.Disabled"))
        .or_else(|| setting(format!("AzureWebJobs_{name}_Disabled")));
    value.is_some_and(|value| value == "true" || value == "1")
}

fn function(
    name: &str,
    json: &Value,
    options: &HostOptions,
    retry: Option<&RetryPolicy>,
) -> Result<Function, String> {
    let bindings: Vec<&Value> = json["bindings"].as_array().into_iter().flatten().collect();
    let mut names = bindings
        .iter()
        .filter_map(|binding| binding["name"].as_str());
    if let Some(name) = names.find(|name| !is_binding_name(name)) {
        return Err(format!(
            "binding {name:?} is not a letter followed by letters and digits"
        ));
    }
    let text =
        |binding: &Value, key: &str| resolve(binding[key].as_str().unwrap_or_default(), options);
    let kind = |binding: &Value| {
        binding["type"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let trigger = bindings
        .iter()
        .find(|binding| kind(binding).ends_with("trigger"))
        .ok_or("it has no trigger; add one")?;
    let binding = text(trigger, "name");
    let trigger = match kind(trigger).as_str() {
        "queuetrigger" => Trigger::Queue {
            binding,
            queue: text(trigger, "queueName").to_lowercase(),
            data_type: data_type(trigger),
        },
        "timertrigger" => Trigger::Timer {
            binding,
            schedule: text(trigger, "schedule"),
            run_on_startup: trigger["runOnStartup"] == true,
            use_monitor: trigger["useMonitor"] != false,
        },
        other => {
            return Err(format!(
                "trigger {other} is not emulated; use a queue or a timer"
            ));
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
    Ok(Function {
        name: name.to_owned(),
        trigger,
        outputs,
        retry,
    })
}

fn data_type(binding: &Value) -> DataType {
    match binding["dataType"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "binary" => DataType::Binary,
        "stream" => DataType::Stream,
        _ => DataType::Text,
    }
}

fn is_binding_name(name: &str) -> bool {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    name == "$return" || (plain && name.len() <= 128)
}

/// `%NAME%` as a whole is a setting.
fn resolve(text: &str, options: &HostOptions) -> String {
    let name = text
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'));
    name.and_then(|name| options.settings.get(name))
        .cloned()
        .unwrap_or_else(|| text.to_owned())
}

fn retry_policy(json: &Value) -> Option<RetryPolicy> {
    let span = |name: &str| json[name].as_str().and_then(timespan::parse);
    let max = json["maxRetryCount"].as_i64()?;
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    match json["strategy"].as_str()? {
        "exponentialBackoff" => Some(RetryPolicy {
            max,
            delay: span("minimumInterval")?,
            longest: span("maximumInterval"),
        }),
        _ => Some(RetryPolicy {
            max,
            delay: span("delayInterval")?,
            longest: None,
        }),
    }
}
