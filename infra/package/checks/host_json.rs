//! `host.json` against its schema: the keys, types and ranges that the host knows, of the parts that this app uses.
//!
//! The types are the schema ("host.json reference for Azure Functions 2.x and later"; SchemaStore's `host.json`). The host itself
//! ignores a key that it does not know, and for ever tries again to start on a value out of range.

use std::path::Path;

use serde::Deserialize;

use super::log_levels::LogLevels;
use crate::Finding;

/// Refuses what the host would ignore or could not start with.
pub(super) fn check(path: &Path) -> Result<(), Finding> {
    let text = std::fs::read_to_string(path).map_err(Finding::io(path))?;
    serde_json::from_str::<HostJson>(&text).map(drop).map_err(|error| {
        Finding::new(
            path.display(),
            error,
            "correct it there; a key that is new in the schema goes to infra/package/checks/host_json.rs",
        )
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct HostJson {
    version: Version,
    function_timeout: TimeSpan<1_000, 86_400_000>,
    logging: Option<Logging>,
    extensions: Extensions,
    extension_bundle: Bundle,
    custom_handler: CustomHandler,
    /// `OpenTelemetry` or `ApplicationInsights`.
    telemetry_mode: Option<TelemetryMode>,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2.0")]
    V2,
}

#[derive(Deserialize)]
enum TelemetryMode {
    OpenTelemetry,
    ApplicationInsights,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Logging {
    log_level: Option<LogLevels>,
    application_insights: Option<ApplicationInsights>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct ApplicationInsights {
    sampling_settings: Option<Sampling>,
    enable_live_metrics: Option<bool>,
    enable_dependency_tracking: Option<bool>,
    enable_performance_counters_collection: Option<bool>,
}

/// Types are listed with semicolons between them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Sampling {
    is_enabled: Option<bool>,
    max_telemetry_items_per_second: Option<f64>,
    excluded_types: Option<String>,
    included_types: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Extensions {
    queues: Queues,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Queues {
    batch_size: Option<Whole<1, 32>>,
    new_batch_threshold: Option<Whole<0, 1000>>,
    max_polling_interval: Option<TimeSpan<100, 86_400_000>>,
    visibility_timeout: Option<TimeSpan<0, 86_400_000>>,
    max_dequeue_count: Option<Whole<1, 1000>>,
    message_encoding: Option<Encoding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Base64,
    None,
}

/// Without it the host knows no queue triggers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Bundle {
    id: BundleId,
    version: VersionRange,
}

#[derive(Deserialize)]
enum BundleId {
    #[serde(rename = "Microsoft.Azure.Functions.ExtensionBundle")]
    Stable,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct CustomHandler {
    description: Description,
    enable_forwarding_http_request: Option<bool>,
    enable_proxying_http_request: Option<bool>,
    initialization_timeout: Option<TimeSpan<1_000, 86_400_000>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "what is checked is how they are read")]
struct Description {
    default_executable_path: String,
    working_directory: Option<String>,
    arguments: Option<Vec<String>>,
    use_std_error_stream_for_errors_only: Option<bool>,
}

/// A whole number from `MIN` to `MAX`.
#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Whole<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> TryFrom<u32> for Whole<MIN, MAX> {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if (MIN..=MAX).contains(&number) { Ok(Self) } else { Err(format!("{number} is not {MIN} to {MAX}")) }
    }
}

/// `hh:mm:ss`, with a fraction if need be, of `MIN` to `MAX` milliseconds.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct TimeSpan<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> TryFrom<String> for TimeSpan<MIN, MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match milliseconds(&text) {
            Some(time) if (MIN..=MAX).contains(&time) => Ok(Self),
            Some(_) => Err(format!("{text:?} is not {MIN} to {MAX} milliseconds")),
            None => Err(format!("{text:?} is not hours:minutes:seconds, two digits each")),
        }
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<u64> =
        whole.split(':').map(|part| digits(part).filter(|_| part.len() == 2)).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    let fraction = digits(fraction).filter(|_| fraction.len() <= 7).map(|_| format!("{fraction:0<3}"))?;
    let seconds = (hours < 24 && minutes < 60 && seconds < 60).then_some((hours * 60 + minutes) * 60 + seconds)?;
    Some(seconds * 1000 + digits(&fraction[..3])?)
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// A range as NuGet writes it: `[4.*, 5.0.0)`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct VersionRange;

impl TryFrom<String> for VersionRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let inside = text.strip_prefix(['[', '(']).and_then(|rest| rest.strip_suffix([']', ')']));
        let version = |text: &str| {
            let parts: Vec<&str> = text.trim().split('.').collect();
            let known = |part: &&str| *part == "*" || digits(part).is_some();
            (2..=3).contains(&parts.len())
                && digits(parts[0]).is_some_and(|major| major >= 4)
                && parts.iter().all(known)
        };
        match inside.and_then(|range| range.split_once(',')) {
            Some((from, to)) if version(from) && version(to) => Ok(Self),
            _ => Err(format!("{text:?} is no range of versions from 4 on, such as \"[4.*, 5.0.0)\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const OURS: &str = include_str!("../../../host.json");

    /// What is said of our own `host.json` with one thing changed.
    fn changed(from: &str, to: &str) -> Result<(), String> {
        assert!(OURS.contains(from), "{from}");
        let folder = Scratch::new(&format!("host-{:?}", std::thread::current().id()));
        folder.with("host.json", OURS.replacen(from, to, 1));
        check(&folder.0.join("host.json")).map_err(|finding| finding.to_string())
    }

    #[test]
    fn our_own_is_valid() {
        assert_eq!(changed("2.0", "2.0"), Ok(()));
    }

    #[test]
    fn a_misspelt_or_missing_key_is_found() {
        for (from, to, why) in [
            ("\"batchSize\"", "\"batchsize\"", "unknown field `batchsize`"),
            ("\"queues\"", "\"queue\"", "unknown field `queue`"),
            ("\"functionTimeout\"", "\"timeout\"", "unknown field `timeout`"),
            ("\"extensionBundle\"", "\"bundle\"", "unknown field `bundle`"),
            ("\"defaultExecutablePath\": \"handler\"", "", "missing field `defaultExecutablePath`"),
        ] {
            let found = changed(from, to).unwrap_err();
            assert!(found.contains(why) && found.contains("line"), "{found}");
        }
    }

    #[test]
    fn a_value_that_the_host_could_not_start_with_is_found() {
        for (from, to, why) in [
            ("\"2.0\"", "\"3.0\"", "unknown variant `3.0`"),
            ("16", "33", "33 is not 1 to 32"),
            ("16", "\"16\"", "invalid type"),
            ("00:05:00", "00:05", "is not hours:minutes:seconds"),
            ("00:05:00", "25:00:00", "is not hours:minutes:seconds"),
            ("00:00:00.500", "00:00:00.050", "is not 100 to"),
            ("base64", "base32", "unknown variant `base32`"),
            ("Information", "Info", "unknown variant `Info`"),
            (", \"Azure.Core\": \"Warning\"", "", "Set \"Azure.Core\": \"Warning\""),
            ("[4.*, 5.0.0)", "4.*", "no range of versions"),
            ("[4.*, 5.0.0)", "[3.*, 4.0.0)", "no range of versions"),
        ] {
            let found = changed(from, to).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }

    #[test]
    fn time_spans_are_read_to_the_millisecond() {
        assert_eq!(milliseconds("01:02:03.4"), Some(3_723_400));
        assert_eq!(milliseconds("00:00:00.5000000"), Some(500));
        for wrong in ["", "1:2:3", "00:60:00", "00:00:00.", "-1", "00:00:00.12345678"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
    }
}
