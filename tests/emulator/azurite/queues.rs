//! Queues: create, list, put, get, peek, update, delete, clear, count.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;

use super::client::{Account, Answer, Call, StorageError, encode};
use super::xml;

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id; the same for every delivery.
    pub id: String,
    /// What the last receiver needs to update or delete it.
    pub pop_receipt: String,
    /// How often it was received, this time included.
    pub dequeue_count: u32,
    /// RFC 1123 dates, as the service writes them.
    pub inserted: String,
    /// When it expires.
    pub expires: String,
    /// When it becomes visible again.
    pub next_visible: String,
    /// Its text as stored: base64 by default.
    pub text: String,
}

/// A message seen without being received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeekedMessage {
    /// Its id.
    pub id: String,
    /// How often it was received.
    pub dequeue_count: u32,
    /// Its text as stored: base64 by default.
    pub text: String,
}

impl Account {
    /// Names of the queues that start with `prefix`.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn list_queues(&self, prefix: &str) -> Result<Vec<String>, StorageError> {
        let mut names = Vec::new();
        let mut marker = String::new();
        loop {
            let mut query = vec![("comp", "list".to_owned()), ("prefix", prefix.to_owned())];
            if !marker.is_empty() {
                query.push(("marker", marker));
            }
            let answer = self.queue_call(Method::GET, "/".to_owned(), query, Vec::new()).await?.text();
            names.extend(xml::elements(&answer, "Queue").iter().filter_map(|queue| xml::text(queue, "Name")));
            marker = xml::text(&answer, "NextMarker").unwrap_or_default();
            if marker.is_empty() {
                return Ok(names);
            }
        }
    }

    /// Makes a queue; one that is there already is fine.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn create_queue(&self, queue: &str) -> Result<(), StorageError> {
        self.queue_call(Method::PUT, format!("/{queue}"), Vec::new(), Vec::new()).await.map(drop)
    }

    /// Whether the queue exists, and about how many messages it holds, invisible ones included.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn count_messages(&self, queue: &str) -> Result<Option<u64>, StorageError> {
        let query = vec![("comp", "metadata".to_owned())];
        match self.queue_call(Method::GET, format!("/{queue}"), query, Vec::new()).await {
            Ok(answer) => {
                Ok(Some(answer.header("x-ms-approximate-messages-count").and_then(|n| n.parse().ok()).unwrap_or(0)))
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a message of which `text` is the exact stored text; invisible for `delay`. Returns its id.
    /// `ttl`: `None` for never expiring.
    ///
    /// # Errors
    /// When storage refuses (no such queue, more than 64 KiB) or does not answer.
    pub async fn put_raw(
        &self,
        queue: &str,
        text: &str,
        delay: Duration,
        ttl: Option<Duration>,
    ) -> Result<String, StorageError> {
        let ttl = ttl.map_or_else(|| "-1".to_owned(), |ttl| seconds(ttl).to_string());
        let mut query = vec![("messagettl", ttl)];
        if !delay.is_zero() {
            query.push(("visibilitytimeout", seconds(delay).to_string()));
        }
        let answer = self.queue_call(Method::POST, format!("/{queue}/messages"), query, envelope(text)).await?;
        xml::text(&answer.text(), "MessageId")
            .ok_or_else(|| StorageError::malformed("put message", "the answer has no MessageId"))
    }

    /// Puts a message as clients of Functions do: base64, visible at once, never expiring, the queue
    /// made if it is missing. Returns the message's id.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn enqueue(&self, queue: &str, text: &str) -> Result<String, StorageError> {
        self.create_queue(queue).await?;
        self.put_raw(queue, &BASE64_STANDARD.encode(text), Duration::ZERO, None).await
    }

    /// Receives up to `count` (1 to 32) messages and hides them for `visibility`.
    ///
    /// # Errors
    /// When storage refuses (404: no such queue) or does not answer.
    pub async fn get_messages(
        &self,
        queue: &str,
        count: u32,
        visibility: Duration,
    ) -> Result<Vec<Message>, StorageError> {
        let query = vec![("numofmessages", count.to_string()), ("visibilitytimeout", seconds(visibility).to_string())];
        let answer = self.queue_call(Method::GET, format!("/{queue}/messages"), query, Vec::new()).await?;
        xml::elements(&answer.text(), "QueueMessage").into_iter().map(message).collect()
    }

    /// Looks at up to 32 visible messages without receiving them.
    ///
    /// # Errors
    /// When storage refuses (404: no such queue) or does not answer.
    pub async fn peek_messages(&self, queue: &str) -> Result<Vec<PeekedMessage>, StorageError> {
        let query = vec![("peekonly", "true".to_owned()), ("numofmessages", "32".to_owned())];
        let answer = self.queue_call(Method::GET, format!("/{queue}/messages"), query, Vec::new()).await?;
        Ok(xml::elements(&answer.text(), "QueueMessage").into_iter().map(peeked).collect())
    }

    /// Hides a received message for `visibility` from now, keeping its text; returns the new pop
    /// receipt, the only one that counts from then on.
    ///
    /// # Errors
    /// When the pop receipt is no longer the last one (400 or 404), or storage does not answer.
    pub async fn update_message(
        &self,
        queue: &str,
        id: &str,
        pop_receipt: &str,
        visibility: Duration,
    ) -> Result<String, StorageError> {
        let query =
            vec![("popreceipt", pop_receipt.to_owned()), ("visibilitytimeout", seconds(visibility).to_string())];
        let answer = self.queue_call(Method::PUT, format!("/{queue}/messages/{id}"), query, Vec::new()).await?;
        answer
            .header("x-ms-popreceipt")
            .ok_or_else(|| StorageError::malformed("update message", "the answer has no x-ms-popreceipt"))
    }

    /// Deletes a received message.
    ///
    /// # Errors
    /// When the pop receipt is no longer the last one (400 or 404), or storage does not answer.
    pub async fn delete_message(&self, queue: &str, id: &str, pop_receipt: &str) -> Result<(), StorageError> {
        let query = vec![("popreceipt", pop_receipt.to_owned())];
        self.queue_call(Method::DELETE, format!("/{queue}/messages/{id}"), query, Vec::new()).await.map(drop)
    }

    /// Deletes every message of a queue.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn clear_queue(&self, queue: &str) -> Result<(), StorageError> {
        self.queue_call(Method::DELETE, format!("/{queue}/messages"), Vec::new(), Vec::new()).await.map(drop)
    }

    async fn queue_call(
        &self,
        method: Method,
        path: String,
        query: Vec<(&str, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, StorageError> {
        let path = path.split('/').map(encode).collect::<Vec<_>>().join("/");
        let headers = if body.is_empty() { Vec::new() } else { vec![("content-type", "application/xml".to_owned())] };
        self.send(Call { method, base: &self.queue, path, query, headers, body, table: false }).await
    }
}

/// The service counts whole seconds; a scaled fraction is rounded up, lest a lease end too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn envelope(text: &str) -> Vec<u8> {
    format!("<QueueMessage><MessageText>{}</MessageText></QueueMessage>", xml::escape(text)).into_bytes()
}

fn message(element: &str) -> Result<Message, StorageError> {
    let part = |name: &str| {
        xml::text(element, name)
            .ok_or_else(|| StorageError::malformed("get messages", format!("a message has no {name}")))
    };
    Ok(Message {
        id: part("MessageId")?,
        pop_receipt: part("PopReceipt")?,
        dequeue_count: part("DequeueCount")?.parse().unwrap_or(1),
        inserted: part("InsertionTime")?,
        expires: part("ExpirationTime")?,
        next_visible: part("TimeNextVisible")?,
        text: part("MessageText")?,
    })
}

fn peeked(element: &str) -> PeekedMessage {
    PeekedMessage {
        id: xml::text(element, "MessageId").unwrap_or_default(),
        dequeue_count: xml::text(element, "DequeueCount").and_then(|n| n.parse().ok()).unwrap_or(0),
        text: xml::text(element, "MessageText").unwrap_or_default(),
    }
}
