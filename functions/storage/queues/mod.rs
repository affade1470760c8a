//! Messages: the operations on Queue Storage that the app uses, as a trait.

mod client;

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;

pub(super) use client::AzureQueues;

use super::{StoreError, limits};

/// The queues of one storage account. Durations here are **real** time: the service's clock knows no scale.
#[async_trait]
pub trait Queues: Send + Sync + std::fmt::Debug {
    /// Makes a queue unless it is there. Tried up to three times.
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError>;

    /// Sends a text, base64-encoded (the Functions host's default), that never expires and shows up after `delay`.
    /// See [`Queues::send_raw`].
    async fn send(&self, queue: &str, text: &str, delay: Duration) -> Result<(), StoreError> {
        self.send_raw(queue, &BASE64_STANDARD.encode(text), delay).await
    }

    /// Sends a text as it is. `delay` is rounded up to whole seconds and cut to 7 days (Put Message: visibilitytimeout).
    /// Tried up to three times: a try that landed unseen makes a duplicate, which receivers absorb.
    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError>;

    /// Takes up to `most` messages (1 to 32) and hides them for `visibility` (1 s to 7 days). Tried once: a try that landed
    /// unseen hides messages for that long.
    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError>;

    /// Removes a message that was received. Tried up to three times.
    ///
    /// # Errors
    /// `NotFound` if it is gone, `PreconditionFailed` if it was received again since.
    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError>;

    /// Looks at up to `most` visible messages (1 to 32) without taking them.
    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError>;

    /// About how many messages there are, hidden ones included.
    async fn length(&self, queue: &str) -> Result<u64, StoreError>;
}

/// A message that was received or peeked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// `MessageId`
    pub id: String,
    /// What proves that it was received last by us; `None` if it was only peeked at.
    pub pop_receipt: Option<String>,
    /// How often it was received, this time included.
    pub dequeue_count: u64,
    /// When it was sent.
    pub inserted: Option<Timestamp>,
    /// The text on the wire.
    pub raw: String,
}

/// What a message's text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Base64 of this text.
    Text(String),
    /// Base64 of bytes that are not UTF-8.
    Bytes(Vec<u8>),
    /// Not base64: the host could not decode it either, and gave it to the poison queue as it was.
    NotBase64(String),
}

impl ReceivedMessage {
    /// Decodes the text on the wire as the host does, which skips blanks and line breaks (.NET, Convert.FromBase64String): `base64` prints lines.
    /// A bare word can be base64 by chance: where a poison message is kept for people, keep `raw` too.
    pub fn content(&self) -> Content {
        let bare: String = self.raw.split_ascii_whitespace().collect();
        match BASE64_STANDARD.decode(bare) {
            Err(_) => Content::NotBase64(self.raw.clone()),
            Ok(bytes) => String::from_utf8(bytes).map_or_else(|e| Content::Bytes(e.into_bytes()), Content::Text),
        }
    }
}

/// Whole seconds, rounded up, from `least` to the 7 days that the service allows.
pub(super) fn whole_seconds(duration: Duration, least: u32) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).clamp(least, limits::VISIBILITY_SECONDS)
}
