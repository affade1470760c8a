//! The ranges beyond the VNet's own that Aiven routes to it: changed on a connection of ours without an outage, never on an adopted one.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::cloud::aiven::Connection;
use crate::create::connection::add_command;
use crate::engine::{Fix, Look, Stop};
use crate::peering::{Provenance, Record};

/// What is to be changed, as Aiven spells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Asked for, and not there.
    pub add: Vec<String>,
    /// There because it was asked for once, and is not any more. What a person added stays.
    pub delete: Vec<String>,
}

/// Whether a connection routes what was asked for.
///
/// # Errors
/// A fix, where it is not ours to change.
pub fn as_asked(record: &Record, connection: &Connection) -> Result<Look, Stop> {
    let change = change(record, connection);
    if record.provenance.aiven == Some(Provenance::Adopted) {
        return if change.add.is_empty() { Ok(Look::Done) } else { Err(lacks(record, connection, &change.add).into()) };
    }
    Ok(if change == Change::default() { Look::Done } else { Look::Missing })
}

/// What is to be changed of a connection of ours.
pub fn change(record: &Record, connection: &Connection) -> Change {
    let wanted: BTreeSet<Ipv4Net> = record.options.user_peer_network_cidrs.iter().map(Ipv4Net::trunc).collect();
    let once: BTreeSet<Ipv4Net> = record.facts.routed.iter().map(Ipv4Net::trunc).collect();
    let there = |text: &String| text.parse::<Ipv4Net>().map(|range| range.trunc()).ok();
    let routed = &connection.user_peer_network_cidrs;
    let found: BTreeSet<Ipv4Net> = routed.iter().filter_map(there).collect();
    let surplus = |text: &&String| there(text).is_some_and(|range| once.contains(&range) && !wanted.contains(&range));
    Change {
        add: wanted.difference(&found).map(ToString::to_string).collect(),
        delete: routed.iter().filter(surplus).cloned().collect(),
    }
}

/// What a person does about an adopted connection that lacks a range.
fn lacks(record: &Record, connection: &Connection, add: &[String]) -> Fix {
    let asked: Vec<_> = record.options.user_peer_network_cidrs.iter().map(ToString::to_string).collect();
    let routed = &connection.user_peer_network_cidrs;
    let routed = if routed.is_empty() { "no range beyond the VNet's own".to_owned() } else { routed.join(", ") };
    Fix {
        what: format!("Aiven's connection routes {routed} to the VNet, and {} was asked for", asked.join(", ")),
        why: "the connection was there before this peering was asked for, so it is not ours to change".to_owned(),
        command: format!(
            "{}; or send action \"update\" without the range",
            add_command(&record.key.vpc, connection, add)
        ),
        code: "ranges_differ".to_owned(),
        correlation: None,
    }
}
