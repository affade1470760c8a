//! A fixture: the rows and messages of a program that was stopped. Rows are as the table service has them on the wire; ids and instants
//! are placeholders, so that they fit whatever clouds and whatever day.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use emulator::clouds::{AIVEN_APPLICATION, Pair, World};
use functions::clock::Clock;
use functions::peering::Request;
use functions::storage::{Content, Entity, Storage, Value};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::{Simulation, message};

const TABLES: [&str; 4] = ["peerings", "vpcs", "shared", "rejected"];
/// How many entries of a journal are kept.
const ENTRIES: usize = 3;
/// What the host leases a message for, and more.
const LONG: Duration = Duration::from_secs(7 * 24 * 3600);

/// Rows and messages.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fixture {
    /// The rows of each table.
    pub tables: BTreeMap<String, Vec<Map<String, Json>>>,
    /// The messages of each queue.
    pub queues: BTreeMap<String, Vec<Message>>,
}

/// A message in a queue.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When it can be received.
    pub visible: String,
    /// How often it was received.
    pub deliveries: u64,
    /// Its text.
    pub text: String,
}

/// What stands for what.
pub type Names = Vec<(String, String)>;

/// The ids of the clouds and of the pairs, in an order that is the same for each run. Longer ones first: some hold others.
pub fn names(world: &World, pairs: &[Pair]) -> Names {
    let mut names: Names = Vec::new();
    let mut add = |name: String, value: &str| {
        let lower = value.to_lowercase();
        if lower != value {
            names.push((format!("{{{name}|lower}}"), lower));
        }
        names.push((format!("{{{name}}}"), value.to_owned()));
    };
    add("home_tenant".to_owned(), &world.home_tenant);
    add("aiven_tenant".to_owned(), &world.aiven_tenant);
    add("identity".to_owned(), &world.identity_client_id);
    for (n, pair) in pairs.iter().enumerate() {
        let request = Request::parse(&message("create", pair, &json!({}))).unwrap();
        add(format!("peering{n}"), &request.key().unwrap().id());
    }
    world.organizations.iter().enumerate().for_each(|(n, one)| add(format!("organization{n}"), &one.id));
    world.subscriptions.iter().enumerate().for_each(|(n, one)| add(format!("subscription{n}"), &one.id));
    world.role_definitions.iter().enumerate().for_each(|(n, one)| add(format!("role{n}"), &one.name));
    world.role_assignments.iter().enumerate().for_each(|(n, one)| add(format!("assignment{n}"), &one.name));
    world.service_principals.iter().enumerate().for_each(|(n, one)| add(format!("principal{n}"), &one.id));
    for (n, application) in world.applications.iter().enumerate() {
        add(format!("application{n}"), &application.app_id);
        add(format!("application{n}.object"), &application.id);
        let credentials = application.federated_credentials.iter().enumerate();
        credentials.for_each(|(c, one)| add(format!("application{n}.credential{c}"), &one.id));
    }
    for (n, vpc) in world.aiven_vpcs.iter().enumerate() {
        add(format!("vpc{n}"), &vpc.id);
        add(format!("vpc{n}.vnet"), &vpc.azure_vnet);
        vpc.connections.iter().enumerate().for_each(|(c, one)| add(format!("vpc{n}.connection{c}"), &one.id));
    }
    names.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    names
}

/// The folder of a schema's fixtures.
pub fn folder(schema: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../upgrade/schema{schema}"))
}

