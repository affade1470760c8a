//! The body of a POST: trigger value and metadata in the host's double encoding.
//!
//! The rule (azure-functions-host, `ScriptInvocationContextExtensions`): bytes are base64; dates are whole
//! seconds; objects stay objects; everything else is serialised to JSON *text*, and that text is sent
//! as a JSON string. So a message `hello` is `"\"hello\""`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use uuid::Uuid;

use super::date::{from_rfc1123, instant};
use super::json::{Json, quote};
use super::json_read;
use super::timer_status::Status;
use crate::azurite::Message;

/// What a queue message's body is bound to.
pub(super) enum Content {
    /// The default: a string, JSON or not.
    Text(String),
    /// `"dataType": "binary"`.
    Binary(Vec<u8>),
}

/// What is different in every invocation.
pub(super) struct Moment<'a> {
    pub(super) function: &'a str,
    pub(super) now: Timestamp,
    pub(super) random: Uuid,
}

/// State of a retry policy, shown to the handler when one applies.
pub(super) struct Retry {
    pub(super) count: u32,
    pub(super) max: u32,
    /// The failure before.
    pub(super) exception: Option<String>,
}

/// Metadata in order; setting a key that is there, in any case, replaces its value in place.
struct Metadata(Vec<(String, String)>);

impl Metadata {
    fn set(&mut self, key: &str, json: String) {
        if key.to_ascii_lowercase().ends_with("trigger") {
            return;
        }
        let lower = key.to_lowercase();
        match self.0.iter_mut().find(|(known, _)| known.to_lowercase() == lower) {
            Some(entry) => entry.1 = json,
            None => self.0.push((key.to_owned(), json)),
        }
    }

    fn text(&self) -> String {
        let entries: Vec<String> = self.0.iter().map(|(key, json)| format!("{}:{json}", quote(key))).collect();
        format!("{{{}}}", entries.join(","))
    }
}

/// The body for a queue message.
pub(super) fn queue(
    binding: &str,
    content: &Content,
    message: &Message,
    moment: &Moment,
    retry: Option<&Retry>,
) -> String {
    let mut metadata = Metadata(Vec::new());
    metadata.set("DequeueCount", quote(&message.dequeue_count.to_string()));
    metadata.set("ExpirationTime", quote(&from_rfc1123(&message.expires)));
    metadata.set("Id", twice(&message.id));
    metadata.set("InsertionTime", quote(&from_rfc1123(&message.inserted)));
    metadata.set("NextVisibleTime", quote(&from_rfc1123(&message.next_visible)));
    metadata.set("PopReceipt", twice(&message.pop_receipt));
    metadata.set("sys", sys(moment));
    let data = match content {
        Content::Text(text) => {
            lift(text, &mut metadata);
            twice(text)
        }
        Content::Binary(bytes) => quote(&BASE64_STANDARD.encode(bytes)),
    };
    add_retry(&mut metadata, retry, moment.function);
    body(binding, &data, &metadata)
}

/// The body for a queue function that is invoked by hand: no Id, no PopReceipt, the input once more.
pub(super) fn queue_by_hand(binding: &str, input: &str, moment: &Moment) -> String {
    let never = quote("9999-12-31T23:59:59+00:00");
    let now = Timestamp::from_second(moment.now.as_second()).unwrap_or(moment.now);
    let mut metadata = Metadata(Vec::new());
    metadata.set("DequeueCount", quote("0"));
    metadata.set("ExpirationTime", never.clone());
    metadata.set("InsertionTime", quote(&instant(now, "+00:00")));
    metadata.set("NextVisibleTime", never);
    metadata.set(binding, twice(input));
    metadata.set("sys", sys(moment));
    lift(input, &mut metadata);
    body(binding, &twice(input), &metadata)
}

/// The body for a timer; `by_hand` is the input of an invocation by hand. `status` is the state before this run, if the schedule is monitored.
pub(super) fn timer(
    binding: &str,
    adjust_for_dst: bool,
    status: Option<&Status>,
    past_due: bool,
    by_hand: Option<&str>,
    moment: &Moment,
    retry: Option<&Retry>,
) -> String {
    let mut metadata = Metadata(Vec::new());
    if let Some(input) = by_hand {
        metadata.set(binding, twice(input));
    }
    metadata.set("sys", sys(moment));
    add_retry(&mut metadata, retry, moment.function);
    let status = status.map_or_else(|| "null".to_owned(), Status::json);
    let data = format!(
        "{{\"Schedule\":{{\"AdjustForDST\":{adjust_for_dst}}},\"ScheduleStatus\":{status},\"IsPastDue\":{past_due}}}"
    );
    body(binding, &data, &metadata)
}

fn body(binding: &str, data: &str, metadata: &Metadata) -> String {
    format!("{{\"Data\":{{{}:{data}}},\"Metadata\":{}}}", quote(binding), metadata.text())
}

/// Rule 4: JSON text as a JSON string.
fn twice(text: &str) -> String {
    quote(&quote(text))
}

fn sys(moment: &Moment) -> String {
    format!(
        "{{\"MethodName\":{},\"UtcNow\":\"{}\",\"RandGuid\":\"{}\"}}",
        quote(moment.function),
        instant(moment.now, "Z"),
        moment.random
    )
}

/// Adds every top-level property of a JSON object to the metadata, over what is there already: the
/// host lets a message overwrite its own `Id` and `DequeueCount`.
fn lift(text: &str, metadata: &mut Metadata) {
    let trimmed = text.trim();
    if !(trimmed.starts_with('{') && trimmed.ends_with('}')) {
        return;
    }
    let Ok(object) = json_read::whole(trimmed) else {
        return;
    };
    for (name, value) in object.members() {
        match value {
            Json::Null | Json::List(_) => {}
            Json::Object(_) => metadata.set(name, value.compact()),
            scalar => metadata.set(name, twice(&scalar.scalar().unwrap_or_default())),
        }
    }
}

fn add_retry(metadata: &mut Metadata, retry: Option<&Retry>, function: &str) {
    let Some(Retry { count, max, exception }) = retry else {
        return;
    };
    let exception = exception.as_ref().map_or_else(
        || "null".to_owned(),
        |problem| {
            let inner = format!("{{\"Message\":{}}}", quote(problem));
            let message = quote(&format!("Exception while executing function: Functions.{function}"));
            let class = "Microsoft.Azure.WebJobs.Host.FunctionInvocationException";
            format!(
                "{{\"MethodName\":\"Host.Functions.{function}\",\"Handled\":false,\"ClassName\":\"{class}\",\
                 \"Message\":{message},\"Data\":null,\"InnerException\":{inner}}}"
            )
        },
    );
    metadata.set(
        "RetryContext",
        format!(
            "{{\"RetryCount\":{count},\"MaxRetryCount\":{max},\"Exception\":{exception},\"Instance\":null,\"State\":{{}}}}"
        ),
    );
}
