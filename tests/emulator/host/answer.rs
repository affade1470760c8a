//! What the handler's answer means: success, failure, or nothing at all.

use super::json::Json;
use super::json_read;
use super::wire::Response;

/// A successful answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) outputs: Vec<(String, Json)>,
    pub(super) logs: Vec<String>,
    pub(super) return_value: Option<Json>,
}

/// What an HTTP response amounts to.
#[derive(Debug)]
pub(super) enum Meaning {
    Success(Answer),
    Failure(String),
    /// 2xx without a body, or with JSON `null`: the host never sets a result, so the invocation hangs
    /// until `functionTimeout` and the handler is killed for it.
    Nothing,
}

/// Judges a response (azure-functions-host, `DefaultHttpWorkerService.ProcessDefaultInvocationRequest`).
pub(super) fn judge(response: &Response) -> Meaning {
    if !(200..300).contains(&response.status) {
        return Meaning::Failure(format!(
            "Response status code does not indicate success: {} ({}).",
            response.status, response.reason
        ));
    }
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim_start_matches('\u{feff}');
    if response.body.is_empty() {
        return Meaning::Nothing;
    }
    if !is_json(response.header("Content-Type")) {
        return invalid(&format!("Content-Type {}", response.header("Content-Type").unwrap_or("is missing")), text);
    }
    if text.trim().is_empty() {
        return Meaning::Nothing;
    }
    match json_read::first(text) {
        Ok(Json::Null) => Meaning::Nothing,
        Ok(Json::Object(members)) => read(members).map_or_else(|problem| invalid(&problem, text), Meaning::Success),
        Ok(_) => invalid("the body is not a JSON object", text),
        Err(problem) => invalid(&problem, text),
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ["application/json", "text/json"].iter().any(|json| media.eq_ignore_ascii_case(json))
}

fn invalid(problem: &str, body: &str) -> Meaning {
    let start: String = body.chars().take(200).collect();
    Meaning::Failure(format!("Invalid HttpResponseMessage: {problem}; body: {start}"))
}

/// Property names match in any case; a repeated `Logs` adds to the first, as Json.NET fills a list.
fn read(members: Vec<(String, Json)>) -> Result<Answer, String> {
    let mut answer = Answer::default();
    for (name, value) in members {
        match name.to_ascii_lowercase().as_str() {
            "outputs" => match value {
                Json::Null => {}
                Json::Object(_) => answer.outputs.extend(owned(&value)),
                _ => return Err("Outputs is not an object".to_owned()),
            },
            "logs" => match value {
                Json::Null => {}
                Json::List(entries) => {
                    for entry in entries {
                        answer.logs.push(log(&entry)?);
                    }
                }
                _ => return Err("Logs is not an array".to_owned()),
            },
            "returnvalue" => answer.return_value = Some(value),
            _ => {}
        }
    }
    Ok(answer)
}

/// Unlike outputs, logs are read as strings: as they were written.
fn log(entry: &Json) -> Result<String, String> {
    match entry {
        Json::Null => Ok("[null]".to_owned()),
        Json::Bool(_) => Ok(entry.compact()),
        Json::Date(date) => Ok(date.raw().to_owned()),
        other => other.scalar().ok_or_else(|| "an entry of Logs is not a scalar".to_owned()),
    }
}

impl Answer {
    /// The value of every output binding, by name. A `$return` binding takes the return value and
    /// nothing else; without one, the properties of a returned object win over `Outputs`.
    pub(super) fn values(&self, has_return: bool) -> Vec<(String, Json)> {
        let mut values = self.outputs.clone();
        let returned = self.return_value.as_ref();
        let over = if has_return {
            vec![("$return".to_owned(), returned.cloned().unwrap_or(Json::Null))]
        } else {
            returned.map(owned).unwrap_or_default()
        };
        for (name, value) in over {
            values.retain(|(known, _)| *known != name);
            values.push((name, value));
        }
        values
    }
}

fn owned(object: &Json) -> Vec<(String, Json)> {
    object.members().into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}
