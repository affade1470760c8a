//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Starts Azure Storage, both clouds and the Functions host on this machine, sends a peering request, and shows it go to ACTIVE.
///
/// Nothing leaves the machine. Ctrl-C ends everything at any time.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo demo", bin_name = "cargo demo --")]
pub struct Arguments {
    /// Peer with the VPC of a project instead of an organization's
    #[arg(long)]
    pub project: bool,
    /// How many peerings to ask for; 50 are spread over 5 VPCs and 25 VNets
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=500))]
    pub peerings: u16,
    /// How many times faster than the clock on the wall everything runs
    #[arg(long, value_name = "X", default_value_t = 60.0, value_parser = scale)]
    pub time_scale: f64,
    /// Show the whole life of one peering: made, broken by Aiven and repaired, changed by a person and reported, deleted
    #[arg(long, conflicts_with_all = ["peerings", "func", "fault"])]
    pub lifecycle: bool,
    /// Keep everything running afterwards, and say how to send a request from another terminal
    #[arg(long)]
    pub serve: bool,
    /// Run the functions in the real host, Core Tools' `func`, if it is on PATH; timers then run in real time, and so does all else
    #[arg(long)]
    pub func: bool,
    /// Give each function an instance of its own, as Flex Consumption does: started by the first message, after so long; gone when idle
    #[arg(long, value_name = "8s", conflicts_with = "func", value_parser = seconds)]
    pub cold_start: Option<Duration>,
    /// Let something go wrong; "list" shows what there is. May be given more than once
    #[arg(long, value_name = "NAME")]
    pub fault: Vec<String>,
    /// Show the handler's own log lines
    #[arg(long)]
    pub verbose: bool,
    /// Give up after so many seconds on the wall [default: two hours of nominal time, and a minute]
    #[arg(long, value_name = "SECONDS")]
    pub time_limit: Option<u64>,
    #[arg(long, hide = true, requires = "guard")]
    folder: Option<PathBuf>,
    #[arg(long, hide = true, requires = "folder")]
    guard: Option<u32>,
}

/// What the guard tells the worker.
#[derive(Debug, Clone)]
pub struct Work {
    /// The folder of this run's files; the guard removes it.
    pub folder: PathBuf,
    /// Process id of the guard.
    pub guard: u32,
}

impl Arguments {
    /// The guard's word to the worker; `None`: this process is the guard.
    pub fn work(&self) -> Option<Work> {
        Some(Work { folder: self.folder.clone()?, guard: self.guard? })
    }

    /// How long to wait for the peerings, on the wall.
    pub fn limit(&self) -> Duration {
        let nominal = Duration::from_secs(2 * 3600).div_f64(self.time_scale);
        let each = Duration::from_secs(2) * u32::from(self.peerings);
        self.time_limit.map_or(nominal + Duration::from_secs(60) + each, Duration::from_secs)
    }
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale >= 1.0 => Ok(scale),
        _ => Err("give a number from 1 on: 60 makes a minute pass in a second".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number =
        text.strip_suffix('s').unwrap_or(text).parse().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    number.ok_or_else(|| "give seconds, such as 8s; they run as fast as all else".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cold_start_is_given_in_seconds() {
        let cold = |text: &str| Arguments::try_parse_from(["demo", "--cold-start", text]).ok()?.cold_start;
        assert_eq!((cold("8s"), cold("0.5")), (Some(Duration::from_secs(8)), Some(Duration::from_millis(500))));
        assert_eq!((cold("-1s"), cold("8m"), cold("")), (None, None, None));
    }
}
