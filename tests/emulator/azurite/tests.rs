//! Tests of the client against a real Azurite.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Account, Azurite};

pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

pub(crate) async fn azurite() -> Azurite {
    let installed = Azurite::ensure(&target().join("azurite")).await.unwrap();
    Azurite::start(&installed, &target().join("azurite-run")).await.unwrap()
}

#[tokio::test]
async fn a_message_keeps_its_id_and_counts_its_deliveries() {
    let azurite = azurite().await;
    let account = Account::from_connection_string(&azurite.connection_string()).unwrap();
    account.create_queue("jobs").await.unwrap();
    account.create_queue("jobs").await.unwrap();
    let id = account.put_raw("jobs", "<a href='x'>&amp;</a>\r\n日本", Duration::ZERO, None).await.unwrap();
    assert_eq!(account.peek_messages("jobs").await.unwrap()[0].text, "<a href='x'>&amp;</a>\r\n日本");

    let first = account.get_messages("jobs", 32, Duration::from_secs(30)).await.unwrap().remove(0);
    assert_eq!((first.id.as_str(), first.dequeue_count), (id.as_str(), 1));
    let receipt = account.update_message("jobs", &id, &first.pop_receipt, Duration::ZERO).await.unwrap();
    assert!(account.delete_message("jobs", &id, &first.pop_receipt).await.is_err(), "an old receipt counts no more");
    let second = account.get_messages("jobs", 32, Duration::from_secs(30)).await.unwrap().remove(0);
    assert_ne!(receipt, second.pop_receipt);
    assert_eq!((second.dequeue_count, second.text), (2, first.text));
    account.delete_message("jobs", &id, &second.pop_receipt).await.unwrap();
    assert_eq!(account.count_messages("jobs").await.unwrap(), Some(0));
    assert_eq!(account.count_messages("none").await.unwrap(), None);
    assert_eq!(account.list_queues("").await.unwrap(), ["jobs"]);
}

#[tokio::test]
async fn a_blob_has_one_lease_holder_at_a_time() {
    let azurite = azurite().await;
    let blob = azurite.account().blob("azure-webjobs-hosts", "locks/app/Host.Functions.sweep.Listener");
    assert_eq!(blob.read().await.unwrap(), None);
    blob.write(b"{}").await.unwrap();
    let lease = blob.acquire_lease(60).await.unwrap().unwrap();
    assert_eq!(blob.acquire_lease(60).await.unwrap(), None);
    blob.renew_lease(&lease).await.unwrap();
    blob.release_lease(&lease).await.unwrap();
    assert!(blob.acquire_lease(60).await.unwrap().is_some());
    assert_eq!(blob.read().await.unwrap().unwrap(), b"{}");
    assert!(azurite.account().list_tables().await.unwrap().is_empty());
    assert!(azurite.account().entities("peerings").await.unwrap().is_empty());
}

#[tokio::test]
async fn azurite_ends_when_dropped() {
    let azurite = azurite().await;
    let queue = azurite.endpoints().queue.trim_start_matches("http://").to_owned();
    assert!(tokio::net::TcpStream::connect(&queue).await.is_ok());
    drop(azurite);
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(&queue).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{queue} still answers");
}
