//! What it came to: both halves of every peering as the clouds have them, what it took, and what is wrong.

use std::time::Duration;

use emulator::clouds::{Pair, Service, World};
use emulator::environment::Environment;
use jiff::Timestamp;

use crate::rows::{Peering, Rows};
use crate::screen::{Look, Screen, WIDTH};
use crate::stage::Stage;
use crate::words::{clock, count, seconds, wrap};

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

fn table(stage: &Stage, seen: &[Seen], records: &[Option<&Peering>], screen: &mut Screen) {
    screen.blank();
    let line = |columns: [&str; 6]| {
        let [id, vnet, status, aiven, ours, theirs] = columns;
        format!("  {id:14}{vnet:9}{status:16}{aiven:14}{ours:13}{theirs}")
    };
    screen.line(Look::Faint, &line(["peering", "VNet", "record", "at Aiven", "VNet's half", "Aiven's half"]));
    for ((pair, seen), record) in stage.asked.iter().zip(seen).zip(records) {
        let vnet = pair.vnet.rsplit('/').next().unwrap_or_default();
        let (id, status) = record.map_or(("-", "none"), |record| (&record.id, &record.status));
        let look = if seen.is_peered() { Look::Plain } else { Look::Bad };
        screen.line(look, &line([id, vnet, status, &seen.connection, &seen.ours, &seen.theirs]));
    }
    screen.blank();
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
    let [aiven, entra, graph, arm, identity] =
        [Service::Aiven, Service::Entra, Service::Graph, Service::Arm, Service::Identity].map(of);
    let all = aiven + entra + graph + arm + identity;
    let text = format!(
        "{all}: Aiven {aiven}, Resource Manager {arm}, Graph {graph}, Entra {entra}, managed identity {identity}"
    );
    screen.fact("API calls", &text);
    let counts = environment.supervisor.counts();
    let messages: usize = counts.messages.values().map(std::collections::BTreeSet::len).sum();
    let delivered: u64 = counts.delivered.values().sum();
    screen.fact("messages", &format!("{messages}, delivered {delivered} times, {} given up", counts.poisoned));
    let hosts = usize::try_from(counts.hosts).unwrap_or(usize::MAX);
    let text = format!("launched {} times by {}, {} crashes", counts.launches, count(hosts, "host"), counts.crashes);
    screen.fact("handler", &text);
    let nominal = clock(took.mul_f64(scale));
    screen.fact("time", &format!("{} on the wall, {nominal} nominal ({scale} times faster)", seconds(took)));
    screen.blank();
}
