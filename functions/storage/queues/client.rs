//! Queue Storage over HTTP: the official `azure_storage_queue`, without its retries, errors told apart.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::ClientOptions;
use azure_storage_queue::models::{
    self, QueueClientGetPropertiesResultHeaders, QueueClientPeekMessagesOptions, QueueClientReceiveMessagesOptions,
    QueueClientSendMessageOptions, QueueMessage,
};
use azure_storage_queue::{QueueClient, QueueClientOptions};
use jiff::Timestamp;
use url::Url;

use super::{Queues, ReceivedMessage, whole_seconds};
use crate::storage::StoreError;
use crate::storage::attempt::{Attempts, Effect, refused, unanswered, xml_element};
use crate::storage::limits::{check_message, queue_name};

/// Put Message: `messagettl` of a message that never expires.
const FOREVER: i32 = -1;
/// Most messages a receive or peek returns.
const BATCH: u8 = 32;

/// The queues of an account.
pub(in crate::storage) struct AzureQueues {
    url: Url,
    options: ClientOptions,
    credential: Option<Arc<dyn TokenCredential>>,
    attempts: Attempts,
    /// One client a queue, made at first use.
    clients: Mutex<HashMap<String, Arc<QueueClient>>>,
}

impl fmt::Debug for AzureQueues {
    /// Where it is is enough; the pipeline would fill a page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AzureQueues({})", self.url)
    }
}

impl AzureQueues {
    /// `options` bring the transport, and the signature where there is no credential.
    pub(in crate::storage) fn new(
        url: Url,
        options: ClientOptions,
        credential: Option<Arc<dyn TokenCredential>>,
        attempts: Attempts,
    ) -> Self {
        Self { url, options, credential, attempts, clients: Mutex::default() }
    }

    fn client(&self, queue: &str) -> Result<Arc<QueueClient>, StoreError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(queue) {
            return Ok(client.clone());
        }
        let invalid = |reason: &str| StoreError::invalid(queue_name(queue), reason);
        let mut url = self.url.clone();
        url.path_segments_mut().map_err(|()| invalid("the endpoint is no base URL"))?.pop_if_empty().push(queue);
        let options = QueueClientOptions { client_options: self.options.clone(), ..QueueClientOptions::default() };
        let client =
            QueueClient::new(url, self.credential.clone(), Some(options)).map_err(|e| invalid(&e.to_string()))?;
        let client = Arc::new(client);
        clients.insert(queue.to_owned(), client.clone());
        Ok(client)
    }

    /// Tries an operation on a queue.
    async fn run<T, R>(
        &self,
        queue: &str,
        what: String,
        effect: Effect,
        call: impl Fn(Arc<QueueClient>) -> R,
    ) -> Result<T, StoreError>
    where
        R: Future<Output = azure_core::Result<T>>,
    {
        let client = self.client(queue)?;
        let once = || async { call(client.clone()).await.map_err(|error| judge(queue, &what, effect, &error)) };
        self.attempts.run(effect, &what, once).await
    }
}

/// The error that an SDK error means.
fn judge(queue: &str, what: &str, effect: Effect, error: &azure_core::Error) -> StoreError {
    let ErrorKind::HttpResponse { status, error_code, raw_response } = error.kind() else {
        return unanswered(what, effect, error);
    };
    let body = raw_response.as_ref().map(|answer| String::from_utf8_lossy(answer.body().as_ref()).into_owned());
    let body = body.unwrap_or_default();
    // azure_core takes the code from the header `x-ms-error-code` only; without it, from the status.
    let code = xml_element(&body, "Code").map(str::to_owned).or_else(|| error_code.clone()).unwrap_or_default();
    let what = if code == "QueueNotFound" { queue_name(queue) } else { what.to_owned() };
    refused(what, effect, u16::from(*status), code, xml_element(&body, "Message").unwrap_or_default())
}

