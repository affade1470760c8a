//! What Application Insights would take in.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::scene::Scene;
use crate::host::clock::Scale;
use crate::host::log_filter::LogFilter;
use crate::host::telemetry::Meter;
use crate::host::{Event, Host, Invocation, Item, Kind, Outcome, Stream};

fn meter(levels: &Value) -> Meter {
    Meter::new(LogFilter::of(&json!({"logging": {"logLevel": levels}})), Scale::new(1.0), true)
}

fn ours() -> Meter {
    let host: Value = serde_json::from_str(include_str!("../../../../host.json")).unwrap();
    Meter::new(LogFilter::of(&host), Scale::new(1.0), true)
}

/// What of an event's items is taken in.
fn taken(meter: &mut Meter, event: &Event) -> Vec<Item> {
    let taken = |event| if let Event::Telemetry(item) = event { Some(item) } else { None };
    meter.items(event).into_iter().filter_map(taken).collect()
}

fn asked(status: u16) -> Event {
    Event::Asked { instance: String::new(), line: "GET /jobs/messages".to_owned(), status }
}

fn ended(message: Option<&str>, at: &str) -> Event {
    let at: Timestamp = at.parse().unwrap();
    Event::Ended(Invocation {
        id: Uuid::new_v4(),
        function: "Jobs".to_owned(),
        message: message.map(str::to_owned),
        dequeue_count: 1,
        started: at,
        ended: Some(at),
        outcome: Some(Outcome::Succeeded),
    })
}

fn count(items: &[Item], kind: Kind) -> usize {
    items.iter().filter(|item| item.kind == kind).count()
}

fn bytes(items: &[Item]) -> usize {
    items.iter().map(|item| item.bytes).sum()
}

#[test]
fn a_default_level_of_information_lets_the_sdks_request_log_in() {
    let lines = |levels: Value, status| taken(&mut meter(&levels), &asked(status)).len();
    assert_eq!(lines(json!({"default": "Information"}), 200), 2);
    assert_eq!(lines(json!({"default": "Information", "azure.core": "Warning"}), 200), 0);
    assert_eq!(lines(json!({"default": "Information", "Azure": "Warning"}), 200), 0);
    assert_eq!(lines(json!({"default": "Information", "Azure": "Warning", "Azure.Core": "Debug"}), 200), 2);
    assert_eq!(lines(json!({"Azure.Core": "None"}), 409), 0);
    assert_eq!(lines(Value::Null, 409), 0, "without the section, only the host's own categories are open");
}

#[test]
fn our_host_json_lets_in_nothing_of_it_but_refusals() {
    assert_eq!(taken(&mut ours(), &asked(200)), []);
    assert!(
        matches!(&ours().items(&asked(200))[..], [Event::KeptOut(_), Event::KeptOut(_)]),
        "it is counted all the same"
    );
    let refused = taken(&mut ours(), &asked(409));
    assert_eq!((count(&refused, Kind::Trace), refused[0].category.as_str()), (1, "Azure.Core"));
}

#[test]
fn without_the_queue_extension_nobody_forwards_the_sdks_log() {
    let filter = LogFilter::of(&json!({"logging": {"logLevel": {"default": "Information"}}}));
    assert!(Meter::new(filter, Scale::new(1.0), false).items(&asked(200)).is_empty());
}

#[test]
fn an_execution_that_stands_alone_costs_seven_to_eight_kilobytes_and_the_call_of_the_handler() {
    for (message, traces, least) in [(None, 2, 7_000), (Some("id"), 3, 8_000)] {
        let items = taken(&mut ours(), &ended(message, "2026-11-29T08:00:00Z"));
        let kinds = [Kind::Request, Kind::Trace, Kind::Metric, Kind::Dependency].map(|kind| count(&items, kind));
        assert_eq!(kinds, [1, traces, 7, 1]);
        let called: usize = items.iter().filter(|item| item.kind == Kind::Dependency).map(|item| item.bytes).sum();
        assert!((least..least + 500).contains(&(bytes(&items) - called)), "{}", bytes(&items));
    }
}

#[test]
fn executions_of_the_same_half_minute_share_their_metrics() {
    let mut meter = ours();
    let mut metrics = |at| count(&taken(&mut meter, &ended(None, at)), Kind::Metric);
    assert_eq!(metrics("2026-11-29T08:00:00Z"), 7);
    assert_eq!(metrics("2026-11-29T08:00:29Z"), 0);
    assert_eq!(metrics("2026-11-29T08:00:30Z"), 7);
}

#[test]
fn a_line_of_the_handler_is_stored_twice_and_at_information_whatever_it_says() {
    let line = "x".repeat(700);
    let told = |levels: Value, stream| taken(&mut meter(&levels), &Event::Line(stream, line.clone()));
    assert_eq!(bytes(&told(Value::Null, Stream::Stdout)), 1_900);
    assert_eq!(told(json!({"default": "Warning"}), Stream::Stdout), [], "no alert would see it");
    assert_eq!(told(json!({"default": "Warning"}), Stream::Stderr).len(), 1);
}

async fn run(scene: &Scene) -> (Host, Arc<Mutex<Vec<Item>>>) {
    let (options, seen) = (scene.options(), Arc::new(Mutex::new(Vec::new())));
    let items = Arc::clone(&seen);
    options.events.observe(move |event| {
        if let Event::Telemetry(item) = event {
            items.lock().unwrap().push(item.clone());
        }
    });
    scene.account.enqueue("jobs", "x").await.unwrap();
    let host = Host::start(options).await.unwrap();
    scene.wait_for_posts(1).await;
    scene.wait_for_empty("jobs").await;
    (host, seen)
}

#[tokio::test]
async fn a_host_with_application_insights_tells_what_it_takes_in_and_another_one_nothing() {
    let levels = json!({"logLevel": {"default": "Information"}});
    let mut scene = Scene::new("insights").jobs().answers(json!([{"print": "a line"}])).host_json("/logging", levels);
    scene.change = |options| {
        options.settings.insert("APPLICATIONINSIGHTS_CONNECTION_STRING".to_owned(), "InstrumentationKey=x".to_owned());
    };
    let (_host, seen) = run(&scene).await;
    let has = |category: &str| seen.lock().unwrap().iter().any(|item| item.category == category);
    scene
        .until(|| ["Azure.Core", "Function.Jobs", "Host.Results", "Host.Function.Console"].iter().all(|of| has(of)))
        .await;

    let scene = Scene::new("no-insights").jobs();
    let (host, seen) = run(&scene).await;
    host.stop().await;
    assert!(seen.lock().unwrap().is_empty());
}
