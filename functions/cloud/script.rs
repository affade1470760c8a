//! A scripted transport, a clock and a source of tokens for this room's tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Clouds;
use super::entra::{Identity, Token, TokenSource};
use crate::clock::{Clock, TimeScale};
use crate::cloud::Failure;
use crate::peering::{AppId, SubscriptionId, TenantId, VnetId};
use crate::settings::{AivenToken, Endpoints};

pub const HOME: &str = "22222222-2222-4222-8222-222222222222";
pub const REMOTE: &str = "99999999-9999-4999-8999-999999999999";
pub const APP: &str = "11111111-1111-4111-8111-111111111111";
pub const CANARY: &str = "canary-secret+of/aiven==";

pub fn home() -> TenantId {
    HOME.parse().unwrap()
}

pub fn remote() -> TenantId {
    REMOTE.parse().unwrap()
}

pub fn app() -> AppId {
    APP.parse().unwrap()
}

pub fn subscription() -> SubscriptionId {
    "33333333-3333-4333-8333-333333333333".parse().unwrap()
}

pub fn vnet() -> VnetId {
    VnetId { subscription: subscription(), resource_group: "My-RG".into(), name: "My-VNet".into() }
}

pub fn aiven_vnet() -> VnetId {
    let subscription = "77777777-7777-4777-8777-777777777777".parse().unwrap();
    VnetId { subscription, resource_group: "aiven-rg".into(), name: "aiven-net".into() }
}

pub fn endpoints() -> Endpoints {
    Endpoints {
        entra: "https://login.test".parse().unwrap(),
        graph: "https://graph.test".parse().unwrap(),
        arm: "https://arm.test".parse().unwrap(),
        key_vault: Some("https://vault.test".parse().unwrap()),
        aiven: "https://aiven.test".parse().unwrap(),
        name_server: None,
        tenant: home(),
        client_id: "55555555-5555-4555-8555-555555555555".parse().unwrap(),
        aiven_token: AivenToken::Text(CANARY.into()),
    }
}

/// What a request looked like.
#[derive(Debug, Clone)]
pub struct Seen {
    pub headers: Headers,
    pub body: Value,
    pub text: String,
}

impl Seen {
    pub fn header(&self, name: &'static str) -> &str {
        self.headers.get_optional_str(&name.into()).unwrap_or_default()
    }
}

#[derive(Debug)]
enum Answer {
    Reply(u16, Headers, String),
    Lost,
    Silence,
}

/// Answers requests in order; any other than the one expected fails the test.
#[derive(Debug, Default)]
pub struct Script {
    expected: Mutex<VecDeque<(String, Answer)>>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// `line` is method, path and decoded query without host: `GET /v1.0/x?$select=id`.
    pub fn on(self: &Arc<Self>, line: &str, status: u16, body: &str) -> Arc<Self> {
        self.with(line, status, &[], body)
    }

    pub fn with(self: &Arc<Self>, line: &str, status: u16, headers: &[(&'static str, &str)], body: &str) -> Arc<Self> {
        let mut all = Headers::new();
        headers.iter().for_each(|(name, value)| all.insert(*name, (*value).to_owned()));
        self.push(line, Answer::Reply(status, all, body.to_owned()))
    }

    pub fn lost(self: &Arc<Self>, line: &str) -> Arc<Self> {
        self.push(line, Answer::Lost)
    }

    pub fn silent(self: &Arc<Self>, line: &str) -> Arc<Self> {
        self.push(line, Answer::Silence)
    }

    fn push(self: &Arc<Self>, line: &str, answer: Answer) -> Arc<Self> {
        self.expected.lock().unwrap().push_back((line.to_owned(), answer));
        self.clone()
    }

    /// The requests, all of those expected having come.
    pub fn seen(&self) -> Vec<Seen> {
        let left: Vec<String> = self.expected.lock().unwrap().iter().map(|(line, _)| line.clone()).collect();
        assert!(left.is_empty(), "never sent: {left:?}");
        self.seen.lock().unwrap().clone()
    }

    pub fn vault(self: &Arc<Self>) -> Arc<super::key_vault::KeyVault> {
        self.clouds().key_vault.unwrap()
    }

    pub fn clouds(self: &Arc<Self>) -> Clouds {
        Clouds::new(&endpoints(), self.clone(), Arc::new(TokioClock::new()), Arc::new(FixedTokens))
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let query: Vec<String> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let line = format!("{} {}{mark}{}", request.method().as_str(), url.path(), query.join("&"));
        let (expected, answer) =
            self.expected.lock().unwrap().pop_front().unwrap_or_else(|| panic!("unexpected {line}"));
        assert_eq!(line, expected);
        let Body::Bytes(bytes) = request.body().clone() else { panic!("a streamed body") };
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.seen.lock().unwrap().push(Seen { headers: request.headers().clone(), body, text });
        match answer {
            Answer::Reply(status, headers, body) => Ok(AsyncRawResponse::from_bytes(status.into(), headers, body)),
            Answer::Lost => Err(azure_core::Error::with_message(ErrorKind::Io, "connection reset by peer")),
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// Tokens that tell whose and where they are: `token:installation:2222`.
#[derive(Debug)]
pub struct FixedTokens;

#[async_trait]
impl TokenSource for FixedTokens {
    async fn token(&self, identity: Identity, tenant: TenantId, scope: &str) -> Result<Token, Failure> {
        let whose = if identity == Identity::Installation { "installation" } else { "application" };
        let host = scope.trim_start_matches("https://").trim_end_matches("/.default");
        Ok(Token::new(format!("token:{whose}:{}:{host}", &tenant.to_string()[..4]), Timestamp::MAX))
    }

    fn forget(&self, _: Identity, _: TenantId) {}
}

/// Tokio's time, which tests pause.
#[derive(Debug)]
pub struct TokioClock {
    scale: TimeScale,
    start: Timestamp,
    since: tokio::time::Instant,
}

impl TokioClock {
    pub fn new() -> Self {
        Self::scaled(1.0)
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "azure_identity reads the machine's clock: tokens are judged by the same"
    )]
    pub fn scaled(scale: f64) -> Self {
        let scale = TimeScale::new(scale).unwrap();
        Self { scale, start: Timestamp::now(), since: tokio::time::Instant::now() }
    }
}

#[async_trait]
#[allow(clippy::disallowed_methods, reason = "this is the tests' clock")]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.since.elapsed()).unwrap_or_default()
    }

    fn scale(&self) -> TimeScale {
        self.scale
    }

    async fn sleep(&self, nominal: Duration) {
        tokio::time::sleep(self.scale.real(nominal)).await;
    }
}
