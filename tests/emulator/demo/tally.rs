//! Many peerings in a line: how many stand where, and for whom how many wait.

use std::collections::BTreeMap;

use crate::rows::Rows;

/// Where a peering stands, in the order of the runbook.
const STATUSES: [&str; 11] = [
    "Requested",
    "Authorizing",
    "WaitingForAiven",
    "Peering",
    "WaitingForActive",
    "NeedsAttention",
    "Drifted",
    "Paused",
    "Deleting",
    "Deleted",
    "Active",
];

/// How many peerings stand where, and for whom how many wait.
pub fn tally(rows: &Rows) -> String {
    let at = |status: &&str| rows.peerings.iter().filter(|peering| peering.status == *status).count();
    let counts = STATUSES.iter().map(|status| (status, at(status))).filter(|(_, count)| *count > 0);
    counts.map(|(status, count)| format!("{status} {count}")).collect::<Vec<_>>().join(", ") + &waited_for(rows)
}

fn waited_for(rows: &Rows) -> String {
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    for (who, _) in rows.peerings.iter().filter_map(|peering| peering.waiting.as_ref()) {
        *waits.entry(who).or_default() += 1;
    }
    let waits: Vec<String> = waits.iter().map(|(who, count)| format!("{count} for {who}")).collect();
    if waits.is_empty() { String::new() } else { format!("; waiting: {}", waits.join(", ")) }
}
