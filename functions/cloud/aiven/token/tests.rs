//! The vault's secret: when it is read, what follows a refusal, and what is never said.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::cloud::Clouds;
use crate::cloud::script::{FixedTokens, Script, TokioClock, endpoints};
use crate::engine::classify;
use crate::peering::VpcRef;

const SECRET: &str = "GET /secrets/aiven-token?api-version=7.4";
const VPC: &str = "GET /v1/project/p/vpcs/66666666-6666-4666-8666-666666666666";
const REFUSED: &str =
    r#"{"errors":[{"error_code":"authentication_failed","message":"no","status":401}],"message":"no"}"#;

fn vpc() -> VpcRef {
    let id = Uuid::parse_str("66666666-6666-4666-8666-666666666666").unwrap();
    VpcRef::Project { project: "p".into(), id }
}

fn clouds(script: &Arc<Script>, token: AivenToken) -> Clouds {
    let endpoints = Endpoints { aiven_token: token, ..endpoints() };
    Clouds::new(&endpoints, script.clone(), Arc::new(TokioClock::new()), Arc::new(FixedTokens))
}

/// The clients of an app that reads the token from a vault.
fn from_vault(script: &Arc<Script>) -> Clouds {
    clouds(script, AivenToken::Secret("https://peering-kv.vault.azure.net/secrets/aiven-token".parse().unwrap()))
}

trait Answers {
    fn holds(&self, value: &str) -> Self;
    fn takes(&self) -> Self;
    fn refuses(&self) -> Self;
}

impl Answers for Arc<Script> {
    fn holds(&self, value: &str) -> Self {
        let id = "https://peering-kv.vault.azure.net/secrets/aiven-token/v1";
        self.on(SECRET, 200, &json!({ "value": value, "id": id, "attributes": { "enabled": true } }).to_string())
    }

    fn takes(&self) -> Self {
        self.on(VPC, 200, r#"{"state":"ACTIVE","network_cidr":"10.9.0.0/24","peering_connections":[]}"#)
    }

    fn refuses(&self) -> Self {
        self.on(VPC, 401, REFUSED)
    }
}

/// With which token each call went to Aiven.
fn used(script: &Arc<Script>) -> Vec<String> {
    let all = script.seen().into_iter().map(|seen| seen.header("authorization").to_owned());
    all.filter_map(|header| header.strip_prefix("aivenv1 ").map(str::to_owned)).collect()
}

#[allow(clippy::disallowed_methods, reason = "this is the tests' clock")]
async fn later(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_secret_is_read_as_the_installation_and_again_only_after_minutes() {
    let script = Script::new().holds(" one\n").takes().takes().holds("two").takes();
    let aiven = from_vault(&script).aiven;
    for pause in [0, 299, 2] {
        later(pause).await;
        aiven.vpc(&vpc()).await.unwrap();
    }
    assert_eq!(used(&script), ["one", "one", "two"]);
    assert_eq!(script.seen()[0].header("authorization"), "Bearer token:installation:2222:vault.azure.net");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_by_the_vaults_newest_within_the_same_call() {
    let script = Script::new().holds("old").takes().refuses().holds("new").takes().takes();
    let aiven = from_vault(&script).aiven;
    for _ in 0..3 {
        aiven.vpc(&vpc()).await.unwrap();
    }
    assert_eq!(used(&script), ["old", "old", "new", "new"]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_token_costs_one_read_of_the_vault_in_ten_seconds_however_many_calls_there_are() {
    let script = Script::new().holds("bad").refuses().holds("bad");
    let aiven = from_vault(&script).aiven;
    assert_eq!(aiven.vpc(&vpc()).await.unwrap_err().status, Some(401));
    for _ in 0..20 {
        script.refuses();
        later(0).await;
        aiven.vpc(&vpc()).await.unwrap_err();
    }
    later(11).await;
    script.refuses().holds("good").takes();
    aiven.vpc(&vpc()).await.unwrap();
    assert_eq!(used(&script).last().unwrap(), "good");
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_does_not_answer_is_asked_once_in_ten_seconds_and_the_last_token_is_used() {
    let script = Script::new().holds("one").takes();
    let aiven = from_vault(&script).aiven;
    aiven.vpc(&vpc()).await.unwrap();
    later(301).await;
    script.on(SECRET, 500, "").takes().takes();
    aiven.vpc(&vpc()).await.unwrap();
    aiven.vpc(&vpc()).await.unwrap();
    later(11).await;
    script.holds("two").takes();
    aiven.vpc(&vpc()).await.unwrap();
    assert_eq!(used(&script), ["one", "one", "one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_gone_stops_the_calls_and_the_command_names_vault_and_secret() {
    let set = "az keyvault secret set --vault-name peering-kv --name aiven-token";
    let disabled =
        json!({ "error": { "code": "Forbidden", "message": "no", "innererror": { "code": "SecretDisabled" } } });
    for (status, body, code, command) in [
        (404, json!({ "error": { "code": "SecretNotFound", "message": "no" } }), "SecretNotFound", set),
        (
            403,
            disabled,
            "SecretDisabled",
            "az keyvault secret set-attributes --vault-name peering-kv --name aiven-token",
        ),
        (200, json!({ "value": " ", "id": "x/v1" }), "SecretEmpty", set),
        (200, json!({ "value": "a canary", "id": "x/v1" }), "SecretUnusable", set),
    ] {
        let script = Script::new().holds("one").takes().on(SECRET, status, &body.to_string());
        let aiven = from_vault(&script).aiven;
        aiven.vpc(&vpc()).await.unwrap();
        later(301).await;
        for _ in 0..2 {
            let failure = aiven.vpc(&vpc()).await.unwrap_err();
            assert_eq!((failure.service, failure.code.as_str()), (Service::AivenToken, code));
            assert!(!failure.may_have_landed() && !format!("{failure} {failure:?}").contains("canary"), "{failure}");
            let fix = classify(&failure).fix_for(&failure);
            assert!(fix.contains(command) && !fix.contains('<'), "{fix}");
        }
        script.holds("two").takes();
        later(11).await;
        aiven.vpc(&vpc()).await.unwrap();
        assert_eq!(used(&script), ["one", "two"]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_setting_nothing_is_sent_and_that_is_said() {
    let script = Script::new();
    let failure = clouds(&script, AivenToken::NotSet).aiven.vpc(&vpc()).await.unwrap_err();
    assert_eq!(failure.to_string(), "Aiven's token cannot be read: neither AIVEN_TOKEN_SECRET nor AIVEN_TOKEN is set");
    assert!(classify(&failure).fix_for(&failure).contains("az keyvault secret set"));
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_setting_that_is_refused_is_told_and_no_vault_is_asked() {
    let script = Script::new().refuses();
    let failure = clouds(&script, AivenToken::Text("canary".into())).aiven.vpc(&vpc()).await.unwrap_err();
    assert!(classify(&failure).fix_for(&failure).contains("AIVEN_TOKEN"), "{failure}");
    assert_eq!(used(&script), ["canary"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_setting_names_is_the_one_that_is_read() {
    let line = "GET /secrets/aiven-token/v7?api-version=7.4";
    let script = Script::new().on(line, 200, r#"{"value":"seven","id":"x/v7"}"#).takes();
    let secret = "https://peering-kv.vault.azure.net/secrets/aiven-token/v7".parse().unwrap();
    clouds(&script, AivenToken::Secret(secret)).aiven.vpc(&vpc()).await.unwrap();
    assert_eq!(used(&script), ["seven"]);
}
