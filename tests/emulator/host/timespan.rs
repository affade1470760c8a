//! .NET's TimeSpan texts (`[d.]hh:mm:ss[.fffffff]`), as `host.json` and schedules use them.

use std::time::Duration;

/// Reads one; `None` for anything that is not a non-negative TimeSpan.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let whole = days.parse::<u64>().ok()? * 86_400 + below(hours, 24)? * 3600 + below(minutes, 60)? * 60;
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let nanoseconds: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Duration::new(whole + below(seconds, 60)?, nanoseconds))
}

fn below(text: &str, limit: u64) -> Option<u64> {
    text.parse().ok().filter(|value| *value < limit)
}
