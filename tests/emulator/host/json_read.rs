//! Reads JSON as leniently as Json.NET: comments, single quotes, unquoted names, trailing commas, anything after the first value.

use super::date::Date;
use super::json::Json;

/// Json.NET's default for the media type formatters that read a handler's answer.
const DEPTH: usize = 256;

/// The first value of `text`; what follows is ignored, as the host ignores it in answers.
pub(super) fn first(text: &str) -> Result<Json, String> {
    Reader { rest: text.trim_start_matches('\u{feff}'), depth: 0 }.value()
}

/// The only value of `text`: `JObject.Parse`, `JArray.Parse`.
pub(super) fn whole(text: &str) -> Result<Json, String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.blanks()?;
    if reader.rest.is_empty() { Ok(value) } else { Err("additional text after the value".to_owned()) }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Skips white space and comments.
    fn blanks(&mut self) -> Result<(), String> {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(comment) = self.rest.strip_prefix("/*") {
                let (_, rest) = comment.split_once("*/").ok_or("a comment does not end")?;
                self.rest = rest;
            } else if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else {
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> Result<char, String> {
        self.blanks()?;
        self.rest.chars().next().ok_or_else(|| "it ends too early".to_owned())
    }

    fn eat(&mut self, character: char) -> Result<bool, String> {
        let found = self.peek()? == character;
        if found {
            self.rest = &self.rest[character.len_utf8()..];
        }
        Ok(found)
    }

    fn value(&mut self) -> Result<Json, String> {
        match self.peek()? {
            '{' => self.nested(Self::object),
            '[' => self.nested(Self::list),
            quote @ ('"' | '\'') => {
                let text = self.string(quote)?;
                Ok(Date::parse(&text).map_or(Json::Text(text), Json::Date))
            }
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, String>) -> Result<Json, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("it is nested deeper than {DEPTH}"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Json, String> {
        self.eat('[')?;
        let mut items = Vec::new();
        while !self.eat(']')? {
            items.push(self.value()?);
            if !self.eat(',')? && self.peek()? != ']' {
                return Err("a list lacks a comma".to_owned());
            }
        }
        Ok(Json::List(items))
    }

    fn object(&mut self) -> Result<Json, String> {
        self.eat('{')?;
        let mut members = Vec::new();
        while !self.eat('}')? {
            let name = match self.peek()? {
                quote @ ('"' | '\'') => self.string(quote)?,
                _ => self.identifier()?.to_owned(),
            };
            if !self.eat(':')? {
                return Err("a name is not followed by a colon".to_owned());
            }
            members.push((name, self.value()?));
            if !self.eat(',')? && self.peek()? != '}' {
                return Err("an object lacks a comma".to_owned());
            }
        }
        Ok(Json::Object(members))
    }

    fn identifier(&mut self) -> Result<&'a str, String> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err("a name is missing".to_owned()) } else { Ok(name) }
    }

    fn word(&mut self) -> Result<Json, String> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || "+-.".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" | "undefined" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') && number.parse::<f64>().is_ok() => {
                Ok(Json::Number(number.to_owned()))
            }
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn string(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        // UTF-16 halves of one character arrive as two escapes.
        let mut high: Option<u16> = None;
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(text);
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            match characters.next().map(|(_, escaped)| escaped) {
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                    let unit = u16::from_str_radix(&digits, 16).map_err(|_| "a \\u escape is not hexadecimal")?;
                    high = push_unit(&mut text, high, unit);
                }
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(plain @ ('"' | '\'' | '\\' | '/')) => text.push(plain),
                _ => return Err("a string has a bad escape".to_owned()),
            }
        }
        Err("a string does not end".to_owned())
    }
}

fn push_unit(text: &mut String, high: Option<u16>, unit: u16) -> Option<u16> {
    if (0xD800..0xDC00).contains(&unit) {
        return Some(unit);
    }
    let units: Vec<u16> = high.into_iter().chain([unit]).collect();
    text.push_str(&String::from_utf16_lossy(&units));
    None
}
