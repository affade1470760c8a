//! Not in simulation: that the host finds every function and queue, that rows and messages mean the same on real storage, and what the
//! handler's process writes to its log, in the trace that the host hands to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::Clouds;
use emulator::environment::Environment;
use emulator::host::Event;
use serde_json::{Value, json};

use crate::scene;

const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn request_becomes_a_peering_and_its_lines_one_trace() {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| pairs = clouds.world().standard(1, 1, false);
    let environment = scene::setup(120.0).start(prepare).await.unwrap();
    let lines = log(&environment);
    environment.request(&pairs[0]).await.unwrap();
    let record = scene::all_are(&environment, 1, "Active", LIMIT).await.remove(0);
    scene::queues_are_empty(&environment, LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    assert_eq!(scene::json(&record, "provenance"), json!({"aiven": "created", "azure": "created"}));
    assert_eq!(scene::text(&record, "wanted"), "active");
    for column in ["claim", "waiting", "fault"] {
        assert!(!record.contains_key(column), "{column} is over: {record:?}");
    }
    journal_has_every_commit(&environment, scene::text(&record, "seq")).await;
    environment.stop().await;
    lines_are_one_trace(&lines.lock().unwrap(), &record);
}

/// The handler's log lines, from now on.
fn log(environment: &Environment) -> Arc<Mutex<Vec<Value>>> {
    let lines = Arc::new(Mutex::new(Vec::<Value>::new()));
    let kept = lines.clone();
    environment.supervisor.events().observe(move |event| {
        if let Event::Line(_, line) = event {
            kept.lock().unwrap().extend(serde_json::from_str::<Value>(line));
        }
    });
    lines
}

/// One entry a commit: numbers without a gap, every step of the runbook among them.
async fn journal_has_every_commit(environment: &Environment, seq: &str) {
    let journal = environment.journal().await.unwrap();
    let last: usize = seq.parse().unwrap();
    assert_eq!(journal.len(), last, "one journal entry for each seq from 1");
    let done = journal.iter().filter(|entry| scene::text(entry, "outcome") == "advance");
    assert_eq!(done.map(|entry| scene::text(entry, "step")).collect::<Vec<_>>(), STEPS);
}

const STEPS: [&str; 13] = [
    "inspect_network",
    "register_application",
    "create_service_principal",
    "add_credential",
    "authorize_application",
    "admit_aiven",
    "define_aiven_role",
    "authorize_aiven",
    "request_peering",
    "await_pending_peer",
    "peer_network",
    "await_active",
    "verify_connectivity",
];

/// Every step's line is in the peering's trace, from its request on, each in a span of its own.
fn lines_are_one_trace(lines: &[Value], record: &Entity) {
    let of_it = |line: &&Value| line["peering"] == scene::text(record, "id") && line["event"] == "advance";
    let steps: Vec<&Value> = lines.iter().filter(of_it).collect();
    let names: BTreeSet<&str> = steps.iter().filter_map(|line| line["step"].as_str()).collect();
    // A poll commits the two waiting steps, in no step's span.
    assert!(STEPS.iter().filter(|step| !names.contains(*step)).count() <= 1, "{steps:#?}");
    let trace = scene::text(record, "trace").split('-').nth(1).unwrap();
    assert!(steps.iter().all(|line| line["span"]["trace_id"] == trace), "{steps:#?}");
    let spans: BTreeSet<&str> = steps.iter().filter_map(|line| line["span"]["span_id"].as_str()).collect();
    assert_eq!(spans.len(), steps.len(), "each run of a step is a span of its own");
    let events: BTreeSet<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert!(events.iter().all(|event| functions::telemetry::EVENTS.contains(event)), "{events:?}");
}
