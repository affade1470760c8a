//! What the host puts into Application Insights: counted, not sent.
//!
//! Kinds, numbers and sizes (uncompressed JSON) were measured at the real host 4.1037 with a collector of our own in the place of
//! the ingestion endpoint. Not modelled: sampling, which `excludedTypes` keeps off requests and traces; exceptions of
//! failed calls; the lines of a host's start.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::clock::Scale;
use super::events::{Event, Invocation, Stream};
use super::log_filter::{Level, LogFilter};

/// The kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An execution of a function.
    Request,
    /// The host's POST to the handler.
    Dependency,
    /// Of `Host.Aggregator`.
    Metric,
    /// A log line.
    Trace,
}

/// What Application Insights takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// The category of the log; of a dependency, its type.
    pub category: String,
    /// The function that was executed, or that the instance is for whose storage request it tells of; empty: none.
    pub about: String,
    /// Its size.
    pub bytes: usize,
}

const REQUEST: usize = 1_000;
/// A line of the host about an execution.
const TRACE: usize = 1_100;
const METRIC: usize = 550;
/// Of each function, as often as it is aggregated.
const METRICS: usize = 7;
/// Seconds, nominal.
const AGGREGATED: i64 = 30;
/// Not measured on its own: about as large as a request.
const DEPENDENCY: usize = 1_000;
/// A line of the Azure SDK, with all headers of a storage request or answer.
const SDK_LINE: usize = 1_600;
/// What is around a line of the handler, which is stored twice: as message, and as `prop__{OriginalFormat}`.
const AROUND_LINE: usize = 500;

/// Turns what happens in a host into items.
#[derive(Debug)]
pub(super) struct Meter {
    filter: LogFilter,
    scale: Scale,
    /// Whether the SDK's log reaches the host's: the queue extension forwards it.
    sdk: bool,
    /// Functions, and the period for which their metrics were last written.
    aggregated: BTreeMap<String, i64>,
}

impl Meter {
    /// `queues`: whether the queue extension is loaded.
    pub(super) fn new(filter: LogFilter, scale: Scale, queues: bool) -> Self {
        Self { filter, scale, sdk: queues, aggregated: BTreeMap::new() }
    }

    /// The items of an event: [`Event::Telemetry`], or [`Event::KeptOut`].
    pub(super) fn items(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::Asked { instance, status, .. } if self.sdk => self.storage(instance, *status),
            Event::Ended(invocation) => self.execution(invocation),
            Event::Line(stream, line) => {
                let level = match stream {
                    Stream::Stderr if !line.to_ascii_lowercase().contains("warn") => Level::Error,
                    Stream::Stderr => Level::Warning,
                    // Whatever level the line itself names.
                    Stream::Stdout => Level::Information,
                };
                vec![self.logged(Kind::Trace, "Host.Function.Console", "", level, 2 * line.len() + AROUND_LINE)]
            }
            _ => Vec::new(),
        }
    }

    fn logged(&self, kind: Kind, category: &str, about: &str, level: Level, bytes: usize) -> Event {
        let item = Item { kind, category: category.to_owned(), about: about.to_owned(), bytes };
        if self.filter.admits(category, level) { Event::Telemetry(item) } else { Event::KeptOut(item) }
    }

    /// `Request […]`, and `Response […]` or `Error response […]`.
    fn storage(&self, instance: &str, status: u16) -> Vec<Event> {
        let answer = if status < 400 { Level::Information } else { Level::Warning };
        let line = |level| self.logged(Kind::Trace, "Azure.Core", instance, level, SDK_LINE);
        vec![line(Level::Information), line(answer)]
    }

    /// `Executing …`, `Trigger Details: …` of a queue, `Executed …`.
    fn execution(&mut self, of: &Invocation) -> Vec<Event> {
        let name = of.function.as_str();
        let period = self.scale.nominal_time(of.ended.unwrap_or_else(Timestamp::now)).as_second() / AGGREGATED;
        let fresh = self.aggregated.insert(name.to_owned(), period) != Some(period);
        let lines = if of.message.is_some() { 3 } else { 2 };
        let line = || self.logged(Kind::Trace, &format!("Function.{name}"), name, Level::Information, TRACE);
        let metric = || self.logged(Kind::Metric, "Host.Aggregator", name, Level::Information, METRIC);
        let mut items = vec![self.logged(Kind::Request, "Host.Results", name, Level::Information, REQUEST)];
        items.extend(std::iter::repeat_with(line).take(lines));
        // No log line, so no level keeps it out.
        let (category, about) = ("Http".to_owned(), name.to_owned());
        items.push(Event::Telemetry(Item { kind: Kind::Dependency, category, about, bytes: DEPENDENCY }));
        items.extend(std::iter::repeat_with(metric).take(if fresh { METRICS } else { 0 }));
        items
    }
}
