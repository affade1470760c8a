//! How any step runs: look, claim, act, commit, send; outcomes, deadlines, clock.

mod clock;
mod failure;

pub use clock::{Clock, SystemClock, TimeScale};
pub use failure::{Failure, Service};
