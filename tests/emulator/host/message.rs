//! One message's life in the host: leased, renewed, invoked, deleted, released or poisoned.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::encoding::{self, Content};
use super::events::{Event, Outcome};
use super::function::{DataType, Function, Trigger};
use super::invoke::Call;
use super::lifecycle::Core;
use super::options::Duplicate;
use super::outputs;
use crate::azurite::{Message, StorageError};

/// How long a received message is hidden; hard-coded in the host, renewed at half time (nominal).
pub(super) const LEASE: Duration = Duration::from_secs(600);

/// A poison message lives as long as any by default.
const TTL: Duration = Duration::from_secs(7 * 86_400);

/// Queue names end here (REST: "Naming queues and metadata").
const LONGEST_NAME: usize = 63;

/// Settling a message is tried this often while storage does not answer.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(500);

/// A duplicate "while the first delivery runs" appears after this much of it.
const OVERLAP: Duration = Duration::from_millis(20);

/// How a first delivery is made to be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Never,
    AfterTheEnd,
    WhileRunning,
}

/// What is done to a message when its call is over.
#[derive(Clone, Copy)]
enum Act<'a> {
    /// Make it visible after this.
    Hide(Duration),
    Delete,
    /// Copy its stored text to this poison queue.
    Copy(&'a str),
}

struct Delivery<'a> {
    core: &'a Core,
    queue: &'a str,
    message: &'a Message,
    /// The newest receipt; each renewal changes it.
    receipt: Mutex<String>,
    repeat: Repeat,
}

/// Handles a received message to its end.
pub(super) async fn handle(core: Arc<Core>, function: usize, message: Message) {
    let function = &core.app.functions[function];
    let Trigger::Queue { binding, queue, data_type } = &function.trigger else {
        return;
    };
    let delivery = Delivery {
        core: &core,
        queue,
        message: &message,
        receipt: Mutex::new(message.pop_receipt.clone()),
        repeat: repeat(&core, &message),
    };
    let Some(bytes) = decode(&core, &message) else {
        return delivery.poison("Message decoding has failed! Check MessageEncoding settings.").await;
    };
    if message.dequeue_count > core.app.queues.max_dequeue_count {
        return delivery.poison("DequeueCount is above maxDequeueCount").await;
    }
    let outcome = match content(bytes, *data_type) {
        Some(content) => delivery.run(function, binding, &content).await,
        None => Outcome::Failed(
            "the message cannot be bound to the dataType: it is not UTF-8, or the type is stream".to_owned(),
        ),
    };
    delivery.settle(&outcome).await;
}

fn repeat(core: &Core, message: &Message) -> Repeat {
    if core.options.duplicate == Duplicate::None || message.dequeue_count > 1 {
        return Repeat::Never;
    }
    match core.duplicates.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Repeat::AfterTheEnd,
        _ => Repeat::WhileRunning,
    }
}

fn decode(core: &Core, message: &Message) -> Option<Vec<u8>> {
    if core.app.queues.base64 { outputs::base64(&message.text) } else { Some(message.text.clone().into_bytes()) }
}

fn content(bytes: Vec<u8>, data_type: DataType) -> Option<Content> {
    match data_type {
        DataType::Text => String::from_utf8(bytes).ok().map(Content::Text),
        DataType::Binary => Some(Content::Binary(bytes)),
        DataType::Stream => None,
    }
}

