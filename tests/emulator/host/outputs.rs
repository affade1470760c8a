//! Queue outputs: which messages an answer's value becomes, surprising base64 rule included.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::json::Json;
use super::json_read;

/// The messages that `value` becomes; `binary` is the out binding's `"dataType": "binary"`.
///
/// A top-level string that happens to be base64, blanks ignored, is silently decoded (so `test` is three
/// bytes); with `binary`, strings are left alone. The logic is inverted in the host.
pub(super) fn messages(value: &Json, binary: bool) -> Result<Vec<Vec<u8>>, String> {
    match value {
        Json::Null => Ok(Vec::new()),
        Json::List(items) => Ok(items.iter().map(item).collect()),
        Json::Object(_) => Ok(vec![value.indented().into_bytes()]),
        Json::Text(text) => string(text, binary),
        scalar => Ok(vec![scalar.scalar().unwrap_or_default().into_bytes()]),
    }
}

fn string(text: &str, binary: bool) -> Result<Vec<Vec<u8>>, String> {
    if !binary && let Some(bytes) = base64(text) {
        return Ok(vec![bytes]);
    }
    let trimmed = text.trim();
    let looks_like = |open, close| trimmed.starts_with(open) && trimmed.ends_with(close);
    if !looks_like('{', '}') && !looks_like('[', ']') {
        return Ok(vec![text.as_bytes().to_vec()]);
    }
    match json_read::whole(trimmed).map_err(|problem| format!("an output looks like JSON but is not: {problem}"))? {
        Json::List(items) => Ok(items.iter().map(item).collect()),
        other => Ok(vec![other.indented().into_bytes()]),
    }
}

/// An element of an array: strings as they are, never decoded.
fn item(item: &Json) -> Vec<u8> {
    item.scalar().unwrap_or_else(|| item.indented()).into_bytes()
}

/// The queue of an output binding: `{name}` in it is the message's top-level property of that name.
pub(super) fn queue_name(pattern: &str, message: Option<&str>) -> Result<String, String> {
    let data = message.and_then(|text| json_read::whole(text.trim()).ok()).unwrap_or(Json::Null);
    let (mut name, mut rest) = (String::new(), pattern);
    while let Some((before, (wanted, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        let value = data.members().into_iter().find(|(known, _)| known.eq_ignore_ascii_case(wanted));
        let value = value.and_then(|(_, value)| value.scalar());
        name += before;
        name += &value.ok_or_else(|| format!("No value for named parameter '{wanted}'."))?;
        rest = after;
    }
    Ok((name + rest).to_lowercase())
}

/// .NET's `Convert.FromBase64String` ignores white space.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')).collect();
    BASE64_STANDARD.decode(bare).ok()
}
