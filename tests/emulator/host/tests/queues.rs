//! Queue triggers from end to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::scene::{Scene, queue_trigger};
use crate::host::{Duplicate, Event, Outcome, Transfer};

#[tokio::test]
async fn a_plain_message_is_posted_as_the_real_host_posts_it_and_deleted() {
    let scene = Scene::new("plain").jobs();
    let id = scene.account.enqueue("jobs", "hello!!").await.unwrap();
    let host = scene.start().await;
    let posts = scene.wait_for_posts(1).await;
    scene.wait_for_empty("jobs").await;
    let post = &posts[0];
    let names: Vec<&str> = post.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Host",
            "X-Azure-Functions-HostVersion",
            "X-Azure-Functions-InvocationId",
            "User-Agent",
            "Transfer-Encoding",
            "Content-Type"
        ]
    );
    assert_eq!((post.method.as_str(), post.path.as_str()), ("POST", "/Jobs"));
    let body = post.json();
    assert_eq!(body["Data"]["queueItem"], r#""hello!!""#);
    assert_eq!(body["Metadata"]["Id"], format!("\"{id}\""));
    assert_eq!(body["Metadata"]["DequeueCount"], "1");
    assert_eq!(body["Metadata"]["ExpirationTime"], "9999-12-31T23:59:59+00:00");
    let probe = scene.records().into_iter().find(|record| record["method"] == "GET").unwrap();
    assert_eq!(probe["headers"].as_array().unwrap().len(), 1, "a probe carries only Host");
    assert_eq!(host.events().counts().delivered["jobs"], 1);
}

#[tokio::test]
async fn a_body_has_a_length_if_asked_for() {
    let mut scene = Scene::new("length").jobs();
    scene.change = |options| options.transfer = Transfer::ContentLength;
    let long = "é".repeat(20_000);
    scene.account.enqueue("jobs", &long).await.unwrap();
    let _host = scene.start().await;
    let post = scene.wait_for_posts(1).await.remove(0);
    assert_eq!(post.headers[5], ("Content-Length".to_owned(), post.body.len().to_string()));
    assert_eq!(post.message(), long);
}

