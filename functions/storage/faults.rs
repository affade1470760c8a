//! What the clients make of a service that fails, or is opened with a token: tests over a transport that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{AUTHORIZATION, HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};
use azure_core::time::OffsetDateTime;

use super::{Connection, Counts, Entity, Etag, Op, Query, Storage, StoreError};
use crate::clock::{SystemClock, TimeScale};

/// One line of a script.
#[derive(Debug, Clone)]
enum Line {
    Answer(u16, &'static str),
    Unsent,
    Reset,
}

/// Answers by script, and by its last line from then on; keeps what it was sent.
#[derive(Default)]
struct Script {
    lines: Mutex<VecDeque<Line>>,
    seen: Mutex<Vec<Request>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.seen.lock().unwrap().push(request.clone());
        let mut lines = self.lines.lock().unwrap();
        let line = if lines.len() > 1 { lines.pop_front().unwrap() } else { lines[0].clone() };
        match line {
            Line::Answer(status, body) => {
                let mut headers = Headers::new();
                headers.insert("etag", "W/\"1\"");
                headers.insert("retry-after", "600");
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), headers, body))
            }
            Line::Unsent => Err(Error::with_message(ErrorKind::Connection, "refused")),
            Line::Reset => Err(Error::with_message(ErrorKind::Io, "reset")),
        }
    }
}

impl Script {
    fn sent(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

const KEY: &str = "c3VwZXJzZWNyZXQ=";

fn storage(lines: impl IntoIterator<Item = Line>) -> (Storage, Arc<Script>) {
    let connection = Connection::parse(&format!("AccountName=acc;AccountKey={KEY}")).unwrap();
    open(&connection, None, lines)
}

fn open(
    connection: &Connection,
    credential: Option<Arc<dyn TokenCredential>>,
    lines: impl IntoIterator<Item = Line>,
) -> (Storage, Arc<Script>) {
    let script = Arc::new(Script { lines: Mutex::new(lines.into_iter().collect()), seen: Mutex::default() });
    let clock = Arc::new(SystemClock(TimeScale::new(1000.0).unwrap()));
    (Storage::open(connection, credential, script.clone(), clock).unwrap(), script)
}

fn row() -> Entity {
    Entity::new("p", "r")
}

#[tokio::test]
async fn a_conditional_write_that_may_have_landed_is_sent_once() {
    for line in [Line::Reset, Line::Answer(503, ""), Line::Answer(500, "")] {
        let (storage, script) = storage([line]);
        let tables = &storage.tables;
        for error in [
            tables.insert("t", &row()).await.unwrap_err(),
            tables.replace("t", &row(), &Etag::new("W/\"1\"")).await.unwrap_err(),
            tables.delete("t", "p", "r", Some(&Etag::new("W/\"1\""))).await.unwrap_err(),
            tables.transact("t", vec![Op::Upsert(row())]).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Unavailable { maybe_landed: true, .. }), "{error}");
        }
        assert_eq!(script.sent(), 4);
    }
}

#[tokio::test]
async fn a_write_that_was_never_sent_is_tried_again_and_did_not_land() {
    let (storage, script) = storage([Line::Unsent, Line::Unsent, Line::Answer(204, "")]);
    assert_eq!(storage.tables.insert("t", &row()).await.unwrap(), Etag::new("W/\"1\""));
    assert_eq!(script.sent(), 3);
    let (storage, script) = self::storage([Line::Unsent]);
    let error = storage.tables.insert("t", &row()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { maybe_landed: false, .. }), "{error}");
    assert_eq!(script.sent(), 3);
}

#[tokio::test]
async fn where_nobody_listens_nothing_landed() {
    let connection =
        format!("AccountName=a;AccountKey={KEY};TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a");
    let clock = Arc::new(SystemClock(TimeScale::new(1000.0).unwrap()));
    let storage =
        Storage::open(&Connection::parse(&connection).unwrap(), None, Arc::new(reqwest::Client::new()), clock);
    let storage = storage.unwrap();
    for error in [
        storage.tables.insert("t", &row()).await.unwrap_err(),
        storage.queues.send("q", "x", Duration::ZERO).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Unavailable { maybe_landed: false, .. }), "{error}");
        assert!(error.to_string().contains("refused"), "{error}");
    }
}

