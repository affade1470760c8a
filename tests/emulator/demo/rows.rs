//! Records and journal as anybody reads them who has a client of Table Storage.

use std::time::Duration;

use emulator::azurite::Entity;
use emulator::environment::Environment;
use jiff::Timestamp;
use serde_json::Value;

/// What the record of a peering says.
#[derive(Debug, Clone)]
pub struct Peering {
    /// Partition (the VPC) and VNet: what its journal's rows share.
    pub key: (String, String),
    /// For people.
    pub id: String,
    /// The VNet's resource id.
    pub vnet: String,
    /// Where it stands, in a word.
    pub status: String,
    /// The step that runs next.
    pub step: String,
    /// Steps that were done, in the order of their times.
    pub done: Vec<String>,
    /// Who is waited for, and why.
    pub waiting: Option<(String, String)>,
    /// What a person has to do.
    pub fault: Option<Fault>,
    /// Nothing is under way.
    pub resting: bool,
    /// It went through some steps more than once.
    pub again: bool,
}

/// What a person has to do.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to run.
    pub command: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// An entry of the journal.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Partition (the VPC) and VNet.
    pub key: (String, String),
    /// The row's own key.
    pub row: String,
    /// When.
    pub at: Timestamp,
    /// Which step made the commit.
    pub step: String,
    /// How it ended.
    pub outcome: String,
    /// What it says.
    pub note: String,
    /// Who is waited for.
    pub party: String,
}

/// Everything in table `peerings`.
#[derive(Debug, Default)]
pub struct Rows {
    /// The records.
    pub peerings: Vec<Peering>,
    /// The journal, in the order of time.
    pub journal: Vec<Entry>,
}

impl Rows {
    /// Reads the table.
    ///
    /// # Errors
    /// Storage did not answer.
    pub async fn read(environment: &Environment) -> Result<Self, String> {
        let table = environment.rows("peerings").await.map_err(|error| error.to_string())?;
        let mut journal: Vec<Entry> = table.iter().filter_map(entry).collect();
        journal.sort_by(|a, b| (a.at, &a.row).cmp(&(b.at, &b.row)));
        Ok(Self { peerings: table.iter().filter_map(peering).collect(), journal })
    }

    /// What to call a peering here: by its VNet's name, or by its id if several share that.
    pub fn label<'a>(&self, peering: &'a Peering) -> &'a str {
        let alike = self.peerings.iter().filter(|other| other.name() == peering.name()).count();
        if alike > 1 { &peering.id } else { peering.name() }
    }

    /// The record that an entry belongs to.
    pub fn of(&self, entry: &Entry) -> Option<&Peering> {
        self.peerings.iter().find(|peering| peering.key == entry.key)
    }
}

impl Peering {
    /// Its VNet's name.
    pub fn name(&self) -> &str {
        self.vnet.rsplit('/').next().unwrap_or_default()
    }

    /// How many steps come before this one.
    pub fn before(&self, step: &str) -> usize {
        self.done.iter().position(|done| done == step).unwrap_or(self.done.len())
    }

    /// A person has to act, and since so long (on the wall) that looking again has not helped.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        let since = self.fault.as_ref().and_then(|fault| fault.since);
        let age = since.map(|since| Timestamp::now().duration_since(since));
        self.status == "NeedsAttention"
            && age.and_then(|age| Duration::try_from(age).ok()).is_some_and(|age| age > patience)
    }
}

fn peering(row: &Entity) -> Option<Peering> {
    let vnet = text(row, "RowKey").strip_prefix("peering|")?.to_owned();
    let (waiting, fault, times) = (json(row, "waiting"), json(row, "fault"), json(row, "times"));
    Some(Peering {
        key: (text(row, "PartitionKey"), vnet),
        id: text(row, "id"),
        vnet: text(row, "vnet"),
        status: text(row, "status"),
        step: text(row, "step"),
        done: in_order(&times),
        resting: row.get("resting").and_then(Value::as_bool).unwrap_or_default(),
        again: times.get("started").is_some(),
        waiting: waiting.is_object().then(|| (who(member(&waiting, "party")), member(&waiting, "reason").to_owned())),
        fault: fault.is_object().then(|| Fault {
            what: member(&fault, "what").to_owned(),
            why: member(&fault, "why").to_owned(),
            command: member(&fault, "command").to_owned(),
            since: member(&fault, "since").parse().ok(),
        }),
    })
}

fn entry(row: &Entity) -> Option<Entry> {
    let key = text(row, "RowKey");
    let vnet = key.strip_prefix("journal|")?.split('|').next()?.to_owned();
    Some(Entry {
        key: (text(row, "PartitionKey"), vnet),
        row: key,
        at: text(row, "at").parse().ok()?,
        step: text(row, "step"),
        outcome: text(row, "outcome"),
        note: text(row, "note"),
        party: who(&text(row, "party")),
    })
}

/// The steps among the times, in their order; the first time is the request's.
fn in_order(times: &Value) -> Vec<String> {
    let at = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let mut done: Vec<(Timestamp, &String)> = times
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(step, _)| !matches!(step.as_str(), "requested" | "started"))
        .filter_map(|(step, time)| Some((at(time)?, step)))
        .collect();
    done.sort();
    done.into_iter().map(|(_, step)| step.clone()).collect()
}

fn who(party: &str) -> String {
    match party {
        "aiven" => "Aiven",
        "azure" => "Azure",
        "operator" => "you",
        "ourselves" => "another worker",
        other => other,
    }
    .to_owned()
}

fn text(row: &Entity, column: &str) -> String {
    row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A column that holds JSON as text.
fn json(row: &Entity, column: &str) -> Value {
    serde_json::from_str(&text(row, column)).unwrap_or_default()
}

fn member<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
