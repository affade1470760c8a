//! Key Vault: what is sent, what is made of the answers, and that no value is told.

use serde_json::Value;

use super::*;
use crate::cloud::script::{Script, app};

const SECRET: &str = "canary~value.1";
const LINE: &str = "/secrets/s?api-version=7.4";

fn version(version: &str) -> Value {
    json!({ "id": format!("https://vault.test/secrets/s/{version}"), "tags": { "key": "k1" },
        "attributes": { "enabled": true, "created": 1_700_000_000, "updated": 1_700_000_000, "exp": 1_800_000_000,
            "recoveryLevel": "Recoverable+Purgeable" }})
}

fn with_value() -> Value {
    let mut body = version("v1");
    body["value"] = json!(SECRET);
    body
}

fn refusal(code: &str, inner: &str) -> String {
    json!({ "error": { "code": code, "message": "words", "innererror": { "code": inner } } }).to_string()
}

#[tokio::test(start_paused = true)]
async fn the_newest_version_is_read_as_the_installation() {
    let script = Script::new().on(&format!("GET {LINE}"), 200, &with_value().to_string()).on(
        &format!("GET {LINE}"),
        404,
        &refusal("SecretNotFound", ""),
    );
    let vault = script.vault();
    let secret = vault.secret("s").await.unwrap().unwrap();
    assert_eq!((secret.value.expose_secret(), secret.about.version.as_str()), (SECRET, "v1"));
    assert_eq!(secret.about.tags["key"], "k1");
    assert_eq!(secret.about.expires.unwrap().as_second(), 1_800_000_000);
    assert!(vault.secret("s").await.unwrap().is_none());
    assert_eq!(script.seen()[0].header("authorization"), "Bearer token:installation:2222:vault.test");
}

#[tokio::test(start_paused = true)]
async fn a_value_is_set_with_its_end_and_its_labels() {
    let line = format!("PUT {LINE}");
    let script = Script::new().on(&line, 200, &with_value().to_string()).on(&line, 200, &with_value().to_string());
    let vault = script.vault();
    let tags = BTreeMap::from([("key".to_owned(), "k1".to_owned())]);
    let end = Timestamp::from_second(1_800_000_000).unwrap();
    assert_eq!(vault.set_secret("s", &SECRET.into(), Some(end), &tags).await.unwrap().version, "v1");
    vault.set_secret("s", &SECRET.into(), None, &BTreeMap::new()).await.unwrap();
    let seen = script.seen();
    assert_eq!(
        seen[0].body,
        json!({ "value": SECRET, "attributes": { "enabled": true, "exp": 1_800_000_000 }, "tags": { "key": "k1" } })
    );
    assert_eq!(seen[1].body["attributes"], json!({ "enabled": true }));
}

#[tokio::test(start_paused = true)]
async fn versions_are_read_to_the_last_page_but_only_at_the_vault() {
    let line = "GET /secrets/s/versions?api-version=7.4";
    let page = |one: &str, link: Value| json!({ "value": [version(one)], "nextLink": link }).to_string();
    let script = Script::new()
        .on(line, 200, &page("v1", json!("https://vault.test/secrets/s/versions?api-version=7.4&$skiptoken=x")))
        .on("GET /secrets/s/versions?api-version=7.4&$skiptoken=x", 200, &page("v2", Value::Null))
        .on(line, 200, &page("v1", json!("https://evil.test/secrets")))
        .on(line, 404, &refusal("SecretNotFound", ""));
    let vault = script.vault();
    let names = |found: Vec<Version>| found.into_iter().map(|one| one.version).collect::<Vec<_>>();
    assert_eq!(names(vault.versions("s").await.unwrap()), ["v1", "v2"]);
    assert_eq!(vault.versions("s").await.unwrap_err().code, code::FOREIGN_ADDRESS);
    assert!(vault.versions("s").await.unwrap().is_empty());
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn the_inner_code_says_why() {
    let line = format!("GET {LINE}");
    let script = Script::new()
        .on(&line, 403, &refusal("Forbidden", "ForbiddenByRbac"))
        .on(&line, 403, &refusal("Forbidden", "SecretDisabled"))
        .with(&line, 429, &[("retry-after", "3")], &refusal("Throttled", ""))
        .on(&line, 401, "");
    let vault = script.vault();
    for (status, code) in [(403, "ForbiddenByRbac"), (403, "SecretDisabled"), (429, "Throttled"), (401, "")] {
        let failure = vault.secret("s").await.unwrap_err();
        assert_eq!((failure.service, failure.status, failure.code.as_str()), (Service::KeyVault, Some(status), code));
    }
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn no_value_is_in_any_text() {
    let get = format!("GET {LINE}");
    let put = format!("PUT {LINE}");
    let echo =
        json!({ "error": { "code": "BadParameter", "message": format!("the value {SECRET} is bad") } }).to_string();
    let odd = json!({ "value": SECRET, "id": 7 }).to_string();
    let script = Script::new()
        .on(&get, 200, &with_value().to_string())
        .on(&get, 200, &odd)
        .on(&put, 400, &echo)
        .on(&put, 200, &odd);
    let vault = script.vault();
    let mut texts = format!("{:?}", vault.secret("s").await.unwrap());
    for failure in [
        vault.secret("s").await.unwrap_err(),
        vault.set_secret("s", &SECRET.into(), None, &BTreeMap::new()).await.unwrap_err(),
        vault.set_secret("s", &SECRET.into(), None, &BTreeMap::new()).await.unwrap_err(),
    ] {
        texts += &format!("{failure} {failure:?}");
    }
    assert!(texts.contains("is bad") && !texts.contains("canary"), "{texts}");
    script.seen();
}

#[test]
fn a_clouds_vaults_share_their_audience() {
    for (vault, expected) in [
        ("https://mine.vault.azure.net", "https://vault.azure.net/.default"),
        ("https://mine.vault.azure.net/", "https://vault.azure.net/.default"),
        ("https://mine.vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net/.default"),
        ("https://localhost:8446", "https://localhost:8446/.default"),
        ("https://127.0.0.1:8446/", "https://127.0.0.1:8446/.default"),
    ] {
        assert_eq!(scope(&vault.parse().unwrap()), expected);
    }
}

#[test]
fn a_secrets_name_is_one_that_key_vault_takes() {
    let name = secret_name(app());
    assert!(name.len() <= 127 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
}
