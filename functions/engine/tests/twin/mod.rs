//! The engine over twins of storage and clouds: every interleaving of workers, deaths at any operation, duplicates, early sweeps.
//!
//! The same exploration as the models of the rules, with the real code: a run is a sequence of choices (who goes on, who dies,
//! what is delivered), replayed from the start; all sequences within a budget are tried, depth first.

mod choices;
mod driver;
mod effects;
mod one;
mod pairs;
mod requests;
mod single;
mod stepped;
mod world;

use choices::Choices;
use driver::{Budget, Driver};
use effects::{Asked, Found, Leave, Make, MakeShared, Pass, Unmake, UnmakeShared};
use world::World;
