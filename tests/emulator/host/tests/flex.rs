//! An instance a function, as on Flex Consumption.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::{Scene, queue_trigger};
use crate::host::{Event, Flex, Supervisor};

/// Functions `One` and `Two` on queues of their own, and a timer.
fn scene(name: &str) -> Scene {
    let mut scene = Scene::new(name)
        .function("One", &queue_trigger("ones", json!([])))
        .function("Two", &queue_trigger("twos", json!([])))
        .timer("Tick", "0 0 0 1 1 *")
        .scale(10.0);
    scene.change = |options| {
        options.flex = Some(Flex { cold_start: Duration::from_secs(8), idle: Duration::from_secs(20) });
    };
    scene
}

/// Function names of the hosts that asked storage for something, so far.
fn instances(events: &crate::host::Events) -> Arc<Mutex<BTreeSet<String>>> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let names = Arc::clone(&seen);
    events.observe(move |event| {
        if let Event::Asked { instance, .. } = event {
            names.lock().unwrap().insert(instance.clone());
        }
    });
    seen
}

#[tokio::test]
async fn an_instance_is_started_by_its_functions_first_message_and_goes_when_idle() {
    let scene = scene("comes");
    let options = scene.options();
    let seen = instances(&options.events);
    let supervisor = Supervisor::start(options).await.unwrap();
    scene.until(|| seen.lock().unwrap().contains("Tick")).await;
    let began = Instant::now();
    scene.account.enqueue("ones", "first").await.unwrap();
    scene.wait_for_posts(1).await;
    // Eight seconds, nominal.
    assert!(began.elapsed() >= Duration::from_millis(800), "{:?}", began.elapsed());
    scene.account.enqueue("ones", "second").await.unwrap();
    let posts = scene.wait_for_posts(2).await;
    assert_eq!((posts[0].path.as_str(), posts[0].pid), ("/One", posts[1].pid), "the instance is still there");
    let alive = || seen.lock().unwrap().clone();
    assert_eq!(alive().into_iter().collect::<Vec<_>>(), ["One", "Tick"], "nobody asked for Two");
    // Twenty seconds without an execution.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    seen.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(alive().into_iter().collect::<Vec<_>>(), ["Tick"], "the timer's instance stays");
    let began = Instant::now();
    scene.account.enqueue("ones", "third").await.unwrap();
    let posts = scene.wait_for_posts(3).await;
    assert!(began.elapsed() >= Duration::from_millis(800), "{:?}", began.elapsed());
    assert_ne!(posts[2].pid, posts[1].pid);
    supervisor.stop().await;
}

#[tokio::test]
async fn instances_that_are_killed_come_back_and_each_has_a_handler_of_its_own() {
    let scene = scene("killed-each");
    let supervisor = Supervisor::start(scene.options()).await.unwrap();
    scene.account.enqueue("ones", "x").await.unwrap();
    scene.account.enqueue("twos", "x").await.unwrap();
    let posts = scene.wait_for_posts(2).await;
    assert_ne!(posts[0].pid, posts[1].pid);
    scene.wait_for_empty("ones").await;
    scene.wait_for_empty("twos").await;
    supervisor.kill_host();
    scene.account.enqueue("twos", "y").await.unwrap();
    let posts = scene.wait_for_posts(3).await;
    assert_eq!(posts[2].path, "/Two");
    assert!(posts[..2].iter().all(|post| post.pid != posts[2].pid));
    supervisor.stop().await;
}
