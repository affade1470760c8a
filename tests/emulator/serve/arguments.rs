//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use emulator::clouds::Lags;

/// Serves the emulated clouds to any client until standard input ends; says in one line of JSON where they are.
#[derive(Debug, Clone, Parser)]
pub struct Arguments {
    /// A folder for the CA's certificate and, with the app, its files
    #[arg(long)]
    pub folder: PathBuf,
    /// Nominal delays are divided by it. What is put on the wire as a delay is not
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub time_scale: f64,
    /// A delay of the clouds in nominal seconds, as in graph_replication=60; may be given more than once
    #[arg(long, value_name = "NAME=SECONDS", value_parser = lag)]
    pub lag: Vec<(Lag, Duration)>,
    /// Whose VPC the standard scene has
    #[arg(long, value_enum, default_value_t = Owner::Organization)]
    pub vpc: Owner,
    /// What a person makes in Azure before Aiven comes in is there: application, principals, roles
    #[arg(long)]
    pub prepared: bool,
    /// Run the function app, too: this executable
    #[arg(long, requires = "root")]
    pub handler: Option<PathBuf>,
    /// The repository, for the function app
    #[arg(long)]
    pub root: Option<PathBuf>,
}

/// Whose a VPC is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Owner {
    /// An organization's.
    Organization,
    /// A project's.
    Project,
    /// An organization's, and a second pair with a project's.
    Both,
}

/// The delays that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Lag {
    /// Until a new directory object is seen everywhere.
    GraphReplication,
    /// How long a network operation runs: also what clients are told to wait.
    ArmOperation,
    /// Until the user application's principal in Aiven's tenant is known to the token service.
    AivenPrincipal,
}

fn lag(text: &str) -> Result<(Lag, Duration), String> {
    let (name, seconds) = text.split_once('=').ok_or("write NAME=SECONDS")?;
    let seconds: f64 = seconds.parse().map_err(|_| format!("{seconds:?} is no number of seconds"))?;
    let nominal = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    Ok((Lag::from_str(name, true)?, nominal))
}

impl Arguments {
    /// The documented delays, but for those given.
    pub fn lags(&self) -> Lags {
        let mut lags = Lags::documented();
        for (lag, nominal) in &self.lag {
            let field = match lag {
                Lag::GraphReplication => &mut lags.graph_replication,
                Lag::ArmOperation => &mut lags.arm_operation,
                Lag::AivenPrincipal => &mut lags.aiven_principal,
            };
            *field = *nominal;
        }
        lags
    }
}
