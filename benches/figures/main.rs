//! The figures that the project holds itself to, measured on this machine and printed beside their goals; and what Azure charges
//! for the operations that were counted. Writes no file but below `target/`.
//!
//! ```text
//! cargo figures             the table
//! cargo figures -- --calls and every API call and storage request behind it, by the function that made it
//! HANDLER=… cargo figures   of this handler, such as the packaged one, instead of one built for it
//! ```
//!
//! The handler is the release build, as it is deployed. Azurite is the real one; the Functions host and the clouds are
//! the emulated ones, unoptimised, and without lags unless a line says otherwise. A goal that is missed is said aloud; it
//! fails nothing, for a busy machine must not.
#![allow(clippy::disallowed_methods, reason = "figures are measured on the wall clock")]

mod at_rest;
mod costs;
mod flex;
mod ledger;
mod one_peering;
mod poll_rounds;
mod prices;
mod process;
mod recorder;
mod report;
mod scene;
mod seen;
mod timeline;

use std::process::ExitCode;

use report::Report;

/// What can go wrong is told, not handled.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut report = Report::new(std::env::args().any(|argument| argument == "--calls"));
    let measured = measure(&mut report).await;
    process::load(&mut report);
    report.print();
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the other figures could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(report: &mut Report) -> Outcome<()> {
    let handler = match std::env::var_os("HANDLER") {
        Some(handler) => std::path::absolute(handler)?,
        None => process::build()?,
    };
    process::size(&handler, report)?;
    let peerings = one_peering::measure(&handler, report).await?;
    let instances = flex::measure(&handler, report).await?;
    poll_rounds::measure(&handler, report).await?;
    let rest = at_rest::measure(&handler, report).await?;
    costs::reckon(&rest, &peerings, &instances, report)
}
