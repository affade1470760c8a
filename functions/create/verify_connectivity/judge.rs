//! What was seen of one address of a service: can it be used from the VNet? And of all of them: the verdict. Pure.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value;

use crate::cloud::aiven::{AivenService, Component};
use crate::cloud::resolve;
use crate::peering::{Connectivity, Reach};

/// A longer filter, in bytes of JSON, is not repeated in a command.
const LONGEST_FILTER: usize = 1000;
/// More prefixes than these are not named one by one.
const MOST_NAMED: usize = 10;
/// What the list of services may take of a row's column, in UTF-16 units: half of what the column holds.
const MOST_UNITS: usize = 16 * 1024;

/// What a service is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Address space of the VNet.
    pub vnet: Vec<IpNet>,
    /// Address space of the VPC.
    pub vpc: Vec<IpNet>,
}

/// Whether a TCP connection was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tcp {
    /// It was, with this result.
    Tried(resolve::Reach),
    /// It was not, and why.
    NotTried(String),
}

/// Judges one address of a service.
pub fn judge(
    ground: &Ground,
    (project, service, component): (&str, &AivenService, &Component),
    addresses: Result<Vec<IpAddr>, String>,
    tcp: &Tcp,
) -> Reach {
    let not_admitted = not_admitted(ground, service);
    let mut wrong = Vec::new();
    wrong.extend(addresses.as_ref().err().cloned());
    let addresses = addresses.unwrap_or_default();
    wrong.extend(outside(ground, &addresses));
    wrong.extend(refusal(project, service, &not_admitted));
    wrong.extend(unreached(tcp, component.port));
    let good = wrong.is_empty();
    let verdict = match tcp {
        _ if !good => wrong.join("; "),
        Tcp::Tried(_) => "it resolves into the VPC, admits the VNet and takes connections".to_owned(),
        Tcp::NotTried(why) => format!("it resolves into the VPC and admits the VNet; TCP was not tried: {why}"),
    };
    Reach {
        service: format!("{project}/{}", service.name),
        component: component.name.clone(),
        host: component.host.clone(),
        port: component.port,
        addresses: addresses.into_iter().take(MOST_NAMED).collect(),
        not_admitted: not_admitted.into_iter().take(MOST_NAMED).collect(),
        connected: match tcp {
            Tcp::Tried(reach) => Some(*reach == resolve::Reach::Reached),
            Tcp::NotTried(_) => None,
        },
        verdict,
        good,
    }
}

/// Whether every address lies in the VPC's range.
pub fn is_inside(ground: &Ground, addresses: &[IpAddr]) -> bool {
    addresses.iter().all(|address| ground.vpc.iter().any(|range| range.contains(address)))
}

fn outside(ground: &Ground, addresses: &[IpAddr]) -> Option<String> {
    let stray = addresses.iter().find(|address| !is_inside(ground, &[**address]))?;
    Some(format!(
        "it resolves to {stray}, which is not in the VPC's range {}: the service is still moving into the VPC, or a name server in between answers with something else",
        listed(&ground.vpc)
    ))
}

/// Prefixes of the VNet that the filter does not cover, be it with several entries together. A VPC knows no IPv6.
fn not_admitted(ground: &Ground, service: &AivenService) -> Vec<IpNet> {
    let Some(filter) = &service.ip_filter else { return Vec::new() };
    let covered = IpNet::aggregate(filter);
    let of_vnet = ground.vnet.iter().filter(|prefix| matches!(prefix, IpNet::V4(_)));
    of_vnet.filter(|prefix| !covered.iter().any(|range| range.contains(*prefix))).copied().collect()
}

