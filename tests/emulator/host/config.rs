//! Reads `host.json` as the host does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::function::{self, Function};
use super::log_filter::LogFilter;
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
    pub(super) log_filter: LogFilter,
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

pub(super) fn load(options: &HostOptions) -> Result<App, ConfigError> {
    let root = std::path::absolute(&options.app_dir).unwrap_or_else(|_| options.app_dir.clone());
    let path = root.join("host.json");
    let host = parse(&path)?;
    let broken = |problem: &str| ConfigError { path: path.clone(), problem: problem.to_owned() };
    let queues = queues(&host["extensions"]["queues"], options).map_err(|problem| broken(&problem))?;
    let handler = handler(&host, &root, options)
        .ok_or_else(|| broken("customHandler.description.defaultExecutablePath is missing; name the handler"))?;
    let retry = function::retry_policy(&host["retry"]);
    let functions = function::load_all(&root, options, retry.as_ref())?;
    let function_timeout = function_timeout(&host);
    Ok(App { root, handler, queues, function_timeout, functions, log_filter: LogFilter::of(&host) })
}

pub(super) fn parse(path: &Path) -> Result<Value, ConfigError> {
    let broken = |problem: String| ConfigError { path: path.to_owned(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| broken(format!("cannot be read: {error}")))?;
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
        Some(text) => {
            timespan::parse(text).map(Some).ok_or_else(|| format!("extensions.queues.{name} is not hh:mm:ss"))
        }
        None => Ok(None),
    };
    let count = |name: &str| json[name].as_u64().and_then(|value| u32::try_from(value).ok());
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
        base64: !json["messageEncoding"].as_str().is_some_and(|encoding| encoding.eq_ignore_ascii_case("none")),
    })
}

fn handler(host: &Value, root: &Path, options: &HostOptions) -> Option<Handler> {
    let section = [&host["customHandler"], &host["httpWorker"]].into_iter().find(|section| section.is_object())?;
    let description = &section["description"];
    let settings = options.app_settings();
    let expand = |text: &str| expand(text, &settings);
    let path = description["defaultExecutablePath"].as_str().map(expand).filter(|path| !path.is_empty())?;
    // A relative path is below the app only if such a file exists; otherwise it is a command on PATH.
    let executable = Some(root.join(&path)).filter(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(&path));
    let texts = |name: &str| -> Vec<String> {
        description[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(expand).collect()
    };
    let mut arguments = texts("arguments");
    arguments.extend(description["defaultWorkerPath"].as_str().map(expand));
    arguments.extend(texts("workerArguments"));
    // The host joins them with blanks, unquoted; the runtime splits them again.
    let arguments = split(&arguments.join(" "));
    let directory =
        description["workingDirectory"].as_str().map_or_else(|| root.to_owned(), |path| root.join(expand(path)));
    let initialization_timeout =
        section["initializationTimeout"].as_str().and_then(timespan::parse).unwrap_or(Duration::from_secs(30));
    Some(Handler { executable, arguments, directory, initialization_timeout })
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
fn expand(text: &str, settings: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, (name, after))) =
        rest.split_once('%').and_then(|(before, tail)| Some((before, tail.split_once('%')?)))
    {
        out.push_str(before);
        out.push_str(settings.get(name).map_or("", String::as_str));
        rest = after;
    }
    out + rest
}
