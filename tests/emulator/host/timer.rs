//! The timer listener: one run after the other, its status kept in a blob, one catch-up run after an absence.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::clock::until;
use super::cron::Schedule;
use super::encoding;
use super::events::Event;
use super::function::Trigger;
use super::invoke::Call;
use super::lifecycle::Core;
use super::timer_lock::{CONTAINER, Held};
use super::timer_status::Status;
use crate::azurite::Blob;

/// Two computations of one tick may differ by this much when time is scaled.
const SLACK: f64 = 0.05;

struct Timer<'a> {
    core: &'a Core,
    function: usize,
    binding: String,
    schedule: Schedule,
    /// The status blob, if the schedule is monitored.
    blob: Option<Blob>,
    /// The state before the next run, if the schedule is monitored.
    status: Option<Status>,
    /// Nominal time of the next run.
    due: Timestamp,
}

/// Runs one function's timer until the host stops.
pub(super) async fn run(core: Arc<Core>, function: usize) {
    let config = &core.app.functions[function];
    let Trigger::Timer { binding, schedule, run_on_startup, use_monitor } = config.trigger.clone() else {
        return;
    };
    let now = core.scale.nominal_time(Timestamp::now());
    let parsed = Schedule::parse(&schedule).and_then(|schedule| Some((schedule.next(now)?, schedule)));
    let Some((due, schedule)) = parsed else {
        // The host goes on without this function.
        let problem = format!("{}: '{schedule}' is neither NCRONTAB nor hh:mm:ss", config.name);
        return core.events().tell(Event::Trouble(problem));
    };
    let Some(lock) = Held::of_timer(&core, &config.name).await else {
        return;
    };
    let monitored = use_monitor && schedule.may_be_monitored(now);
    let path = format!("timers/{}/Host.Functions.{}/status", core.options.host_id, config.name);
    let blob = monitored.then(|| core.account.blob(CONTAINER, &path));
    let mut timer = Timer { core: &core, function, binding, schedule, blob, status: None, due };
    tokio::select! {
        () = timer.go(run_on_startup) => {}
        () = lock.keep(&core) => {}
    }
    lock.release(&core).await;
}

impl Timer<'_> {
    async fn go(&mut self, run_on_startup: bool) {
        let past_due = self.recall().await;
        if past_due || run_on_startup {
            self.fire(past_due).await;
        }
        while self.core.sleep(until(self.core.scale.real_time(self.due))).await {
            self.fire(false).await;
        }
    }

    /// Reads the kept status; whether a run was missed since.
    async fn recall(&mut self) -> bool {
        let Some(blob) = self.blob.clone() else {
            return false;
        };
        let now = Timestamp::now();
        let next = self.core.scale.real_time(self.due);
        let kept = blob.read().await.ok().flatten().and_then(|content| Status::parse(&content));
        let Some(kept) = kept else {
            self.keep(&Status { last: None, next, updated: Some(now) }).await;
            self.status = Some(Status { last: None, next, updated: None });
            return false;
        };
        if self.unchanged(&kept) {
            let past_due = kept.next < now;
            self.status = Some(kept);
            return past_due;
        }
        // Another schedule than the one the status was kept for: nothing was missed.
        let status = Status { next, ..kept };
        self.keep(&status).await;
        self.status = Some(status);
        false
    }

    /// Whether the kept next run is what this schedule would have given.
    fn unchanged(&self, kept: &Status) -> bool {
        let scale = self.core.scale;
        let base = kept.last.or(kept.updated).map(|time| scale.nominal_time(time));
        let expected = base.and_then(|time| self.schedule.next(time)).map(|time| scale.real_time(time));
        expected.is_some_and(|time| time.duration_since(kept.next).as_secs_f64().abs() < SLACK)
    }

    async fn fire(&mut self, past_due: bool) {
        let started = Timestamp::now();
        let function = &self.core.app.functions[self.function];
        let (adjust, status) = (self.schedule.adjusts_for_dst(), self.status.clone());
        let binding = self.binding.clone();
        let body = move |moment: &encoding::Moment<'_>, retry: Option<&encoding::Retry>| {
            encoding::timer(&binding, adjust, status.as_ref(), past_due, None, moment, retry)
        };
        // A failed run is not made up for.
        let call = Call { function, message: None, text: None, body: &body };
        let _ = self.core.invoke(call).await;
        self.advance(started, past_due).await;
    }

    /// The next run is counted from this one's start, or its due time if it came a little early.
    async fn advance(&mut self, started: Timestamp, past_due: bool) {
        let nominal = self.core.scale.nominal_time(started);
        let early = self.due > nominal && self.due.duration_since(nominal).as_secs_f64() < 1.0;
        let base = if early && !past_due { self.due } else { nominal };
        let Some(due) = self.schedule.next(base) else {
            // No such day any more: never again.
            return std::future::pending().await;
        };
        self.due = due;
        if self.blob.is_some() {
            let next = self.core.scale.real_time(due);
            let status = Status { last: Some(started), next, updated: Some(started) };
            self.keep(&status).await;
            self.status = Some(status);
        }
    }

    async fn keep(&self, status: &Status) {
        let Some(blob) = &self.blob else { return };
        let content = status.json();
        let write = async {
            // Each time, as `StorageScheduleMonitor` does: nearly always the container is there.
            blob.create_container().await?;
            blob.write(content.as_bytes()).await
        };
        let written = tokio::time::timeout(Duration::from_secs(10), write).await;
        if let Ok(Err(error)) = written {
            self.core.events().tell(Event::Trouble(error.to_string()));
        }
    }
}
