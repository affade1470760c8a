//! Replays recordings of the real host: same app, same messages, same answers; the requests must be the same.
//!
//! The recordings are large and not kept here: name their folder in `HOST_RECORDINGS` and run
//! `cargo test -p emulator --lib replay -- --ignored --nocapture`; `HOST_RECORDING` picks those whose
//! names start so. Left out are those that need
//! minutes, another executable, or something that is not emulated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::scene::{Recorded, Scene};
use crate::host::{Host, Supervisor, Transfer};

/// Replayed at once: each is a process or two.
const AT_ONCE: usize = 4;

/// Recordings by the start of their names.
const CASES: [&str; 36] = [
    "case01", "case02-", "case02b", "case02c", "case03", "case04a", "case05-", "case06", "case07", "case08", "case10e",
    "case12a", "case12d", "case12e", "case12f", "case12g", "case12h", "case12i", "case12j", "case13d", "case13f",
    "case14", "case15", "case16", "case18", "case19", "case20", "case21", "case25", "case27", "case32", "case33",
    "case35", "case09-", "case09c", "case17",
];

/// A request without what differs from run to run.
fn normal(path: &str, headers: &[(String, String)], body: &str) -> String {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let mut body = body.to_owned();
    // Stack traces of the host's own code.
    if let Some(at) = body.find("\"Exception\":{") {
        body.truncate(at);
    }
    format!("{path} {} {}", names.join(","), words(&body))
}

/// Replaces times, GUIDs and pop receipts.
fn words(body: &str) -> String {
    let delimiter = |c: char| !(c.is_ascii_alphanumeric() || "-+:.=".contains(c));
    body.split_inclusive(delimiter)
        .map(|piece| {
            let word = piece.trim_end_matches(delimiter);
            let rest = &piece[word.len()..];
            let time = word.len() >= 20 && word.as_bytes()[4] == b'-' && word.contains('T') && word.contains(':');
            let guid = word.len() == 36 && uuid::Uuid::parse_str(word).is_ok();
            let receipt = word.len() > 20 && !word.contains('-') && (word.starts_with("Mj") || word.starts_with("Mz"));
            let kind = if time {
                "<time>"
            } else if guid {
                "<guid>"
            } else if receipt {
                "<receipt>"
            } else {
                word
            };
            format!("{kind}{rest}")
        })
        .collect()
}

fn headers(request: &Value) -> Vec<(String, String)> {
    serde_json::from_value(request["headers"].clone()).unwrap()
}

/// The trigger's value as text: what tells messages apart.
fn value(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    let text = body["Data"].as_object().is_some_and(|data| data.values().all(Value::is_string));
    if text { body["Data"].to_string() } else { String::new() }
}

/// What the recorded handler answered, as rules for ours: by path and message, one after the other.
fn rules(case: &Value) -> Vec<Value> {
    let posts: Vec<&Value> = list(case, "requests").into_iter().filter(|request| request["method"] == "POST").collect();
    let mut answers: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for (index, post) in posts.iter().enumerate() {
        let answer = list(case, "responses")
            .into_iter()
            .find(|answer| answer["method"] == "POST" && answer["to_request_n"] == index + 1);
        let exit =
            list(case, "handler_events").into_iter().find(|event| event["kind"] == "exit" && event["n"] == index + 1);
        let rule = match (answer, exit) {
            (Some(answer), exit) => {
                let delay = answer["at_s"].as_f64().unwrap() - post["at_s"].as_f64().unwrap();
                let headers: serde_json::Map<String, Value> = list(answer, "headers")
                    .iter()
                    .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()))
                    .filter(|(name, _)| !["HTTP", "Transfer-Encoding", "Content-Encoding"].contains(&name.as_str()))
                    .collect();
                let after = exit.map(|exit| exit["code"].clone());
                json!({"status": answer["status"], "headers": headers, "body": answer["body"],
                    "delay": (delay * 1000.0).round(), "exitAfter": after})
            }
            (None, Some(exit)) => json!({"exit": exit["code"]}),
            (None, None) => json!({"hang": true}),
        };
        let body = post["body"].as_str().unwrap();
        let data = if body.starts_with("{\"Data\"") { value(body) } else { String::new() };
        answers.entry((post["path"].as_str().unwrap().to_owned(), data)).or_default().push(rule);
    }
    answers
        .into_iter()
        .map(|((path, data), answers)| json!({"path": path, "contains": data, "answers": answers}))
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    value[name].as_array().map(|items| items.iter().collect()).unwrap_or_default()
}

