//! Compares our requests with the recorded ones, field by field; ids, times, ports and pop receipts aside.

use std::collections::BTreeMap;

use serde_json::Value;

use super::recording::{Recording, value};

/// A request as our handler recorded it, or as the real host's did.
#[derive(Debug, Clone)]
pub struct Seen {
    pub launch: u64,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub chunks: Option<Vec<usize>>,
}

/// Everything that differs, in words.
pub fn differences(recording: &Recording, only: Option<&[&str]>, ours: &[Seen]) -> Vec<String> {
    let theirs: Vec<Seen> = recording
        .requests
        .iter()
        .map(|request| Seen {
            launch: request.launch,
            method: request.method.clone(),
            path: request.path.clone(),
            headers: recording.headers_of(request),
            body: request.body.clone(),
            chunks: request.chunks.clone(),
        })
        .filter(|request| request.method == "GET" || only.is_none_or(|paths| paths.contains(&request.path.as_str())))
        .collect();
    let (theirs, ours) = (groups(&theirs), groups(ours));
    let keys = theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key)));
    keys.flat_map(|key| {
        in_group(key, theirs.get(key).map_or(&[], Vec::as_slice), ours.get(key).map_or(&[], Vec::as_slice))
    })
    .collect()
}

/// Whether all requests that were recorded have been made.
pub fn is_complete(recording: &Recording, only: Option<&[&str]>, ours: &[Seen]) -> bool {
    let wanted =
        recording.requests.iter().filter(|r| r.method == "GET" || only.is_none_or(|p| p.contains(&r.path.as_str())));
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for request in wanted {
        *counts.entry(key(&request.method, &request.path, &request.body)).or_default() += 1;
    }
    for request in ours {
        *counts.entry(key(&request.method, &request.path, &request.body)).or_default() -= 1;
    }
    counts.values().all(|missing| *missing <= 0)
}

/// Requests for one message, or for one timer, have an order; those for several messages have none in the host either.
fn key(method: &str, path: &str, body: &str) -> String {
    format!("{method} {path} {}", value(body))
}

fn groups(requests: &[Seen]) -> BTreeMap<String, Vec<&Seen>> {
    let mut groups: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
    for request in requests {
        groups.entry(key(&request.method, &request.path, &request.body)).or_default().push(request);
    }
    groups
}

fn in_group(key: &str, theirs: &[&Seen], ours: &[&Seen]) -> Vec<String> {
    // Timers go on firing for as long as the replay lasts.
    let timer = theirs.iter().any(|request| request.body.contains("{\"Schedule\":"));
    let ours = if timer { &ours[..theirs.len().min(ours.len())] } else { ours };
    let mut problems = Vec::new();
    if theirs.len() != ours.len() {
        problems.push(format!("{key}: {} requests, not {}", ours.len(), theirs.len()));
    }
    for (number, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let problem = |what: &str, theirs: &str, ours: &str| {
            (theirs != ours).then(|| format!("{key} #{}: {what}\n    real {theirs}\n    ours {ours}", number + 1))
        };
        problems.extend(problem("launch", &theirs.launch.to_string(), &ours.launch.to_string()));
        problems.extend(problem("headers", &headers(theirs), &headers(ours)));
        problems.extend(problem("body", &body(&theirs.body), &body(&ours.body)));
        // The recorded stack traces are longer than ours, and shortened besides.
        if without_exception(&theirs.body).1.is_none() {
            problems.extend(chunks(theirs, ours).map(|what| format!("{key} #{}: {what}", number + 1)));
        }
        problems.extend(exception(&theirs.body, &ours.body).map(|what| format!("{key} #{}: {what}", number + 1)));
    }
    let (theirs, ours) = (invocations(theirs), invocations(ours));
    if theirs != ours {
        problems.push(format!("{key}: invocation ids repeat as {ours:?}, not as {theirs:?}"));
    }
    problems
}

/// Names, order and values; a GUID, a trace context and a port have no other form.
fn headers(request: &Seen) -> String {
    let shown = request.headers.iter().map(|(name, value)| {
        let value = match name.as_str() {
            "Host" if value.starts_with("127.0.0.1:") => "127.0.0.1:<port>",
            "X-Azure-Functions-InvocationId" if is_guid(value) => "<guid>",
            "traceparent" if value.len() == 55 && value.split('-').count() == 4 => "<trace>",
            "Content-Length" if value.parse() == Ok(request.body.len()) => "<length>",
            _ => value,
        };
        format!("{name}: {value}")
    });
    shown.collect::<Vec<_>>().join(" | ")
}

