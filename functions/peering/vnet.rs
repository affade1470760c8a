//! The id of an Azure virtual network.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::shortened;
use super::{InvalidId, SubscriptionId};

/// An Azure virtual network, as its ARM resource id names it.
///
/// Names keep the case they were given in, because ARM shows it to people; equality and hashing ignore
/// it, because ARM does (resource ids are case-insensitive and come back in mixed case).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct VnetId {
    /// The subscription that holds it.
    pub subscription: SubscriptionId,
    /// Resource group, in the case given.
    pub resource_group: String,
    /// Name, in the case given.
    pub name: String,
}

impl VnetId {
    /// Resource group in lower case: what Aiven wants, and what keys are made of.
    pub fn resource_group_lower(&self) -> String {
        self.resource_group.to_lowercase()
    }

    /// Name in lower case: what Aiven wants, and what keys are made of.
    pub fn name_lower(&self) -> String {
        self.name.to_lowercase()
    }

    /// `subscription:group:name`, lower case: the natural key of a VNet in our tables.
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.subscription, self.resource_group_lower(), self.name_lower())
    }

    /// The VNet of a [`key`](Self::key): its names are in lower case then.
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, ':');
        let (subscription, resource_group, name) = (parts.next()?, parts.next()?, parts.next()?);
        let id = Self {
            subscription: subscription.parse().ok()?,
            resource_group: resource_group.to_owned(),
            name: name.to_owned(),
        };
        (id.key() == key).then_some(id)
    }
}

impl PartialEq for VnetId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for VnetId {}

impl std::hash::Hash for VnetId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for VnetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, resource_group, name } = self;
        write!(
            f,
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Network/virtualNetworks/{name}"
        )
    }
}

impl FromStr for VnetId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = |why: &str| {
            InvalidId(format!(
                "vnet {:?} {why}; it should read /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Network/virtualNetworks/<name>",
                shortened(text)
            ))
        };
        let parts: Vec<&str> = text.split('/').collect();
        let ["", subscriptions, subscription, groups, group, providers, namespace, kind, name] = parts[..] else {
            return Err(wrong("is not the resource id of a virtual network"));
        };
        let fixed = [(subscriptions, "subscriptions"), (groups, "resourceGroups"), (providers, "providers")];
        if fixed.iter().any(|(given, wanted)| !given.eq_ignore_ascii_case(wanted)) {
            return Err(wrong("is not an ARM resource id"));
        }
        if !namespace.eq_ignore_ascii_case("Microsoft.Network") || !kind.eq_ignore_ascii_case("virtualNetworks") {
            return Err(wrong(&format!("names a {namespace}/{kind}, not a virtual network")));
        }
        let subscription = subscription.parse().map_err(|e: InvalidId| wrong(&format!("has a bad {e}")))?;
        check_resource_group(group).map_err(|why| wrong(&why))?;
        check_vnet_name(name).map_err(|why| wrong(&why))?;
        Ok(Self { subscription, resource_group: group.to_owned(), name: name.to_owned() })
    }
}

impl From<VnetId> for String {
    fn from(id: VnetId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for VnetId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

/// Azure naming rules, `Microsoft.Resources/resourceGroups`: 1–90 letters, digits, `_ ( ) - .`, no period at the end.
fn check_resource_group(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_alphanumeric() || "_()-.".contains(c);
    if name.is_empty() || name.chars().count() > 90 || name.ends_with('.') || !name.chars().all(legal) {
        return Err(format!("has resource group {:?}, which Azure cannot hold", shortened(name)));
    }
    Ok(())
}

/// Azure naming rules, `Microsoft.Network/virtualNetworks`: 2–64, starts with a letter or digit, ends with one or `_`.
fn check_vnet_name(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let last = name.chars().last().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    if !(2..=64).contains(&name.len()) || !first || !last || !name.chars().all(legal) {
        return Err(format!("has the name {:?}, which no virtual network can have", shortened(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VNET: &str = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/My-RG/providers/Microsoft.Network/virtualNetworks/My-VNet";

    #[test]
    fn a_vnet_id_keeps_its_case_and_compares_without_it() {
        let id: VnetId = VNET.parse().unwrap();
        assert_eq!(id.to_string(), VNET);
        assert_eq!(id, VNET.to_uppercase().parse().unwrap());
        assert_eq!(id.key(), "33333333-3333-4333-8333-333333333333:my-rg:my-vnet");
    }

    #[test]
    fn what_is_not_a_vnet_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "is not the resource id"),
            (&VNET.replace("virtualNetworks", "publicIPAddresses"), "names a Microsoft.Network/publicIPAddresses"),
            (&VNET.replace("33333333-3333", "3333"), "bad subscription id"),
            (&VNET.replace("My-RG", "a#b"), "resource group"),
            (&VNET.replace("My-VNet", "-x"), "no virtual network can have"),
            (&format!("{VNET}/subnets/a"), "is not the resource id"),
        ] {
            let error = text.parse::<VnetId>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
