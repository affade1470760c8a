//! What the handler asks of storage, exactly: a proxy before Azurite that keeps a line for every request.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Outcome;

/// Larger than any message or transaction.
const MOST: usize = 8 << 20;

/// One of the services of a storage account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Tables.
    Table,
    /// Queues.
    Queue,
}

/// One request, and the answer's status.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When it came.
    pub began: Timestamp,
    /// When it was answered.
    pub at: Timestamp,
    /// Which service it was for.
    pub store: Store,
    /// Method, path and query.
    line: String,
    status: u16,
    /// For a message sent: its id, and how long it stays hidden.
    pub sent: Option<(String, Duration)>,
}

impl Asked {
    /// Whether it only reads. A receive does not: it hides what it finds.
    pub fn is_read(&self) -> bool {
        self.line.starts_with("GET ") && self.store != Store::Queue
    }

    /// Whether it makes a table or a queue, or finds it made.
    pub fn makes(&self) -> bool {
        match self.store {
            Store::Table => self.line.starts_with("POST Tables"),
            Store::Queue => self.line.starts_with("PUT ") && !self.line.contains("/messages"),
        }
    }

    /// Whether method, path and query have a text in them.
    pub fn mentions(&self, text: &str) -> bool {
        self.line.contains(text)
    }

    /// Only the timers look for VPCs: the functions know theirs.
    pub fn by_timer(&self) -> bool {
        self.line.starts_with("GET vpcs()?")
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage {} → {}", self.line, self.status)
    }
}

/// Keeps the requests of all services that it stands before.
#[derive(Clone, Default)]
pub struct Recorder {
    asked: Arc<Mutex<Vec<Asked>>>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// One service behind the recorder.
#[derive(Clone)]
struct Service {
    store: Store,
    upstream: String,
    http: reqwest::Client,
    recorder: Recorder,
}

impl Recorder {
    /// Stands before a service; returns the address that stands for its own.
    pub async fn before(&self, store: Store, upstream: &str) -> Outcome<String> {
        // Answers go through as they are.
        let http = reqwest::Client::builder().no_gzip().no_deflate().build()?;
        let upstream = upstream.trim_end_matches('/').to_owned();
        let service = Service { store, upstream, http, recorder: self.clone() };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass).with_state(service);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the recorder of storage requests ended: {error}");
            }
        });
        lock(&self.tasks).push(task);
        Ok(address)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// Ends it.
    pub fn stop(&self) {
        lock(&self.tasks).iter().for_each(JoinHandle::abort);
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(service): State<Service>, request: Request) -> Response {
    match forward(&service, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn forward(service: &Service, request: Request) -> Outcome<Response> {
    let began = Timestamp::now();
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let url = format!("{}{target}", service.upstream);
    let body = to_bytes(body, MOST).await?;
    let answer = service.http.request(parts.method.clone(), url).headers(headers).body(body).send().await?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    let body = answer.bytes().await?;
    let sent = message_sent(&target, &body);
    let line = format!("{} {}", parts.method, short(&target));
    let (at, status_code) = (Timestamp::now(), status.as_u16());
    lock(&service.recorder.asked).push(Asked { began, at, store: service.store, line, status: status_code, sent });
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Put Message answers with the message's id; `visibilitytimeout` hides it, in seconds.
fn message_sent(target: &str, body: &[u8]) -> Option<(String, Duration)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.ends_with("/messages") {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let id = text.split_once("<MessageId>")?.1.split_once("</MessageId>")?.0.to_owned();
    let hidden = query.split('&').find_map(|pair| pair.strip_prefix("visibilitytimeout="));
    let seconds = hidden.and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    Some((id, Duration::from_secs(seconds)))
}

/// A target without the account, cut where it gets long.
fn short(target: &str) -> String {
    let path = target.trim_start_matches('/').split_once('/').map_or(target, |(_, path)| path);
    path.chars().take(150).collect()
}
