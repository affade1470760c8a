//! The recorded requests, sent to the real handler byte for byte: unknown functions, garbage, messages and timers.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use emulator::azurite::{Account, Azurite};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::recording::{Recording, Request};
use super::recordings;

/// Nobody listens there.
const NOWHERE: &str = "https://127.0.0.1:9";

struct Handler {
    process: Child,
    connection: BufReader<TcpStream>,
}

struct Answer {
    status: u16,
    content_type: String,
    body: String,
}

impl Answer {
    /// The host takes nothing else for an answer that it can read: a JSON object, and never an empty body.
    fn is_what_the_host_reads(&self) -> bool {
        self.content_type == "application/json"
            && serde_json::from_str::<Value>(&self.body).is_ok_and(|body| body.is_object())
    }
}

impl Handler {
    /// Starts the handler as the host does, with storage and without clouds.
    async fn start(connection_string: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let id = "11111111-1111-4111-8111-111111111111";
        let mut command = Command::new(env!("CARGO_BIN_EXE_handler"));
        command.env_clear().env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.env("AzureWebJobsStorage", connection_string).env("AIVEN_TOKEN", "token");
        for url in ["ENTRA_URL", "GRAPH_URL", "ARM_URL", "AIVEN_API_URL", "IDENTITY_ENDPOINT"] {
            command.env(url, NOWHERE);
        }
        for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_PRINCIPAL_ID", "IDENTITY_HEADER"] {
            command.env(name, id);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).spawn().unwrap();
        let began = Instant::now();
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                return Self { process, connection: BufReader::new(stream) };
            }
            assert!(began.elapsed() < Duration::from_secs(20), "the handler does not listen");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Sends a request as recorded, to `path` and with `body`.
    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
        chunks: Option<&[usize]>,
    ) -> Answer {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in headers.iter().filter(|(name, _)| name != "Content-Length" && name != "Connection") {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if chunks.is_none() && method == "POST" {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        match chunks {
            Some(sizes) => chunked(body, sizes, &mut bytes),
            None => bytes.extend_from_slice(body),
        }
        self.connection.get_mut().write_all(&bytes).await.unwrap();
        self.answer().await
    }

    async fn recorded(&mut self, recording: &Recording, request: &Request, path: &str) -> Answer {
        let headers = recording.headers_of(request);
        self.send(&request.method, path, &headers, request.body.as_bytes(), request.chunks.as_deref()).await
    }

    async fn answer(&mut self) -> Answer {
        let status = self.line().await;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length: usize = headers["content-length"].parse().unwrap();
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).await.unwrap();
        let content_type = headers.remove("content-type").unwrap_or_default();
        Answer { status, content_type, body: String::from_utf8(body).unwrap() }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.connection.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }
}

