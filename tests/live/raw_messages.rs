//! Not in simulation: messages that the host cannot read, and moves to the poison queue unseen; and the longest that it can.

use std::time::Duration;

use emulator::clouds::Clouds;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_no_request_is_kept_with_its_reason() {
    // The sweep comes every three seconds.
    let environment = scene::setup(100.0).start(|_: &Clouds| {}).await.unwrap();
    let long = format!("{{\"version\": 1, \"note\": \"{}\"}}", "x".repeat(47 * 1024));
    let texts =
        [("hello", "cannot be read"), ("   ", "is empty"), ("a\u{0}b", "cannot be read"), (&long, "unknown field")];
    for (text, _) in texts {
        environment.send(text).await.unwrap();
    }
    // Not base64 at all: the host moves these to the poison queue unseen, and the sweep finds them there.
    let raw = ["{\"version\": 1}", "plain text, with blanks!", &"&".repeat(10), &"z!".repeat(32 * 1024)];
    for text in raw {
        environment.account.put_raw("peering-requests", text, Duration::ZERO, None).await.unwrap();
    }
    // Base64 of what is no text.
    environment.account.put_raw("peering-requests", "//79/A==", Duration::ZERO, None).await.unwrap();
    let rows = scene::rejected(&environment, texts.len() + raw.len() + 1, LIMIT).await;
    for (text, part) in texts {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(1024).collect();
        let row = rows.iter().find(|row| scene::text(row, "text") == shown);
        let row = row.unwrap_or_else(|| panic!("{shown} is not kept"));
        assert!(scene::text(row, "reason").contains(part), "{row:?}");
    }
    for text in raw {
        let row = rows.iter().find(|row| text.starts_with(scene::text(row, "text")));
        let row = row.unwrap_or_else(|| panic!("{text} is not kept"));
        assert!(scene::text(row, "reason").contains("not base64"), "{row:?}");
    }
    assert!(environment.clouds.calls().is_empty(), "nothing reached a cloud: {:?}", environment.clouds.calls());
    assert!(environment.records().await.unwrap().is_empty(), "no record was opened");
    scene::queues_are_empty(&environment, LIMIT).await;
    assert_eq!(environment.supervisor.counts().crashes, 0, "nothing crashed the handler");
    environment.stop().await;
}
