//! The names in log lines that queries, alerts and the workbook of `infra/` rely on. `infra/telemetry.json` lists them for those; a test
//! compares both.
//!
//! A line is one JSON object on stdout. Its `event` says what happened; `peering`, `step`, `party`, `correlation`, `outcome` and
//! `duration_ms` say the rest; `span` holds the W3C ids: `trace_id` is the peering's, from its request on, and `operation_id` the host's.

/// A step is done and the next was sent.
pub const ADVANCE: &str = "advance";
/// A part of a step is done; it runs again.
pub const AGAIN: &str = "again";
/// An earlier step has to mend something.
pub const BACK: &str = "back";
/// A step waits for a party.
pub const WAIT: &str = "wait";
/// What a person was asked to mend is not mended yet.
pub const FIX: &str = "fix";
/// A peering stopped until a person acts: told once.
pub const NEEDS_ATTENTION: &str = "needs_attention";
/// A wait has used most of its time.
pub const DEADLINE_NEAR: &str = "deadline_near";
/// A message failed as often as it may.
pub const POISONED: &str = "poisoned";
/// A peering, or what several share, is not as it should be.
pub const DRIFT: &str = "drift";
/// A difference is being mended.
pub const REPAIR: &str = "repair";
/// A VPC has a connection that nobody asked for.
pub const UNKNOWN_CONNECTION: &str = "unknown_connection";
/// Too many differences at once: nothing is repaired until a person has looked.
pub const BRAKE: &str = "brake";
/// Something that all peerings share stopped them.
pub const CAUSE_OPENED: &str = "cause_opened";
/// It is over.
pub const CAUSE_CLOSED: &str = "cause_closed";
/// The application's secret ends soon.
pub const SECRET_EXPIRES: &str = "secret_expires";

/// A setting is not used, because another one takes its place.
pub const SETTING_IGNORED: &str = "setting_ignored";

/// All of them.
pub const EVENTS: [&str; 16] = [
    ADVANCE,
    AGAIN,
    BACK,
    WAIT,
    FIX,
    NEEDS_ATTENTION,
    DEADLINE_NEAR,
    POISONED,
    DRIFT,
    REPAIR,
    UNKNOWN_CONNECTION,
    BRAKE,
    CAUSE_OPENED,
    CAUSE_CLOSED,
    SECRET_EXPIRES,
    SETTING_IGNORED,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_queries_know_the_same_events() {
        let listed: serde_json::Value = serde_json::from_str(include_str!("../infra/telemetry.json")).unwrap();
        let listed: BTreeSet<&str> = listed["events"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(listed, super::EVENTS.into_iter().collect());
    }
}
