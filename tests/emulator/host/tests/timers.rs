//! Timer triggers from end to end, in scaled time.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::Scene;
use crate::host::Outcome;

#[tokio::test]
async fn a_timer_of_every_ten_seconds_has_no_status_and_no_trigger_metadata() {
    let scene = Scene::new("seconds").timer("Sec", "*/10 * * * * *").scale(20.0);
    let _host = scene.start().await;
    let posts = scene.wait_for_posts(3).await;
    let info = &posts[0].json()["Data"]["t"];
    assert_eq!(*info, json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false}));
    let keys: Vec<String> = posts[0].json()["Metadata"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["sys"]);
    let gap = posts[2].at - posts[1].at;
    assert!((300..900).contains(&gap), "10 s at scale 20 took {gap} ms");
}

#[tokio::test]
async fn a_minute_timer_keeps_its_status_and_makes_up_once_for_what_was_missed() {
    let scene = Scene::new("minute").timer("Min", "0 * * * * *").scale(60.0);
    let host = scene.start().await;
    let status = |post: &Value| post["Data"]["t"]["ScheduleStatus"].clone();
    let posts = scene.wait_for_posts(2).await;
    assert_eq!(status(&posts[0].json())["Last"], "0001-01-01T00:00:00+00:00");
    let next = status(&posts[0].json())["Next"].as_str().unwrap().to_owned();
    assert_ne!(status(&posts[1].json())["Next"], next);
    host.stop().await;
    let before = scene.posts().len();
    tokio::time::sleep(Duration::from_millis(3_000)).await;
    let _host = scene.start().await;
    let posts = scene.wait_for_posts(before + 2).await;
    let late: Vec<Value> = posts.iter().map(|post| post.json()["Data"]["t"]["IsPastDue"].clone()).collect();
    assert_eq!(late[before..before + 2], [json!(true), json!(false)]);
    assert!(late[..before].iter().all(|late| *late == false));
}

#[tokio::test]
async fn runs_do_not_overlap() {
    let scene = Scene::new("overrun").timer("Slow", "*/5 * * * * *").answers(json!([{"delay": 500}])).scale(20.0);
    let _host = scene.start().await;
    scene.wait_for_posts(3).await;
    let kinds: Vec<Value> = scene
        .records()
        .into_iter()
        .filter(|record| record["path"] == "/Slow")
        .map(|record| record["kind"].clone())
        .collect();
    assert!(
        kinds.chunks(2).all(|pair| pair[0] == "request" && pair.get(1).is_none_or(|kind| kind == "answered")),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_bad_schedule_disables_its_function_only() {
    let scene = Scene::new("bad").timer("Bad", "not a cron").timer("Five", "* * * * *").scale(60.0);
    let _host = scene.start().await;
    let posts = scene.wait_for_posts(2).await;
    assert!(posts.iter().all(|post| post.path == "/Five"));
}

#[tokio::test]
async fn only_one_of_two_hosts_runs_a_timer_and_the_other_takes_over() {
    let scene = Scene::new("lock").timer("Min", "0 * * * * *").scale(60.0);
    let first = scene.start().await;
    scene.wait_for_posts(1).await;
    let _second = scene.start().await;
    let owner = scene.posts()[0].pid;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(scene.posts().iter().all(|post| post.pid == owner));
    first.kill();
    scene.until(|| scene.posts().iter().any(|post| post.pid != owner)).await;
}

#[tokio::test]
async fn functions_can_be_invoked_by_hand() {
    let scene = Scene::new("by-hand").jobs().timer("Tick", "0 0 0 1 1 *");
    let host = scene.start().await;
    assert_eq!(host.trigger("tick", "").await, Some(Outcome::Succeeded));
    assert_eq!(host.trigger("Jobs", "{\"a\":1}").await, Some(Outcome::Succeeded));
    assert_eq!(host.trigger("None", "").await, None);
    let posts = scene.posts();
    let keys = |at: usize| -> Vec<String> {
        let body: serde_json::Value = posts[at].json();
        body["Metadata"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(0), ["sys", "t"]);
    assert_eq!(posts[1].dequeue_count(), "0");
    assert!(!keys(1).contains(&"Id".to_owned()));
}