/// The usual cause of "active, but refused", and the command that mends it: it keeps the entries there are, for avn replaces them all.
fn refusal(project: &str, service: &AivenService, missing: &[IpNet]) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let what =
        format!("its IP filter does not admit {} of the VNet, so connections from there are refused", listed(missing));
    let entries = &service.ip_filter_entries;
    let name = &service.name;
    // avn takes a list as a Python literal (4.18.0), and text of JSON is one.
    let all: Value = entries.iter().cloned().chain(missing.iter().map(|range| range.to_string().into())).collect();
    let all = all.to_string();
    let command = if all.len() > LONGEST_FILTER {
        format!(
            "add them to ip_filter with `avn service update {name} --project {project} -c 'ip_filter=[…]'`, which replaces all {} entries: `avn service get {name} --project {project} --json` shows them",
            entries.len()
        )
    } else {
        format!("avn service update {name} --project {project} -c 'ip_filter={}'", all.replace('\'', "'\\''"))
    };
    Some(format!("{what}: {command}"))
}

fn unreached(tcp: &Tcp, port: u16) -> Option<String> {
    let Tcp::Tried(reach) = tcp else { return None };
    Some(match reach {
        resolve::Reach::Reached => return None,
        resolve::Reach::Refused => {
            format!("it refuses connections to port {port}: the service is starting, or a firewall on the way says so")
        }
        resolve::Reach::TimedOut => format!(
            "nothing answers on port {port}: a network security group, a route or the IP filter drops the traffic"
        ),
        resolve::Reach::NoRoute => {
            format!("the app's machine knows no way to port {port}: check the VNet integration's routes")
        }
    })
}

fn listed(ranges: &[IpNet]) -> String {
    let named: Vec<String> = ranges.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    match ranges.len().saturating_sub(MOST_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What was looked at, beside the addresses themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Services in the VPC, running or not.
    pub services: usize,
    /// What could not be looked at, and why.
    pub unseen: Option<String>,
}

/// The verdict on all of them. What is wrong comes first; what a row has no room for is left out, and counted.
pub fn verdict(scope: &Scope, mut reaches: Vec<Reach>, tcp: &Tcp, at: Timestamp) -> Connectivity {
    reaches.sort_by_key(|reach| reach.good);
    let bad = reaches.iter().filter(|reach| !reach.good).count();
    let mut summary = in_a_sentence(scope, &reaches, bad, tcp);
    if let Some(unseen) = &scope.unseen {
        summary = format!("{summary}; {unseen}");
    }
    let all = reaches.len();
    let services = fitting(reaches);
    Connectivity { at, summary, good: bad == 0, left_out: all - services.len(), services }
}

/// The verdict where nothing could be looked at.
pub fn not_checked(why: &str, at: Timestamp) -> Connectivity {
    Connectivity { at, summary: format!("not checked: {why}"), good: false, services: Vec::new(), left_out: 0 }
}

fn in_a_sentence(scope: &Scope, reaches: &[Reach], bad: usize, tcp: &Tcp) -> String {
    let all = reaches.len();
    match (reaches.first(), tcp) {
        (None, _) if scope.services == 0 => "no service is in the VPC yet: nothing to check".to_owned(),
        (None, _) => {
            format!("none of the {} services in the VPC runs and listens there: nothing to check", scope.services)
        }
        (Some(first), _) if bad > 0 => {
            let Reach { service, component, verdict, .. } = first;
            format!(
                "{bad} of {all} addresses of services cannot be used from the VNet: {service} ({component}): {verdict}"
            )
        }
        (_, Tcp::NotTried(why)) => format!(
            "{all} of {all} addresses of services resolve into the VPC and admit the VNet; TCP was not tried: {why}"
        ),
        (_, Tcp::Tried(_)) => {
            format!("{all} of {all} addresses of services resolve into the VPC, admit the VNet and take connections")
        }
    }
}

fn fitting(reaches: Vec<Reach>) -> Vec<Reach> {
    let mut left = MOST_UNITS;
    let fits = |reach: &Reach| {
        let units = serde_json::to_string(reach).map_or(MOST_UNITS, |text| text.encode_utf16().count() + 1);
        left = left.checked_sub(units)?;
        Some(())
    };
    let mut fits = fits;
    reaches.into_iter().map_while(|reach| fits(&reach).map(|()| reach)).collect()
}
