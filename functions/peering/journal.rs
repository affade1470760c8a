//! Who is waited for and why, what a person has to do, and what was done: what people read of a peering.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Aiven's platform.
    Aiven,
    /// Azure: Resource Manager, Graph, Entra.
    Azure,
    /// A person.
    Operator,
    /// Another worker of ours.
    Ourselves,
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Aiven => "Aiven",
            Self::Azure => "Azure",
            Self::Operator => "you",
            Self::Ourselves => "another peering of ours",
        })
    }
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who has to move.
    pub party: Party,
    /// Why, in a sentence.
    pub reason: String,
    /// What the wait is about, for machines: a failure's code, or a step's own word. A wait with the same one goes on from `since`.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// From when on it is a fault.
    pub deadline: Timestamp,
    /// How often it was looked again.
    pub attempts: u32,
}

/// What a person has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happened, in a sentence.
    pub what: String,
    /// Why, and what it means, in a sentence.
    pub why: String,
    /// What to run or do; the peering goes on by itself afterwards.
    pub command: String,
    /// For machines: the failure's code, or our own word.
    pub code: String,
    /// What the vendor's support asks for.
    pub correlation: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// How often it was looked again since.
    pub attempts: u32,
    /// Seven days have passed: only `retry` looks again.
    pub given_up: bool,
}

/// One entry of the journal: what a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// The step, or the action, that made the commit.
    pub step: String,
    /// `advance`, `wait`, `fix`, `requested`, …
    pub outcome: String,
    /// What it says, in a sentence.
    pub note: String,
    /// Who is waited for, if anyone.
    pub party: Option<Party>,
    /// What the vendor's support asks for.
    pub correlation: Option<String>,
    /// Wall-clock length of the step, in milliseconds.
    pub duration_ms: u64,
}

impl JournalEntry {
    /// An entry of a request: what was asked for, by whom, and the sender's reference.
    pub fn asked(
        at: Timestamp,
        step: &str,
        outcome: &str,
        what: &str,
        (requested_by, reference): (Option<&str>, Option<&str>),
    ) -> Self {
        let by = requested_by.map(|by| format!(" (by {by})")).unwrap_or_default();
        let reference = reference.map(|reference| format!(", reference {reference}")).unwrap_or_default();
        Self::new(at, step, outcome, format!("{what}{by}{reference}"))
    }

    /// An entry with no more than a note.
    pub fn new(at: Timestamp, step: &str, outcome: &str, note: impl Into<String>) -> Self {
        let (step, outcome, note) = (step.to_owned(), outcome.to_owned(), note.into());
        Self { at, step, outcome, note, party: None, correlation: None, duration_ms: 0 }
    }
}