/// Which requests share an invocation id: the number of the first one that had it.
fn invocations(requests: &[&Seen]) -> Vec<usize> {
    let ids: Vec<Option<&String>> = requests
        .iter()
        .map(|r| r.headers.iter().find(|(name, _)| name == "X-Azure-Functions-InvocationId").map(|(_, id)| id))
        .collect();
    ids.iter().map(|id| ids.iter().position(|known| known == id).unwrap_or_default()).collect()
}

/// What the digits after the seconds of all times in a body can differ by.
const DIGITS: usize = 4 * 8;

/// The sizes of the chunks, but for the digits of times.
fn chunks(theirs: &Seen, ours: &Seen) -> Option<String> {
    let same = match (&theirs.chunks, &ours.chunks) {
        (Some(theirs), Some(ours)) => {
            theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(theirs, ours)| theirs.abs_diff(*ours) <= DIGITS)
        }
        (theirs, ours) => theirs == ours,
    };
    let whole = ours.chunks.as_ref().is_none_or(|sizes| sizes.iter().sum::<usize>() == ours.body.len());
    (!same || !whole).then(|| format!("chunks\n    real {:?}\n    ours {:?}", theirs.chunks, ours.chunks))
}

/// The body without what differs from run to run, by the names it has.
pub fn body(body: &str) -> String {
    let time =
        |value: &str| value.len() >= 20 && value.as_bytes()[4] == b'-' && value.contains("T") && value.contains(':');
    let known = |value: &str| value.starts_with("0001-") || value.starts_with("9999-");
    let mut text = without_exception(body).0;
    for name in ["ExpirationTime", "InsertionTime", "NextVisibleTime", "UtcNow", "Last", "Next", "LastUpdated"] {
        text = replace(&text, name, "<time>", |value| time(value) && !known(value));
    }
    let quoted = |value: &str| value.trim_matches(|c| c == '\\' || c == '"').to_owned();
    text = replace(&text, "RandGuid", "<guid>", is_guid);
    text = replace(&text, "Id", "<guid>", |value| value.starts_with('\\') && is_guid(&quoted(value)));
    replace(&text, "PopReceipt", "<receipt>", |value| value.starts_with("\\\"M") && quoted(value).len() >= 24)
}

/// Replaces the string value of every property of that name for which `chosen` holds.
fn replace(text: &str, name: &str, by: &str, chosen: impl Fn(&str) -> bool) -> String {
    let start = format!("\"{name}\":\"");
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(&start) {
        let (before, value) = rest.split_at(at + start.len());
        out.push_str(before);
        let end = end_of_string(value);
        out.push_str(if chosen(&value[..end]) { by } else { &value[..end] });
        rest = &value[end..];
    }
    out + rest
}

/// Where a JSON string ends: at the first quote that is not escaped.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// An exception holds stack traces of the host's own code: taken out, and compared by what ours has.
fn without_exception(body: &str) -> (String, Option<Value>) {
    const START: &str = "\"Exception\":";
    let Some(at) = body.find(START).map(|at| at + START.len()).filter(|at| body[*at..].starts_with('{')) else {
        return (body.to_owned(), None);
    };
    let mut values = serde_json::Deserializer::from_str(&body[at..]).into_iter::<Value>();
    let exception = values.next().and_then(Result::ok);
    (format!("{}<exception>{}", &body[..at], &body[at + values.byte_offset()..]), exception)
}

fn exception(theirs: &str, ours: &str) -> Option<String> {
    let (theirs, ours) = (without_exception(theirs).1?, without_exception(ours).1?);
    (!has(&theirs, &ours)).then(|| format!("exception\n    real {theirs}\n    ours {ours}"))
}

/// Whether `theirs` has all that `ours` has.
fn has(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            ours.iter().all(|(name, value)| theirs.get(name).is_some_and(|theirs| has(theirs, value)))
        }
        _ => theirs == ours,
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok()
}
