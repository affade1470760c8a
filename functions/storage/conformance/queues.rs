//! Behaviour of queues.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Account, behaviours};
use crate::storage::{Content, StoreError};

behaviours!(
    a_message_arrives_as_base64,
    base64_in_lines_is_base64,
    what_is_not_base64_comes_back_as_it_was,
    a_delay_hides_a_message,
    a_received_message_comes_back_after_its_visibility,
    only_the_last_receiver_may_delete,
    a_peek_takes_nothing,
    a_message_of_48_kib_fits_and_no_more,
    a_missing_queue_is_named,
);

const NOW: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

async fn a_message_arrives_as_base64(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("text").await);
    queues.create_queue_if_missing(&queue).await.unwrap();
    queues.send(&queue, "{\"é\":\"<&>\"}", NOW).await.unwrap();
    let messages = queues.receive(&queue, 32, LONG).await.unwrap();
    let [message] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(message.content(), Content::Text("{\"é\":\"<&>\"}".to_owned()));
    assert_eq!(message.raw, BASE64_STANDARD.encode("{\"é\":\"<&>\"}"));
    assert_eq!(message.dequeue_count, 1);
    assert!(message.inserted.is_some());
    queues.delete(&queue, message).await.unwrap();
    assert_eq!(queues.length(&queue).await.unwrap(), 0);
}

async fn base64_in_lines_is_base64(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("lines").await);
    queues.send_raw(&queue, "eyJ2ZXJz\r\naW9uIjog\n MX0=\n", NOW).await.unwrap();
    let messages = queues.receive(&queue, 1, LONG).await.unwrap();
    assert_eq!(messages[0].content(), Content::Text("{\"version\": 1}".to_owned()));
}

async fn what_is_not_base64_comes_back_as_it_was(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("raw").await);
    let bytes = BASE64_STANDARD.encode([255_u8, 254]);
    for raw in ["{\"version\": 1, \"a\": \"<é>\"}", &bytes] {
        queues.send_raw(&queue, raw, NOW).await.unwrap();
    }
    let mut contents: Vec<_> = queues.receive(&queue, 32, LONG).await.unwrap().iter().map(|m| m.content()).collect();
    contents.sort_by_key(|content| matches!(content, Content::Bytes(_)));
    let raw = Content::NotBase64("{\"version\": 1, \"a\": \"<é>\"}".to_owned());
    assert_eq!(contents, [raw, Content::Bytes(vec![255, 254])]);
}

async fn a_delay_hides_a_message(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("delay").await);
    queues.send(&queue, "later", Duration::from_millis(1)).await.unwrap();
    queues.send(&queue, "much later", Duration::from_secs(30 * 24 * 3600)).await.unwrap();
    assert_eq!(queues.receive(&queue, 1, LONG).await.unwrap(), []);
    assert_eq!(queues.length(&queue).await.unwrap(), 2);
    account.pass(Duration::from_millis(1100)).await;
    let messages = queues.receive(&queue, 32, LONG).await.unwrap();
    assert_eq!(messages.iter().map(|m| m.content()).collect::<Vec<_>>(), [Content::Text("later".to_owned())]);
}

async fn a_received_message_comes_back_after_its_visibility(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("again").await);
    queues.send(&queue, "x", NOW).await.unwrap();
    let first = queues.receive(&queue, 1, SHORT).await.unwrap();
    assert_eq!(queues.receive(&queue, 1, SHORT).await.unwrap(), []);
    account.pass(Duration::from_millis(1100)).await;
    let second = queues.receive(&queue, 1, LONG).await.unwrap();
    assert_eq!((second[0].id.as_str(), second[0].dequeue_count), (first[0].id.as_str(), 2));
}

async fn only_the_last_receiver_may_delete(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("receipt").await);
    queues.send(&queue, "x", NOW).await.unwrap();
    let first = queues.receive(&queue, 1, SHORT).await.unwrap().remove(0);
    account.pass(Duration::from_millis(1100)).await;
    let second = queues.receive(&queue, 1, LONG).await.unwrap().remove(0);
    let stale = queues.delete(&queue, &first).await.unwrap_err();
    assert!(matches!(stale, StoreError::PreconditionFailed { .. }), "{stale}");
    queues.delete(&queue, &second).await.unwrap();
    let gone = queues.delete(&queue, &second).await.unwrap_err();
    assert!(matches!(&gone, StoreError::NotFound { what, .. } if what.starts_with("message")), "{gone}");
}

async fn a_peek_takes_nothing(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("peek").await);
    queues.send(&queue, "x", NOW).await.unwrap();
    queues.send(&queue, "hidden", LONG).await.unwrap();
    for _ in 0..2 {
        let seen = queues.peek(&queue, 32).await.unwrap();
        assert_eq!((seen.len(), seen[0].dequeue_count, &seen[0].pop_receipt), (1, 0, &None));
    }
    let peeked = queues.peek(&queue, 1).await.unwrap().remove(0);
    assert!(queues.delete(&queue, &peeked).await.is_err());
    assert_eq!(queues.receive(&queue, 32, LONG).await.unwrap().len(), 1);
}

async fn a_message_of_48_kib_fits_and_no_more(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.queue("size").await);
    queues.send(&queue, &"x".repeat(48 * 1024), NOW).await.unwrap();
    let error = queues.send(&queue, &"x".repeat(48 * 1024 + 1), NOW).await.unwrap_err().to_string();
    assert!(error.contains("64 KiB"), "{error}");
    assert_eq!(queues.receive(&queue, 1, LONG).await.unwrap()[0].raw.len(), 64 * 1024);
}

async fn a_missing_queue_is_named(account: &Account) {
    let (queues, queue) = (&account.storage.queues, account.name("missing"));
    let named = |error: StoreError| {
        assert!(matches!(&error, StoreError::NotFound { what, .. } if *what == format!("queue {queue}")), "{error}");
    };
    named(queues.send(&queue, "x", NOW).await.unwrap_err());
    named(queues.receive(&queue, 1, LONG).await.unwrap_err());
    named(queues.peek(&queue, 1).await.unwrap_err());
    named(queues.length(&queue).await.unwrap_err());
}
