//! What queries, alerts and the workbook rely on: names of events, and one trace a peering.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::scene::{all_are, queues_are_empty, setup, text};
use emulator::clouds::Clouds;
use emulator::host::Event;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_peerings_lines_are_of_one_trace_from_its_request_on_and_their_events_are_the_known_ones() {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| pairs = clouds.world().standard(1, 1, false);
    let environment = setup(60.0).start(prepare).await.unwrap();
    let lines = Arc::new(Mutex::new(Vec::<Value>::new()));
    let kept = lines.clone();
    environment.supervisor.events().observe(move |event| {
        if let Event::Line(_, line) = event {
            kept.lock().unwrap().extend(serde_json::from_str::<Value>(line));
        }
    });
    environment.request(&pairs[0]).await.unwrap();
    let records = all_are(&environment, 1, "Active", Duration::from_secs(90)).await;
    queues_are_empty(&environment, Duration::from_secs(30)).await;

    let trace = text(&records[0], "trace").split('-').nth(1).unwrap().to_owned();
    environment.stop().await;
    let lines = lines.lock().unwrap();
    let of_it = lines.iter().filter(|line| line["peering"] == text(&records[0], "id") && line["event"] == "advance");
    let steps: Vec<&Value> = of_it.collect();
    assert!(steps.len() >= 12, "{lines:#?}");
    assert!(steps.iter().all(|line| line["span"]["trace_id"] == trace.as_str()), "{steps:#?}");
    let spans: BTreeSet<&str> = steps.iter().filter_map(|line| line["span"]["span_id"].as_str()).collect();
    assert_eq!(spans.len(), steps.len(), "each run of a step is a span of its own");
    let events: BTreeSet<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert!(events.iter().all(|event| functions::telemetry::EVENTS.contains(event)), "{events:?}");
}
