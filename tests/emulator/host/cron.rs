//! Timer schedules: NCRONTAB of six or five fields, or a TimeSpan.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::timespan;

/// Schedules that fire more often than this are not monitored.
const MINUTE: Duration = Duration::from_secs(60);

/// When a timer fires.
#[derive(Debug)]
pub(super) enum Schedule {
    Cron(Box<Cron>),
    Every(Duration),
}

impl Schedule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.contains(':') {
            return timespan::parse(text).filter(|span| !span.is_zero()).map(Self::Every);
        }
        // NCRONTAB wants both the day of month and the day of week to match.
        let parser = CronParser::builder().seconds(Seconds::Optional).dom_and_dow(true).build();
        parser.parse(text).ok().map(|cron| Self::Cron(Box::new(cron)))
    }

    /// The next time after `time`, in UTC; `None` if there is none in the calendar's range.
    pub(super) fn next(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(span) => time.checked_add(SignedDuration::try_from(*span).ok()?).ok(),
            Self::Cron(cron) => {
                let next = cron.find_next_occurrence(&time.to_zoned(TimeZone::UTC), false).ok()?;
                Some(next.timestamp())
            }
        }
    }

    /// Whether its status is kept: not if it fires more than once a minute.
    pub(super) fn may_be_monitored(&self, now: Timestamp) -> bool {
        match self {
            Self::Every(span) => *span >= MINUTE,
            Self::Cron(_) => match self.next(now).map(|first| (first, self.next(first))) {
                Some((first, Some(second))) => second.duration_since(first) >= SignedDuration::from_secs(60),
                _ => true,
            },
        }
    }

    /// `Schedule.AdjustForDST` of the timer's info.
    pub(super) fn adjusts_for_dst(&self) -> bool {
        matches!(self, Self::Cron(_))
    }
}
