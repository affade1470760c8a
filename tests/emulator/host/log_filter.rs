//! `logging.logLevel` of `host.json`: which categories reach Application Insights from which level on.

use serde_json::Value;

/// A log line's level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Trace,
    Debug,
    Information,
    Warning,
    Error,
    Critical,
    None,
}

/// Categories of the host itself: admitted without any rule (`ScriptLoggingBuilderExtensions`).
const BUILT_IN: [&str; 4] = ["Host.", "Function.", "Worker.", "Microsoft.Azure.WebJobs."];

/// The rules, longest name first.
#[derive(Debug, Clone, Default)]
pub(super) struct LogFilter {
    rules: Vec<(String, Level)>,
    default: Option<Level>,
}

impl LogFilter {
    /// Reads `host.json`. A level that is none is left out, as by the configuration binder.
    pub(super) fn of(host: &Value) -> Self {
        let levels = host["logging"]["logLevel"].as_object().into_iter().flatten();
        let mut filter = Self::default();
        for (name, level) in levels.filter_map(|(name, level)| Some((name, parse(level.as_str()?)?))) {
            if name.eq_ignore_ascii_case("default") {
                filter.default = Some(level);
            } else {
                filter.rules.push((name.to_ascii_lowercase(), level));
            }
        }
        filter.rules.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        filter
    }

    /// The longest rule that the category begins with decides, then `default`. `default` is a rule for every category: with it, those
    /// of the SDKs are open, too.
    pub(super) fn admits(&self, category: &str, level: Level) -> bool {
        let name = category.to_ascii_lowercase();
        let rule = self.rules.iter().find(|(start, _)| name.starts_with(start)).map(|(_, level)| *level);
        let built_in = || BUILT_IN.iter().any(|start| category.starts_with(start)).then_some(Level::Information);
        rule.or(self.default).or_else(built_in).is_some_and(|least| level >= least && least != Level::None)
    }
}

fn parse(level: &str) -> Option<Level> {
    Some(match level.to_ascii_lowercase().as_str() {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "information" => Level::Information,
        "warning" => Level::Warning,
        "error" => Level::Error,
        "critical" => Level::Critical,
        "none" => Level::None,
        _ => return None,
    })
}
