//! How often an operation is tried, and what a try that got no answer means.
//!
//! Not azure_core's own retries: they repeat a POST after an IO error, so that an insert which landed comes back as 409, and
//! they obey a `Retry-After` of any length. Here tries are few and short; the engine does the long waits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use azure_core::error::ErrorKind;

use super::StoreError;
use crate::clock::Clock;

/// Longest time for one try, in real time: storage answers in milliseconds, and a step has 60 s for all its calls.
const TRY: Duration = Duration::from_secs(6);
/// Waits before the second and the third try, nominal.
const PAUSES: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(600)];

/// What doing it twice would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Read,
    /// A write whose repetition is harmless.
    Repeatable,
    /// A write whose repetition would be answered as a lost race: not repeated once it may have landed.
    Once,
}

/// Tries operations.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    clock: Arc<dyn Clock>,
}

impl Attempts {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// Tries up to three times, as far as the effect allows.
    pub(super) async fn run<T, F, R>(&self, effect: Effect, what: &str, attempt: F) -> Result<T, StoreError>
    where
        F: Fn() -> R,
        R: Future<Output = Result<T, StoreError>>,
    {
        let mut landed_before = false;
        for pause in PAUSES {
            match one(effect, what, attempt()).await {
                Err(StoreError::Unavailable { why, maybe_landed, .. }) if !(maybe_landed && effect == Effect::Once) => {
                    tracing::warn!(what, why, "storage is tried again");
                    landed_before |= maybe_landed;
                    self.clock.sleep(pause).await;
                }
                answered => return answered,
            }
        }
        one(effect, what, attempt()).await.map_err(|error| match error {
            StoreError::Unavailable { what, why, maybe_landed } => {
                StoreError::Unavailable { what, why, maybe_landed: maybe_landed || landed_before }
            }
            other => other,
        })
    }
}

async fn one<T>(
    effect: Effect,
    what: &str,
    attempt: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(TRY, attempt).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", TRY.as_secs());
        Err(StoreError::Unavailable { what: what.to_owned(), why, maybe_landed: effect != Effect::Read })
    })
}

/// The error of a try that got no answer, or none that could be read.
pub(super) fn unanswered(what: &str, effect: Effect, error: &azure_core::Error) -> StoreError {
    let (why, sent) = match error.kind() {
        // The token service's words are left out: they are not ours to vet for secrets.
        ErrorKind::Credential => ("the app's identity was given no token for storage".to_owned(), false),
        ErrorKind::Connection => (format!("no connection ({})", root(error)), false),
        _ => (format!("no answer ({})", root(error)), true),
    };
    StoreError::Unavailable { what: what.to_owned(), why, maybe_landed: sent && effect != Effect::Read }
}

/// The error that a service's refusal means, unless its code says more to the caller.
pub(super) fn refused(what: String, effect: Effect, status: u16, code: String, message: &str) -> StoreError {
    match (status, code.as_str()) {
        (409, "EntityAlreadyExists") => StoreError::Conflict { what, op: None },
        (412, _) | (400, "PopReceiptMismatch") => StoreError::PreconditionFailed { what, op: None },
        (404, _) => StoreError::NotFound { what, op: None },
        (409, "TableBeingDeleted" | "QueueBeingDeleted") | (429, _) => {
            StoreError::Unavailable { what, why: format!("{status} {code}"), maybe_landed: false }
        }
        (408 | 500.., _) => {
            StoreError::Unavailable { what, why: format!("{status} {code}"), maybe_landed: effect != Effect::Read }
        }
        _ => StoreError::Other { what, status: Some(status), code, message: shortened(message), op: None },
    }
}

/// The text of an element of a service's XML error.
pub(super) fn xml_element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(text, _)| text)
}

/// The innermost cause: the outer ones say only that a request failed.
fn root(error: &azure_core::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    shortened(&cause.to_string())
}

/// The first line, 200 characters at most: further lines are request ids, or a signature that did not match.
fn shortened(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches('.').chars().take(200).collect()
}
