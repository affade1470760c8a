//! The public message: what a sender may ask for, checked and normalised before anything else sees it.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{AppId, PeeringKey, VnetId, VpcRef};

/// A request, as queue `peering-requests` carries it (version 1). Unknown fields are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Of this format: 1.
    pub version: u32,
    /// What to do.
    pub action: Action,
    /// The Aiven VPC.
    pub vpc: VpcRef,
    /// The Azure VNet; only `retry` may leave it out, and then means every peering of the VPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vnet: Option<VnetId>,
    /// An application of yours to peer as, instead of the one that we make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<AppId>,
    /// Name of the peering on the VNet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peering_name: Option<String>,
    /// Whether traffic that a peer forwards, and did not send itself, may come in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_forwarded_traffic: bool,
    /// Ranges behind the VNet that Aiven shall route to it, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_peer_network_cidrs: Vec<Ipv4Net>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// The sender's own reference, such as a change number: the outcome can be found by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Peer them, and keep them peered.
    Create,
    /// Undo what we made.
    Delete,
    /// Change options.
    Update,
    /// Check again that it connects.
    Verify,
    /// Go on now, with fresh deadlines.
    Retry,
    /// No step until resumed.
    Pause,
    /// Go on after a pause.
    Resume,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Update => "update",
            Self::Verify => "verify",
            Self::Retry => "retry",
            Self::Pause => "pause",
            Self::Resume => "resume",
        })
    }
}

/// Aiven takes at most this many `user_peer_network_cidrs` (its published schema).
const MOST_CIDRS: usize = 128;

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence for whoever sent it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let request: Self = read(text)?;
        request.check()?;
        Ok(request)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("version {} is not known here; send version 1", self.version));
        }
        if self.vnet.is_none() && self.action != Action::Retry {
            return Err(format!(
                "action {:?} needs \"vnet\", the resource id of the virtual network",
                self.action.to_string()
            ));
        }
        if let Some(name) = &self.peering_name {
            check_peering_name(name)?;
        }
        if self.user_peer_network_cidrs.len() > MOST_CIDRS {
            return Err(format!(
                "user_peer_network_cidrs has {} entries; Aiven takes {MOST_CIDRS}",
                self.user_peer_network_cidrs.len()
            ));
        }
        check_text("requested_by", self.requested_by.as_deref())?;
        check_text("reference", self.reference.as_deref())
    }

    /// Which peering is meant, if one is.
    pub fn key(&self) -> Option<PeeringKey> {
        self.vnet.as_ref().map(|vnet| PeeringKey { vpc: self.vpc.clone(), vnet: vnet.key() })
    }
}

/// Reads a message's JSON.
pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the message is empty; send one JSON object".to_owned());
    }
    serde_json::from_str(text).map_err(|e| format!("the message cannot be read: {e}"))
}

/// Azure naming rules, `virtualNetworkPeerings`: 1–80, starts with a letter or digit, ends with one or `_`.
fn check_peering_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let last = name.chars().last().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    if name.len() > 80 || !first || !last || !name.chars().all(legal) {
        return Err(
            "peering_name is not a name Azure takes: 1 to 80 letters, digits, \"_\", \"-\" and \".\"".to_owned()
        );
    }
    Ok(())
}

pub(super) fn check_text(field: &str, text: Option<&str>) -> Result<(), String> {
    match text {
        Some(text) if text.chars().count() > 256 => Err(format!("{field} is longer than 256 characters")),
        Some(text) if text.chars().any(char::is_control) => Err(format!("{field} holds a control character")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"version": 1, "action": "create",
        "vpc": {"organization": "org1a2b3c4d5e6", "id": "66666666-6666-4666-8666-666666666666"},
        "vnet": "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vn",
        "reference": "CHG-1234"}"#;

    #[test]
    fn the_documented_request_is_read() {
        let request = Request::parse(GOOD).unwrap();
        assert_eq!(request.action, Action::Create);
        assert_eq!(request.reference.as_deref(), Some("CHG-1234"));
        assert_eq!(
            request.key().unwrap().to_string(),
            "org:org1a2b3c4d5e6:66666666-6666-4666-8666-666666666666/33333333-3333-4333-8333-333333333333:g:vn"
        );
    }

    #[test]
    fn upper_case_is_the_same_peering() {
        let shouted = GOOD.replace("/g/", "/G/").replace("org1a2b3c4d5e6", "ORG1A2B3C4D5E6").replace("/vn", "/VN");
        assert_eq!(Request::parse(&shouted).unwrap().key(), Request::parse(GOOD).unwrap().key());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        for (text, reason) in [
            (String::new(), "is empty"),
            ("{".to_owned(), "cannot be read"),
            (GOOD.replace("\"version\": 1", "\"version\": 2"), "version 2 is not known"),
            (GOOD.replace("create", "destroy"), "unknown variant `destroy`"),
            (GOOD.replace("\"reference\"", "\"refrence\""), "unknown field `refrence`"),
            (GOOD.replace("\"organization\"", "\"organisation\""), "unknown field `organisation`"),
            (GOOD.replace("\"organization\": \"org1a2b3c4d5e6\", ", ""), "needs either"),
            (GOOD.replace("66666666-6666", "6666"), "vpc.id"),
            (GOOD.replace("CHG-1234", "a\\u0007b"), "control character"),
            (GOOD.replace("virtualNetworks", "routeTables"), "names a Microsoft.Network/routeTables"),
        ] {
            let error = Request::parse(&text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
