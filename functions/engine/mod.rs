//! How any step runs: look, claim, act, commit, send; outcomes, deadlines.
//!
//! - `run`: the five rules, in the order in which they happen; what dying between any two lines does.
//! - `workflow`: what a kind of row needs to be moved: the record of a peering, a request for a VPC.
//! - `settle`: what an outcome makes of a row. Pure.
//! - `classify`: what to make of a failed call. Pure.
//! - `outside`: commits that no step makes: requests, the poll, the sweep.
//! - `ensure`: making what several peerings share, once. `remove`: removing it, when nobody uses it any more.
//! - `cause`: what stops every peering is told once.

mod cause;
mod classify;
mod ensure;
mod functions;
mod message;
mod outcome;
mod outside;
mod remove;
mod run;
mod settle;
mod step;
mod tell;
#[cfg(test)]
pub(crate) mod tests;
mod workflow;

pub use classify::{Class, Rule, Since, Verdict, classify};
pub use ensure::{Known, SharedEffect};
pub use functions::{FunctionSpec, Message, RECONCILE_VPC, REQUESTS, Timer, Trigger, VPC_REQUESTS};
pub use message::{
    Delivery, POLL_VPC, PollMessage, ReconcileMessage, StepMessage, VpcMessage, is_newer, queue_of, to_text,
};
pub use outcome::{Act, Fix, Look, Stop, Wait};
pub use remove::Uses;
pub use run::{Engine, RunError};
pub use step::{Entry, Job, Judgement, Polled, Remedy, Runbook, Runbooks, Step, step};
pub use tell::tell_if_late;
pub use workflow::{Hint, Names, Workflow};
