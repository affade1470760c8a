//! Just enough XML to read the answers of the queue service: flat elements with text.

/// The contents of every `<name>` element, in order, still escaped.
pub(super) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, empty, close) = (format!("<{name}>"), format!("<{name}/>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    loop {
        let full = rest.find(&open);
        match (full, rest.find(&empty)) {
            (full, Some(at)) if full.is_none_or(|full| at < full) => {
                found.push("");
                rest = &rest[at + empty.len()..];
            }
            (Some(at), _) => {
                let body = &rest[at + open.len()..];
                let Some(end) = body.find(&close) else {
                    return found;
                };
                found.push(&body[..end]);
                rest = &body[end + close.len()..];
            }
            _ => return found,
        }
    }
}

/// The unescaped text of the first `<name>` element.
pub(super) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).first().map(|raw| unescape(raw))
}

/// Escapes a message's text.
pub(super) fn escape(text: &str) -> String {
    // A bare carriage return would come back as a line feed (XML 1.0, section 2.11).
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        let entity = &rest[at + 1..];
        let Some(end) = entity.find(';') else { break };
        match character(&entity[..end]) {
            Some(character) => text.push(character),
            None => text.push_str(&rest[at..=at + 1 + end]),
        }
        rest = &entity[end + 1..];
    }
    text + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
