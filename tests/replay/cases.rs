//! The recorded cases: how each is replayed, and which are left out, with the reason.

use Step::{Enqueue, KillHandler, KillHost, Outage, Posts, Start, Status, Stop, Stopped, Touch, Trigger, Wait};

/// What is done to the emulated host during a replay, where it is more than to start it.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Puts the messages that were put before the first POST.
    Enqueue,
    /// Starts a host.
    Start,
    /// Waits until so many POSTs have come, putting later messages when it is their time.
    Posts(usize),
    /// Waits, in real milliseconds.
    Wait(u64),
    /// SIGKILLs the handler.
    KillHandler,
    /// SIGKILLs the host.
    KillHost,
    /// SIGTERMs the host, and waits for its end.
    Stop,
    /// Waits until the host has stopped by itself.
    Stopped,
    /// Writes the function's `function.json` again.
    Touch(&'static str),
    /// Waits until the timer's status is kept.
    Status(&'static str),
    /// Invokes by hand: a function, and its input.
    Trigger(&'static str, &'static str),
    /// Storage does not answer for so many real milliseconds.
    Outage(u64),
}

/// What is checked beside requests, queues and the host's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Nothing,
    /// The most calls open at once, and how many had come after each answer.
    Concurrency,
    /// Blobs by name, status blobs by content.
    Blobs,
    /// The pauses between polls that find nothing.
    Polls,
    /// The second POST waits for its listener's ordinary poll.
    NotWoken,
    /// The host refuses the app at its start, and nothing else happens. The real one stays up, and does nothing either.
    Refused,
}

/// How one case is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// Nominal time, and the handler's delays, go so much faster than they were recorded.
    pub scale: f64,
    /// `initializationTimeout`, where thirty real seconds would have to pass.
    pub ready_within: Option<&'static str>,
    pub steps: &'static [Step],
    pub check: Check,
    /// Only requests to these paths are compared: the others are of HTTP triggers.
    pub only: Option<&'static [&'static str]>,
}

const AT_ONCE: &[Step] = &[Enqueue, Start];

const fn case(name: &'static str) -> Case {
    Case { name, scale: 1.0, ready_within: None, steps: AT_ONCE, check: Check::Nothing, only: None }
}

impl Case {
    const fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    const fn ready_within(self, span: &'static str) -> Self {
        Self { ready_within: Some(span), ..self }
    }

    const fn steps(self, steps: &'static [Step]) -> Self {
        Self { steps, ..self }
    }

    const fn check(self, check: Check) -> Self {
        Self { check, ..self }
    }

    const fn only(self, paths: &'static [&'static str]) -> Self {
        Self { only: Some(paths), ..self }
    }
}

