//! JSON as Key Vault sends it, read field by field.

use jiff::Timestamp;
use serde_json::Value;

use super::{Secret, Version};
use crate::cloud::http::{Reply, Said};

/// A secret with its value.
pub(super) fn read(body: &Value) -> Option<Secret> {
    let value = body["value"].as_str()?.into();
    Some(Secret { value, about: attributes(body)? })
}

/// What is known of a version, in a list or beside its value. Its id ends in `/secrets/<name>/<version>`.
pub(super) fn attributes(body: &Value) -> Option<Version> {
    let (_, version) = body["id"].as_str()?.trim_end_matches('/').rsplit_once('/')?;
    let attributes = &body["attributes"];
    let time = |name: &str| Timestamp::from_second(attributes[name].as_i64()?).ok();
    let tags = body["tags"].as_object().into_iter().flatten();
    Some(Version {
        version: version.to_owned(),
        enabled: attributes["enabled"].as_bool().unwrap_or(true),
        created: time("created"),
        expires: time("exp"),
        tags: tags.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
    })
}

/// `{"error": {"code", "message", "innererror": {"code"}}}`: the inner code says why, as `ForbiddenByRbac` where the outer one is
/// `Forbidden`.
pub(super) fn said(reply: &Reply) -> Said {
    let body = reply.value();
    let error = &body["error"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let inner = text(&error["innererror"]["code"]);
    Said {
        code: if inner.is_empty() { text(&error["code"]) } else { inner },
        message: text(&error["message"]),
        ..Said::default()
    }
}
