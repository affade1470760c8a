//! Where a row stands on its runbook: what the engine keeps of every row that it moves, whatever the row is about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Claim, Fault, Status, Waiting};

/// How many requests' messages are remembered; only the last few can come again.
const MOST_HEARD: usize = 20;

/// How far a row has come. It changes only by commits, each of which moves `seq`, or by a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Where it stands, in a word.
    pub status: Status,
    /// The step that runs next, or runs now.
    pub step: String,
    /// Grows by one with each commit and is never reset; a message that carries another is stale.
    pub seq: u64,
    /// When the row's message becomes visible, or, while the row awaits a poll, when its wait ends: sweep looks at it.
    pub due: Timestamp,
    /// What moves it on.
    #[serde(flatten)]
    pub phase: Phase,
    /// Who is acting, and until when no other may.
    pub claim: Option<Claim>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// What a person has to do.
    pub fault: Option<Fault>,
    /// When it was `requested`, when each step was done, and when it `started` again after something that was not its own doing.
    pub times: BTreeMap<String, Timestamp>,
    /// The queue message whose worker made the last commit, and owes its send.
    pub committed_by: Option<String>,
    /// How many poison messages of the current step came back.
    #[serde(default)]
    pub poisoned: u32,
    /// The queue messages of the last requests that moved it: one that comes again, however late, has been heard.
    #[serde(default)]
    pub heard: Vec<String>,
    /// The W3C trace context (`traceparent`) of the request: one trace, across hours.
    #[serde(default)]
    pub trace: Option<String>,
}

/// What moves a row on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Columns", into = "Columns")]
pub enum Phase {
    /// Its own message, which is on its way.
    #[default]
    Scheduled,
    /// The poll of its VPC: no message of its own is on its way.
    AwaitingPoll,
    /// Only a request, or reconciliation: nothing is on its way.
    Idle {
        /// The status that it had when it was paused while idle.
        paused_from: Option<Status>,
    },
}

impl Phase {
    /// Idle, and not paused.
    pub const IDLE: Self = Self::Idle { paused_from: None };
}

/// A phase as columns of a table, which have been there since before there were phases.
#[derive(Clone, Serialize, Deserialize)]
struct Columns {
    #[serde(default)]
    parked: bool,
    #[serde(default)]
    resting: bool,
    #[serde(default)]
    paused_from: Option<Status>,
}

impl From<Columns> for Phase {
    fn from(columns: Columns) -> Self {
        match columns {
            Columns { resting: true, paused_from, .. } => Self::Idle { paused_from },
            Columns { parked: true, .. } => Self::AwaitingPoll,
            Columns { .. } => Self::Scheduled,
        }
    }
}

impl From<Phase> for Columns {
    fn from(phase: Phase) -> Self {
        let (parked, resting) = (phase == Phase::AwaitingPoll, matches!(phase, Phase::Idle { .. }));
        let paused_from = if let Phase::Idle { paused_from } = phase { paused_from } else { None };
        Self { parked, resting, paused_from }
    }
}

impl Progress {
    /// At its first step, before its first commit.
    pub fn new(first_step: &str, now: Timestamp) -> Self {
        Self {
            status: Status::Requested,
            step: first_step.to_owned(),
            seq: 1,
            due: now,
            phase: Phase::Scheduled,
            claim: None,
            waiting: None,
            fault: None,
            times: BTreeMap::from([("requested".to_owned(), now)]),
            committed_by: None,
            poisoned: 0,
            heard: Vec::new(),
            trace: None,
        }
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle { .. })
    }

    /// Whether the poll of its VPC moves it on.
    pub fn awaits_poll(&self) -> bool {
        self.phase == Phase::AwaitingPoll
    }

    /// Whether this queue message has moved the row before.
    pub fn has_heard(&self, message_id: &str) -> bool {
        self.heard.iter().any(|heard| heard == message_id)
    }

    /// Remembers that a request's queue message moved the row; only the last few can come again.
    pub fn hear(&mut self, message_id: &str) {
        if self.heard.len() >= MOST_HEARD {
            self.heard.remove(0);
        }
        self.heard.push(message_id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_phase_keeps_its_columns() {
        for (phase, columns) in [
            (Phase::Scheduled, json!({"parked": false, "resting": false, "paused_from": null})),
            (Phase::AwaitingPoll, json!({"parked": true, "resting": false, "paused_from": null})),
            (Phase::IDLE, json!({"parked": false, "resting": true, "paused_from": null})),
            (
                Phase::Idle { paused_from: Some(Status::Active) },
                json!({"parked": false, "resting": true, "paused_from": "Active"}),
            ),
        ] {
            assert_eq!(serde_json::to_value(phase).unwrap(), columns);
            assert_eq!(serde_json::from_value::<Phase>(columns).unwrap(), phase);
        }
        assert_eq!(serde_json::from_value::<Phase>(json!({})).unwrap(), Phase::Scheduled, "rows of schema 1");
    }
}
