//! JSON as Newtonsoft's Json.NET holds and writes it, which is what the host does: order and number texts are kept, dates are found in strings.

use std::fmt::Write as _;

use super::date::Date;

/// A JSON value as Json.NET's `JToken`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As written, so that no digit is lost.
    Number(String),
    Text(String),
    /// A string that looked like an ISO 8601 date: Json.NET's default.
    Date(Date),
    List(Vec<Json>),
    /// In order, repeated names included.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The object's members as `JObject` keeps them: a repeated name keeps its first place and its
    /// last value. Empty for anything else.
    pub(super) fn members(&self) -> Vec<(&str, &Json)> {
        let Self::Object(all) = self else {
            return Vec::new();
        };
        let mut members: Vec<(&str, &Json)> = Vec::new();
        for (name, value) in all {
            match members.iter_mut().find(|(known, _)| known == name) {
                Some(member) => member.1 = value,
                None => members.push((name, value)),
            }
        }
        members
    }

    /// A scalar as .NET's invariant `ToString()` gives it; `None` for lists and objects.
    pub(super) fn scalar(&self) -> Option<String> {
        Some(match self {
            Self::Null => String::new(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Number(text) => number(text),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.invariant(),
            Self::List(_) | Self::Object(_) => return None,
        })
    }

    /// Compact JSON.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// Indented JSON: two blanks a level, `\n` between lines.
    pub(super) fn indented(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => out.push_str(&quote(text)),
            Self::Date(date) => out.push_str(&quote(&date.iso())),
            Self::List(items) => {
                let items = items.iter().map(|item| (None, item)).collect();
                write_all(out, indent, ['[', ']'], items);
            }
            Self::Object(_) => {
                let members = self.members().into_iter().map(|(name, value)| (Some(name), value)).collect();
                write_all(out, indent, ['{', '}'], members);
            }
        }
    }
}

fn write_all(out: &mut String, indent: Option<usize>, [open, close]: [char; 2], items: Vec<(Option<&str>, &Json)>) {
    out.push(open);
    let inner = indent.map(|depth| depth + 1);
    let some = !items.is_empty();
    for (index, (name, value)) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        new_line(out, inner);
        if let Some(name) = name {
            let _ = write!(out, "{}:{}", quote(name), if indent.is_some() { " " } else { "" });
        }
        value.write(out, inner);
    }
    if some {
        new_line(out, indent);
    }
    out.push(close);
}

fn new_line(out: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
}

/// A JSON string as Json.NET writes it: non-ASCII raw but for U+0085, U+2028 and U+2029.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Integers keep their digits; floating-point numbers are written the shortest way, as .NET does.
fn number(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return text.to_owned();
    }
    match text.parse::<f64>() {
        Ok(value) if value != 0.0 && (value.abs() >= 1e15 || value.abs() < 1e-5) => exponential(value),
        Ok(value) => value.to_string(),
        Err(_) => text.to_owned(),
    }
}

/// .NET's form: a sign and at least two digits of exponent.
fn exponential(value: f64) -> String {
    let text = format!("{value:E}");
    let Some((digits, exponent)) = text.split_once('E') else {
        return text;
    };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}E{sign}{exponent:0>2}")
}
