//! Passwords: what is sent, and that no text of one is told.

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::*;
use crate::cloud::http::code;

const TEXT: &str = "canary~password.1-2_3";

fn key_id() -> Uuid {
    Uuid::from_u128(5)
}

fn path(action: &str) -> String {
    format!("/v1.0/applications(appId='{APP}'){action}")
}

fn added() -> Value {
    json!({ "@odata.context": "x", "keyId": key_id(), "secretText": TEXT, "hint": "can", "displayName": "n",
        "startDateTime": "2026-01-02T03:04:05Z", "endDateTime": "2026-07-02T03:04:05.1234567Z", "customKeyIdentifier": null })
}

#[tokio::test(start_paused = true)]
async fn passwords_are_listed_without_their_texts() {
    let line = format!("GET {}?$select=passwordCredentials", path(""));
    let mut shown = added();
    shown["secretText"] = Value::Null;
    let body = json!({ "passwordCredentials": [shown, { "keyId": "odd" }] }).to_string();
    let script = Script::new().on(&line, 200, &body).on(&line, 200, r#"{"passwordCredentials":null}"#).on(
        &line,
        404,
        r#"{"error":{"code":"Request_ResourceNotFound","message":"not there"}}"#,
    );
    let graph = script.clouds().graph;
    let found = graph.passwords(app()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].key_id, found[0].display_name.as_deref()), (key_id(), Some("n")));
    assert!(found[0].start < found[0].end);
    assert!(graph.passwords(app()).await.unwrap().is_empty());
    assert!(graph.passwords(app()).await.unwrap_err().is_not_found());
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_password_is_added_beside_the_others_and_its_text_seen_once() {
    let script = Script::new().on(&format!("POST {}", path("/addPassword")), 200, &added().to_string()).on(
        &format!("POST {}", path("/removePassword")),
        204,
        "",
    );
    let graph = script.clouds().graph;
    let end = "2026-07-02T03:04:05.4Z".parse().unwrap();
    let password = graph.add_password(app(), "installation:1", end).await.unwrap();
    assert_eq!((password.key_id, password.secret.expose_secret()), (key_id(), TEXT));
    assert!(password.end.is_some());
    assert!(!format!("{password:?}").contains("canary"));
    graph.remove_password(app(), password.key_id).await.unwrap();

    let seen = script.seen();
    assert_eq!(
        seen[0].body,
        json!({ "passwordCredential": { "displayName": "installation:1", "endDateTime": "2026-07-02T03:04:05Z" } })
    );
    assert_eq!(seen[1].body, json!({ "keyId": key_id() }));
}

#[tokio::test(start_paused = true)]
async fn a_password_that_may_have_been_added_is_not_added_again_by_itself() {
    let line = format!("POST {}", path("/addPassword"));
    let script = Script::new().lost(&line).on(&line, 503, "");
    let graph = script.clouds().graph;
    for _ in 0..2 {
        let failure = graph.add_password(app(), "n", jiff::Timestamp::MAX).await.unwrap_err();
        assert!(failure.may_have_landed());
    }
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_password_is_in_no_failure() {
    let line = format!("POST {}", path("/addPassword"));
    let odd = json!({ "keyId": 7, "secretText": TEXT });
    let nested = json!({ "keyId": key_id(), "secretText": { "text": TEXT } });
    let script = Script::new().on(&line, 200, &odd.to_string()).on(&line, 200, &nested.to_string()).on(
        &line,
        500,
        &odd.to_string(),
    );
    let graph = script.clouds().graph;
    for status in [200, 200, 500] {
        let failure = graph.add_password(app(), "n", jiff::Timestamp::MAX).await.unwrap_err();
        assert_eq!((failure.status, failure.code == code::UNREADABLE), (Some(status), status == 200));
        assert!(!format!("{failure} {failure:?}").contains("canary"), "{failure}");
    }
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_policys_refusal_keeps_its_code() {
    let line = format!("POST {}", path("/addPassword"));
    let refusal = |code: &str, detail: &str| {
        json!({ "error": { "code": code, "message": "words", "details": [{ "code": detail }] } }).to_string()
    };
    let script = Script::new()
        .on(&line, 400, &refusal("CredentialInvalidLifetimeAsPerAppPolicy", "InvalidKeyEndDate"))
        .on(&line, 400, &refusal("TooManyAppPasswords", "TooManyAppPasswords"));
    let graph = script.clouds().graph;
    for code in ["CredentialInvalidLifetimeAsPerAppPolicy", "TooManyAppPasswords"] {
        assert_eq!(graph.add_password(app(), "n", jiff::Timestamp::MAX).await.unwrap_err().code, code);
    }
    script.seen();
}
