//! What a host asks of storage for itself: locks, and a timer's status.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::scene::Scene;
use crate::host::{Event, Host};

const HOST_LOCK: &str = "/azure-webjobs-hosts/locks/emulated/host";
const TIMER_LOCK: &str = "/azure-webjobs-hosts/locks/emulated/Host.Functions.Min.Listener";
const STATUS: &str = "/azure-webjobs-hosts/timers/emulated/Host.Functions.Min/status";

/// Requests as a line with method, path and query, and the answer's status.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<(String, u16)>>>);

impl Asked {
    fn count(&self, line: &str, status: u16) -> usize {
        self.0.lock().unwrap().iter().filter(|asked| asked.0 == line && asked.1 == status).count()
    }

    fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

async fn start(scene: &Scene) -> (Host, Asked) {
    let (options, asked) = (scene.options(), Asked::default());
    let seen = asked.clone();
    options.events.observe(move |event| {
        if let Event::Asked { line, status, .. } = event {
            seen.0.lock().unwrap().push((line.clone(), *status));
        }
    });
    (Host::start(options).await.unwrap(), asked)
}

fn lease(blob: &str) -> String {
    format!("PUT {blob}?comp=lease")
}

#[tokio::test]
async fn the_primary_host_renews_its_lock_every_12_seconds_and_each_other_one_looks_every_5() {
    let scene = Scene::new("primary").jobs().scale(10.0);
    let (first, holder) = start(&scene).await;
    scene.until(|| holder.count(&lease(HOST_LOCK), 201) == 1).await;
    let (_second, other) = start(&scene).await;
    let head = format!("HEAD {HOST_LOCK}");
    scene.until(|| other.count(&head, 200) == 1).await;
    holder.forget();
    other.forget();
    // A minute.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (renewals, looks) = (holder.count(&lease(HOST_LOCK), 200), other.count(&head, 200));
    assert!((4..=5).contains(&renewals), "{renewals} renewals");
    assert!((10..=12).contains(&looks), "{looks} looks");
    assert_eq!(holder.count(&head, 200), 0);
    assert_eq!(other.count(&lease(HOST_LOCK), 409), 0, "a lock that is held is not asked for");
    first.stop().await;
    scene.until(|| other.count(&lease(HOST_LOCK), 201) == 1).await;
}

#[tokio::test]
async fn a_timers_lock_is_renewed_every_30_seconds_and_looked_at_every_60_by_another_host() {
    let scene = Scene::new("listener").timer("Min", "0 * * * * *").scale(20.0);
    let (_first, holder) = start(&scene).await;
    scene.until(|| holder.count(&lease(TIMER_LOCK), 201) == 1).await;
    let (_second, other) = start(&scene).await;
    let head = format!("HEAD {TIMER_LOCK}");
    scene.until(|| other.count(&head, 200) == 1).await;
    holder.forget();
    other.forget();
    // Two minutes.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (renewals, looks) = (holder.count(&lease(TIMER_LOCK), 200), other.count(&head, 200));
    assert!((3..=4).contains(&renewals), "{renewals} renewals");
    assert!((1..=2).contains(&looks), "{looks} looks");
}

#[tokio::test]
async fn a_tick_makes_sure_of_the_container_and_then_writes_the_status() {
    let scene = Scene::new("tick").timer("Min", "0 * * * * *").scale(60.0);
    let (_host, asked) = start(&scene).await;
    scene.wait_for_posts(1).await;
    asked.forget();
    scene.wait_for_posts(4).await;
    scene.until(|| asked.count(&format!("PUT {STATUS}"), 201) >= 3).await;
    let made = asked.count("PUT /azure-webjobs-hosts?restype=container", 409);
    let written = asked.count(&format!("PUT {STATUS}"), 201);
    assert!(made.abs_diff(written) <= 1, "{made} containers, {written} statuses");
}
