//! How any step runs: look, claim, act, commit, send; outcomes, deadlines, clock.

mod classify;
mod clock;
mod failure;
mod message;
mod outcome;

pub use classify::{Class, Rule, Since, Verdict, classify, may_have_landed};
pub use clock::{Clock, SystemClock, TimeScale};
pub use failure::{Failure, Service};
pub use message::{Delivery, PollMessage, StepMessage, Versioned, queue_of};
pub use outcome::{Act, Fix, Look, Stop, Wait};
