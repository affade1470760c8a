//! Tokens: what Entra and the managed-identity endpoint are asked, what is kept, and what their refusals become.
//!
//! Without `IDENTITY_ENDPOINT` in the environment `azure_identity` asks the virtual machine's endpoint in the same words.

mod secret;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::clock::Clock;
use crate::cloud::Service;
use crate::cloud::script::{APP, HOME, REMOTE, Script, TokioClock, app, endpoints, home, remote};
use crate::settings::Credential;

const ARM: &str = "https://arm.test/.default";
const IDENTITY: &str = "GET /metadata/identity/oauth2/token?api-version=2019-08-01&resource=";
const CLIENT: &str = "&client_id=55555555-5555-4555-8555-555555555555";
const ASSERTION: &str = "eyJhbGciOiJub25lIn0.assertion.x";

fn tokens(script: &Arc<Script>) -> EntraTokens {
    EntraTokens::new(&endpoints(), Credential::Federated, script.clone(), Arc::new(TokioClock::new()))
}

fn identity_line(resource: &str) -> String {
    format!("{IDENTITY}{resource}{CLIENT}")
}

fn entra_line(tenant: &str) -> String {
    format!("POST /{tenant}/oauth2/v2.0/token")
}

/// What the platform answers: the expiry in seconds since 1970, as a text.
fn identity_token(token: &str, lives: i64) -> String {
    let expires = TokioClock::new().now().as_second() + lives;
    json!({ "access_token": token, "expires_on": expires.to_string(), "resource": "r", "token_type": "Bearer" })
        .to_string()
}

