//! The application signs in by a password from Key Vault.

use super::*;
use crate::cloud::key_vault::secret_name;
use crate::settings::Credential;

const IDENTITY_TOKEN: &str = "https://vault.test";

fn by_secret(script: &Arc<Script>) -> EntraTokens {
    EntraTokens::new(&endpoints(), Credential::Secret, script.clone(), Arc::new(TokioClock::new()))
}

fn vault_line() -> String {
    format!("GET /secrets/{}?api-version=7.4", secret_name(app()))
}

fn kept(secret: &str) -> String {
    json!({ "value": secret, "id": "https://vault.test/secrets/s/v1", "attributes": { "enabled": true } }).to_string()
}

fn refused(code: i64) -> String {
    json!({ "error": "invalid_client", "error_codes": [code], "correlation_id": "corr-1",
        "error_description": format!("AADSTS{code}: Invalid client secret provided.\r\nTrace ID: t") })
    .to_string()
}

/// The vault's token and its first answer.
fn with_secret(secret: &str) -> Arc<Script> {
    Script::new().on(&identity_line(IDENTITY_TOKEN), 200, &identity_token("vault-token", 86_400)).on(
        &vault_line(),
        200,
        &kept(secret),
    )
}

fn forms(script: &Script) -> Vec<std::collections::HashMap<String, String>> {
    let posted = script.seen().into_iter().filter(|seen| seen.text.contains("grant_type"));
    posted.map(|seen| url::form_urlencoded::parse(seen.text.as_bytes()).into_owned().collect()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_password_serves_in_every_tenant_and_is_read_once() {
    let script = with_secret("canary~1.&=%").on(&entra_line(HOME), 200, &entra_token("home-token")).on(
        &entra_line(REMOTE),
        200,
        &entra_token("remote-token"),
    );
    let tokens = by_secret(&script);
    let identity = Identity::Application(app());
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "home-token");
    assert_eq!(tokens.token(identity, remote(), ARM).await.unwrap().secret(), "remote-token");
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "home-token", "kept");
    let forms = forms(&script);
    assert_eq!(forms.len(), 2);
    for form in &forms {
        assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), (APP, "canary~1.&=%"));
        assert_eq!((form["grant_type"].as_str(), form["scope"].as_str()), ("client_credentials", ARM));
        assert!(!form.contains_key("client_assertion"));
    }
    assert!(!format!("{tokens:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn a_password_replaced_since_is_read_anew_at_once() {
    for code in [7_000_215, 7_000_222] {
        let script = with_secret("old-password")
            .on(&entra_line(HOME), 401, &refused(code))
            .on(&vault_line(), 200, &kept("new-password"))
            .on(&entra_line(HOME), 200, &entra_token("one"))
            .on(&entra_line(REMOTE), 200, &entra_token("two"));
        let tokens = by_secret(&script);
        let identity = Identity::Application(app());
        assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "one");
        tokens.token(identity, remote(), ARM).await.unwrap();
        let used: Vec<_> = forms(&script).into_iter().map(|form| form["client_secret"].clone()).collect();
        assert_eq!(used, ["old-password", "new-password", "new-password"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_still_the_same_is_not_tried_twice() {
    let script = with_secret("password").on(&entra_line(HOME), 401, &refused(7_000_215)).on(
        &vault_line(),
        200,
        &kept("password"),
    );
    let failure = by_secret(&script).token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert_eq!((failure.service, failure.code.as_str()), (Service::Entra, "AADSTS7000215"));
    assert_eq!(failure.correlation.as_deref(), Some("corr-1"));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn what_is_no_matter_of_the_password_leaves_it_alone() {
    let script = with_secret("password").on(&entra_line(HOME), 401, &refused(7_000_112)).on(
        &entra_line(HOME),
        200,
        &entra_token("one"),
    );
    let tokens = by_secret(&script);
    let identity = Identity::Application(app());
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap_err().code, "AADSTS7000112");
    tokens.token(identity, home(), ARM).await.unwrap();
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_token_comes_with_a_password_read_anew() {
    let script = with_secret("old-password")
        .on(&entra_line(HOME), 200, &entra_token("one"))
        .on(&vault_line(), 200, &kept("new-password"))
        .on(&entra_line(HOME), 200, &entra_token("two"));
    let tokens = by_secret(&script);
    let identity = Identity::Application(app());
    tokens.token(identity, home(), ARM).await.unwrap();
    tokens.forget(identity, home());
    assert_eq!(tokens.token(identity, home(), ARM).await.unwrap().secret(), "two");
    assert_eq!(forms(&script)[1]["client_secret"], "new-password");
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_identity_is_forgotten_for_the_vault_too() {
    let script = with_secret("old-password")
        .on(&entra_line(HOME), 200, &entra_token("one"))
        .on(&identity_line(IDENTITY_TOKEN), 200, &identity_token("vault-token", 86_400))
        .on(&vault_line(), 200, &kept("new-password"))
        .on(&entra_line(HOME), 200, &entra_token("two"));
    let tokens = by_secret(&script);
    let identity = Identity::Application(app());
    tokens.token(identity, home(), ARM).await.unwrap();
    tokens.forget(Identity::Installation, home());
    tokens.forget(identity, home());
    tokens.token(identity, home(), ARM).await.unwrap();
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn the_vaults_failure_is_the_vaults() {
    let line = vault_line();
    let missing = r#"{"error":{"code":"SecretNotFound","message":"not there"}}"#;
    let forbidden = r#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"ForbiddenByRbac"}}}"#;
    let script = Script::new()
        .on(&identity_line(IDENTITY_TOKEN), 200, &identity_token("vault-token", 86_400))
        .on(&line, 404, missing)
        .on(&line, 403, forbidden);
    let tokens = by_secret(&script);
    for (status, code) in [(404, "SecretNotFound"), (403, "ForbiddenByRbac")] {
        let failure = tokens.token(Identity::Application(app()), home(), ARM).await.unwrap_err();
        assert_eq!((failure.service, failure.status, failure.code.as_str()), (Service::KeyVault, Some(status), code));
        assert!(failure.call.contains(&secret_name(app())), "{}", failure.call);
    }
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn without_a_vault_there_is_no_password() {
    let script = Script::new();
    let endpoints = crate::cloud::Endpoints { key_vault: None, ..endpoints() };
    let tokens = EntraTokens::new(&endpoints, Credential::Secret, script.clone(), Arc::new(TokioClock::new()));
    let failure = tokens.token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    assert!(failure.message.contains("KEY_VAULT_URL"), "{failure}");
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_password_is_in_no_text() {
    let body =
        json!({ "error": "e", "error_codes": [50_013], "error_description": "client_secret canary-password is bad" });
    let script = with_secret("canary-password").on(&entra_line(HOME), 400, &body.to_string());
    let tokens = by_secret(&script);
    let failure = tokens.token(Identity::Application(app()), home(), ARM).await.unwrap_err();
    let text = format!("{failure} {failure:?} {tokens:?}");
    assert!(text.contains("is bad") && !text.contains("canary"), "{text}");
    script.seen();
}