/// The recorded chunks, the last one as long as need be: some recorded bodies were shortened.
fn chunked(body: &[u8], sizes: &[usize], bytes: &mut Vec<u8>) {
    let mut rest = body;
    for (number, size) in sizes.iter().enumerate() {
        let last = number + 1 == sizes.len();
        let (chunk, after) = rest.split_at(if last { rest.len() } else { (*size).min(rest.len()) });
        rest = after;
        if !chunk.is_empty() {
            bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
}

/// Sends everything that was recorded, and judges the answers.
pub async fn judge(azurite: &Azurite) {
    let connection = azurite.connection_string_of(200);
    let account = Account::from_connection_string(&connection).unwrap();
    let mut handler = Handler::start(&connection).await;
    let mut all = Vec::new();
    for entry in std::fs::read_dir(recordings()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            all.push(Recording::read(&path));
        }
    }
    let unknown = unknown_functions(&mut handler, &all).await;
    let garbage = garbage(&mut handler, &all).await;
    let timers = timers(&mut handler, &all).await;
    let messages = messages(&mut handler, &all, &account).await;
    println!(
        "sent to the handler: {unknown} as they were, {garbage} cut short, {timers} of timers, {messages} of messages"
    );
    let get = handler.send("GET", "/", &[("Host".to_owned(), "127.0.0.1".to_owned())], b"", None).await;
    assert!(get.status == 200 && get.is_what_the_host_reads(), "the handler is still there");
    assert!(handler.process.try_wait().unwrap().is_none(), "the handler is still there");
}

/// As they were: the recorded functions are none of ours.
async fn unknown_functions(handler: &mut Handler, all: &[Recording]) -> usize {
    let mut sent = 0;
    for recording in all {
        for request in &recording.requests {
            let answer = handler.recorded(recording, request, &request.path).await;
            let wanted = match (request.method.as_str(), request.path.as_str()) {
                ("GET", "/") => 200,
                // Only a handler that redirects is asked for this.
                ("GET", _) => 405,
                _ => 404,
            };
            assert_eq!(answer.status, wanted, "{} {}: {}", request.method, request.path, answer.body);
            assert!(answer.is_what_the_host_reads(), "{}: {:?}", request.path, answer.body);
            sent += 1;
        }
    }
    sent
}

/// Cut short somewhere, or bent: refused, never a crash.
async fn garbage(handler: &mut Handler, all: &[Recording]) -> usize {
    let mut sent = 0;
    let posts = all.iter().flat_map(|recording| recording.requests.iter().map(move |request| (recording, request)));
    let posts: Vec<_> = posts.filter(|(_, request)| request.body.starts_with("{\"Data\"")).collect();
    for (number, (recording, request)) in posts.iter().enumerate().step_by(3) {
        let headers = recording.headers_of(request);
        let body = request.body.as_bytes();
        let cut = &body[..(number * 37) % body.len()];
        let mut bent = body.to_vec();
        bent[number % 9] = 0xff;
        let renamed = request.body.replacen("\"Data\"", "\"Date\"", 1).into_bytes();
        let number = request.body.replacen("{\"Data\":{", "{\"Data\":{\"another\":1,", 1).into_bytes();
        for body in [cut, &bent, &renamed, &number, b"", b"null", b"[]", b"{\"Data\":{\"queueItem\":7}}"] {
            let answer = handler
                .send("POST", "/accept_request", &headers, body, request.chunks.as_ref().map(|_| &[512; 200][..]))
                .await;
            let text = String::from_utf8_lossy(body);
            assert!((400..600).contains(&answer.status), "{text}: {}", answer.status);
            assert!(answer.is_what_the_host_reads(), "{text}: {:?}", answer.body);
            sent += 1;
        }
    }
    sent
}

/// Every recorded timer's body is a tick to ours, year 1 and other zones included.
async fn timers(handler: &mut Handler, all: &[Recording]) -> usize {
    let mut sent = 0;
    for recording in all {
        for request in recording.requests.iter().filter(|request| request.body.contains("{\"Schedule\":")) {
            let answer = handler.recorded(recording, request, "/poll_waiting").await;
            assert_eq!(answer.status, 200, "{}: {}", request.body, answer.body);
            assert!(answer.is_what_the_host_reads(), "{:?}", answer.body);
            sent += 1;
        }
    }
    sent
}

/// Every recorded message, as a request: none is one, so each lands in table `rejected` exactly as it was sent.
async fn messages(handler: &mut Handler, all: &[Recording], account: &Account) -> usize {
    let (mut sent, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for recording in all {
        for request in &recording.requests {
            let Some(text) = message(&request.body).filter(|text| seen.insert(text.clone())) else { continue };
            let answer = handler.recorded(recording, request, "/accept_request").await;
            assert_eq!(answer.status, 200, "{}: {}", request.body, answer.body);
            assert!(answer.is_what_the_host_reads(), "{:?}", answer.body);
            count += 1;
            // What is decoded here is what was put on the queue; but for calls by hand, and outputs of the handler.
            let put = recording.enqueued.iter().map(|message| payload(recording, &message.text));
            let by_hand = request.body.contains("\"DequeueCount\":\"0\"");
            let known = |payload: Vec<u8>| payload == text.as_bytes() || BASE64_STANDARD.encode(payload) == text;
            let by_handler = recording.responses.iter().any(|answer| answer.body.contains(&text));
            assert!(by_hand || by_handler || put.into_iter().any(known), "{text:?} was never put");
            sent.insert(text.into_bytes());
        }
    }
    let rows = account.entities("rejected").await.unwrap();
    let kept: BTreeSet<Vec<u8>> =
        rows.iter().map(|row| BASE64_STANDARD.decode(row["payload"].as_str().unwrap()).unwrap()).collect();
    assert_eq!(kept, sent, "every message is kept exactly as it was put");
    assert!(rows.iter().all(|row| row["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    assert!(account.entities("peerings").await.unwrap().is_empty(), "none of them is a request");
    count
}

/// What was put on the queue: a string that is JSON text of a string; bytes are base64, and stay so. Not for timers and HTTP.
fn message(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let data = body["Data"].as_object().filter(|data| data.len() == 1)?;
    let text = data.values().next()?.as_str()?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()))
}

fn payload(recording: &Recording, stored: &str) -> Vec<u8> {
    let raw = recording.host_json["extensions"]["queues"]["messageEncoding"] == "none";
    if raw { stored.as_bytes().to_vec() } else { BASE64_STANDARD.decode(stored).unwrap_or_default() }
}
