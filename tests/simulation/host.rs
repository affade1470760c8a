//! Plays the Functions host: messages to functions, put back when they fail, poison at the fifth time; timers; deaths.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use functions::clock::Clock;
use functions::engine::queue_of;
use functions::invocation::{Functions, Invocation, Trigger};
use functions::storage::memory::MemoryQueues;
use functions::storage::{Content, Queues, ReceivedMessage};
use futures::StreamExt;
use futures::future::{BoxFuture, Either, FutureExt, select};
use futures::stream::FuturesUnordered;
use jiff::Timestamp;

use super::clock::VirtualClock;
use super::moments::Moments;
use super::wire::AT_WORK;

/// How long a message is a worker's; a dead one's comes back then (the host's lease).
const LEASE: Duration = Duration::from_secs(600);
/// How long a failed message is put back for: `visibilityTimeout` in host.json.
const PUT_BACK: Duration = Duration::from_secs(10);
/// `maxDequeueCount` in host.json.
const MOST_DELIVERIES: u64 = 5;

/// Which messages are delivered a second time, and when.
#[derive(Default)]
pub struct Duplicates {
    /// First deliveries so far.
    first: usize,
    /// Ids of messages that come again when their first delivery has ended.
    after_the_end: BTreeSet<String>,
}

/// What a function did with its message; none: it was a timer.
type Done = (Option<(String, ReceivedMessage)>, Result<(), String>);

/// One host with one handler.
pub struct Host {
    pub functions: Functions,
    pub queues: Arc<MemoryQueues>,
    pub clock: VirtualClock,
    pub moments: Arc<Moments>,
    pub at_work: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Functions that go off by the clock, how often, and when next.
    pub timers: Vec<(&'static str, Duration, Timestamp)>,
    /// How often the handler died.
    pub deaths: usize,
    /// None: each message is delivered once.
    pub duplicates: Option<Duplicates>,
}

impl Host {
    /// Does all that is to be done at this instant, and returns when one piece of work has ended or the time has come for the next.
    /// `true`: the handler died.
    pub async fn turn(&mut self) -> bool {
        self.deliver().await;
        self.ring();
        let next = self.next_event();
        let moments = self.moments.clone();
        select(Box::pin(moments.alarm()), Box::pin(self.work_until(next))).await;
        let died = self.moments.take_dead();
        if died {
            self.at_work.clear();
            self.deaths += 1;
        }
        died
    }

    /// Whether nothing is at work, and no message can be received before an instant.
    pub fn is_idle_until(&self, then: Timestamp) -> bool {
        self.at_work.is_empty() && self.next_message().is_none_or(|at| at >= then)
    }

    /// When the next message can be received.
    pub fn next_message(&self) -> Option<Timestamp> {
        self.queues_listened_to().filter_map(|(queue, _)| self.queues.visible_at(&queue)).min()
    }

    async fn work_until(&mut self, then: Option<Timestamp>) {
        let clock = self.clock;
        let until = async move {
            match then {
                Some(then) => clock.sleep(clock.until(then)).await,
                None => std::future::pending().await,
            }
        };
        let ended = if self.at_work.is_empty() {
            until.map(|()| None).await
        } else {
            match select(self.at_work.next(), Box::pin(until)).await {
                Either::Left((done, _)) => done,
                Either::Right(_) => None,
            }
        };
        if let Some((Some((queue, message)), result)) = ended {
            self.acknowledge(&queue, &message, result).await;
        }
    }

    async fn acknowledge(&mut self, queue: &str, message: &ReceivedMessage, result: Result<(), String>) {
        if self.duplicates.as_mut().is_some_and(|duplicates| duplicates.after_the_end.remove(&message.id)) {
            return drop(self.queues.put_back(queue, message, Duration::ZERO));
        }
        // It may have been received again meanwhile: then it stays.
        match result {
            Ok(()) => drop(self.queues.delete(queue, message).await),
            Err(_) if message.dequeue_count < MOST_DELIVERIES => drop(self.queues.put_back(queue, message, PUT_BACK)),
            Err(_) => {
                let poison = format!("{queue}-poison");
                self.queues.create_queue_if_missing(&poison).await.unwrap();
                self.queues.send_raw(&poison, &message.raw, Duration::ZERO).await.unwrap();
                drop(self.queues.delete(queue, message).await);
            }
        }
    }

    fn queues_listened_to(&self) -> impl Iterator<Item = (String, &'static str)> + '_ {
        self.functions.keys().filter(|name| !self.timers.iter().any(|(timer, ..)| timer == *name)).map(|name| {
            let queue = match *name {
                "accept_request" => "peering-requests".to_owned(),
                "create_vpc" => "vpc-requests".to_owned(),
                step => queue_of(step),
            };
            (queue, *name)
        })
    }

    async fn deliver(&mut self) {
        let queues: Vec<_> = self.queues_listened_to().collect();
        for (queue, function) in queues {
            // A queue that nobody has made yet holds nothing.
            while let Ok(messages) = self.queues.receive(&queue, 32, LEASE).await
                && !messages.is_empty()
            {
                for message in messages {
                    self.repeat(&queue, &message);
                    self.begin(&queue, function, message);
                }
            }
        }
    }

    /// A first delivery that is to be followed by a second one.
    fn repeat(&mut self, queue: &str, message: &ReceivedMessage) {
        let Some(duplicates) = self.duplicates.as_mut().filter(|_| message.dequeue_count == 1) else { return };
        duplicates.first += 1;
        if duplicates.first.is_multiple_of(2) {
            self.queues.put_back(queue, message, Duration::ZERO).unwrap();
        } else {
            duplicates.after_the_end.insert(message.id.clone());
        }
    }

    fn begin(&self, queue: &str, function: &'static str, message: ReceivedMessage) {
        let Content::Text(text) = message.content() else { panic!("not a text: {message:?}") };
        let invocation = Invocation {
            trigger: Trigger::Queue(text),
            message_id: message.id.clone(),
            dequeue_count: message.dequeue_count,
            trace: None,
        };
        let work = AT_WORK.scope(function, self.functions[function](invocation));
        let (moments, queue) = (self.moments.clone(), queue.to_owned());
        self.at_work.push(
            async move {
                let result = work.await;
                // Between the answer and the removal of the message, too, it may die.
                moments.moment().await;
                (Some((queue, message)), result)
            }
            .boxed(),
        );
    }

    fn ring(&mut self) {
        let now = self.clock.now();
        for (function, period, next) in &mut self.timers {
            if *next <= now {
                *next = self.clock.after(*period);
                let invocation = Invocation {
                    trigger: Trigger::Timer { past_due: false },
                    message_id: String::new(),
                    dequeue_count: 0,
                    trace: None,
                };
                let work = AT_WORK.scope(*function, self.functions[*function](invocation));
                self.at_work.push(async move { (None, work.await) }.boxed());
            }
        }
    }

    fn next_event(&self) -> Option<Timestamp> {
        self.next_message().into_iter().chain(self.timers.iter().map(|(_, _, next)| *next)).min()
    }
}
