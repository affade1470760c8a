//! Every setting that the app reads is given by the templates where they have to, and every one that they give is read.

use crate::Finding;
use crate::bicep::{Template, Templates, Token, keys};

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

/// How many settings the templates give.
pub(super) fn check(templates: &Templates) -> Result<usize, Vec<Finding>> {
    let (file, given) = app_settings(templates).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let mut find = |what: String, fix: String| findings.push(Finding::new(file.path.display(), what, fix));
    for (name, by) in NAMES {
        match (by, given.contains(name)) {
            (Given::ByDeployment, false) => {
                find(format!("the app reads {name}, and nothing gives it"), "add it to the app settings".to_owned());
            }
            (Given::ByPlatform, true) => {
                find(format!("{name} is the platform's to give"), "remove it from the app settings".to_owned());
            }
            (Given::Locally, true) => {
                find(format!("{name} is for a developer's machine"), "remove it from the app settings".to_owned());
            }
            _ => {}
        }
    }
    for (index, name) in given.iter().enumerate() {
        if !is_read(name) {
            let fix = "remove it from the app settings, or add it to functions/settings/names.rs once the app reads it";
            find(format!("nothing reads the setting {name}"), fix.to_owned());
        }
        if given[..index].contains(name) {
            find(format!("the setting {name} is given twice"), "remove one".to_owned());
        }
    }
    if !STORAGE.iter().any(|way| way.iter().all(|name| given.contains(name))) {
        find("the storage account is not named".to_owned(), format!("set {}", STORAGE[0][0]));
    }
    if findings.is_empty() { Ok(given.len()) } else { Err(findings) }
}

/// By the app, or by the host: which has a switch for each function, too.
fn is_read(setting: &str) -> bool {
    let switch = setting.starts_with("AzureWebJobs.") && setting.ends_with(".Disabled");
    switch || OF_THE_HOST.contains(&setting) || NAMES.iter().any(|(name, _)| *name == setting)
}

/// The file that declares the function app, and the names of its settings: the keys of the object that `appSettings` is made from.
fn app_settings(templates: &Templates) -> Result<(&Template, Vec<&str>), Finding> {
    let files = templates.files_with(|text| text.starts_with("Microsoft.Web/sites@"));
    let [file] = files.as_slice() else {
        let what = format!("{} of its templates declare a function app instead of one", files.len());
        return Err(Finding::new("infra", what, "declare one resource Microsoft.Web/sites"));
    };
    let unclear = |what: &str| {
        let fix = "write it as `appSettings: [for s in items(settings): { name: s.key, value: s.value }]` over one variable of its file";
        Finding::new(file.path.display(), what, fix)
    };
    let found = file.property("appSettings");
    let [made] = found.as_slice() else { return Err(unclear("appSettings is not set exactly once")) };
    let items = [Token::Word("items".to_owned()), Token::Sign('(')];
    let at = made.windows(2).position(|pair| pair == items);
    let variable = at.and_then(|at| made.get(at + 2)).and_then(Token::name);
    let value = variable.and_then(|name| file.variable(name));
    value.map(|value| (*file, keys(value))).ok_or_else(|| unclear("appSettings is not made from an object"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    /// What a deployment gives, as the templates would.
    fn enough() -> Vec<&'static str> {
        let needed = NAMES.iter().filter(|(_, by)| *by == Given::ByDeployment).map(|(name, _)| *name);
        needed.chain([STORAGE[0][0], "APPLICATIONINSIGHTS_CONNECTION_STRING"]).collect()
    }

    fn verdict(settings: &[&str]) -> Result<usize, String> {
        let folder = Scratch::new(&format!("settings-{:?}", std::thread::current().id()));
        let pairs: String = settings.iter().map(|name| format!("    {name}: 'x'\n")).collect();
        let bicep = format!(
            "var settings = union({{\n{pairs}}}, more)\nresource app 'Microsoft.Web/sites@2025-03-01' = {{\n  \
             siteConfig: {{\n    appSettings: [for s in items(settings): {{ name: s.key, value: s.value }}]\n  }}\n}}\n"
        );
        folder.with("infra/modules/function.bicep", bicep);
        text(check(&Templates::read(&folder.0).unwrap()))
    }

    fn text(verdict: Result<usize, Vec<Finding>>) -> Result<usize, String> {
        verdict.map_err(|findings| findings.iter().map(|finding| format!("{finding}\n")).collect())
    }

    #[test]
    fn settings_that_agree_are_counted() {
        let enough = enough();
        assert_eq!(verdict(&enough), Ok(enough.len()));
        assert_eq!(
            verdict(&[&enough[..], &["ENTRA_URL", "'AzureWebJobs.sweep.Disabled'"]].concat()),
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
    fn app_settings_that_cannot_be_read_are_not_taken_for_none() {
        for (name, bicep) in [
            ("none", "var a = 1\n"),
            ("elsewhere", "resource app 'Microsoft.Web/sites@2025-03-01' = {\n  appSettings: given\n}\n"),
            ("unset", "resource app 'Microsoft.Web/sites@2025-03-01' = {\n}\n"),
        ] {
            let folder = Scratch::new(name);
            folder.with("main.bicep", bicep);
            let found = text(check(&Templates::read(&folder.0).unwrap())).unwrap_err();
            assert!(found.contains("appSettings") || found.contains("0 of its templates"), "{found}");
        }
    }
}
