//! The few `$filter` expressions that az and the runbook need.

use super::errors;
use crate::clouds::http::Answer;

/// One comparison.
#[derive(Debug, PartialEq)]
pub(super) enum Clause {
    Equals(String, String),
    StartsWith(String, String),
    /// `servicePrincipalNames/any(c:c eq 'x')`
    AnyName(String),
}

/// Parses one comparison; anything else is refused as Graph refuses it.
pub(super) fn parse(filter: &str) -> Answer<Clause> {
    let clause = equals(filter).or_else(|| starts_with(filter)).or_else(|| any_name(filter));
    clause.ok_or_else(|| {
        errors::error(400, "Request_UnsupportedQuery", &format!("Unsupported or invalid query filter clause: {filter}"))
    })
}

fn equals(filter: &str) -> Option<Clause> {
    let (name, value) = filter.split_once(" eq ")?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric());
    plain.then(|| Some(Clause::Equals(name.to_owned(), quoted(value)?)))?
}

fn starts_with(filter: &str) -> Option<Clause> {
    let inner = filter.trim().strip_prefix("startswith(")?.strip_suffix(')')?;
    let (name, value) = inner.split_once(',')?;
    Some(Clause::StartsWith(name.trim().to_owned(), quoted(value)?))
}

fn any_name(filter: &str) -> Option<Clause> {
    let inner = filter.trim().strip_prefix("servicePrincipalNames/any(")?.strip_suffix(')')?;
    let (_, value) = inner.split_once(" eq ")?;
    Some(Clause::AnyName(quoted(value)?))
}

/// OData doubles a quote inside a string.
fn quoted(value: &str) -> Option<String> {
    let inner = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_that_az_sends_are_understood() {
        assert_eq!(parse("appId eq 'a'").ok(), Some(Clause::Equals("appId".into(), "a".into())));
        assert_eq!(
            parse("startswith(displayName,'it''s')").ok(),
            Some(Clause::StartsWith("displayName".into(), "it's".into()))
        );
        assert_eq!(parse("servicePrincipalNames/any(c:c eq 'x')").ok(), Some(Clause::AnyName("x".into())));
        assert_eq!(parse("appId gt 3").err().map(|r| r.status), Some(400));
    }
}
