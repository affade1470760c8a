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

/// Nothing that was there is gone or changed, whatever has come.
pub fn assert_nothing_lost(before: &Value, after: &Value, told: &str) {
    let all = differences(&objects(before), &objects(after));
    let lost: Vec<_> = all.iter().filter(|line| line.contains(": - ")).collect();
    assert!(lost.is_empty(), "{lost:#?}\n{told}");
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