impl Delivery<'_> {
    async fn run(&self, function: &Function, binding: &str, content: &Content) -> Outcome {
        let body = |moment: &encoding::Moment<'_>, retry: Option<&encoding::Retry>| {
            encoding::queue(binding, content, self.message, moment, retry)
        };
        let text = if let Content::Text(text) = content { Some(text.as_str()) } else { None };
        let call = Call { function, message: Some(self.message), text, body: &body };
        tokio::select! {
            outcome = self.core.invoke(call) => outcome,
            never = self.keep_lease() => match never {},
        }
    }

    /// Renews the lease at half time for as long as it is ours; losing it does not end the call.
    async fn keep_lease(&self) -> std::convert::Infallible {
        if self.repeat == Repeat::WhileRunning {
            tokio::time::sleep(OVERLAP).await;
            self.note(self.hide(Duration::ZERO).await);
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.core.scale.real(LEASE / 2)).await;
            let renewed = self.hide(self.core.scale.real(LEASE)).await;
            let lost = matches!(&renewed, Err(error) if error.status().is_some_and(|status| status < 500));
            self.note(renewed);
            if lost {
                return std::future::pending().await;
            }
        }
    }

    /// Changes the visibility with the newest receipt, and keeps the next one.
    async fn hide(&self, duration: Duration) -> Result<(), StorageError> {
        let receipt = self.receipt();
        let next = self.core.account.update_message(self.queue, &self.message.id, &receipt, duration).await?;
        *self.receipt.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn receipt(&self) -> String {
        self.receipt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn settle(&self, outcome: &Outcome) {
        let queues = &self.core.app.queues;
        match outcome {
            Outcome::Succeeded if self.repeat != Repeat::Never => self.note(self.hide(Duration::ZERO).await),
            Outcome::Succeeded => self.note(self.patiently(Act::Delete).await),
            Outcome::Failed(problem) if self.message.dequeue_count >= queues.max_dequeue_count => {
                self.poison(problem).await;
            }
            Outcome::TimedOut if self.message.dequeue_count >= queues.max_dequeue_count => {
                self.poison("the function timed out").await;
            }
            // Without a poison queue it stays hidden until its lease ends, at every failure.
            Outcome::Failed(_) | Outcome::TimedOut if self.poison_queue().is_none() => {}
            Outcome::Failed(_) | Outcome::TimedOut => {
                let delay = self.core.scale.real(queues.visibility_timeout);
                self.note(self.patiently(Act::Hide(delay)).await);
            }
        }
    }

    /// None for a queue that is a poison queue itself, or whose name has no room for the suffix.
    fn poison_queue(&self) -> Option<String> {
        let poison = format!("{}-poison", self.queue);
        (!self.queue.ends_with("-poison") && poison.len() <= LONGEST_NAME).then_some(poison)
    }

    /// Copies the stored text to the poison queue, then deletes the message. Not atomic, as in the host.
    async fn poison(&self, reason: &str) {
        let Some(poison) = self.poison_queue() else {
            return;
        };
        match self.patiently(Act::Copy(&poison)).await {
            Ok(()) => {
                self.core.events().tell(Event::Poisoned {
                    queue: self.queue.to_owned(),
                    message: self.message.id.clone(),
                    reason: reason.to_owned(),
                });
                self.note(self.patiently(Act::Delete).await);
            }
            refused => self.note(refused),
        }
    }

    /// Does it, and again while storage does not answer.
    async fn patiently(&self, act: Act<'_>) -> Result<(), StorageError> {
        for _ in 1..TRIES {
            match self.act(act).await {
                Err(StorageError::Unreachable { .. }) => tokio::time::sleep(PAUSE).await,
                settled => return settled,
            }
        }
        self.act(act).await
    }

    async fn act(&self, act: Act<'_>) -> Result<(), StorageError> {
        let account = &self.core.account;
        match act {
            Act::Hide(duration) => self.hide(duration).await,
            Act::Delete => account.delete_message(self.queue, &self.message.id, &self.receipt()).await,
            Act::Copy(poison) => {
                account.create_queue(poison).await?;
                account.put_raw(poison, &self.message.text, Duration::ZERO, Some(TTL)).await.map(drop)
            }
        }
    }

    /// A lost lease is nobody's fault; anything else is told.
    fn note(&self, result: Result<(), StorageError>) {
        if let Err(error) = result
            && !matches!(error.status(), Some(400 | 404))
        {
            self.core.events().tell(Event::Trouble(error.to_string()));
        }
    }
}
