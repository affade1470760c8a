//! The handler's crashes and exits, and the host's own end.

use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::{Recorded, Scene};
use crate::host::{Event, Moment, StopReason, Supervisor};

#[tokio::test]
async fn a_404_on_the_probe_is_ready_and_the_environment_is_what_the_host_gives() {
    let scene = Scene::new("ready").jobs();
    let host = scene.start().await;
    scene.until(|| host.is_ready()).await;
    let start = scene.records().remove(0);
    let port = start["env"]["FUNCTIONS_CUSTOMHANDLER_PORT"].as_str().unwrap();
    assert_eq!(start["env"]["FUNCTIONS_HTTPWORKER_PORT"], port);
    assert_eq!(start["env"]["FUNCTIONS_APP_ROOT_PATH"], start["cwd"]);
    assert!(start["env"]["AzureWebJobsStorage"].as_str().unwrap().contains("QueueEndpoint"));
    assert_eq!(start["env"]["CARGO"], json!(null), "this process's environment is not passed on");
}

#[tokio::test]
async fn an_exit_with_0_is_not_followed_by_another_launch() {
    let scene = Scene::new("exit0").jobs().answers(json!([{"exit": 0}]));
    scene.account.enqueue("jobs", "bye").await.unwrap();
    let host = scene.start().await;
    scene.account.create_queue("jobs-poison").await.unwrap();
    // All later calls are refused, until the message is poisoned.
    scene.wait_for_texts("jobs-poison", 1).await;
    assert_eq!(scene.posts().len(), 1);
    assert_eq!(host.launches(), 1);
    assert_eq!(host.events().counts().crashes, 0);
}

#[tokio::test]
async fn an_exit_with_200_is_followed_by_another_launch_and_not_counted() {
    let scene = Scene::new("exit200")
        .jobs()
        .rule(json!({"launch": 1, "answers": [{"exit": 200}]}))
        .rule(json!({"launch": 2, "answers": [{"exit": 200}]}))
        .rule(json!({"launch": 3, "answers": [{"exit": 200}]}))
        .rule(json!({"launch": 4, "answers": [{"exit": 200}]}));
    scene.account.enqueue("jobs", "again").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(5).await;
    scene.wait_for_empty("jobs").await;
    assert_eq!((host.launches(), host.events().counts().crashes), (5, 0));
}

#[tokio::test]
async fn the_third_crash_stops_the_host_and_a_supervisor_starts_another_until_poison() {
    let scene = Scene::new("crashes").jobs().answers(json!([{"exit": 1}]));
    scene.account.enqueue("jobs", "pill").await.unwrap();
    let options = scene.options();
    let mut events = options.events.subscribe();
    let supervisor = Supervisor::start(options).await.unwrap();
    scene.wait_for_texts("jobs-poison", 1).await;
    let counts: Vec<String> = scene.posts().iter().map(Recorded::dequeue_count).collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5"]);
    let reason = loop {
        if let Event::HostStopped(reason) = events.recv().await.unwrap() {
            break reason;
        }
    };
    assert_eq!(reason, StopReason::Crashes);
    let counts = supervisor.counts();
    assert_eq!((counts.hosts, counts.crashes), (2, 5));
    supervisor.stop().await;
}

#[tokio::test]
async fn a_handler_that_exits_at_start_three_times_stops_the_host() {
    let scene = Scene::new("atstart").jobs().rule(json!({"start": true, "exit": 1})).scale(20.0);
    scene.account.enqueue("jobs", "never").await.unwrap();
    let host = scene.start().await;
    assert_eq!(host.stopped().await, StopReason::Crashes);
    assert_eq!(host.launches(), 3);
    assert!(scene.posts().is_empty());
    assert_eq!(scene.account.count_messages("jobs").await.unwrap(), Some(1), "it stays leased");
    assert!(scene.texts("jobs").await.is_empty());
}

#[tokio::test]
async fn a_handler_that_never_listens_is_launched_three_times() {
    let scene = Scene::new("deaf")
        .jobs()
        .host_json("/customHandler/initializationTimeout", json!("00:00:00.5"))
        .rule(json!({"start": true, "deaf": true}));
    let host = scene.start().await;
    assert_eq!(host.stopped().await, StopReason::Crashes);
    assert_eq!(host.launches(), 3);
}

#[tokio::test]
async fn a_missing_executable_stops_the_host_at_the_first_call() {
    let scene = Scene::new("missing")
        .jobs()
        .host_json("/customHandler/description/defaultExecutablePath", json!("nothing-of-that-name"))
        .host_json("/customHandler/initializationTimeout", json!("00:00:00.2"))
        .scale(50.0);
    let host = scene.start().await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(host.launches(), 1, "nothing is tried again");
    scene.account.enqueue("jobs", "x").await.unwrap();
    assert_eq!(host.stopped().await, StopReason::NeverReady);
}

