//! What the host sends: `{"Data": {<binding>: <value>}, "Metadata": {…}}`, with values encoded in the host's own way.
//!
//! A queue message is JSON text of a JSON string inside a JSON string, however it looks: text `hello` arrives as
//! `"\"hello\""` (azure-functions-host, ScriptInvocationContextExtensions). Metadata of a JSON message can be overwritten by
//! the message's own properties, so it is trusted only where the message's format has no such names.

use serde::Deserialize;
use serde_json::{Map, Value};

/// An invocation, as far as a function needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// What set it off.
    pub trigger: Trigger,
    /// The queue message's id: the same at every delivery. Empty where the host gives none.
    pub message_id: String,
    /// How often the message was delivered, this time included. 0: by hand (`POST /admin/functions/…`).
    pub dequeue_count: u64,
    /// The `traceparent` of the host's request, as it came. In Azure there is one wherever Application Insights is set up.
    pub trace: Option<String>,
}

/// What sets a function off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A queue message: its text.
    Queue(String),
    /// A timer.
    Timer {
        /// It should have gone off earlier.
        past_due: bool,
    },
}

/// Why a body is not an invocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an invocation of the Functions host: {0}")]
pub struct BadInvocation(String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    data: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl Invocation {
    /// Reads a request body.
    ///
    /// # Errors
    /// The body is not JSON, or has no trigger value.
    pub fn read(body: &[u8]) -> Result<Self, BadInvocation> {
        let Envelope { data, metadata } = serde_json::from_slice(body).map_err(|e| BadInvocation(e.to_string()))?;
        let mut values = data.into_iter().map(|(_, value)| value);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(BadInvocation("Data must hold the trigger's value and nothing else".to_owned()));
        };
        let trigger = trigger(value)?;
        let message_id = metadata.get("Id").map(unquoted).unwrap_or_default();
        let dequeue_count = metadata.get("DequeueCount").map(unquoted).and_then(|text| text.parse().ok()).unwrap_or(1);
        Ok(Self { trigger, message_id, dequeue_count, trace: None })
    }
}

/// A timer's value is an object with `Schedule`; whatever else arrives is a message.
fn trigger(value: Value) -> Result<Trigger, BadInvocation> {
    match value {
        Value::Object(timer) if timer.contains_key("ScheduleStatus") || timer.contains_key("Schedule") => {
            Ok(Trigger::Timer { past_due: timer.get("IsPastDue").and_then(Value::as_bool).unwrap_or_default() })
        }
        Value::String(text) => Ok(Trigger::Queue(unquoted(&Value::String(text)))),
        // Other hosts and hands send the message as it is.
        object @ Value::Object(_) => Ok(Trigger::Queue(object.to_string())),
        other => Err(BadInvocation(format!("the trigger's value is {other}"))),
    }
}

/// A string's text; of a string that holds a JSON string, that one's. Numbers as they are written.
fn unquoted(value: &Value) -> String {
    match value {
        Value::String(text) => match serde_json::from_str::<String>(text) {
            Ok(inner) => inner,
            Err(_) => text.clone(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_encoded_twice() {
        let body = br#"{"Data":{"queueItem":"\"{\\\"a\\\":1}\""},"Metadata":{"DequeueCount":"3","Id":"\"52d53c5f\"","sys":{}}}"#;
        let invocation = Invocation::read(body).unwrap();
        assert_eq!(invocation.trigger, Trigger::Queue(r#"{"a":1}"#.to_owned()));
        assert_eq!((invocation.message_id.as_str(), invocation.dequeue_count), ("52d53c5f", 3));
    }

    #[test]
    fn a_timer_in_its_first_year_is_a_timer() {
        let body = br#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":{"Last":"0001-01-01T00:00:00"},"IsPastDue":true}},"Metadata":{}}"#;
        assert_eq!(Invocation::read(body).unwrap().trigger, Trigger::Timer { past_due: true });
    }

    #[test]
    fn an_invocation_by_hand_has_no_id() {
        let body = br#"{"Data":{"message":"\"hello\""},"Metadata":{"DequeueCount":"0","message":"hello"}}"#;
        let invocation = Invocation::read(body).unwrap();
        assert_eq!((invocation.message_id.as_str(), invocation.dequeue_count), ("", 0));
    }

    #[test]
    fn garbage_is_refused_and_nothing_panics() {
        for body in [
            &b""[..],
            b"null",
            b"[]",
            b"{}",
            b"{\"Data\":{}}",
            b"{\"Data\":{\"a\":1}}",
            b"{\"Data\":{\"a\":\"x\",\"b\":\"y\"}}",
            b"\xff\xfe",
        ] {
            assert!(Invocation::read(body).is_err(), "{body:?}");
        }
    }
}
