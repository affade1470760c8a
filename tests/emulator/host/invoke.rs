//! One invocation: wait for the handler, POST, judge the answer, write its outputs; time out and kill.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use uuid::Uuid;

use super::answer::{Answer, Meaning, judge};
use super::encoding::{Moment, Retry};
use super::events::{Event, Invocation, Outcome};
use super::function::{Function, Output, RetryPolicy, Trigger};
use super::lifecycle::{Core, StopReason};
use super::options::Transfer;
use super::outputs;
use super::wire::{Request, traceparent};
use crate::azurite::Message;

/// The version that the recordings were made with.
const HOST_VERSION: &str = "4.1037.0.0";

/// After a timeout, how long an answer may still come to spare the handler (nominal).
const GRACE: Duration = Duration::from_secs(2);

/// Messages written through outputs live as long as any by default.
const TTL: Duration = Duration::from_secs(7 * 86_400);

/// What is to be invoked.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) function: &'a Function,
    /// The queue message, if there is one.
    pub(super) message: Option<&'a Message>,
    /// Its text, for names of output queues that refer to it.
    pub(super) text: Option<&'a str>,
    /// Makes the body of each POST.
    pub(super) body: &'a (dyn Fn(&Moment, Option<&Retry>) -> String + Send + Sync),
}

impl Core {
    /// Invokes a function, with its retry policy, and tells how it ended.
    pub(super) async fn invoke(&self, call: Call<'_>) -> Outcome {
        let Call { function, message, .. } = call;
        let mut invocation = Invocation {
            id: Uuid::new_v4(),
            function: function.name.clone(),
            message: message.map(|message| message.id.clone()),
            dequeue_count: message.map_or(0, |message| message.dequeue_count),
            started: Timestamp::now(),
            ended: None,
            outcome: None,
        };
        self.events().tell(Event::Started(invocation.clone()));
        let outcome = self.with_retries(call, &invocation).await;
        invocation.ended = Some(Timestamp::now());
        invocation.outcome = Some(outcome.clone());
        self.events().tell(Event::Ended(invocation));
        outcome
    }

    async fn with_retries(&self, call: Call<'_>, invocation: &Invocation) -> Outcome {
        let Some(policy) = &call.function.retry else {
            return self.attempt(call, invocation, None).await;
        };
        let mut retry = Retry { count: 0, max: policy.max, exception: None };
        loop {
            let outcome = self.attempt(call, invocation, Some(&retry)).await;
            let problem = match &outcome {
                Outcome::Succeeded => return outcome,
                Outcome::Failed(problem) => problem.clone(),
                Outcome::TimedOut => "the function timed out".to_owned(),
            };
            if retry.count == retry.max || !self.sleep(self.scale.real(pause(policy, retry.count))).await {
                return outcome;
            }
            retry = Retry { count: retry.count + 1, exception: Some(problem), ..retry };
        }
    }

    /// One POST under `functionTimeout`.
    async fn attempt(&self, call: Call<'_>, invocation: &Invocation, retry: Option<&Retry>) -> Outcome {
        let launch = AtomicU32::new(0);
        let work = self.post(call, invocation, retry, &launch);
        tokio::pin!(work);
        let Some(limit) = self.app.function_timeout else {
            return work.await;
        };
        if let Ok(outcome) = tokio::time::timeout(self.scale.real(limit), &mut work).await {
            return outcome;
        }
        // An answer within the grace is discarded, but spares the handler and all other calls.
        if tokio::time::timeout(self.scale.real(GRACE), &mut work).await.is_err() {
            let number = launch.load(Ordering::Relaxed);
            if number > 0 {
                self.worker.restart(number).await;
            }
        }
        Outcome::TimedOut
    }

    async fn post(
        &self,
        call: Call<'_>,
        invocation: &Invocation,
        retry: Option<&Retry>,
        launch: &AtomicU32,
    ) -> Outcome {
        let function = call.function;
        let (process, ready) = self.worker.ready(self.initialization * 4).await;
        launch.store(process.launch, Ordering::Relaxed);
        if let (Trigger::Queue { queue, .. }, Some(id)) = (&function.trigger, &invocation.message) {
            self.events().delivered(queue, id);
        }
        let moment = Moment { function: &function.name, now: Timestamp::now(), random: Uuid::new_v4() };
        let text = (call.body)(&moment, retry);
        let response = process.wire.send(self.request(function, invocation, &text)).await;
        if !ready {
            self.stop(StopReason::NeverReady);
        }
        match response.map(|response| judge(&response)) {
            Err(error) => {
                self.worker.notice_end(process.launch).await;
                Outcome::Failed(format!("no answer from the handler: {error}"))
            }
            Ok(Meaning::Failure(problem)) => Outcome::Failed(problem),
            Ok(Meaning::Nothing) => std::future::pending().await,
            Ok(Meaning::Success(answer)) => self.apply(call, &answer).await,
        }
    }

    fn request<'a>(&self, function: &Function, invocation: &Invocation, body: &'a str) -> Request<'a> {
        let mut content: Vec<_> = self.options.is_traced().then(traceparent).into_iter().collect();
        content.push(("Content-Type", "application/json; charset=utf-8".to_owned()));
        Request {
            method: "POST",
            path: format!("/{}", function.name),
            headers: vec![
                ("X-Azure-Functions-HostVersion", HOST_VERSION.to_owned()),
                ("X-Azure-Functions-InvocationId", invocation.id.to_string()),
                ("User-Agent", format!("Azure-Functions-Host/{HOST_VERSION}")),
            ],
            content,
            body: Some(body),
            chunked: self.options.transfer == Transfer::Chunked,
        }
    }

    /// Tells the logs and writes the outputs; every binding is written even if another one fails.
    async fn apply(&self, call: Call<'_>, answer: &Answer) -> Outcome {
        let function = call.function;
        for text in &answer.logs {
            self.events().tell(Event::Log { function: function.name.clone(), text: text.clone() });
        }
        let has_return = function.outputs.iter().any(|output| output.name == "$return");
        let mut problem = None;
        for (name, value) in answer.values(has_return) {
            let Some(output) = function.outputs.iter().find(|output| output.name == name) else {
                continue;
            };
            match outputs::messages(&value, output.binary) {
                Ok(messages) => problem = self.send_all(call, output, messages).await.err().or(problem),
                Err(wrong) => problem = Some(wrong),
            }
        }
        problem.map_or(Outcome::Succeeded, Outcome::Failed)
    }

    async fn send_all(&self, call: Call<'_>, output: &Output, messages: Vec<Vec<u8>>) -> Result<(), String> {
        let queue = outputs::queue_name(&output.queue, call.text)?;
        for bytes in messages {
            let text = if self.app.queues.base64 {
                BASE64_STANDARD.encode(&bytes)
            } else {
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let written = match self.account.create_queue(&queue).await {
                Ok(()) => self.account.put_raw(&queue, &text, Duration::ZERO, Some(TTL)).await.map(drop),
                refused => refused,
            };
            written.map_err(|error| format!("output {} cannot be written: {error}", output.name))?;
            self.events().tell(Event::Sent { queue: queue.clone(), function: call.function.name.clone() });
        }
        Ok(())
    }
}

fn pause(policy: &RetryPolicy, count: u32) -> Duration {
    match policy.longest {
        Some(longest) => policy.delay.saturating_mul(2u32.saturating_pow(count)).min(longest),
        None => policy.delay,
    }
}