#[tokio::test]
async fn calls_in_flight_when_the_handler_is_killed_are_released_at_once() {
    let scene = Scene::new("inflight").jobs().rule(json!({"launch": 1, "answers": [{"hang": true}]}));
    for number in 0..3 {
        scene.account.enqueue("jobs", &number.to_string()).await.unwrap();
    }
    let host = scene.start().await;
    scene.wait_for_posts(3).await;
    host.kill_handler();
    let posts = scene.wait_for_posts(6).await;
    scene.wait_for_empty("jobs").await;
    assert!(posts[3..].iter().all(|post| post.dequeue_count() == "2" && post.pid != posts[0].pid));
    assert_eq!(host.events().counts().crashes, 1);
}

#[tokio::test]
async fn a_killed_host_leaves_its_messages_leased() {
    // At scale 200 the lease is 3 s.
    let scene = Scene::new("leased").jobs().rule(json!({"launch": 1, "answers": [{"hang": true}]})).scale(200.0);
    scene.account.enqueue("jobs", "x").await.unwrap();
    let supervisor = Supervisor::start(scene.options()).await.unwrap();
    scene.wait_for_posts(1).await;
    supervisor.kill_host();
    let posts = scene.wait_for_posts(2).await;
    let waited = posts[1].at - posts[0].at;
    assert!((2_000..8_000).contains(&waited), "3 s of lease took {waited} ms");
    assert_eq!(posts[1].dequeue_count(), "2");
    assert_eq!(supervisor.counts().hosts, 2);
}

#[tokio::test]
async fn a_graceful_stop_waits_ten_seconds_for_calls_in_flight() {
    let scene = Scene::new("stop").jobs().answers(json!([{"delay": 600}])).scale(10.0);
    scene.account.enqueue("jobs", "x").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(1).await;
    host.stop().await;
    assert_eq!(scene.account.count_messages("jobs").await.unwrap(), Some(0), "the call ended in time");

    let scene = Scene::new("stop-hang").jobs().answers(json!([{"hang": true}])).scale(10.0);
    scene.account.enqueue("jobs", "x").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(1).await;
    let start = Instant::now();
    host.stop().await;
    assert!((900..3_000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert_eq!(scene.account.count_messages("jobs").await.unwrap(), Some(1));
    assert!(scene.texts("jobs").await.is_empty(), "it stays leased");
}

#[tokio::test]
async fn lines_of_the_handler_are_told() {
    let scene = Scene::new("lines").jobs().answers(json!([{"print": "one line"}]));
    scene.account.enqueue("jobs", "x").await.unwrap();
    let host = scene.start().await;
    let mut events = host.events().subscribe();
    let line = loop {
        if let Event::Line(_, text) = events.recv().await.unwrap() {
            break text;
        }
    };
    assert_eq!(line, "one line");
}

#[tokio::test]
async fn all_messages_are_handled_though_the_handler_is_killed_again_and_again() {
    let scene = Scene::new("killed")
        .jobs()
        .host_json("/extensions/queues/maxDequeueCount", json!(50))
        .host_json("/extensions/queues/batchSize", json!(4))
        .scale(300.0);
    for number in 0..24 {
        scene.account.enqueue("jobs", &number.to_string()).await.unwrap();
    }
    let supervisor = Supervisor::start(scene.options()).await.unwrap();
    supervisor.kill_handler_every(9, Moment::Start);
    scene.wait_for_empty("jobs").await;
    let counts = supervisor.counts();
    assert!(counts.crashes >= 2, "{counts:?}");
    assert_eq!((counts.messages["jobs"].len(), counts.poisoned), (24, 0));
    supervisor.stop().await;
}

#[tokio::test]
async fn a_function_with_a_bad_binding_name_is_left_out() {
    let scene = Scene::new("badname").jobs().function(
        "Bad_Binding",
        &json!({"bindings": [{"type": "queueTrigger", "name": "queue_item", "queueName": "badq"}]}),
    );
    scene.account.enqueue("jobs", "x").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(1).await;
    assert_eq!(host.functions(), ["Jobs"], "the host goes on without a function it cannot use");
}

#[tokio::test]
async fn two_kills_of_one_launch_are_one_crash() {
    let scene = Scene::new("kills").jobs();
    let host = scene.start().await;
    scene.until(|| host.is_ready()).await;
    host.kill_handler();
    host.kill_handler();
    scene.until(|| host.launches() == 2 && host.is_ready()).await;
    assert_eq!(host.events().counts().crashes, 1);
}
