//! What a step can say: done, missing, wait, fix; and what judging a failure makes of it.

use std::time::Duration;

use crate::cloud::Failure;
use crate::peering::Party;
use crate::storage::StoreError;

/// What a step saw when it looked for its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is there (or the step has no effect and learned what it wanted): go on.
    Done,
    /// It is not there: claim, then act.
    Missing,
}

/// What a step did when it acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The effect is there: go on.
    Done,
    /// A part of it is there: commit what was learned, and run this step again at once.
    Again,
}

/// Why a step does not go on. `?` on a client's call gives [`Stop::Failed`], which the engine judges;
/// everything else a step says aloud.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// A call failed: [`super::judge`] decides.
    Failed(Box<Failure>),
    /// Somebody else has to move first.
    Wait(Wait),
    /// Nothing moves until Aiven's state changes: the poll of the VPC goes on from here.
    Park(Wait),
    /// A person has to act.
    Fix(Fix),
    /// It cannot be, and nobody wants it otherwise: nothing goes on until somebody asks again.
    Refuse(Fix),
    /// Storage failed: nothing is decided; the host delivers the message again.
    Store(StoreError),
    /// Only an earlier step can mend it.
    Back {
        /// The step to go back to.
        step: &'static str,
        /// Why, in a sentence.
        why: String,
        /// How long to wait before, nominal.
        after: Duration,
    },
}

impl Stop {
    /// Whether it says clearly that an act had no effect.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Failed(failure) => !failure.may_have_landed(),
            Self::Fix(_) | Self::Refuse(_) => true,
            Self::Wait(_) | Self::Park(_) | Self::Store(_) | Self::Back { .. } => false,
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// A wait: who has to move, why, how long until the next look, and when it is a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Who has to move.
    pub party: Party,
    /// Why, in a sentence.
    pub reason: String,
    /// What it is about, for machines: waits with the same code are one wait, with one deadline.
    pub code: String,
    /// Until the next look, nominal.
    pub delay: Duration,
    /// From the first of these waits until it is a fault, nominal.
    pub window: Duration,
    /// What a person does once it is a fault.
    pub overdue: String,
}

/// What a person has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What happened, in a sentence.
    pub what: String,
    /// Why, in a sentence.
    pub why: String,
    /// The exact command to run, or what to do.
    pub command: String,
    /// For machines.
    pub code: String,
    /// What the vendor's support asks for.
    pub correlation: Option<String>,
}

impl Fix {
    /// A fix that is ours alone to find: it asks for a report instead of a command.
    pub fn report(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: "this should not happen".to_owned(),
            command: "please report it to the maintainers with this text; `retry` tries again".to_owned(),
            code: "unexpected".to_owned(),
            correlation: None,
        }
    }
}

impl From<Fix> for Stop {
    fn from(fix: Fix) -> Self {
        Self::Fix(fix)
    }
}

impl From<Wait> for Stop {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}
