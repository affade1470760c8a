//! What it came to: both halves of every peering as the clouds have them, what it took, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::clouds::{Pair, Service, World};
use emulator::environment::Environment;
use jiff::Timestamp;

use crate::rows::{Peering, Rows};
use crate::screen::{Look, Screen, WIDTH};
use crate::stage::Stage;
use crate::words::{clock, count, seconds, wrap};

/// More pairs than that are told by VPC.
const MANY: usize = 12;

/// A pair as both clouds see it.
struct Seen {
    /// State of the connection at Aiven.
    connection: String,
    /// State of the half on the user's VNet.
    ours: String,
    /// State of the half on Aiven's network.
    theirs: String,
}

impl Seen {
    fn of(world: &World, pair: &Pair) -> Self {
        let connections = world.connections(&pair.vpc_id, &pair.vnet);
        let connection = match connections.as_slice() {
            [] => "none".to_owned(),
            [one] => one.state.clone(),
            several => format!("{} of them", several.len()),
        };
        let network = world.aiven_vpc(&pair.vpc_id).map(|vpc| vpc.azure_vnet.clone()).unwrap_or_default();
        let half = |at: &str, to: &str| world.half(at, to).map_or_else(|| "none".to_owned(), |half| half.state.clone());
        Self { connection, ours: half(&pair.vnet, &network), theirs: half(&network, &pair.vnet) }
    }

    fn is_peered(&self) -> bool {
        self.connection == "ACTIVE" && self.ours == "Connected" && self.theirs == "Connected"
    }
}

/// Shows it; whether every pair is peered, as the clouds have it and as its record says.
///
/// # Errors
/// Storage did not answer.
pub async fn show(
    environment: &Environment,
    stage: &Stage,
    began: Timestamp,
    scale: f64,
    screen: &mut Screen,
) -> Result<bool, String> {
    let took = Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default();
    let rows = Rows::read(environment).await?;
    let seen: Vec<Seen> = {
        let world = environment.clouds.world();
        stage.asked.iter().map(|pair| Seen::of(&world, pair)).collect()
    };
    let records: Vec<Option<&Peering>> = stage.asked.iter().map(|pair| record(&rows, pair)).collect();
    let well = |at: usize| seen[at].is_peered() && records[at].is_some_and(|record| record.status == "Active");
    let done = (0..seen.len()).filter(|at| well(*at)).count();
    table(stage, &seen, &records, screen);
    for record in records.iter().enumerate().filter(|(at, _)| !well(*at)).filter_map(|(_, record)| *record) {
        wrong(record, screen);
    }
    took_what(environment, took, scale, screen);
    let look = if done == seen.len() { Look::Good } else { Look::Bad };
    let all = count(seen.len(), "peering");
    screen.line(look, &format!("{done} of {all} ACTIVE at Aiven and Connected in Azure, as the clouds have it"));
    Ok(done == seen.len())
}

fn record<'a>(rows: &'a Rows, pair: &Pair) -> Option<&'a Peering> {
    rows.peerings.iter().find(|row| row.key.0.ends_with(&pair.vpc_id) && row.vnet.eq_ignore_ascii_case(&pair.vnet))
}

/// A line a pair; of many pairs those that are well are one line a VPC.
fn table(stage: &Stage, seen: &[Seen], records: &[Option<&Peering>], screen: &mut Screen) {
    let mut rows = vec![["peering", "VNet", "record", "at Aiven", "our half", "its half"].map(str::to_owned)];
    let mut well: BTreeMap<&str, usize> = BTreeMap::new();
    for ((pair, seen), record) in stage.asked.iter().zip(seen).zip(records) {
        let (id, status) = record.map_or(("-", "none"), |record| (&record.id, &record.status));
        if stage.asked.len() > MANY && seen.is_peered() && status == "Active" {
            *well.entry(&pair.vpc_id).or_default() += 1;
        } else {
            let vnet = pair.vnet.rsplit('/').next().unwrap_or_default();
            rows.push([id, vnet, status, &seen.connection, &seen.ours, &seen.theirs].map(str::to_owned));
        }
    }
    for (vpc, number) in well {
        let all = format!("{number} of VPC {}", vpc.split('-').next().unwrap_or_default());
        rows.push([all, "-".into(), "Active".into(), "ACTIVE".into(), "Connected".into(), "Connected".into()]);
    }
    screen.blank();
    for (index, line) in aligned(&rows).iter().enumerate() {
        screen.line(if index == 0 { Look::Faint } else { Look::Plain }, line);
    }
    screen.blank();
}

/// Columns as wide as what they hold.
fn aligned(rows: &[[String; 6]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        format!("  {}", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

/// What is wrong with a peering, and what to run.
fn wrong(record: &Peering, screen: &mut Screen) {
    let mut told = |name: &str, text: &str| {
        for (index, line) in wrap(text, WIDTH - 16).iter().enumerate() {
            screen.line(Look::Bad, &format!("  {:14}{line}", if index == 0 { name } else { "" }));
        }
    };
    told(&record.id, &format!("{} at step {}", record.status, record.step));
    match (&record.fault, &record.waiting) {
        (Some(fault), _) => {
            told("what", &fault.what);
            told("why", &fault.why);
        }
        (None, Some((who, why))) => told("waiting for", &format!("{who}: {why}")),
        (None, None) => {}
    }
    if let Some(fault) = &record.fault {
        screen.line(Look::Bad, "  do");
        // Not broken into lines: it is there to be copied.
        screen.line(Look::Strong, &format!("    {}", fault.command));
    }
    screen.blank();
}

fn took_what(environment: &Environment, took: Duration, scale: f64, screen: &mut Screen) {
    let calls = environment.clouds.calls_by_service();
    let of = |service: Service| calls.get(&service).copied().unwrap_or(0);
    let [aiven, entra, graph, arm, identity, vault] =
        [Service::Aiven, Service::Entra, Service::Graph, Service::Arm, Service::Identity, Service::KeyVault].map(of);
    let all = aiven + entra + graph + arm + identity + vault;
    let vault = if vault == 0 { String::new() } else { format!(", Key Vault {vault}") };
    let text =
        format!("{all}: Aiven {aiven}, ARM {arm}, Graph {graph}, Entra {entra}, managed identity {identity}{vault}");
    screen.fact("API calls", &text);
    let counts = environment.supervisor.counts();
    let messages: usize = counts.messages.values().map(BTreeSet::len).sum();
    let delivered: u64 = counts.delivered.values().sum();
    screen.fact("messages", &format!("{messages}, delivered {delivered} times; {} given up", counts.poisoned));
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let (launches, crashes) = (count(number(counts.launches), "time"), number(counts.crashes));
    let text = format!(
        "launched {launches} by {}; it crashed {}",
        count(number(counts.hosts), "host"),
        count(crashes, "time")
    );
    screen.fact("handler", &text);
    let nominal = clock(took.mul_f64(scale));
    screen.fact("time", &format!("{} on the wall, {nominal} nominal ({scale} times faster)", seconds(took)));
    screen.blank();
}
