//! `logLevel` of `host.json`: what the Functions host lets into Application Insights.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Categories and their levels. A rule counts for every category that begins with its name; `default` for those without one.
#[derive(Deserialize)]
#[serde(try_from = "BTreeMap<String, Level>")]
pub(super) struct LogLevels;

#[derive(Deserialize, PartialEq, PartialOrd)]
enum Level {
    Trace,
    Debug,
    Information,
    Warning,
    Error,
    Critical,
    None,
}

/// The Azure SDK in the Functions host writes two traces a storage request, at Information, into Application Insights.
const SDK_REQUESTS: &str = "Azure.Core";

impl TryFrom<BTreeMap<String, Level>> for LogLevels {
    type Error = String;

    /// `default` opens every category, so the request log of the SDK needs a rule of its own.
    fn try_from(rules: BTreeMap<String, Level>) -> Result<Self, String> {
        let begins =
            |text: &str, with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        let above = rules.iter().filter(|(name, _)| begins(SDK_REQUESTS, name)).max_by_key(|(name, _)| name.len());
        let decisive = above.map(|(_, level)| level).or_else(|| rules.get("default"));
        let below = rules.iter().filter(|(name, _)| begins(name, SDK_REQUESTS)).map(|(_, level)| level);
        if decisive.into_iter().chain(below).any(|level| *level < Level::Warning) {
            return Err(format!(
                "logLevel admits \"{SDK_REQUESTS}\" below Warning. The Functions host then logs every storage request of its own, \
                 gigabytes a month. Set \"{SDK_REQUESTS}\": \"Warning\""
            ));
        }
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rules: &str) -> Result<(), String> {
        serde_json::from_str::<LogLevels>(rules).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_that_admit_the_sdks_request_log_are_refused() {
        for rules in [
            r#"{ "default": "Information" }"#,
            r#"{ "default": "Debug", "Azure.Identity": "Warning" }"#,
            r#"{ "default": "Information", "Azure.Core": "Information" }"#,
            r#"{ "Azure.Core": "Trace" }"#,
            r#"{ "default": "Information", "Azure.Core": "Warning", "Azure.Core.1": "Information" }"#,
            r#"{ "default": "Warning", "Azure": "Information" }"#,
        ] {
            let found = read(rules).unwrap_err();
            assert!(found.contains("Set \"Azure.Core\": \"Warning\""), "{rules}: {found}");
        }
    }

    #[test]
    fn rules_that_keep_it_out_are_taken() {
        for rules in [
            r#"{ "default": "Information", "Azure.Core": "Warning" }"#,
            r#"{ "default": "Information", "azure.core": "Error" }"#,
            r#"{ "default": "Information", "Azure": "Warning" }"#,
            r#"{ "default": "Information", "Azure.Core": "None", "Azure.Core.1": "Warning" }"#,
            r#"{ "Host": "Information" }"#,
            r#"{ "default": "Warning" }"#,
        ] {
            assert_eq!(read(rules), Ok(()), "{rules}");
        }
    }
}