#[async_trait]
impl Queues for AzureQueues {
    async fn create_queue_if_missing(&self, queue: &str) -> Result<(), StoreError> {
        let created =
            self.run(queue, queue_name(queue), Effect::Repeatable, |client| async move { client.create(None).await });
        match created.await {
            // Only with other metadata; without, the service answers 204.
            Err(StoreError::Other { code, .. }) if code == "QueueAlreadyExists" => Ok(()),
            other => other.map(drop),
        }
    }

    async fn send_raw(&self, queue: &str, raw: &str, delay: Duration) -> Result<(), StoreError> {
        check_message(queue, raw)?;
        let delay = i32::try_from(whole_seconds(delay, 0)).ok();
        let sent = self.run(queue, queue_name(queue), Effect::Repeatable, |client| async move {
            let options = QueueClientSendMessageOptions {
                message_time_to_live: Some(FOREVER),
                visibility_timeout: delay,
                ..QueueClientSendMessageOptions::default()
            };
            client.send_message(QueueMessage { message_text: Some(raw.to_owned()) }.try_into()?, Some(options)).await
        });
        sent.await.map(drop)
    }

    async fn receive(&self, queue: &str, most: u8, visibility: Duration) -> Result<Vec<ReceivedMessage>, StoreError> {
        let visibility = i32::try_from(whole_seconds(visibility, 1)).ok();
        let received = self.run(queue, queue_name(queue), Effect::Once, |client| async move {
            let options = QueueClientReceiveMessagesOptions {
                number_of_messages: Some(most.clamp(1, BATCH).into()),
                visibility_timeout: visibility,
                ..QueueClientReceiveMessagesOptions::default()
            };
            client.receive_messages(Some(options)).await?.into_model()
        });
        Ok(received.await?.items.unwrap_or_default().into_iter().map(ReceivedMessage::from).collect())
    }

    async fn delete(&self, queue: &str, message: &ReceivedMessage) -> Result<(), StoreError> {
        let what = format!("message {} in queue {queue}", message.id);
        let Some(receipt) = &message.pop_receipt else {
            return Err(StoreError::PreconditionFailed { what, op: None });
        };
        let deleted = self.run(queue, what, Effect::Repeatable, |client| async move {
            client.delete_message(&message.id, receipt, None).await
        });
        deleted.await.map(drop)
    }

    async fn peek(&self, queue: &str, most: u8) -> Result<Vec<ReceivedMessage>, StoreError> {
        let peeked = self.run(queue, queue_name(queue), Effect::Read, |client| async move {
            let options = QueueClientPeekMessagesOptions {
                number_of_messages: Some(most.clamp(1, BATCH).into()),
                ..QueueClientPeekMessagesOptions::default()
            };
            client.peek_messages(Some(options)).await?.into_model()
        });
        Ok(peeked.await?.items.unwrap_or_default().into_iter().map(ReceivedMessage::from).collect())
    }

    async fn length(&self, queue: &str) -> Result<u64, StoreError> {
        let counted = self.run(queue, queue_name(queue), Effect::Read, |client| async move {
            client.get_properties(None).await?.approximate_messages_count()
        });
        Ok(counted.await?.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }
}

impl From<models::ReceivedMessage> for ReceivedMessage {
    fn from(message: models::ReceivedMessage) -> Self {
        Self {
            id: message.message_id.unwrap_or_default(),
            pop_receipt: message.pop_receipt,
            dequeue_count: message.dequeue_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
            inserted: message.insertion_time.and_then(|time| Timestamp::from_second(time.unix_timestamp()).ok()),
            raw: message.message_text.unwrap_or_default(),
        }
    }
}

impl From<models::PeekedMessage> for ReceivedMessage {
    fn from(message: models::PeekedMessage) -> Self {
        Self {
            id: message.message_id.unwrap_or_default(),
            pop_receipt: None,
            dequeue_count: message.dequeue_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
            inserted: message.insertion_time.and_then(|time| Timestamp::from_second(time.unix_timestamp()).ok()),
            raw: message.message_text.unwrap_or_default(),
        }
    }
}
