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

/// The handler's lines, each at Information whatever its own level: the alerts read them.
const OUR_LINES: &str = "Host.Function.Console";

impl TryFrom<BTreeMap<String, Level>> for LogLevels {
    type Error = String;

    /// `default` opens every category, so the request log of the SDK needs a rule of its own.
    fn try_from(rules: BTreeMap<String, Level>) -> Result<Self, String> {
        let narrower = rules.iter().filter(|(name, _)| begins(name, SDK_REQUESTS)).map(|(_, level)| level);
        if decisive(&rules, SDK_REQUESTS).into_iter().chain(narrower).any(|level| *level < Level::Warning) {
            return Err(format!(
                "logLevel admits \"{SDK_REQUESTS}\" below Warning. The Functions host then logs every storage request of its own, \
                 gigabytes a month. Set \"{SDK_REQUESTS}\": \"Warning\""
            ));
        }
        if decisive(&rules, OUR_LINES).is_some_and(|level| *level > Level::Information) {
            return Err(format!(
                "logLevel shuts out \"{OUR_LINES}\" at Information. The app's own lines are logged so, and no alert would \
                 see them. Set \"{OUR_LINES}\": \"Information\""
            ));
        }
        Ok(Self)
    }
}

/// The level of the longest rule that a category begins with; without one, of `default`.
fn decisive<'a>(rules: &'a BTreeMap<String, Level>, category: &str) -> Option<&'a Level> {
    let matching = rules.iter().filter(|(name, _)| begins(category, name));
    let longest = matching.max_by_key(|(name, _)| name.len()).map(|(_, level)| level);
    longest.or_else(|| rules.get("default"))
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
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
    fn rules_that_shut_out_the_apps_lines_are_refused() {
        for rules in [
            r#"{ "default": "Warning" }"#,
            r#"{ "default": "Information", "Azure.Core": "Warning", "Host": "Error" }"#,
            r#"{ "Host.Function.Console": "None" }"#,
        ] {
            let found = read(rules).unwrap_err();
            assert!(found.contains("Set \"Host.Function.Console\": \"Information\""), "{rules}: {found}");
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
            r#"{ "default": "Warning", "Host": "Information" }"#,
        ] {
            assert_eq!(read(rules), Ok(()), "{rules}");
        }
    }
}
