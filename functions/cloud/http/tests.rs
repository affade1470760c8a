//! An exchange: what is sent again, how long it may take, and what a service may ask to wait.

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Method;
use jiff::Timestamp;

use super::*;
use crate::cloud::Service;
use crate::cloud::entra::Token;
use crate::cloud::script::{Script, TokioClock};

fn call(method: Method) -> Call {
    Call::new(Service::Arm, method, "https://arm.test/x?api-version=1".parse().unwrap())
}

fn http(script: &Arc<Script>) -> Http {
    Http::new(script.clone(), Arc::new(TokioClock::new()))
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_twice_and_no_more() {
    let get = "GET /x?api-version=1";
    let script = Script::new().lost(get).on(get, 503, "").on(get, 200, "{}");
    assert_eq!(http(&script).send(&call(Method::Get)).await.unwrap().status, 200);
    script.seen();

    let script = Script::new().on(get, 502, "").on(get, 504, "").lost(get);
    let failure = http(&script).send(&call(Method::Get)).await.unwrap_err();
    assert!(failure.status.is_none());
    assert!(failure.message.contains("connection reset by peer"), "{failure}");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_read_is_not_sent_again_after_an_answer_that_will_not_change_soon() {
    for status in [400, 401, 403, 404, 409, 429, 500] {
        let script = Script::new().on("GET /x?api-version=1", status, "{}");
        assert_eq!(http(&script).send(&call(Method::Get)).await.unwrap().status, status);
        script.seen();
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_is_sent_exactly_once() {
    for method in [Method::Put, Method::Post, Method::Patch, Method::Delete] {
        let line = format!("{} /x?api-version=1", method.as_str());
        let script = Script::new().on(&line, 503, "");
        assert_eq!(http(&script).send(&call(method)).await.unwrap().status, 503);
        script.seen();

        let script = Script::new().lost(&line);
        assert!(http(&script).send(&call(method)).await.unwrap_err().status.is_none());
        script.seen();
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_half_a_minute_and_is_not_asked_again() {
    let script = Script::new().silent("GET /x?api-version=1");
    let before = tokio::time::Instant::now();
    let failure = http(&script).send(&call(Method::Get)).await.unwrap_err();
    assert_eq!(before.elapsed(), Duration::from_secs(30));
    assert_eq!(failure.to_string(), "Azure Resource Manager answered nothing to GET /x: no answer came within 30 s");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn fast_time_leaves_a_slow_machine_five_real_seconds() {
    let script = Script::new().silent("GET /x?api-version=1");
    let http = Http::new(script.clone(), Arc::new(TokioClock::scaled(600.0)));
    let before = tokio::time::Instant::now();
    assert!(http.send(&call(Method::Get)).await.unwrap_err().status.is_none());
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn what_a_service_asks_to_wait_is_read_in_each_of_its_forms() {
    let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
    for (name, value, seconds) in [
        ("retry-after", "17", Some(17.0)),
        ("retry-after", " 17 ", Some(17.0)),
        ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(60.0)),
        ("retry-after", "Wed, 21 Oct 2015 07:26:00 GMT", Some(0.0)),
        ("retry-after-ms", "1500", Some(1.5)),
        ("x-ms-retry-after-ms", "250", Some(0.25)),
        ("retry-after", "99999999", Some(86400.0)),
        ("retry-after", "-1", None),
        ("retry-after", "NaN", None),
        ("retry-after", "soon", None),
    ] {
        let script = Script::new().with("GET /x?api-version=1", 429, &[(name, value)], "");
        let reply = http(&script).send(&call(Method::Get)).await.unwrap();
        assert_eq!(reply.retry_after(now), seconds.map(Duration::from_secs_f64), "{name}: {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_keeps_its_status() {
    let script = Script::new().on("GET /x?api-version=1", 200, "<html>");
    let call = call(Method::Get);
    let reply = http(&script).exchange(&call, |_| Said::default()).await.unwrap();
    let failure = reply.json::<Vec<u8>>(&call).unwrap_err();
    assert_eq!((failure.status, failure.code.as_str()), (Some(200), code::UNREADABLE));
}

#[test]
fn no_token_of_a_call_is_in_its_failure_or_its_debug_text() {
    let call = call(Method::Put).token("authorization", "Bearer", Token::new("opaque-one", Timestamp::MAX)).token(
        "x-ms-authorization-auxiliary",
        "Bearer",
        Token::new("opaque-two", Timestamp::MAX),
    );
    let failure = call.failure(Some(401), "opaque-one", "the tokens opaque-one and opaque-two are stale");
    assert_eq!(failure.message, "the tokens [redacted] and [redacted] are stale");
    assert!(!format!("{failure:?} {call:?}").contains("opaque-"));
}