#[tokio::test]
async fn a_message_that_always_fails_is_poisoned_after_five_attempts() {
    let scene = Scene::new("poison").jobs().answers(json!([{"status": 500, "body": "{\"Logs\":[\"lost\"]}"}]));
    scene.account.enqueue("jobs", "hello!!").await.unwrap();
    let host = scene.start().await;
    let logs = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&logs);
    host.events().observe(move |event| {
        if matches!(event, Event::Log { .. }) {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(scene.wait_for_texts("jobs-poison", 1).await, [BASE64_STANDARD.encode("hello!!")]);
    scene.wait_for_empty("jobs").await;
    let posts = scene.posts();
    let counts: Vec<String> = posts.iter().map(super::scene::Recorded::dequeue_count).collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5"]);
    let ids: std::collections::HashSet<&str> = posts.iter().map(|post| post.headers[2].1.as_str()).collect();
    assert_eq!(ids.len(), 5, "each attempt is an invocation of its own");
    assert_eq!(logs.load(Ordering::Relaxed), 0, "the logs of a failure are lost");
}

#[tokio::test]
async fn a_failed_message_comes_back_after_the_visibility_timeout() {
    let scene = Scene::new("visibility")
        .jobs()
        .host_json("/extensions/queues/visibilityTimeout", json!("00:00:10"))
        .answers(json!([{"status": 500}, {}]))
        .scale(5.0);
    scene.account.enqueue("jobs", "again").await.unwrap();
    let _host = scene.start().await;
    let posts = scene.wait_for_posts(2).await;
    scene.wait_for_empty("jobs").await;
    let waited = posts[1].at - posts[0].at;
    assert!((1_000..4_000).contains(&waited), "10 s at scale 5 took {waited} ms");
    assert_eq!(posts[1].dequeue_count(), "2");
}

#[tokio::test]
async fn an_empty_answer_hangs_until_the_timeout_and_costs_the_handler_its_life() {
    let scene = Scene::new("empty")
        .jobs()
        .host_json("/functionTimeout", json!("00:00:05"))
        .rule(json!({"contains": "empty", "launch": 1, "answers": [{"headers": {}, "body": ""}]}))
        .rule(json!({"contains": "other", "launch": 1, "answers": [{"hang": true}]}))
        .scale(10.0);
    let host = scene.start().await;
    // The timeout counts from the invocation's start, waiting for the handler included.
    scene.until(|| host.is_ready()).await;
    scene.account.enqueue("jobs", "empty").await.unwrap();
    scene.account.enqueue("jobs", "other").await.unwrap();
    let posts = scene.wait_for_posts(4).await;
    scene.wait_for_empty("jobs").await;
    let waited = posts[2].at - posts[0].at;
    assert!((650..5_000).contains(&waited), "5 s and 2 s grace at scale 10 took {waited} ms");
    assert_ne!(posts[2].pid, posts[0].pid);
    assert!(posts[2..].iter().all(|post| post.dequeue_count() == "2"), "the other call was lost, too");
    assert_eq!(posts[2].headers[0], posts[0].headers[0], "the port stays");
    assert_eq!(host.events().counts().crashes, 0);
    assert_eq!(host.launches(), 2);
}

#[tokio::test]
async fn an_answer_within_the_grace_is_discarded_but_spares_the_handler() {
    let scene = Scene::new("grace")
        .jobs()
        .host_json("/functionTimeout", json!("00:00:05"))
        .answers(json!([{"delay": 2900}, {}]))
        .scale(2.0);
    let host = scene.start().await;
    scene.until(|| host.is_ready()).await;
    scene.account.enqueue("jobs", "late").await.unwrap();
    let posts = scene.wait_for_posts(2).await;
    scene.wait_for_empty("jobs").await;
    assert_eq!(posts[0].pid, posts[1].pid);
    assert_eq!(host.launches(), 1);
}

#[tokio::test]
async fn outputs_are_stored_in_base64_and_logs_are_told() {
    let out = json!([{"type": "queue", "direction": "out", "name": "out", "queueName": "Outq"}]);
    let body = r#"{"Outputs":{"out":["m1",{"k":1}],"unknown":1},"Logs":["x"]}"#;
    let scene = Scene::new("outputs").function("Jobs", &queue_trigger("jobs", out)).answers(json!([{ "body": body }]));
    scene.account.enqueue("jobs", "go").await.unwrap();
    let host = scene.start().await;
    let mut events = host.events().subscribe();
    let stored = scene.wait_for_texts("outq", 2).await;
    assert_eq!(stored, [BASE64_STANDARD.encode("m1"), BASE64_STANDARD.encode("{\n  \"k\": 1\n}")]);
    let log = loop {
        if let Event::Log { text, .. } = events.recv().await.unwrap() {
            break text;
        }
    };
    assert_eq!(log, "x");
}

#[tokio::test]
async fn raw_text_goes_to_poison_unread_unless_the_encoding_is_none() {
    let scene = Scene::new("raw").jobs();
    scene.account.create_queue("jobs").await.unwrap();
    scene.account.put_raw("jobs", "hi!", Duration::ZERO, None).await.unwrap();
    let _host = scene.start().await;
    assert_eq!(scene.wait_for_texts("jobs-poison", 1).await, ["hi!"]);
    assert!(scene.posts().is_empty());

    let scene = Scene::new("none").jobs().host_json("/extensions/queues/messageEncoding", json!("none"));
    scene.account.create_queue("jobs").await.unwrap();
    scene.account.put_raw("jobs", "hi!", Duration::ZERO, None).await.unwrap();
    let _host = scene.start().await;
    assert_eq!(scene.wait_for_posts(1).await[0].message(), "hi!");
}

#[tokio::test]
async fn batches_of_16_are_fetched_while_no_more_than_8_run() {
    let scene = Scene::new("batches")
        .jobs()
        .rule(json!({"contains": "first", "answers": [{"delay": 2500}]}))
        .rule(json!({"contains": "held", "answers": [{"hang": true}]}));
    for number in 0..40 {
        let text = if number < 8 { format!("first {number}") } else { format!("held {number}") };
        scene.account.enqueue("jobs", &text).await.unwrap();
    }
    let _host = scene.start().await;
    scene.wait_for_posts(16).await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert_eq!(scene.posts().len(), 16, "16 running are more than 8: nothing is fetched");
    scene.wait_for_posts(32).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(scene.posts().len(), 32, "24 running at most");
}

#[tokio::test]
async fn batch_size_1_and_threshold_0_run_one_at_a_time() {
    let scene = Scene::new("serial")
        .jobs()
        .host_json("/extensions/queues/batchSize", json!(1))
        .host_json("/extensions/queues/newBatchThreshold", json!(0))
        .answers(json!([{"delay": 50}]));
    for number in 0..5 {
        scene.account.enqueue("jobs", &number.to_string()).await.unwrap();
    }
    let _host = scene.start().await;
    scene.wait_for_posts(5).await;
    scene.wait_for_empty("jobs").await;
    let kinds: Vec<Value> = scene
        .records()
        .into_iter()
        .filter(|record| record["path"] == "/Jobs")
        .map(|record| record["kind"].clone())
        .collect();
    assert!(kinds.chunks(2).all(|pair| pair == [json!("request"), json!("answered")]), "{kinds:?}");
}

#[tokio::test]
async fn a_long_run_keeps_its_message_and_deletes_it_with_the_renewed_receipt() {
    // At scale 300 the lease is 2 s, renewed each second.
    let scene = Scene::new("renewal")
        .jobs()
        .host_json("/functionTimeout", json!("-1"))
        .answers(json!([{"delay": 4500}]))
        .scale(300.0);
    scene.account.enqueue("jobs", "long").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(1).await;
    scene.wait_for_empty("jobs").await;
    assert_eq!(scene.posts().len(), 1);
    assert_eq!(host.events().counts().delivered["jobs"], 1);
}

#[tokio::test]
async fn a_retry_policy_repeats_the_call_with_the_same_invocation_id() {
    let mut function = queue_trigger("jobs", json!([]));
    function["retry"] = json!({"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:01"});
    let scene = Scene::new("retry")
        .function("Jobs", &function)
        .answers(json!([{"status": 500}, {"status": 500}, {}]))
        .scale(10.0);
    scene.account.enqueue("jobs", "r").await.unwrap();
    let _host = scene.start().await;
    let posts = scene.wait_for_posts(3).await;
    scene.wait_for_empty("jobs").await;
    assert!(posts.iter().all(|post| post.headers[2] == posts[0].headers[2] && post.dequeue_count() == "1"));
    let contexts: Vec<Value> =
        posts.iter().map(|post| post.json()["Metadata"]["RetryContext"]["RetryCount"].clone()).collect();
    assert_eq!(contexts, [json!(0), json!(1), json!(2)]);
}

#[tokio::test]
async fn every_message_can_be_delivered_twice_under_one_id() {
    let mut scene = Scene::new("twice").jobs().answers(json!([{"delay": 150}]));
    scene.change = |options| options.duplicate = Duplicate::Each;
    for number in 0..4 {
        scene.account.enqueue("jobs", &number.to_string()).await.unwrap();
    }
    let host = scene.start().await;
    scene.wait_for_posts(8).await;
    scene.wait_for_empty("jobs").await;
    let counts = host.events().counts();
    assert_eq!((counts.delivered["jobs"], counts.messages["jobs"].len()), (8, 4));
    let second = scene.posts().iter().filter(|post| post.dequeue_count() == "2").count();
    assert_eq!(second, 4);
}

#[tokio::test]
async fn a_disabled_function_is_not_listened_for() {
    let mut scene = Scene::new("disabled").jobs().function("Other", &queue_trigger("other", json!([])));
    scene.change = |options| {
        options.settings.insert("AzureWebJobs.Jobs.Disabled".to_owned(), "true".to_owned());
    };
    scene.account.enqueue("jobs", "no").await.unwrap();
    scene.account.enqueue("other", "yes").await.unwrap();
    let host = scene.start().await;
    scene.wait_for_posts(1).await;
    assert_eq!(host.functions(), ["Other"]);
    assert_eq!(scene.posts()[0].path, "/Other");
}

#[tokio::test]
async fn an_invocation_is_told_at_its_start_and_at_its_end() {
    let scene = Scene::new("events").jobs().answers(json!([{"status": 503}, {}]));
    let id = scene.account.enqueue("jobs", "x").await.unwrap();
    let host = scene.start().await;
    let mut events = host.events().subscribe();
    let mut ended = Vec::new();
    while ended.len() < 2 {
        if let Event::Ended(invocation) = events.recv().await.unwrap() {
            ended.push(invocation);
        }
    }
    assert!(matches!(ended[0].outcome, Some(Outcome::Failed(_))));
    assert_eq!(ended[1].outcome, Some(Outcome::Succeeded));
    assert_eq!((ended[1].message.as_deref(), ended[1].dequeue_count), (Some(id.as_str()), 2));
}
