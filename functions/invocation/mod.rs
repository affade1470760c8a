//! The custom-handler protocol of Azure Functions: an invocation in, an answer out. A leaf: it knows no function.
//!
//! - `decode`: what the host sends.
//! - `serve`: one route a function, answers that the host takes, and the end when the host is gone.

mod decode;
mod serve;

pub use decode::{BadInvocation, Invocation, Trigger};
pub use serve::{Function, Functions, end_with_host, router};