#[tokio::test]
async fn reads_and_harmless_writes_are_tried_three_times_whatever_retry_after_says() {
    let (storage, script) = storage([Line::Answer(503, "")]);
    let read = storage.tables.get("t", "p", "r").await.unwrap_err();
    assert!(matches!(read, StoreError::Unavailable { maybe_landed: false, .. }), "{read}");
    let write = storage.tables.upsert("t", &row()).await.unwrap_err();
    assert!(matches!(write, StoreError::Unavailable { maybe_landed: true, .. }), "{write}");
    let sent = storage.queues.send("q", "x", Duration::ZERO).await.unwrap_err();
    assert!(matches!(sent, StoreError::Unavailable { maybe_landed: true, .. }), "{sent}");
    assert_eq!(script.sent(), 9);
    storage.queues.receive("q", 1, Duration::ZERO).await.unwrap_err();
    assert_eq!(script.sent(), 10);
}

#[tokio::test]
async fn a_read_goes_on_after_a_reset() {
    let (storage, _) = storage([Line::Reset, Line::Answer(200, r#"{"PartitionKey":"p","RowKey":"r"}"#)]);
    assert_eq!(storage.tables.get("t", "p", "r").await.unwrap(), Some(row()));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_an_error() {
    for (status, body) in [(200, ""), (200, "<html>"), (200, "{}"), (202, "--batchresponse--")] {
        let (storage, _) = storage([Line::Answer(status, body)]);
        assert!(storage.tables.get("t", "p", "r").await.is_err());
        assert!(storage.tables.query("t", &Query::default(), 1).await.is_err());
        assert!(storage.tables.transact("t", vec![Op::Insert(row())]).await.is_err());
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_no_key_or_signature() {
    let table = r#"{"odata.error":{"code":"AuthenticationFailed","message":{"lang":"en","value":"Server failed to authenticate the request.\nThe MAC signature 'c2ln' differs"}}}"#;
    let xml = "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.\nRequestId:1</Message><AuthenticationErrorDetail>The MAC signature 'c2ln'</AuthenticationErrorDetail></Error>";
    let (storage, script) = storage([Line::Answer(403, table), Line::Answer(403, xml)]);
    let from_table = storage.tables.get("t", "p", "r").await.unwrap_err();
    let also_from_table = storage.tables.get("t", "p", "r").await.unwrap_err();
    let from_queue = storage.queues.length("q").await.unwrap_err();
    let header = script.seen.lock().unwrap()[0].headers().get_optional_string(&AUTHORIZATION).unwrap();
    let signature = header.split(':').nth(1).unwrap().to_owned();
    for error in [from_table, also_from_table, from_queue] {
        let text = format!("{error} {error:?} {storage:?}");
        assert!(
            text.contains("AuthenticationFailed: Server failed to authenticate") && text.contains("Data Contributor"),
            "{text}"
        );
        assert!(!text.contains("c2ln") && !text.contains(KEY) && !text.contains(&signature), "{text}");
    }
}

/// A credential with one token.
#[derive(Debug)]
struct Fixed;

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://storage.azure.com/.default"]);
        let expires = OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1);
        Ok(AccessToken { token: Secret::new("t0ken"), expires_on: expires })
    }
}

#[tokio::test]
async fn an_identity_sends_a_token_to_both_services() {
    let connection =
        Connection::read(|name| (name == "AzureWebJobsStorage__accountName").then(|| "acc".to_owned())).unwrap();
    let (storage, script) = open(&connection, Some(Arc::new(Fixed)), [Line::Answer(204, "")]);
    storage.tables.upsert("t", &row()).await.unwrap();
    storage.queues.create_queue_if_missing("q").await.unwrap();
    let seen = script.seen.lock().unwrap();
    assert_eq!(seen[0].url().as_str(), "https://acc.table.core.windows.net/t(PartitionKey='p',RowKey='r')");
    assert_eq!(seen[1].url().as_str(), "https://acc.queue.core.windows.net/q");
    for request in seen.iter() {
        assert_eq!(request.headers().get_optional_str(&AUTHORIZATION), Some("Bearer t0ken"));
        assert!(request.headers().get_optional_str(&HeaderName::from_static("x-ms-version")).is_some());
    }
}

#[tokio::test]
async fn operations_are_counted_once_however_often_they_are_tried() {
    let (storage, _) = storage([Line::Answer(503, "")]);
    storage.tables.get("t", "p", "r").await.unwrap_err();
    storage.tables.transact("t", vec![Op::Upsert(row())]).await.unwrap_err();
    storage.queues.send("q", "x", Duration::ZERO).await.unwrap_err();
    storage.queues.peek("q", 1).await.unwrap_err();
    assert_eq!(storage.counts(), Counts { reads: 1, writes: 1, sends: 1, receives: 1, deletes: 0 });
    assert_eq!(storage.counts().total(), 4);
}
