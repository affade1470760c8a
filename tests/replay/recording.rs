//! A recorded case: what the real host was given, every request it made, every answer it got, and what ended where.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One file of `tests/recordings`; its README has the format.
#[derive(Debug, Deserialize)]
pub struct Recording {
    pub host_json: Value,
    pub function_json: BTreeMap<String, Value>,
    pub enqueued: Vec<Enqueued>,
    /// Sets of headers that the requests share.
    pub headers: Vec<Vec<(String, String)>>,
    pub requests: Vec<Request>,
    pub responses: Vec<Response>,
    pub handler: Vec<Happening>,
    /// By queue: how many messages are left (hidden ones included), their stored texts, or null for no such queue.
    pub queues: BTreeMap<String, Value>,
    pub host_alive: Option<bool>,
    pub max_open: Option<usize>,
    #[serde(default)]
    pub steps: Vec<Step>,
    #[serde(default)]
    pub blobs: Vec<String>,
    #[serde(default)]
    pub status: BTreeMap<String, String>,
    #[serde(default)]
    pub poll_delays_ms: Vec<u64>,
}

/// A message as stored; put once `after` POSTs had come.
#[derive(Debug, Deserialize)]
pub struct Enqueued {
    pub queue: String,
    pub text: String,
    #[serde(default)]
    pub after: usize,
}

/// A request; `at` in seconds from the first launch.
#[derive(Debug, Deserialize)]
pub struct Request {
    pub at: f64,
    pub launch: u64,
    pub method: String,
    pub path: String,
    pub set: usize,
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
    pub chunks: Option<Vec<usize>>,
}

/// An answer to the `to`th request of its method.
#[derive(Debug, Deserialize)]
pub struct Response {
    pub at: f64,
    pub method: String,
    pub to: usize,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Something that the handler did besides answering.
#[derive(Debug, Deserialize)]
pub struct Happening {
    pub at: f64,
    pub launch: u64,
    pub kind: String,
    pub code: Option<i64>,
    /// The request of its method that it did it at.
    pub n: Option<usize>,
    #[serde(default)]
    pub argv: Vec<String>,
    #[serde(default)]
    pub cwd: String,
}

/// How many POSTs had come once so many were answered.
#[derive(Debug, Deserialize)]
pub struct Step {
    pub posts_seen: usize,
    pub responses: usize,
}

impl Recording {
    /// Reads one file.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The headers of a request, verbatim.
    pub fn headers_of(&self, request: &Request) -> Vec<(String, String)> {
        let value = |name: &String, value: &String| request.values.get(name).unwrap_or(value).clone();
        self.headers[request.set].iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
    }

    /// What the recorded handler did, as rules for ours: delays are divided by `scale`.
    pub fn rules(&self, scale: f64) -> Vec<Value> {
        let mut answers: BTreeMap<(&str, &str, String), Vec<Value>> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for request in &self.requests {
            let n = counts.entry(&request.method).or_default();
            *n += 1;
            let key = (request.method.as_str(), request.path.as_str(), value(&request.body));
            answers.entry(key).or_default().push(self.answer(request, *n, scale));
        }
        let by_request = answers.into_iter().map(|((method, path, contains), answers)| {
            json!({"method": method, "path": path, "contains": contains, "answers": answers})
        });
        self.starts(scale).into_iter().chain(by_request).collect()
    }

    fn answer(&self, request: &Request, n: usize, scale: f64) -> Value {
        let response = self.responses.iter().find(|answer| answer.method == request.method && answer.to == n);
        let deed = |kinds: &[&str]| {
            self.handler.iter().find(|event| kinds.contains(&event.kind.as_str()) && event.n == Some(n))
        };
        let exit = if request.method == "POST" { deed(&["exit"]).and_then(|event| event.code) } else { None };
        match response {
            Some(answer) => json!({
                "status": answer.status, "headers": plain(&answer.headers), "body": answer.body,
                "delay": ((answer.at - request.at) * 1000.0 / scale).round(), "exitAfter": exit,
            }),
            None if request.method == "GET" => json!({"drop": true}),
            None => match (exit, deed(&["selfkill"])) {
                (Some(code), _) => json!({"exit": code}),
                (None, Some(_)) => json!({"kill": true}),
                (None, None) => json!({"hang": true}),
            },
        }
    }

    /// Launches that exited before any request, never listened, or did so late.
    fn starts(&self, scale: f64) -> Vec<Value> {
        let of = |launch: u64, kind: &str| self.handler.iter().find(|e| e.launch == launch && e.kind == kind);
        let mut rules = Vec::new();
        for start in self.handler.iter().filter(|event| event.kind == "start") {
            let exit = of(start.launch, "exit").filter(|exit| exit.n.is_none());
            let rule = match (exit, of(start.launch, "listening")) {
                (Some(exit), _) => json!({"exit": exit.code, "delay": 300}),
                (None, None) => json!({"deaf": true}),
                (None, Some(listening)) if listening.at - start.at > 1.0 => {
                    json!({"delay": (listening.at - start.at) * 1000.0 / scale})
                }
                _ => continue,
            };
            let mut rule = rule;
            rule["start"] = json!(true);
            rule["launch"] = json!(start.launch);
            rules.push(rule);
        }
        rules
    }
}

/// Headers as an object. The answers that the recorded handler framed by hand are recorded without their type.
fn plain(headers: &[(String, String)]) -> Map<String, Value> {
    let by_hand = headers.iter().any(|(name, _)| name == "HTTP" || name == "Transfer-Encoding");
    let json = by_hand.then(|| ("Content-Type".to_owned(), "application/json".to_owned()));
    headers.iter().cloned().chain(json).map(|(name, value)| (name, json!(value))).collect()
}

/// The trigger's value as text: what tells messages apart. Empty for timers.
pub fn value(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = body["Data"].as_object().is_some_and(|data| data.values().all(Value::is_string));
    if text { body["Data"].to_string() } else { String::new() }
}
