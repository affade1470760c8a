//! What is set and not used is said once at start, without its value.

use std::collections::BTreeMap;

use functions::app::App;
use simulation::Log;

#[tokio::test]
async fn a_key_beside_the_identity_and_a_token_beside_the_vaults_secret_are_said_to_be_ignored() {
    let id = "22222222-2222-4222-8222-222222222222";
    let settings = BTreeMap::from([
        ("AZURE_TENANT_ID", id),
        ("AZURE_CLIENT_ID", id),
        ("AZURE_PRINCIPAL_ID", id),
        ("AIVEN_TOKEN", "canary-token"),
        ("AIVEN_TOKEN_SECRET", "https://peering-kv.vault.azure.net/secrets/aiven-token"),
        ("AzureWebJobsStorage", "AccountName=account;AccountKey=Y2FuYXJ5LWtleQ=="),
        ("AzureWebJobsStorage__accountName", "account"),
    ]);
    let start = |without: &[&str]| {
        let log = Log::keep();
        let get = |name: &str| settings.get(name).filter(|_| !without.contains(&name)).map(|&value| value.to_owned());
        App::from_settings(get).unwrap();
        log
    };
    let log = start(&[]);
    let lines: Vec<String> = log.events("setting_ignored").iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("AIVEN_TOKEN is not used, because AIVEN_TOKEN_SECRET is set"), "{lines:?}");
    assert!(lines[1].contains("AzureWebJobsStorage is not used"), "{lines:?}");
    let all = format!("{:?}", log.lines());
    assert!(!all.contains("canary-token") && !all.contains("Y2FuYXJ5"), "{all}");
    assert!(start(&["AIVEN_TOKEN", "AzureWebJobsStorage"]).events("setting_ignored").is_empty());
}
