//! A raw client of a storage account: Shared Key signing and one function that sends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use sha2::Sha256;

const API_VERSION: &str = "2021-12-02";

/// What storage refused, or why it could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Storage answered with an error.
    #[error("{operation}: storage answered {status} {code}")]
    Refused {
        /// What was asked.
        operation: String,
        /// HTTP status.
        status: u16,
        /// The error code of the answer, such as `PopReceiptMismatch`.
        code: String,
    },
    /// No answer.
    #[error("{operation}: no answer from storage: {source}")]
    Unreachable {
        /// What was asked.
        operation: String,
        /// Why.
        source: reqwest::Error,
    },
    /// An answer that is not what the REST reference says, or a malformed connection string.
    #[error("{operation}: {problem}")]
    Malformed {
        /// What was asked.
        operation: String,
        /// What is wrong.
        problem: String,
    },
}

impl StorageError {
    /// HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn malformed(operation: &str, problem: impl Into<String>) -> Self {
        Self::Malformed { operation: operation.to_owned(), problem: problem.into() }
    }
}

/// Is told of every request that storage answered: method, path and query, and the status.
type Watcher = Arc<dyn Fn(&str, u16) + Send + Sync>;

/// A storage account. Cheap to clone.
#[derive(Clone)]
pub struct Account {
    http: reqwest::Client,
    name: String,
    key: Vec<u8>,
    pub(super) blob: String,
    pub(super) queue: String,
    pub(super) table: String,
    watcher: Option<Watcher>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").field("name", &self.name).field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// One request, before it is signed.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Service endpoint, with the account.
    pub(super) base: &'a str,
    /// Path below it, percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) table: bool,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Account {
    /// A client of the account `name` whose key is `key` (base64) at these endpoints, each with the
    /// account in its path.
    pub(super) fn new(name: &str, key: &str, blob: &str, queue: &str, table: &str) -> Self {
        // Azurite closes a connection after five idle seconds: a request sent at that moment gets no answer.
        let http = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(3)).build();
        Self {
            http: http.unwrap_or_default(),
            name: name.to_owned(),
            key: BASE64_STANDARD.decode(key).unwrap_or_default(),
            blob: blob.trim_end_matches('/').to_owned(),
            queue: queue.trim_end_matches('/').to_owned(),
            table: table.trim_end_matches('/').to_owned(),
            watcher: None,
        }
    }

    /// Tells `watcher` of every request that storage answers: method, path and query, and the status.
    #[must_use]
    pub fn watched(self, watcher: impl Fn(&str, u16) + Send + Sync + 'static) -> Self {
        Self { watcher: Some(Arc::new(watcher)), ..self }
    }

    /// A client of the account that a connection string with explicit endpoints names.
    ///
    /// # Errors
    /// When a part is missing.
    pub fn from_connection_string(text: &str) -> Result<Self, StorageError> {
        let parts: BTreeMap<&str, &str> = text.split(';').filter_map(|part| part.split_once('=')).collect();
        let part = |name: &str| {
            parts.get(name).copied().ok_or_else(|| {
                StorageError::malformed(
                    "read the connection string",
                    format!("{name} is missing; name the account, its key and all three endpoints"),
                )
            })
        };
        Ok(Self::new(
            part("AccountName")?,
            part("AccountKey")?,
            part("BlobEndpoint")?,
            part("QueueEndpoint")?,
            part("TableEndpoint")?,
        ))
    }

    /// Sends one request; anything but 2xx is an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, StorageError> {
        let operation = format!("{} {}", call.method, call.path);
        let (url, headers) = self.sign(&call);
        let line = format!("{} {}", call.method, url.trim_start_matches(call.base));
        let mut request = self.http.request(call.method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let unreachable = |source| StorageError::Unreachable { operation: operation.clone(), source };
        let response = request.body(call.body).send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        let answer = Answer { headers, body };
        if let Some(watcher) = &self.watcher {
            watcher(&line, status.as_u16());
        }
        if status.is_success() { Ok(answer) } else { Err(refusal(operation, status, &answer)) }
    }

    /// The URL and all headers, the signature among them.
    fn sign(&self, call: &Call<'_>) -> (String, Vec<(&'static str, String)>) {
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut headers = call.headers.clone();
        headers.push(("x-ms-date", date.clone()));
        headers.push(("x-ms-version", API_VERSION.to_owned()));
        if !call.body.is_empty() || call.method == Method::PUT {
            headers.push(("content-length", call.body.len().to_string()));
        }
        let url = url(call);
        let (scheme, text) = if call.table {
            ("SharedKeyLite", format!("{date}\n{}", self.resource(call, &url)))
        } else {
            ("SharedKey", self.canonical(call, &headers, &url))
        };
        headers.push(("authorization", format!("{scheme} {}:{}", self.name, self.hmac(&text))));
        (url, headers)
    }

    /// The string to sign of blob and queue requests (REST: "Authorize with Shared Key").
    fn canonical(&self, call: &Call<'_>, headers: &[(&'static str, String)], url: &str) -> String {
        let standard = |name: &str| {
            let value = headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str());
            // Versions since 2015-02-21 sign an empty length instead of 0.
            if name == "content-length" && value == Some("0") { "" } else { value.unwrap_or_default() }.to_owned()
        };
        let mut text = format!("{}\n", call.method);
        for name in [
            "content-encoding",
            "content-language",
            "content-length",
            "content-md5",
            "content-type",
            "date",
            "if-modified-since",
            "if-match",
            "if-none-match",
            "if-unmodified-since",
            "range",
        ] {
            let _ = writeln!(text, "{}", standard(name));
        }
        let own: BTreeMap<_, _> =
            headers.iter().filter(|(name, _)| name.starts_with("x-ms-")).map(|(name, value)| (name, value)).collect();
        for (name, value) in own {
            let _ = writeln!(text, "{name}:{value}");
        }
        text + &self.resource(call, url)
    }

    fn resource(&self, call: &Call<'_>, url: &str) -> String {
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
        let path = path.split('?').next().unwrap_or("/");
        let mut text = format!("/{}{path}", self.name);
        let query: BTreeMap<_, _> = call.query.iter().map(|(name, value)| (*name, value)).collect();
        for (name, value) in query {
            if !call.table {
                let _ = write!(text, "\n{name}:{value}");
            } else if name == "comp" {
                let _ = write!(text, "?comp={value}");
            }
        }
        text
    }

    fn hmac(&self, text: &str) -> String {
        // HMAC takes a key of any length, so this cannot fail; an empty signature would be refused.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn url(call: &Call<'_>) -> String {
    let mut url = format!("{}{}", call.base, call.path);
    for (index, (name, value)) in call.query.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        let _ = write!(url, "{separator}{name}={}", encode(value));
    }
    url
}

/// Percent-encodes all but unreserved characters.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn refusal(operation: String, status: StatusCode, answer: &Answer) -> StorageError {
    let code = answer.header("x-ms-error-code").unwrap_or_else(|| answer.text().chars().take(200).collect());
    StorageError::Refused { operation, status: status.as_u16(), code }
}