fn entra_token(token: &str) -> String {
    json!({ "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token }).to_string()
}

fn with_assertion() -> Arc<Script> {
    Script::new().on(&identity_line("api://AzureADTokenExchange"), 200, &identity_token(ASSERTION, 86_400))
}

#[tokio::test(start_paused = true)]
async fn the_managed_identitys_token_is_the_applications_assertion_in_every_tenant() {
    let script = with_assertion().on(&entra_line(HOME), 200, &entra_token("home-token")).on(
        &entra_line(REMOTE),
        200,
        &entra_token("remote-token"),
    );
    let tokens = tokens(&script);
    let identity = Identity::Application(app());
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "home-token");
    assert_eq!(tokens.token(identity, remote(), ARM).await.unwrap().secret(), "remote-token");
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "home-token", "kept");

    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(script.seen()[2].text.as_bytes()).into_owned().collect();
    assert_eq!(form["client_id"], APP);
    assert_eq!(form["client_assertion"], ASSERTION);
    assert_eq!((form["grant_type"].as_str(), form["scope"].as_str()), ("client_credentials", ARM));
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_token_is_asked_for_anew_with_a_new_assertion() {
    let again = identity_line("api://AzureADTokenExchange");
    let script = with_assertion()
        .on(&entra_line(HOME), 200, &entra_token("one"))
        .on(&entra_line(REMOTE), 200, &entra_token("other"))
        .on(&again, 200, &identity_token(ASSERTION, 86_400))
        .on(&entra_line(HOME), 200, &entra_token("two"));
    let tokens = tokens(&script);
    let identity = Identity::Application(app());
    tokens.token(identity, home(), ARM).await.unwrap();
    tokens.token(identity, remote(), ARM).await.unwrap();
    tokens.forget(identity, home());
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "two");
    assert_eq!(tokens.token(identity, remote(), ARM).await.unwrap().secret(), "other", "another tenant's is kept");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_expires_and_outlives_a_failed_renewal() {
    let line = identity_line("https://arm.test");
    let script = Script::new()
        .on(&line, 200, &identity_token("one", 3600))
        .on(&line, 400, r#"{"statusCode":400,"message":"no"}"#)
        .on(&line, 200, &identity_token("two", 7200));
    let tokens = tokens(&script);
    let mut got = Vec::new();
    for minutes in [0, 54, 2, 2] {
        tokio::time::advance(Duration::from_secs(minutes * 60)).await;
        got.push(tokens.token(Identity::Installation, home(), ARM).await.unwrap().secret().to_owned());
    }
    assert_eq!(got, ["one", "one", "one", "two"]);
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_at_once_share_one_token() {
    let script = Script::new().on(&identity_line("https://arm.test"), 200, &identity_token("one", 3600));
    let tokens = tokens(&script);
    let ask = || tokens.token(Identity::Installation, remote(), ARM);
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!((first.unwrap().secret(), second.unwrap().secret()), ("one", "one"));
    script.seen();
}

/// The regression test of the policy: without it `azure_identity` loses status and code of these bodies.
#[tokio::test(start_paused = true)]
async fn entras_code_arrives_whatever_the_description_holds() {
    let description = "AADSTS700016: Application with identifier '11111111' was not found in the directory \"x\".\r\nTrace ID: t\r\nCorrelation ID: c";
    for (status, body, code, message) in [
        (
            400,
            json!({ "error": "unauthorized_client", "error_description": description, "error_codes": [700016, 1],
                "timestamp": "2025-01-02 03:04:05Z", "trace_id": "t", "correlation_id": "corr-1" }),
            "AADSTS700016",
            "AADSTS700016: Application with identifier '11111111' was not found in the directory 'x'.  Trace ID: t  Correlation ID: c",
        ),
        (
            401,
            json!({ "error": "invalid_client", "error_description": "AADSTS7000229: plain", "error_codes": [7000229],
                "correlation_id": "corr-1" }),
            "AADSTS7000229",
            "AADSTS7000229: plain",
        ),
        (
            400,
            json!({ "error": "invalid_request", "error_description": "no codes", "error_codes": null, "correlation_id": "corr-1" }),
            "invalid_request",
            "no codes",
        ),
    ] {
        let script = with_assertion().on(&entra_line(REMOTE), status, &body.to_string());
        let failure = tokens(&script).token(Identity::Application(app()), remote(), ARM).await.unwrap_err();
        assert_eq!((failure.service, failure.status, failure.code.as_str()), (Service::Entra, Some(status), code));
        assert_eq!((failure.message.as_str(), failure.correlation.as_deref()), (message, Some("corr-1")));
        assert_eq!(*failure.call, *entra_line(REMOTE));
        script.seen();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_no_json_keeps_its_status_and_its_wait() {
    let line = entra_line(HOME);
    let script = with_assertion().with(&line, 429, &[("retry-after", "9")], "<html>\"slow\"</html>");
    let failure = tokens(&script).token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert_eq!((failure.status, failure.retry_after), (Some(429), Some(Duration::from_secs(9))));
    assert_eq!(failure.message, "<html>'slow'</html>");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn the_managed_identitys_failure_is_not_entras() {
    let line = identity_line("api://AzureADTokenExchange");
    let script = Script::new().on(&line, 400, r#"{"statusCode":400,"message":"No identity has that id"}"#);
    let failure = tokens(&script).token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert_eq!((failure.service, failure.status), (Service::ManagedIdentity, Some(400)));
    assert_eq!(failure.message, "No identity has that id");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_tried_again_and_silence_is_not() {
    let line = entra_line(HOME);
    let script = with_assertion().lost(&line).on(&line, 503, "{}").on(&line, 200, &entra_token("one"));
    assert!(tokens(&script).token(Identity::Application(app()), home(), ARM).await.is_ok());
    script.seen();

    let script = with_assertion().silent(&line);
    let failure = tokens(&script).token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert_eq!((failure.service, failure.status), (Service::Entra, None));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn neither_token_nor_assertion_is_in_any_text() {
    let opaque = "opaque-assertion";
    let body = json!({ "error": "e", "error_codes": [50013], "error_description": format!("assertion {opaque} {ASSERTION} is bad") });
    let script = Script::new()
        .on(&identity_line("api://AzureADTokenExchange"), 200, &identity_token(opaque, 86_400))
        .on(&entra_line(HOME), 400, &body.to_string());
    let tokens = tokens(&script);
    let failure = tokens.token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert_eq!(failure.message, "assertion [redacted] [redacted] is bad");
    let text = format!("{failure:?} {tokens:?} {:?}", Token::new("opaque-token", Timestamp::MAX));
    assert!(!text.contains("opaque-"), "{text}");
}
