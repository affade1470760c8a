//! What is left when a case is over: messages, poison, blobs, the host itself; and the checks of single cases.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::cases::Check;
use super::compare;
use super::stage::Stage;

const LIMIT: Duration = Duration::from_secs(20);

/// Everything that is not as it was recorded.
pub async fn problems(stage: &Stage) -> Vec<String> {
    let mut problems = queues(stage).await;
    let alive = !stage.stopped(Duration::from_millis(1)).await && stage.running.is_some();
    if stage.case.check != Check::Refused && stage.recording.host_alive.is_some_and(|wanted| wanted != alive) {
        problems.push(format!("the host is {}", if alive { "alive" } else { "gone" }));
    }
    problems.extend(launches(stage));
    problems.extend(match stage.case.check {
        Check::Nothing => None,
        Check::Concurrency => concurrency(stage),
        Check::Blobs => blobs(stage).await,
        Check::Polls => polls(stage),
        Check::NotWoken => not_woken(stage),
        Check::Refused => stage.refusal.is_none().then(|| "the host started".to_owned()),
    });
    problems
}

/// Waits until every queue holds what was recorded; says which does not.
async fn queues(stage: &Stage) -> Vec<String> {
    let began = Instant::now();
    loop {
        let mut problems = Vec::new();
        for (queue, wanted) in &stage.recording.queues {
            let count = stage.account.count_messages(queue).await.unwrap();
            let right = match wanted {
                Value::Null => count.is_none(),
                Value::Array(texts) => count == Some(texts.len() as u64),
                number => count == number.as_u64(),
            };
            if !right {
                problems.push(format!("{queue} holds {count:?} messages, not {wanted}"));
            }
        }
        if problems.is_empty() || began.elapsed() > LIMIT {
            problems.extend(texts(stage).await);
            return problems;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn texts(stage: &Stage) -> Option<String> {
    for (queue, wanted) in &stage.recording.queues {
        let Value::Array(wanted) = wanted else { continue };
        let mut texts = Vec::new();
        loop {
            // A queue that is missing was told before.
            let batch = stage.account.get_messages(queue, 32, Duration::from_secs(600)).await.unwrap_or_default();
            if batch.is_empty() {
                break;
            }
            texts.extend(batch.into_iter().map(|message| message.text));
        }
        texts.sort();
        if texts.iter().map(String::as_str).ne(wanted.iter().filter_map(Value::as_str)) {
            return Some(format!("{queue} holds {texts:?}, not {wanted:?}"));
        }
    }
    None
}

/// How often the handler was launched, with which arguments, and where.
fn launches(stage: &Stage) -> Option<String> {
    let app = std::fs::canonicalize(stage.app()).map_or_else(|_| stage.app(), |path| path.display().to_string());
    let notes = stage.notes();
    let ours: Vec<(Vec<String>, String)> = notes
        .iter()
        .filter(|note| note["kind"] == "start")
        .map(|note| {
            let argv: Vec<String> = serde_json::from_value(note["argv"].clone()).unwrap();
            (argv[1..].to_vec(), note["cwd"].as_str().unwrap_or_default().replace(&app, "<app>"))
        })
        .collect();
    let theirs: Vec<(Vec<String>, String)> = stage
        .recording
        .handler
        .iter()
        .filter(|event| event.kind == "start")
        .map(|event| (event.argv.get(1..).unwrap_or_default().to_vec(), event.cwd.clone()))
        .collect();
    (ours != theirs).then(|| format!("launches\n    real {theirs:?}\n    ours {ours:?}"))
}

fn concurrency(stage: &Stage) -> Option<String> {
    let (mut posts, mut answers, mut most) = (0, 0, 0);
    let mut seen = Vec::new();
    for note in stage.notes() {
        match (note["kind"].as_str(), note["method"].as_str()) {
            (Some("request"), Some("POST")) => posts += 1,
            (Some("answered"), Some("POST")) => {
                seen.push(posts);
                answers += 1;
            }
            _ => {}
        }
        most = most.max(posts - answers);
    }
    if Some(most) != stage.recording.max_open {
        return Some(format!("{most} calls open at once, not {:?}", stage.recording.max_open));
    }
    // How many had come just before the next answer.
    let wrong = stage.recording.steps.iter().find(|step| {
        let before_next = seen.get(step.responses).copied().unwrap_or(posts);
        before_next != step.posts_seen
    });
    wrong.map(|step| format!("after {} answers {seen:?} had come, not {}", step.responses, step.posts_seen))
}

async fn blobs(stage: &Stage) -> Option<String> {
    let read = async |name: &str| {
        let blob = stage.account.blob("azure-webjobs-hosts", &name.replace("{id}", stage.host_id()));
        blob.read().await.unwrap().map(|content| String::from_utf8_lossy(&content).into_owned())
    };
    for name in &stage.recording.blobs {
        if read(name).await.is_none() {
            return Some(format!("there is no blob {name}"));
        }
    }
    for (name, theirs) in &stage.recording.status {
        let ours = read(name).await.unwrap_or_default();
        if compare::body(theirs) != compare::body(&ours) {
            return Some(format!("{name}\n    real {theirs}\n    ours {ours}"));
        }
    }
    None
}

/// The shortest and the longest pause after `n` polls that found nothing: 100 ms, then 100 ms + 100 ms · 2ⁿ give or take a
/// fifth. A busy machine makes a pause longer, and the next one look a little shorter.
fn pause(n: usize, slack: f64) -> std::ops::RangeInclusive<f64> {
    let more = if n == 0 { 0.0 } else { 100.0 * f64::from(1_u32 << (n - 1)) };
    100.0 + more * 0.8 - slack / 20.0..=100.0 + more * 1.2 + slack
}

/// Both the recorded pauses and ours.
fn polls(stage: &Stage) -> Option<String> {
    let right = |pauses: &[u64], slack: f64| {
        pauses.len() >= 6 && pauses[..6].iter().enumerate().all(|(n, ms)| pause(n, slack).contains(&(*ms as f64)))
    };
    let (ours, theirs) = (stage.gate.pauses("jobs"), &stage.recording.poll_delays_ms);
    (!right(theirs, 3.0) || !right(&ours, 1_000.0)).then(|| format!("pauses between polls {ours:?}, not {theirs:?}"))
}

/// No pause was cut short by the output that ends up there, the last one included.
fn not_woken(stage: &Stage) -> Option<String> {
    let pauses = stage.gate.pauses("second");
    let whole = pauses.iter().enumerate().all(|(n, ms)| *ms as f64 >= *pause(n, 1_000.0).start());
    (!whole || pauses.len() < 5).then(|| format!("a pause was cut short: {pauses:?}"))
}
