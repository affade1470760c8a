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

    /// The items of an event.
    pub(super) fn items(&mut self, event: &Event) -> Vec<Item> {
        match event {
            Event::Asked { status, .. } if self.sdk => self.storage(*status),
            Event::Ended(invocation) => self.execution(invocation),
            Event::Line(stream, line) => {
                let level = match stream {
                    Stream::Stderr if !line.to_ascii_lowercase().contains("warn") => Level::Error,
                    Stream::Stderr => Level::Warning,
                    // Whatever level the line itself names.
                    Stream::Stdout => Level::Information,
                };
                self.logged(Kind::Trace, "Host.Function.Console", level, 2 * line.len() + AROUND_LINE)
            }
            _ => Vec::new(),
        }
    }

    fn logged(&self, kind: Kind, category: &str, level: Level, bytes: usize) -> Vec<Item> {
        let admitted = self.filter.admits(category, level).then(|| Item { kind, category: category.to_owned(), bytes });
        admitted.into_iter().collect()
    }

    /// `Request […]`, and `Response […]` or `Error response […]`.
    fn storage(&self, status: u16) -> Vec<Item> {
        let answer = if status < 400 { Level::Information } else { Level::Warning };
        [Level::Information, answer]
            .into_iter()
            .flat_map(|level| self.logged(Kind::Trace, "Azure.Core", level, SDK_LINE))
            .collect()
    }

    /// `Executing …`, `Trigger Details: …` of a queue, `Executed …`.
    fn execution(&mut self, of: &Invocation) -> Vec<Item> {
        let lines = if of.message.is_some() { 3 } else { 2 };
        let category = format!("Function.{}", of.function);
        let mut items = self.logged(Kind::Request, "Host.Results", Level::Information, REQUEST);
        for _ in 0..lines {
            items.extend(self.logged(Kind::Trace, &category, Level::Information, TRACE));
        }
        items.push(Item { kind: Kind::Dependency, category: "Http".to_owned(), bytes: DEPENDENCY });
        let period = self.scale.nominal_time(of.ended.unwrap_or_else(Timestamp::now)).as_second() / AGGREGATED;
        if self.aggregated.insert(of.function.clone(), period) != Some(period) {
            for _ in 0..METRICS {
                items.extend(self.logged(Kind::Metric, "Host.Aggregator", Level::Information, METRIC));
            }
        }
        items
    }
}
