//! An answer, and what its headers ask to wait.

use std::time::Duration;

use azure_core::Bytes;
use azure_core::http::headers::{HeaderName, Headers};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Call, code};
use crate::cloud::Failure;

/// The longest wait that a service may ask for; beyond it the header is nonsense.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    headers: Headers,
    body: Bytes,
}

impl Reply {
    pub(super) fn new(status: u16, headers: Headers, body: Bytes) -> Self {
        Self { status, headers, body }
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header, if there and not blank.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&HeaderName::from_static(name)).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Whether the body is blank.
    pub fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// The body as JSON; `Null` if it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }

    /// The body of a success, as the documentation has it.
    ///
    /// # Errors
    /// [`code::UNREADABLE`] with the status of the answer: the effect, if any, did happen.
    pub fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message =
                format!("the answer is not what the API's documentation says: {}", unquoted(&error.to_string()));
            call.failure(Some(self.status), code::UNREADABLE, &message)
        })
    }

    /// What the headers ask to wait: `retry-after` in seconds or as a date, or the millisecond headers of Azure.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(&self.headers, now)
    }
}

/// An error without the value it quotes, as that may be a secret in an unexpected place.
fn unquoted(error: &str) -> String {
    match (error.find('"'), error.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}…{}", &error[..=first], &error[last..]),
        _ => error.to_owned(),
    }
}

/// What headers ask to wait, see [`Reply::retry_after`].
pub(in crate::cloud) fn retry_after(headers: &Headers, now: Timestamp) -> Option<Duration> {
    let header = |name: &'static str| headers.get_optional_str(&HeaderName::from_static(name)).map(str::trim);
    let millis =
        ["retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(|name| header(name)?.parse::<f64>().ok());
    let seconds = millis.map(|millis| millis / 1000.0).or_else(|| {
        let value = header("retry-after")?;
        value.parse::<f64>().ok().or_else(|| Some(seconds_until(value, now)?.max(0.0)))
    })?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(LONGEST_WAIT))
}

/// Seconds from now to an HTTP date (RFC 9110 §5.6.7), as they stand: services write unscaled times.
fn seconds_until(date: &str, now: Timestamp) -> Option<f64> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(date.duration_since(now).as_secs_f64())
}
