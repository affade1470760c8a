//! The Functions host, emulated: runs a staged app's handler and drives it from queues and timers, as unkindly as the real one.
//!
//! What it does was read in `Azure/azure-functions-host` and `azure-webjobs-sdk` and checked against
//! recordings of the real host 4.1037 (queue extension v5), which the repository's `tests/replay` replays.
//!
//! Not emulated: HTTP triggers and endpoints, more than one instance of a function, dynamic concurrency, drain mode, role-based access
//! to storage, connections other than `AzureWebJobsStorage`, time zones other than UTC. Kinder than the
//! real host: an unusable `host.json` is an error at once, where the real one stays up and does nothing.
//! Scaled leases are at least a second, because storage counts in seconds.
//!
//! ```text
//! config, function    host.json, function.json     queue, message   listener; one message's life
//! process, launcher   launch, ready, crash         timer*, cron     schedules, monitor, lock
//! invoke, trigger     wait, POST, time out         outputs          what an answer sends to queues
//! wire                HTTP as the host writes it   answer           what an answer means
//! encoding            the double encoding          json*, date      JSON as Json.NET has it
//! events              what happened, counters      supervisor       starts a stopped host again
//! flex                an instance a function, gone when idle
//! telemetry           what is taken in, and paid   log_filter       log levels of host.json
//! ```

mod answer;
mod clock;
mod config;
mod cron;
mod date;
mod encoding;
mod events;
mod flex;
mod function;
mod invoke;
mod json;
mod json_read;
mod launcher;
mod lifecycle;
mod log_filter;
mod message;
mod options;
mod outputs;
mod process;
mod queue;
mod supervisor;
mod telemetry;
mod timer;
mod timer_lock;
mod timer_status;
mod timespan;
mod trigger;
mod wire;

pub use config::ConfigError;
pub use events::{Counts, Event, Events, Invocation, Outcome, Stream};
pub use flex::Flex;
pub use lifecycle::{Host, HostError, StopReason};
pub use options::{Duplicate, HostOptions, Transfer};
pub use supervisor::{Control, Moment, Supervisor};
pub use telemetry::{Item, Kind};

#[cfg(test)]
mod tests;
