//! One exchange with a service: a request, its answer in the time allowed, and what a failed one is called.

mod call;
mod reply;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::{HttpClient, Method, Request};
use futures::future::{Either, select};
use url::Url;

use crate::clock::Clock;
use crate::cloud::Failure;

pub use call::Call;
pub use reply::Reply;
pub(super) use reply::retry_after;

/// How long an answer may take, in nominal time.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The same on the wall clock at least: a developer's machine that plays time fast does not answer faster.
const TIMEOUT_REAL: Duration = Duration::from_secs(5);

/// How often a read is sent again, and the pause before it in nominal time.
const READ_RETRIES: u32 = 2;
const READ_PAUSE: Duration = Duration::from_millis(300);

/// Codes of ours, for answers that carry none of the service's.
pub mod code {
    /// A success whose body is not what the documentation says.
    pub const UNREADABLE: &str = "UnreadableAnswer";
    /// An operation's address that is not at ARM: nothing was sent there.
    pub const FOREIGN_ADDRESS: &str = crate::cloud::NOT_SENT;
}

/// What a service's error body says, before it becomes a [`Failure`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Said {
    /// The service's own code.
    pub code: String,
    /// The service's own words.
    pub message: String,
    /// The wait that the words ask for, if the headers do not.
    pub retry_after: Option<Duration>,
    /// The id that its support asks for, if the body has it.
    pub correlation: Option<String>,
}

/// Sends requests: a transport and a clock.
#[derive(Debug, Clone)]
pub struct Http {
    transport: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// Over this transport, in this clock's time.
    pub fn new(transport: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { transport, clock }
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends and takes any answer; what the service says of a failed call is read by `said`.
    ///
    /// A read (GET) is sent up to twice more after a lost connection, 502, 503 or 504; anything else exactly once.
    ///
    /// # Errors
    /// Whatever is not 2xx, or no answer.
    pub async fn exchange(&self, call: &Call, said: impl Fn(&Reply) -> Said) -> Result<Reply, Failure> {
        let reply = self.send(call).await?;
        if reply.is_success() { Ok(reply) } else { Err(self.failure(call, &reply, said(&reply))) }
    }

    /// The failure that an answer amounts to.
    pub fn failure(&self, call: &Call, reply: &Reply, said: Said) -> Failure {
        let message = [said.message, reply.text()].into_iter().find(|text| !text.is_empty());
        let message = message.as_deref().unwrap_or("without a word of explanation");
        let failure = call.failure(Some(reply.status), &said.code, message);
        let header =
            ["x-ms-correlation-request-id", "request-id", "x-ms-request-id"].iter().find_map(|h| reply.header(h));
        Failure {
            retry_after: reply.retry_after(self.clock.now()).or(said.retry_after),
            correlation: header.map(str::to_owned).or(said.correlation).or(failure.correlation),
            ..failure
        }
    }

    /// Sends, with the retries that a read may have, and takes any answer.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(&self, call: &Call) -> Result<Reply, Failure> {
        let mut left = if call.request().method() == Method::Get { READ_RETRIES } else { 0 };
        loop {
            let outcome = self.send_once(call).await;
            let transient = match &outcome {
                Ok(reply) => matches!(reply.status, 502..=504),
                Err(lost) => lost.again,
            };
            if !transient || left == 0 {
                return outcome.map_err(|lost| lost.failure);
            }
            left -= 1;
            self.clock.sleep(READ_PAUSE).await;
        }
    }

    async fn send_once(&self, call: &Call) -> Result<Reply, Lost> {
        let answer = pin!(self.answer(call.request()));
        let result = timed(&*self.clock, answer).await;
        let lost = |again, message: String| Lost { again, failure: call.failure(None, "", &message) };
        match result {
            None => Err(lost(false, format!("no answer came within {} s", TIMEOUT.as_secs()))),
            Some(Ok(reply)) => Ok(reply),
            Some(Err(error)) => {
                let again = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Io);
                Err(lost(again, format!("the connection failed: {}", causes(&error))))
            }
        }
    }

    async fn answer(&self, request: &Request) -> azure_core::Result<Reply> {
        let raw = self.transport.execute_request(request).await?.try_into_raw_response().await?;
        let (status, headers, body) = raw.deconstruct();
        Ok(Reply::new(status.into(), headers, body.into()))
    }
}

/// No answer, and whether asking again at once makes sense.
struct Lost {
    again: bool,
    failure: Failure,
}

/// The output of a future, or nothing if the time for an exchange runs out first.
pub(super) async fn timed<T>(clock: &dyn Clock, work: impl Future<Output = T> + Unpin) -> Option<T> {
    let limit = TIMEOUT.max(clock.scale().nominal(TIMEOUT_REAL));
    match select(work, pin!(clock.sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// An error and its causes in one line, nothing said twice: reqwest says "connection refused" only in the last of them.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        let cause = cause.to_string();
        if !line.contains(&cause) {
            line = if line.is_empty() { cause } else { format!("{line}: {cause}") };
        }
    }
    line
}

/// A base address with path segments appended, each percent-encoded.
pub fn address<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    // Only addresses such as `mailto:` have no path segments, and no service has one of those.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// The scope of a service's application permissions: its address and `/.default`.
pub fn default_scope(base: &Url) -> String {
    format!("{}/.default", base.as_str().trim_end_matches('/'))
}
