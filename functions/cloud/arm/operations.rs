//! Long-running operations: what a write answers, and how its operation gets on.

use std::time::Duration;

use azure_core::http::Method;
use serde_json::Value;

use super::errors::{said, said_of};
use super::{Arm, Caller, Peering};
use crate::cloud::Failure;
use crate::cloud::http::{Call, Reply};

/// A write that ARM has accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Where to ask how it gets on, for [`Arm::operation`]; `None` if there is nothing to ask: read the
    /// resource.
    pub operation: Option<String>,
    /// When to ask first, as far as ARM says; 10 s is its default.
    pub retry_after: Option<Duration>,
    /// What was written, as far as the answer shows it.
    pub peering: Option<Peering>,
    /// 204 to a delete: there was nothing.
    pub was_absent: bool,
}

impl Accepted {
    /// A delete of what is not there.
    pub(super) fn absent() -> Self {
        Self { operation: None, retry_after: None, peering: None, was_absent: true }
    }
}

/// How an operation gets on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It runs; ask again after so long, as far as ARM says.
    InProgress {
        /// Nominal time.
        retry_after: Option<Duration>,
    },
    /// Done: read the resource.
    Succeeded,
    /// It failed, though the poll was answered with 200; the failure has the innermost code.
    Failed(Failure),
}

impl Arm {
    /// Asks how an operation gets on.
    ///
    /// # Errors
    /// The question failed, not the operation: on 403 or 404 read the resource instead. An address that is not ARM's is
    /// refused before any token is sent.
    pub async fn operation(&self, caller: Caller, address: &str) -> Result<Progress, Failure> {
        let url = self.own("GET", address)?;
        let call = self.call(caller, Method::Get, url).await?;
        let reply = self.http.exchange(&call, said).await?;
        Ok(self.progress(&call, &reply))
    }

    /// What a write's headers say about its operation (ARM RPC: `Azure-AsyncOperation` before `Location`).
    pub(super) fn accepted(&self, reply: &Reply) -> Accepted {
        // A 200 or 201 with `Location` alone is done: only 202 makes that header an operation's.
        let location = reply.header("location").filter(|_| reply.status == 202);
        let operation = reply.header("azure-asyncoperation").or(location).map(str::to_owned);
        let retry_after = reply.retry_after(self.http.clock().now());
        Accepted { operation, retry_after, peering: None, was_absent: reply.status == 204 }
    }

    fn progress(&self, call: &Call, reply: &Reply) -> Progress {
        let body = reply.value();
        let running = Progress::InProgress { retry_after: reply.retry_after(self.http.clock().now()) };
        if reply.status == 202 {
            return running;
        }
        // `Location` ends with the resource itself, or with nothing at all.
        let status = body["status"].as_str().or_else(|| body["properties"]["provisioningState"].as_str());
        match status {
            None => Progress::Succeeded,
            Some(word) if word.eq_ignore_ascii_case("Succeeded") => Progress::Succeeded,
            Some(word) if word.eq_ignore_ascii_case("Failed") || is_canceled(word) => {
                self.failed(call, reply, &body, word)
            }
            Some(_) => running,
        }
    }

    fn failed(&self, call: &Call, reply: &Reply, body: &Value, word: &str) -> Progress {
        let mut said = said_of(body);
        if said.code.is_empty() {
            said.code = word.to_owned();
        }
        Progress::Failed(self.http.failure(call, reply, said))
    }
}

/// ARM writes one l, some resource providers two.
fn is_canceled(word: &str) -> bool {
    word.eq_ignore_ascii_case("Canceled") || word.eq_ignore_ascii_case("Cancelled")
}
