//! Aiven's error bodies, the wait in their text, and what tells an unknown route from a missing object.

use std::time::Duration;

use serde_json::Value;

use crate::cloud::http::{Reply, Said};

/// The first error, else the message; either may be missing, and the message may be no string.
pub(super) fn said(reply: &Reply) -> Said {
    let body = reply.value();
    let first = &body["errors"][0];
    let candidates = [&first["message"], &body["message"], &body["error"]];
    let message = candidates.into_iter().find(|candidate| !candidate.is_null()).map(words).unwrap_or_default();
    Said {
        code: first["error_code"].as_str().unwrap_or_default().to_owned(),
        retry_after: wait(&message).filter(|_| reply.status == 429),
        message,
        correlation: None,
    }
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `Rate limit 120 exceeded - try again in 28s`: Aiven tells the wait in its text.
fn wait(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again in ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

/// Whether Aiven does not take the token, whatever it is used for: it is no longer good, or not of a kind that is allowed.
pub(super) fn is_token_refused(reply: &Reply) -> bool {
    let kinds = ["user_personal_token_not_allowed", "mfa_required_by_organization"];
    reply.status == 401 || (!reply.is_success() && kinds.contains(&said(reply).code.as_str()))
}

/// Whether a 404 is the router's: it has no error of the API's in it, or one that only repeats the status.
pub(super) fn is_route_unknown(reply: &Reply) -> bool {
    if reply.status != 404 {
        return false;
    }
    let body = reply.value();
    let first = &body["errors"][0];
    let message = first["message"].as_str().unwrap_or_default().to_lowercase();
    let repeats = ["", "not found", "404 not found", "404: not found"].contains(&message.trim_end_matches('.'));
    first["error_code"].is_null() && (repeats || message.contains("route"))
}