impl Fixture {
    /// What the program of schema 1 left at a point.
    pub fn read(point: &str) -> Self {
        let path = folder(1).join(format!("{point}.json"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Takes down what a stopped simulation's storage holds. Its time runs out with it: the hidden messages have to be seen.
    pub async fn of(sim: &Simulation, pairs: &[Pair]) -> Self {
        let (now, names) = (sim.clock.now(), names(&sim.world(), pairs));
        let mut tables = BTreeMap::new();
        for table in TABLES {
            let rows = without_old_entries(sim.rows(table).await);
            tables.insert(table.to_owned(), rows.iter().map(to_json).collect());
        }
        let mut queues: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        while let Some((queue, at)) = sim.next_visible() {
            tokio::time::advance(sim.clock.until(at)).await;
            for message in sim.storage.queues.receive(&queue, 32, LONG).await.unwrap() {
                let Content::Text(text) = message.content() else { panic!("{message:?}") };
                let (id, visible, deliveries) =
                    (message.id.clone(), at.max(now).to_string(), message.dequeue_count - 1);
                queues.entry(queue.clone()).or_default().push(Message { id, visible, deliveries, text });
                sim.storage.queues.delete(&queue, &message).await.unwrap();
            }
        }
        let text = serde_json::to_string_pretty(&Self { tables, queues }).unwrap();
        serde_json::from_str(&constant(&relative(&named(&text, &names), now))).unwrap()
    }

    /// With the ids of some clouds, and the instants of a present.
    pub fn with(&self, names: &Names, now: Timestamp) -> Self {
        let text = serde_json::to_string(self).unwrap();
        let text = names.iter().fold(text, |text, (name, value)| text.replace(name, value));
        let mut after = text.split('{').skip(1).filter(|rest| !rest.starts_with("now"));
        let unknown = after.find(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        assert!(unknown.is_none(), "the clouds do not stand as they did: {{{}", &unknown.unwrap()[..20]);
        serde_json::from_str(&absolute(&text, now)).unwrap()
    }

    /// Puts everything into a storage in which nothing is under way. The rows are there before a message of theirs can be delivered.
    pub async fn put_into(&self, storage: &Storage, now: Timestamp) {
        let queues = &storage.queues;
        let mut text = serde_json::to_string(&self.tables).unwrap();
        let mut last = Vec::new();
        for (queue, messages) in &self.queues {
            queues.create_queue_if_missing(queue).await.unwrap();
            for message in messages {
                let hidden =
                    Duration::try_from(message.visible.parse::<Timestamp>().unwrap() - now).unwrap_or_default();
                match message.deliveries {
                    0 => last.push((queue, &message.text, hidden)),
                    1 => {
                        queues.send(queue, &message.text, Duration::ZERO).await.unwrap();
                        let received = queues.receive(queue, 32, hidden).await.unwrap();
                        let (old, new) = (&message.id, &received.last().unwrap().id);
                        // What is in a column of JSON is quoted twice.
                        for end in ["\"", "\\"] {
                            text = text.replace(&format!("{old}{end}"), &format!("{new}{end}"));
                        }
                    }
                    more => panic!("delivered {more} times: no fixture has that"),
                }
            }
        }
        let tables: BTreeMap<String, Vec<Map<String, Json>>> = serde_json::from_str(&text).unwrap();
        for (table, rows) in &tables {
            storage.tables.create_table_if_missing(table).await.unwrap();
            for row in rows {
                storage.tables.upsert(table, &from_json(row)).await.unwrap();
            }
        }
        for (queue, text, hidden) in last {
            queues.send(queue, text, hidden).await.unwrap();
        }
    }
}

/// The journal is only ever added to: of each peering's, the last entries do.
fn without_old_entries(rows: Vec<Entity>) -> Vec<Entity> {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut kept: Vec<Entity> = rows.into_iter().rev().collect();
    kept.retain(|row| {
        let Some((journal, _)) = row.row.rsplit_once('|').filter(|(kind, _)| kind.starts_with("journal|")) else {
            return true;
        };
        let count = seen.entry((row.partition.clone(), journal.to_owned())).or_default();
        *count += 1;
        *count <= ENTRIES
    });
    kept.reverse();
    kept
}

/// A row as the table service has it on the wire.
fn to_json(entity: &Entity) -> Map<String, Json> {
    let mut row = Map::new();
    row.insert("PartitionKey".to_owned(), json!(entity.partition));
    row.insert("RowKey".to_owned(), json!(entity.row));
    for (name, value) in &entity.properties {
        let (value, kind) = match value {
            Value::String(text) => (json!(text), None),
            Value::Bool(truth) => (json!(truth), None),
            Value::Long(number) => (json!(number.to_string()), Some("Edm.Int64")),
            Value::DateTime(instant) => (json!(instant.to_string()), Some("Edm.DateTime")),
            Value::Binary(bytes) => (json!(BASE64_STANDARD.encode(bytes)), Some("Edm.Binary")),
            other => panic!("no column is of this type: {other:?}"),
        };
        row.insert(name.clone(), value);
        if let Some(kind) = kind {
            row.insert(format!("{name}@odata.type"), json!(kind));
        }
    }
    row
}

fn from_json(row: &Map<String, Json>) -> Entity {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let mut entity = Entity::new(text("PartitionKey"), text("RowKey"));
    for (name, value) in row {
        if matches!(name.as_str(), "PartitionKey" | "RowKey") || name.contains('@') {
            continue;
        }
        let kind = row.get(&format!("{name}@odata.type")).and_then(Json::as_str);
        let value = match (kind, value) {
            (Some("Edm.Int64"), _) => Value::Long(text(name).parse().unwrap()),
            (Some("Edm.DateTime"), _) => Value::DateTime(text(name).parse().unwrap()),
            (Some("Edm.Binary"), _) => Value::Binary(BASE64_STANDARD.decode(text(name)).unwrap()),
            (None, Json::Bool(truth)) => Value::Bool(*truth),
            (None, Json::String(text)) => Value::String(text.clone()),
            other => panic!("{name}: {other:?}"),
        };
        entity = entity.with(name, value);
    }
    entity
}

fn named(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(value, name))
}

/// Instants as distances from a present: `{now-12.5s}`.
fn relative(text: &str, now: Timestamp) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let length = rest[at..].find(|c: char| !(c.is_ascii_digit() || "-:.TZ".contains(c))).unwrap_or(rest.len() - at);
        let (before, word) = (&rest[..at], &rest[at..at + length]);
        done.push_str(before);
        match word.parse::<Timestamp>() {
            Ok(instant) => done.push_str(&format!("{{now{:+.6}s}}", instant.duration_since(now).as_secs_f64())),
            Err(_) => done.push_str(word),
        }
        rest = &rest[at + length..];
    }
    done + rest
}

fn absolute(text: &str, now: Timestamp) -> String {
    let mut parts = text.split("{now");
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (seconds, rest) = part.split_once("s}").unwrap();
        let instant = now + SignedDuration::from_secs_f64(seconds.parse().unwrap());
        done.push_str(&instant.to_string());
        done.push_str(rest);
    }
    done
}

/// The ids of single calls, to which nothing refers, are all one.
fn constant(text: &str) -> String {
    let mut parts = text.split("correlation");
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let id = part.find(|c: char| c.is_ascii_hexdigit()).filter(|at| *at < 8).and_then(|at| part.get(at..at + 36));
        done.push_str("correlation");
        done.push_str(&match id.filter(|id| Uuid::try_parse(id).is_ok()) {
            Some(id) => part.replacen(id, "00000000-0000-4000-8000-000000000000", 1),
            None => part.to_owned(),
        });
    }
    assert_known(&done);
    done
}

/// No id is left that will be another one the next time.
fn assert_known(text: &str) {
    let ids = (0..text.len()).filter_map(|at| text.get(at..at + 36)).filter(|word| Uuid::try_parse(word).is_ok());
    let unknown: Vec<&str> = ids.filter(|id| *id != AIVEN_APPLICATION && !id.starts_with("00000000-")).collect();
    assert!(unknown.is_empty(), "{unknown:?}\n{text}");
}
