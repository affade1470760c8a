//! What is to go wrong: the faults of the clouds by name, and those of the host.

use std::time::Duration;

use emulator::clouds::{Clouds, Fault};
use emulator::host::{Duplicate, Event, Supervisor};
use tokio::sync::broadcast::error::RecvError;

/// Faults of the host, each with a line that says what goes wrong.
const OF_THE_HOST: [(&str, &str); 3] = [
    (HANDLER_KILLED, "the handler is killed (SIGKILL) at every seventh call of a function"),
    (HOST_KILLED, "the Functions host is killed at every fifteenth call of a function"),
    (TWICE, "every message is delivered twice"),
];
const HANDLER_KILLED: &str = "handler-killed";
const HOST_KILLED: &str = "host-killed";
const TWICE: &str = "twice";
const HANDLER_EVERY: u32 = 7;
const HOST_EVERY: u32 = 15;
/// How long a call is let run before it is struck, on the wall: most are in the middle of their work then.
const INTO_A_CALL: Duration = Duration::from_millis(5);

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    Fault::NAMES.iter().copied().chain(OF_THE_HOST)
}

/// Whether there is a fault of this name.
pub fn is_known(name: &str) -> bool {
    all().any(|(known, _)| known == name)
}

/// What goes wrong, in a line.
pub fn meaning(name: &str) -> &'static str {
    all().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning)
}

/// All faults, a line each.
pub fn list() -> String {
    let longest = all().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, meaning): (&str, &str)| {
        let text = crate::words::wrap(meaning, 80 - longest - 4).join(&format!("\n{:longest$}    ", ""));
        format!("  {name:longest$}  {text}\n")
    };
    all().map(line).collect()
}

/// How messages are delivered.
pub fn duplicate(names: &[String]) -> Duplicate {
    if names.iter().any(|name| name == TWICE) { Duplicate::Each } else { Duplicate::None }
}

/// Makes the trouble that is the clouds' to make.
pub fn in_the_clouds(names: &[String], clouds: &Clouds) {
    for fault in names.iter().filter_map(|name| Fault::by_name(name)).flatten() {
        clouds.fault(fault);
    }
}

/// Makes the host's trouble, as long as it is awaited; it never ends by itself.
pub async fn in_the_host(names: &[String], supervisor: &Supervisor) {
    let wanted = |name: &str| names.iter().any(|given| given == name);
    let (kill_handler, kill_host) = (wanted(HANDLER_KILLED), wanted(HOST_KILLED));
    let mut events = supervisor.events().subscribe();
    let mut calls = 0_u32;
    loop {
        match events.recv().await {
            Ok(Event::Started(_)) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            // The host's events go on as long as the host does.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
        calls += 1;
        if kill_handler && calls.is_multiple_of(HANDLER_EVERY) {
            tokio::time::sleep(INTO_A_CALL).await;
            supervisor.kill_handler();
        }
        if kill_host && calls.is_multiple_of(HOST_EVERY) {
            tokio::time::sleep(INTO_A_CALL).await;
            supervisor.kill_host();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, all, is_known, list};

    #[test]
    fn every_fault_has_one_name_and_a_meaning_and_the_list_fits_a_terminal() {
        for (name, meaning) in all() {
            assert!(!meaning.is_empty(), "{name}");
            assert_eq!(all().filter(|(other, _)| *other == name).count(), 1, "{name}");
        }
        assert!(list().lines().all(|line| line.chars().count() <= 80));
        assert!(Fault::NAMES.iter().all(|(name, _)| Fault::by_name(name).is_some() && is_known(name)));
        assert!(!is_known("no-such-fault"));
    }
}