async fn replay(file: &Path) -> Result<(), String> {
    let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let name = case["case"].as_str().unwrap();
    let mut scene = Scene::new("replay").whole_host_json(case["host_json"].clone());
    for (function, json) in case["function_json"].as_object().unwrap() {
        scene = scene.function(function, json);
    }
    for rule in rules(&case) {
        scene = scene.rule(rule);
    }
    for event in list(&case, "handler_events") {
        if event["kind"] == "exit" && event["n"].is_null() {
            let delay = 300;
            scene = scene.rule(
                json!({"start": true, "launch": event["handler_pid_index"], "exit": event["code"], "delay": delay}),
            );
        }
    }
    for message in list(&case, "enqueued") {
        put(&scene, name, message).await;
    }
    let mut options = scene.options();
    options.settings.insert("RH_DIR".to_owned(), scene.dir().display().to_string());
    if name.starts_with("case16") {
        options.transfer = Transfer::ContentLength;
    }
    if name.starts_with("case32") {
        options.settings.insert("APPLICATIONINSIGHTS_CONNECTION_STRING".to_owned(), "x".to_owned());
    }
    if name.starts_with("case20") {
        options.settings.insert("AzureWebJobs.Off2.Disabled".to_owned(), "true".to_owned());
    }
    let recorded: Vec<&Value> =
        list(&case, "requests").into_iter().filter(|request| request["method"] == "POST").collect();
    // One of them was made with a second host after the first.
    let supervised = name.starts_with("case25");
    let _supervisor = if supervised { Supervisor::start(options.clone()).await.ok() } else { None };
    let _host = if supervised { None } else { Host::start(options).await.ok() };
    for _ in 0..600 {
        if scene.posts().len() >= recorded.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    compare(&recorded, &scene.posts())
}

async fn put(scene: &Scene, name: &str, message: &Value) {
    let (queue, text) = (message["queue"].as_str().unwrap(), message["text"].as_str().unwrap());
    scene.account.create_queue(queue).await.unwrap();
    let text = match (message["encoded_base64"] == true, text) {
        (true, "fffe00626164") => "//4AYmFk".to_owned(),
        (true, text) => base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text),
        (false, text) => text.to_owned(),
    };
    scene.account.put_raw(queue, &text, Duration::ZERO, None).await.unwrap();
    for _ in 0..if name.starts_with("case14") { 5 } else { 0 } {
        let message = scene.account.get_messages(queue, 1, Duration::from_secs(60)).await.unwrap().remove(0);
        scene.account.update_message(queue, &message.id, &message.pop_receipt, Duration::ZERO).await.unwrap();
    }
}

/// Timers fire as often as the replay lasts, so only what was recorded is looked for among them.
fn compare(recorded: &[&Value], ours: &[Recorded]) -> Result<(), String> {
    let mut ours: Vec<String> = ours.iter().map(|post| normal(&post.path, &post.headers, &post.body)).collect();
    let mut missing = Vec::new();
    for post in recorded {
        let wanted = normal(post["path"].as_str().unwrap(), &headers(post), post["body"].as_str().unwrap());
        match ours.iter().position(|post| *post == wanted) {
            Some(at) => drop(ours.swap_remove(at)),
            None => missing.push(wanted),
        }
    }
    ours.retain(|post| !post.contains("\"Schedule\""));
    if missing.is_empty() && ours.is_empty() {
        return Ok(());
    }
    Err(format!("missing {missing:#?}\nmore than recorded {ours:#?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs HOST_RECORDINGS"]
async fn the_requests_are_those_of_the_real_host() {
    let folder = PathBuf::from(std::env::var("HOST_RECORDINGS").unwrap());
    let only = std::env::var("HOST_RECORDING").ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let wanted = only.as_ref().is_none_or(|only| name.starts_with(only));
        if wanted && CASES.iter().any(|case| name.starts_with(case)) {
            let slots = Arc::clone(&slots);
            running.spawn(async move {
                let _slot = slots.acquire_owned().await.unwrap();
                let result = replay(&file).await;
                (name, result)
            });
        }
    }
    let mut failed = 0;
    while let Some(done) = running.join_next().await {
        let (name, result) = done.unwrap();
        match result {
            Ok(()) => println!("same      {name}"),
            Err(difference) => {
                failed += 1;
                println!("DIFFERENT {name}\n{difference}");
            }
        }
    }
    assert_eq!(failed, 0);
}
