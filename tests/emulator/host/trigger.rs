//! A function invoked by hand, as `POST /admin/functions/{name}` does: a timer need not be waited for.

use jiff::Timestamp;

use super::cron::Schedule;
use super::encoding::{self, Moment, Retry};
use super::events::Outcome;
use super::function::Trigger;
use super::invoke::Call;
use super::lifecycle::Core;
use super::timer_lock::CONTAINER;
use super::timer_status::Status;

/// Invokes `function` with `input` as its message; a timer ignores it. `None` if there is no such function.
pub(super) async fn by_hand(core: &Core, function: &str, input: &str) -> Option<Outcome> {
    let function = core.app.functions.iter().find(|known| known.name.eq_ignore_ascii_case(function))?;
    let outcome = match &function.trigger {
        Trigger::Queue { binding, .. } => {
            let body = |moment: &Moment<'_>, _: Option<&Retry>| encoding::queue_by_hand(binding, input, moment);
            core.invoke(Call { function, message: None, text: Some(input), body: &body }).await
        }
        Trigger::Timer { binding, schedule, use_monitor, .. } => {
            let schedule = Schedule::parse(schedule)?;
            let monitored = *use_monitor && schedule.may_be_monitored(Timestamp::now());
            let status = if monitored { kept(core, &function.name).await } else { None };
            let adjust = schedule.adjusts_for_dst();
            let body = |moment: &Moment<'_>, retry: Option<&Retry>| {
                encoding::timer(binding, adjust, status.as_ref(), false, Some(input), moment, retry)
            };
            core.invoke(Call { function, message: None, text: None, body: &body }).await
        }
    };
    Some(outcome)
}

async fn kept(core: &Core, function: &str) -> Option<Status> {
    let path = format!("timers/{}/Host.Functions.{function}/status", core.options.host_id);
    Status::parse(&core.account.blob(CONTAINER, &path).read().await.ok()??)
}
