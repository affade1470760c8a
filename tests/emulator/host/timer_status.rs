//! A timer's monitored status: what the host keeps in a blob and shows to the handler.

use jiff::Timestamp;

use super::date::{instant, parse_instant};
use super::json::Json;
use super::json_read;

/// When a timer ran and when it is due. `None` is .NET's `DateTime.MinValue`: year 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) last: Option<Timestamp>,
    pub(super) next: Timestamp,
    pub(super) updated: Option<Timestamp>,
}

impl Status {
    pub(super) fn json(&self) -> String {
        format!(
            "{{\"Last\":\"{}\",\"Next\":\"{}\",\"LastUpdated\":\"{}\"}}",
            text(self.last),
            text(Some(self.next)),
            text(self.updated)
        )
    }

    pub(super) fn parse(blob: &[u8]) -> Option<Self> {
        let json = json_read::whole(std::str::from_utf8(blob).ok()?).ok()?;
        let time = |wanted: &str| {
            json.members().into_iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| match value {
                Json::Date(date) => parse_instant(&date.iso()),
                _ => None,
            })
        };
        let real = |time: Timestamp| Some(time).filter(|time| time.as_second() > -62_000_000_000);
        Some(Self {
            last: time("Last").and_then(real),
            next: time("Next")?,
            updated: time("LastUpdated").and_then(real),
        })
    }
}

fn text(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "0001-01-01T00:00:00+00:00".to_owned(), |time| instant(time, "+00:00"))
}
