//! An entity group transaction on the wire: multipart/mixed inside multipart/mixed ("Performing entity group transactions").

/// No boundary can occur in a part: JSON and URLs hold no line that starts with two hyphens.
const BATCH: &str = "batch_of_operations";
const CHANGES: &str = "changeset_of_operations";

/// `Content-Type` of a transaction.
pub(super) fn content_type() -> String {
    format!("multipart/mixed; boundary={BATCH}")
}

/// One operation: method, URL, headers, body.
pub(super) struct Part {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// The body of a transaction.
pub(super) fn encode(parts: &[Part]) -> String {
    let mut text = format!("--{BATCH}\r\nContent-Type: multipart/mixed; boundary={CHANGES}\r\n\r\n");
    for part in parts {
        text += &format!("--{CHANGES}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n");
        text += &format!("{} {} HTTP/1.1\r\n", part.method, part.url);
        for (name, value) in &part.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("\r\n{}\r\n", part.body);
    }
    text + &format!("--{CHANGES}--\r\n--{BATCH}--\r\n")
}

/// One answer inside the answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) body: String,
}

/// The answers to a transaction: one an operation, or a single one if it failed.
pub(super) fn decode(text: &str) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut within = Within::Wrapping;
    for line in text.lines() {
        match (within, answers.last_mut()) {
            _ if line.starts_with("--") => within = Within::Wrapping,
            (Within::Wrapping, _) => {
                if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
                    let status = status.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or_default();
                    answers.push(Answer { status, ..Answer::default() });
                    within = Within::Headers;
                }
            }
            (Within::Headers, _) if line.is_empty() => within = Within::Body,
            (Within::Headers, Some(answer)) => {
                if let Some((_, etag)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("etag")) {
                    answer.etag = Some(etag.trim().to_owned());
                }
            }
            (Within::Body, Some(answer)) => answer.body += line,
            (_, None) => {}
        }
    }
    answers
}

#[derive(Clone, Copy)]
enum Within {
    Wrapping,
    Headers,
    Body,
}

/// Which operation failed: the service writes `3:The specified entity already exists.`
pub(super) fn failed_op(message: &str) -> Option<usize> {
    message.split_once(':')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_transaction_has_one_answer_that_names_the_operation() {
        let text = "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n--changesetresponse_1\r\n\
            Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 409 Conflict\r\n\
            Content-Type: application/json\r\n\r\n{\"odata.error\":{}}\r\n--changesetresponse_1--\r\n--batchresponse_1--\r\n";
        assert_eq!(decode(text), [Answer { status: 409, etag: None, body: "{\"odata.error\":{}}".to_owned() }]);
        assert_eq!(failed_op("3:The specified entity already exists."), Some(3));
        assert_eq!(failed_op("The table specified does not exist."), None);
    }
}
