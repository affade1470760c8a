//! Bodies, outputs and judgements, compared byte for byte with recordings of the real host 4.1037.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::azurite::Message;
use crate::host::answer::{Meaning, judge};
use crate::host::encoding::{self, Content, Moment};
use crate::host::json_read;
use crate::host::outputs;
use crate::host::timer_status::Status;
use crate::host::wire::Response;

fn load(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

/// `2026-11-21T04:20:55+00:00` as storage writes it.
fn rfc1123(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        // The message overwrote it; what is sent does not depend on it.
        Err(_) => "Sat, 21 Nov 2026 04:21:03 GMT".to_owned(),
    }
}

fn moment<'a>(sys: &Value, function: &'a str) -> Moment<'a> {
    let now = sys["UtcNow"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let random = sys["RandGuid"].as_str().and_then(|text| text.parse().ok()).unwrap_or(Uuid::nil());
    Moment { function, now, random }
}

#[test]
fn bodies_for_queue_messages_are_those_of_the_real_host() {
    for case in load(include_str!("../recorded/queue_bodies.json")) {
        let body: Value = serde_json::from_str(case["body"].as_str().unwrap()).unwrap();
        let metadata = &body["Metadata"];
        let date = |name: &str| rfc1123(metadata[name].as_str().unwrap());
        let receipt = serde_json::from_str(metadata["PopReceipt"].as_str().unwrap()).unwrap();
        let message = Message {
            id: case["id"].as_str().unwrap().to_owned(),
            pop_receipt: receipt,
            dequeue_count: 1,
            inserted: date("InsertionTime"),
            expires: date("ExpirationTime"),
            next_visible: date("NextVisibleTime"),
            text: String::new(),
        };
        let bytes = BASE64_STANDARD.decode(case["message_base64"].as_str().unwrap()).unwrap();
        let content = if case["binary"] == true {
            Content::Binary(bytes)
        } else {
            Content::Text(String::from_utf8(bytes).unwrap())
        };
        let (function, binding) = (case["function"].as_str().unwrap(), case["binding"].as_str().unwrap());
        let ours = encoding::queue(binding, &content, &message, &moment(&metadata["sys"], function), None);
        assert_eq!(ours, case["body"].as_str().unwrap());
    }
}

#[test]
fn bodies_for_timers_are_those_of_the_real_host() {
    for case in load(include_str!("../recorded/timer_bodies.json")) {
        let body: Value = serde_json::from_str(case["body"].as_str().unwrap()).unwrap();
        let info = &body["Data"]["t"];
        let status = Status::parse(info["ScheduleStatus"].to_string().as_bytes());
        let ours = encoding::timer(
            "t",
            info["Schedule"]["AdjustForDST"].as_bool().unwrap(),
            status.as_ref(),
            info["IsPastDue"].as_bool().unwrap(),
            None,
            &moment(&body["Metadata"]["sys"], case["function"].as_str().unwrap()),
            None,
        );
        assert_eq!(ours, case["body"].as_str().unwrap());
    }
}

#[test]
fn bodies_of_invocations_by_hand_are_those_of_the_real_host() {
    let cases = load(include_str!("../recorded/bodies_by_hand.json"));
    let body = |at: usize| -> Value { serde_json::from_str(cases[at]["body"].as_str().unwrap()).unwrap() };
    let queue = body(0);
    let ours = encoding::queue_by_hand("queueItem", r#"{"a":1}"#, &moment(&queue["Metadata"]["sys"], "Jobs"));
    assert_eq!(ours, cases[0]["body"].as_str().unwrap());
    let timer = body(1);
    let status = Status::parse(timer["Data"]["t"]["ScheduleStatus"].to_string().as_bytes());
    let moment = moment(&timer["Metadata"]["sys"], "Tick");
    let ours = encoding::timer("t", true, status.as_ref(), false, Some(""), &moment, None);
    assert_eq!(ours, cases[1]["body"].as_str().unwrap());
}

#[test]
fn outputs_become_the_messages_that_the_real_host_stored() {
    for case in load(include_str!("../recorded/queue_outputs.json")) {
        let value = json_read::whole(case["value"].as_str().unwrap()).unwrap();
        let ours = outputs::messages(&value, case["binary"] == true);
        assert_eq!(ours.is_err(), case["failed"] == true, "{case}");
        let stored: Vec<String> = ours.unwrap_or_default().iter().map(|bytes| BASE64_STANDARD.encode(bytes)).collect();
        assert_eq!(serde_json::to_value(stored).unwrap(), case["stored"], "{case}");
    }
}

#[test]
fn answers_are_judged_as_the_real_host_judged_them() {
    for case in load(include_str!("../recorded/answers.json")) {
        let response = Response::for_test(
            u16::try_from(case["status"].as_u64().unwrap()).unwrap(),
            serde_json::from_value(case["headers"].clone()).unwrap(),
            case["body"].as_str().unwrap(),
        );
        match judge(&response) {
            Meaning::Success(answer) => {
                assert_eq!(case["succeeded"], true, "{case}");
                // The recording shows line breaks of logs as text.
                let logs: Vec<String> = answer.logs.iter().map(|log| log.replace('\n', " \\n ")).collect();
                assert_eq!(serde_json::to_value(logs).unwrap(), case["logs"], "{case}");
            }
            Meaning::Failure(_) => assert_eq!(case["succeeded"], false, "{case}"),
            Meaning::Nothing => panic!("{case} would hang"),
        }
    }
}

#[test]
fn an_answer_without_a_body_is_no_answer() {
    let json = || vec![("Content-Type".to_owned(), "application/json".to_owned())];
    for (status, headers, body) in [
        (200, vec![], ""),
        (202, vec![], ""),
        (204, vec![], ""),
        (200, json(), ""),
        (200, json(), "null"),
        (200, json(), " \n"),
    ] {
        assert!(matches!(judge(&Response::for_test(status, headers, body)), Meaning::Nothing), "{status} {body:?}");
    }
}

#[test]
fn a_return_value_replaces_outputs_of_its_names() {
    let response = |body: &str| {
        let json = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        match judge(&Response::for_test(200, json, body)) {
            Meaning::Success(answer) => answer,
            other => panic!("{other:?}"),
        }
    };
    let answer = response(r#"{"Outputs":{"a":"x3"},"ReturnValue":{"a":"r3"}}"#);
    assert_eq!(answer.values(false)[0].1.compact(), r#""r3""#);
    let answer = response(r#"{"Outputs":{"$return":"o1"}}"#);
    assert_eq!(answer.values(true)[0].1.compact(), "null");
}