/// The longest first, so that they run while the others do.
pub const CASES: &[Case] = &[
    case("case05-200-empty-body").scaled(4.0),
    case("case05-200-json-content-type-empty-body").scaled(4.0),
    case("case05-200-null").scaled(4.0),
    case("case05-200-whitespace-body").scaled(4.0),
    case("case05-202-empty").scaled(4.0),
    case("case05-204").scaled(4.0),
    case("case05-no-answer").scaled(4.0),
    case("case10a-timers").scaled(10.0).check(Check::Blobs),
    case("case29-output-wakes-listener").steps(&[Start, Wait(4_600), Trigger("Jobs", "start")]).check(Check::NotWoken),
    case("case31-default-polling").steps(&[Start, Wait(5_000), Enqueue]).check(Check::Polls),
    case("case33-response-transport"),
    case("case13d-retry-policy").scaled(4.0),
    case("case10b-minute-timer-host-sigkill").scaled(40.0).steps(&[Start, Posts(2), KillHost, Start]),
    case("case10b-minute-timer-past-due").scaled(40.0).steps(&[Start, Posts(2), Stop, Wait(4_400), Start]),
    case("case17-timer-overrun").scaled(8.0),
    case("case18-timer-fails-without-retry").scaled(8.0),
    case("case04c-host-killed").scaled(200.0).steps(&[Enqueue, Start, Posts(1), KillHost, Start]),
    case("case13e-run-longer-than-5-minutes").scaled(100.0),
    case("case09-concurrency-1-core").scaled(2.5).check(Check::Concurrency),
    case("case09b-concurrency-2-cores").scaled(2.5).check(Check::Concurrency),
    case("case09c-batch1-threshold0").scaled(2.5).check(Check::Concurrency),
    case("case36-storage-outage").scaled(2.0).steps(&[Enqueue, Start, Posts(2), Outage(2_500), Posts(3)]),
    case("case07-queue-outputs"),
    case("case06-bad-responses"),
    case("case11c-listens-after-8s").scaled(10.0),
    case("case11d-get-slow-10s").scaled(10.0),
    case("case11a-never-listens-init-timeout-5s").ready_within("00:00:02.5"),
    case("case11b-never-listens-default-timeout").ready_within("00:00:02.5"),
    case("case10h-handler-exit-0-at-start").ready_within("00:00:02.5"),
    case("case11g-executable-missing").ready_within("00:00:00.5"),
    case("case11h-executable-without-x-bit").ready_within("00:00:00.5"),
    case("case13a-sigterm-host-with-hanging-invocation").scaled(5.0).steps(&[Enqueue, Start, Posts(1), Stop]),
    case("case13b-sigterm-host-handler-answers-3s-later").scaled(2.0).steps(&[Enqueue, Start, Posts(1), Stop]),
    case("case22-file-change-restart").steps(&[Enqueue, Start, Posts(2), Touch("Jobs"), Wait(1_500), Posts(3)]),
    case("case25-crashing-message-until-poison").steps(&[Enqueue, Start, Stopped, Start]),
    case("case26-handler-killed-with-5-in-flight").steps(&[Enqueue, Start, Posts(5), KillHandler]),
    case("case04b-handler-killed-visibility-0").steps(&[Enqueue, Start, Posts(1), KillHandler]),
    case("case04b-handler-killed-visibility-3s").steps(&[Enqueue, Start, Posts(1), KillHandler]),
    case("case23-admin-and-http-envelope")
        .steps(&[Start, Status("Tick"), Trigger("Jobs", "{\"a\":1}"), Trigger("Tick", "")])
        .only(&["/Jobs", "/Tick"]),
    case("case24-forwarding-http").only(&["/Jobs"]),
    case("case12k-missing-defaultExecutablePath").check(Check::Refused),
    case("case30-batch-size-33").check(Check::Refused),
    case("case01-plain-message"),
    case("case02-json-message"),
    case("case02b-json-variants"),
    case("case02c-datatype-and-invalid-utf8"),
    case("case03-always-500"),
    case("case04a-visibility-timeout-3s"),
    case("case08-message-encoding-none"),
    case("case08-raw-text-under-base64"),
    case("case10c-handler-exit-0").steps(&[Enqueue, Start, Posts(1), Wait(800)]),
    case("case10d-handler-exit-1-at-start"),
    case("case10e-handler-exit-1-on-each-post"),
    case("case10f-handler-exit-200-five-times"),
    case("case10g-handler-sigkills-itself-on-each-post"),
    case("case11e-get-500"),
    case("case11f-get-connection-dropped"),
    case("case12a-absolute-path"),
    case("case12b-path-command-with-arguments"),
    case("case12c-defaultWorkerPath"),
    case("case12d-working-directory-relative"),
    case("case12e-subdirectory-executable"),
    case("case12f-dot-slash"),
    case("case12g-enableForwardingHttpRequest-with-queue"),
    case("case12h-stdout-stderr-lines"),
    case("case12i-legacy-httpWorker-section"),
    case("case12j-env-in-path-useStdErr-false"),
    case("case13c-zero-functions"),
    case("case13f-function-name-case-and-disabled"),
    case("case14-dequeue-count-above-max"),
    case("case15-queue-named-poison"),
    case("case16-core-tools-environment"),
    case("case19-two-crashes-then-ok"),
    case("case20-disabled-settings"),
    case("case21-large-message"),
    case("case27-answers-1s-after-timeout"),
    case("case32-application-insights-configured"),
    case("case35-output-write-fails"),
];

/// Cases that are not replayed, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "case28-time-zone-and-missing-queue",
        "the emulated host's zone is always UTC, as in Azure; a missing queue is polled for in every other case of a poison queue",
    ),
    (
        "case34-no-AzureWebJobsStorage",
        "the app has one connection, AzureWebJobsStorage; the emulated host knows no other",
    ),
];
