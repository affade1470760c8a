//! `cargo demo`: the whole project on one machine, from a request on a queue to a peering that both clouds confirm, shown live.
//!
//! The process that is started is a [`guard`]: it runs the demo proper (the [`worker`]) as another process in a process
//! group of its own, and whatever happens ends that whole group, so nothing is ever left running.
//!
//! - [`arguments`]: the command line          - [`checks`], [`build`]: what must be there before anything starts
//! - [`stage`]: who is to be peered           - [`trouble`]: what is to go wrong
//! - [`rows`]: records and journal, as read   - [`follow`]: shows them live, on the [`screen`]; [`tally`]: many of them
//! - [`lifecycle`]: one peering from its request to its deletion
//! - [`summary`]: what the clouds say         - [`serve`]: how to send a request of one's own
//!
//! It knows the product by its tables and folders only.

mod arguments;
mod build;
mod checks;
mod follow;
mod func;
mod guard;
mod lifecycle;
mod rows;
mod runbook;
mod screen;
mod serve;
mod stage;
mod summary;
mod tally;
mod trouble;
mod words;
mod worker;

use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser as _;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.func {
        arguments.time_scale = 1.0;
    }
    if arguments.fault.iter().any(|name| name == "list") {
        print!("{}", trouble::list());
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = arguments.fault.iter().find(|name| !trouble::is_known(name)) {
        eprint!("there is no fault {unknown:?}; these there are:\n\n{}", trouble::list());
        return ExitCode::from(2);
    }
    match arguments.work() {
        Some(work) => worker::main(&arguments, &work),
        None => guard::main(),
    }
}
