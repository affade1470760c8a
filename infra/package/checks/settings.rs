//! Every setting that the app reads is given by the templates where they have to, and every one that they give is read.

use crate::Finding;
use crate::snapshots::{Resource, Snapshot};

#[path = "../../../functions/settings/names.rs"]
mod names;

use names::{Given, NAMES};

/// What the Functions host reads itself ("App settings reference for Azure Functions").
const OF_THE_HOST: [&str; 3] = [
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
];

/// The storage account by its name, or by its endpoints: the app needs two, the host all three.
const STORAGE: [&[&str]; 2] = [
    &["AzureWebJobsStorage__accountName"],
    &[
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
    ],
];

/// Where the templates give them.
const PLACE: &str = "infra/modules/function.bicep";

/// How many settings the templates give, where they give most.
pub(super) fn check(snapshots: &[Snapshot]) -> Result<usize, Vec<Finding>> {
    let apps: Vec<Vec<&str>> = snapshots.iter().flat_map(|one| one.of_kind("Microsoft.Web/sites")).map(given).collect();
    let mut findings = Vec::new();
    if apps.is_empty() {
        findings.push(Finding::new(PLACE, "no snapshot has a function app", "declare one"));
    }
    for finding in apps.iter().flat_map(|given| compare(given)) {
        // Most are found in every snapshot.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let most = apps.iter().map(Vec::len).max().unwrap_or_default();
    if findings.is_empty() { Ok(most) } else { Err(findings) }
}

/// The names of an app's settings.
fn given(app: &Resource) -> Vec<&str> {
    let settings = app.properties["siteConfig"]["appSettings"].as_array();
    settings.into_iter().flatten().filter_map(|one| one["name"].as_str()).collect()
}

fn compare(given: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |what: String, fix: &str| findings.push(Finding::new(PLACE, what, fix));
    for (name, by) in NAMES {
        match (by, given.contains(name)) {
            (Given::ByDeployment, false) => {
                find(format!("the app reads {name}, and nothing gives it"), "add it to the app settings");
            }
            (Given::ByPlatform, true) => {
                find(format!("{name} is the platform's to give"), "remove it from the app settings");
            }
            (Given::Locally, true) => {
                find(format!("{name} is for a developer's machine"), "remove it from the app settings");
            }
            _ => {}
        }
    }
    for (index, name) in given.iter().enumerate() {
        if !is_read(name) {
            let fix = "remove it from the app settings, or add it to functions/settings/names.rs once the app reads it";
            find(format!("nothing reads the setting {name}"), fix);
        }
        if given[..index].contains(name) {
            find(format!("the setting {name} is given twice"), "remove one");
        }
    }
    if !STORAGE.iter().any(|way| way.iter().all(|name| given.contains(name))) {
        find("the storage account is not named".to_owned(), "set AzureWebJobsStorage__accountName");
    }
    findings
}

/// By the app, or by the host: which has a switch for each function, too.
fn is_read(setting: &str) -> bool {
    let switch = setting.starts_with("AzureWebJobs.") && setting.ends_with(".Disabled");
    switch || OF_THE_HOST.contains(&setting) || NAMES.iter().any(|(name, _)| *name == setting)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    /// What a deployment gives, as the templates would.
    fn enough() -> Vec<&'static str> {
        let needed = NAMES.iter().filter(|(_, by)| *by == Given::ByDeployment).map(|(name, _)| *name);
        needed.chain([STORAGE[0][0], "APPLICATIONINSIGHTS_CONNECTION_STRING"]).collect()
    }

    fn verdict(settings: &[&str]) -> Result<usize, String> {
        let settings: Vec<_> = settings.iter().map(|name| json!({"name": name, "value": "x"})).collect();
        let properties = json!({"siteConfig": {"appSettings": settings}});
        let app = Resource { kind: "Microsoft.Web/sites".into(), id: String::new(), name: String::new(), properties };
        text(check(&[Snapshot {
            name: "main".into(),
            path: "main.json".into(),
            resources: vec![app],
            outputs: BTreeMap::new(),
        }]))
    }

    fn text(verdict: Result<usize, Vec<Finding>>) -> Result<usize, String> {
        verdict.map_err(|findings| findings.iter().map(|finding| format!("{finding}\n")).collect())
    }

    #[test]
    fn settings_that_agree_are_counted() {
        let enough = enough();
        assert_eq!(verdict(&enough), Ok(enough.len()));
        assert_eq!(
            verdict(&[&enough[..], &["ENTRA_URL", "AzureWebJobs.sweep.Disabled"]].concat()),
            Ok(enough.len() + 2)
        );
    }

    #[test]
    fn a_setting_that_the_app_reads_and_nothing_gives_is_found() {
        for missing in ["AIVEN_TOKEN_SECRET", "AZURE_PRINCIPAL_ID", "INSTALLATION", "AzureWebJobsStorage__clientId"] {
            let mut settings = enough();
            settings.retain(|name| *name != missing);
            let found = verdict(&settings).unwrap_err();
            assert!(found.contains(&format!("the app reads {missing}, and nothing gives it")), "{found}");
            assert_eq!(found.lines().count(), 1, "{found}");
        }
    }

    #[test]
    fn a_setting_that_nothing_reads_is_found() {
        for (extra, why) in [
            ("AIVEN_TOKN", "nothing reads the setting AIVEN_TOKN"),
            ("FUNCTIONS_WORKER_RUNTIME", "nothing reads"),
            ("TIME_SCALE", "for a developer's machine"),
            ("AzureWebJobsStorage", "for a developer's machine"),
            ("IDENTITY_ENDPOINT", "the platform's to give"),
            ("AIVEN_TOKEN_SECRET", "given twice"),
        ] {
            let found = verdict(&[&enough()[..], &[extra]].concat()).unwrap_err();
            assert!(found.contains(why), "{found}");
            assert_eq!(found.lines().count(), 1, "{found}");
        }
    }

    #[test]
    fn a_storage_account_that_is_not_named_is_found() {
        let mut settings = enough();
        settings.retain(|name| *name != STORAGE[0][0]);
        assert!(verdict(&settings).unwrap_err().contains("the storage account is not named"));
        settings.extend(STORAGE[1]);
        assert!(verdict(&settings).is_ok());
    }

    #[test]
    fn an_app_that_is_not_there_is_not_taken_for_one_without_settings() {
        let none =
            Snapshot { name: "main".into(), path: "main.json".into(), resources: Vec::new(), outputs: BTreeMap::new() };
        assert!(text(check(&[none])).unwrap_err().contains("no snapshot has a function app"));
    }
}
