//! Compares the clouds as a whole with what they were.

use emulator::clouds::differences;
use serde_json::{Value, json};

/// Where what belongs to the installation is: it stays when a peering goes. And how many of each there can be.
const OF_THE_INSTALLATION: [(&str, usize); 4] = [
    ("directory: applications: + ", 1),
    ("directory: credentials: + ", 1),
    ("directory: service_principals: + ", 2),
    ("roles: definitions: + ", 4),
];

/// Nothing is gone, nothing is changed, and nothing has come but what belongs to the installation: application, principals,
/// federated credential, role definitions.
pub fn assert_as_before(before: &Value, after: &Value, told: &str) {
    let all = differences(&apart(before), &apart(after));
    let is_kept = |line: &&String| OF_THE_INSTALLATION.iter().any(|(kept, _)| line.starts_with(kept));
    let left: Vec<_> = all.iter().filter(|line| !is_kept(line)).collect();
    assert!(left.is_empty(), "{left:#?}\n{told}");
    for (kept, most) in OF_THE_INSTALLATION {
        let count = all.iter().filter(|line| line.starts_with(kept)).count();
        assert!(count <= most, "{count} × {kept}: {all:#?}\n{told}");
    }
}

/// What was there before us, and what came since by other hands.
pub struct Kept {
    /// The clouds with it and nothing else.
    pub whole: Value,
}

impl Kept {
    /// All that a snapshot has.
    pub fn new(whole: Value) -> Self {
        Self { whole }
    }

    /// What came between two snapshots is somebody's, too.
    pub fn add(&mut self, before: &Value, after: &Value) {
        merge(&mut self.whole, before, after);
    }

    /// Nothing of it is gone or changed, whatever else has come. The states of halves and connections follow from each other.
    pub fn assert_in(&self, now: &Value, told: &str) {
        let all = differences(&objects(&stateless(&self.whole)), &objects(&stateless(now)));
        let lost: Vec<_> = all.iter().filter(|line| line.contains(": - ")).collect();
        assert!(lost.is_empty(), "{lost:#?}\n{told}");
    }
}

/// Gives `whole` what `after` has and `before` has not; networks and VPCs get it inside.
fn merge(whole: &mut Value, before: &Value, after: &Value) {
    match (whole, before, after) {
        (Value::Object(whole), Value::Object(before), Value::Object(after)) => {
            for (name, after) in after {
                merge(whole.entry(name).or_insert(Value::Null), &before[name], after);
            }
        }
        (Value::Array(whole), Value::Array(before), Value::Array(after)) => {
            for new in after.iter().filter(|one| !before.contains(one)) {
                let same = |one: &&mut Value| one.get("id").is_some() && one["id"] == new["id"];
                let earlier = before.iter().find(|one| one.get("id").is_some() && one["id"] == new["id"]);
                match (whole.iter_mut().find(same), earlier) {
                    (Some(one), Some(earlier)) => merge(one, earlier, new),
                    _ => whole.push(new.clone()),
                }
            }
            whole.sort_by_cached_key(Value::to_string);
        }
        (whole, before, after) if before != after => *whole = after.clone(),
        _ => {}
    }
}

/// Without the states of halves and connections: a half whose other half went is Disconnected, and its connection DELETED_BY_PEER.
pub fn stateless(snapshot: &Value) -> Value {
    let mut snapshot = snapshot.clone();
    for (path, inside) in [("/networks", "halves"), ("/aiven/vpcs", "connections")] {
        for parent in snapshot.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten() {
            parent[inside].as_array_mut().into_iter().flatten().for_each(|one| drop(one["state"].take()));
        }
    }
    snapshot
}

/// With the credentials apart from their applications: one that is added changes no application.
fn apart(snapshot: &Value) -> Value {
    let mut snapshot = snapshot.clone();
    let mut credentials = Vec::new();
    for application in snapshot["directory"]["applications"].as_array_mut().into_iter().flatten() {
        let its = application["federated_credentials"].take();
        let app = &application["app_id"];
        credentials.extend(its.as_array().into_iter().flatten().map(|one| json!({"app_id": app, "credential": one})));
    }
    snapshot["directory"]["credentials"] = Value::Array(credentials);
    snapshot
}

/// With halves and connections apart from their networks and VPCs, too.
fn objects(snapshot: &Value) -> Value {
    let mut snapshot = apart(snapshot);
    for (path, inside) in [("/networks", "halves"), ("/aiven/vpcs", "connections")] {
        let mut all = Vec::new();
        for parent in snapshot.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten() {
            let its = parent[inside].take();
            let id = &parent["id"];
            all.extend(its.as_array().into_iter().flatten().map(|one| json!({"of": id, "it": one})));
        }
        snapshot[inside] = Value::Array(all);
    }
    snapshot
}
