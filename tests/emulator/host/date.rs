//! Dates as the host writes them: Json.NET's reading of date-like strings, .NET's fractions, storage's RFC 1123.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// What Json.NET makes of a string like `2025-01-02T03:04:05Z`; the host's zone is UTC.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Date {
    /// Local (UTC) time.
    time: DateTime,
    /// As it was written.
    raw: String,
    /// How the zone is written again: `Z`, nothing, or the host's own offset.
    zone: &'static str,
}

impl Date {
    /// `yyyy-MM-ddTHH:mm:ss`, a fraction if any, then nothing, `Z` or an offset.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let shape = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        };
        let head = text.get(..19)?;
        if !head.bytes().enumerate().all(shape) {
            return None;
        }
        let zone_at = text[19..].find(|c: char| c != '.' && !c.is_ascii_digit()).map_or(text.len(), |at| 19 + at);
        let fraction = &text[19..zone_at];
        if !fraction.is_empty() && (fraction.len() < 2 || !fraction.starts_with('.') || fraction[1..].contains('.')) {
            return None;
        }
        let time: DateTime = text[..zone_at].parse().ok()?;
        let raw = text.to_owned();
        match &text[zone_at..] {
            "" => Some(Self { time, raw, zone: "" }),
            "Z" => Some(Self { time, raw, zone: "Z" }),
            offset => Some(Self { time: time.checked_sub(parse_offset(offset)?).ok()?, raw, zone: "+00:00" }),
        }
    }

    /// As it was written.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// As a top-level string becomes text: `MM/dd/yyyy HH:mm:ss`.
    pub(super) fn invariant(&self) -> String {
        self.time.strftime("%m/%d/%Y %H:%M:%S").to_string()
    }

    /// As it is written inside an object.
    pub(super) fn iso(&self) -> String {
        format!("{}{}{}", self.time.strftime("%Y-%m-%dT%H:%M:%S"), fraction(self.time.subsec_nanosecond()), self.zone)
    }
}

fn parse_offset(text: &str) -> Option<SignedDuration> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits.get(2..4).map_or(Some(0), |text| text.parse().ok())?;
    Some(SignedDuration::from_mins(sign * (hours * 60 + minutes)))
}

/// Up to seven digits (100 ns), trailing zeros trimmed, as .NET's round-trip formats do.
fn fraction(nanoseconds: i32) -> String {
    let digits = format!("{:07}", nanoseconds / 100);
    match digits.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    }
}

/// `2026-11-21T04:20:58.6466508` and `suffix`.
pub(super) fn instant(time: Timestamp, suffix: &str) -> String {
    let time = Offset::UTC.to_datetime(time);
    format!("{}{}{suffix}", time.strftime("%Y-%m-%dT%H:%M:%S"), fraction(time.subsec_nanosecond()))
}

/// The other way, for what [`instant`] wrote with an offset.
pub(super) fn parse_instant(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text)?;
    date.time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Storage's `Sat, 28 Nov 2026 04:20:55 GMT` as `2026-11-28T04:20:55+00:00`. Done by text: the year
/// 9999 of messages that never expire is beyond most calendars.
pub(super) fn from_rfc1123(text: &str) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, _] = parts[..] else {
        return text.to_owned();
    };
    let month = MONTHS.iter().position(|name| *name == month).map_or(0, |index| index + 1);
    format!("{year}-{month:02}-{day:0>2}T{time}+00:00")
}
