//! The ids that must not be mixed up, each a type of its own, parsed once at the door.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the id it should be: one sentence, fit for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(pub String);

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident, $what:literal;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            /// Lower case with hyphens, as every service here writes it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Any letter case; the hyphenated form only, as no service prints another.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
                id.map(Self).ok_or_else(|| {
                    InvalidId(format!(concat!($what, " {:?} is not a GUID such as 33333333-3333-4333-8333-333333333333"), text))
                })
            }
        }
    )*};
}

uuid_id! {
    /// An Entra tenant (a directory).
    TenantId, "tenant id";
    /// The client id (`appId`) of an application: the same in every tenant. Never an object id.
    AppId, "application id";
    /// The object id of a directory object, such as a service principal: differs from tenant to tenant.
    ObjectId, "object id";
    /// An Azure subscription.
    SubscriptionId, "subscription id";
}

impl SubscriptionId {
    /// `/subscriptions/<id>`: the scope, and the argument of `guid()`, as ARM returns it.
    pub fn scope(&self) -> String {
        format!("/subscriptions/{self}")
    }
}

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

fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An Aiven VPC: of an organization, or of a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawVpc")]
pub enum VpcRef {
    /// `{"organization": "org1a2b3c4d5e6", "id": …}`
    Organization {
        /// Organization id: `org` and eleven characters.
        organization: String,
        /// The VPC's id.
        id: Uuid,
    },
    /// `{"project": "my-project", "id": …}`
    Project {
        /// Project name.
        project: String,
        /// The VPC's id.
        id: Uuid,
    },
}

/// A VPC as it is written in a message, before it is known to make sense.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVpc {
    organization: Option<String>,
    project: Option<String>,
    id: String,
}

impl TryFrom<RawVpc> for VpcRef {
    type Error = InvalidId;

    fn try_from(raw: RawVpc) -> Result<Self, InvalidId> {
        let id = raw.id.parse::<ObjectId>().map_err(|_| {
            InvalidId(format!("vpc.id {:?} is not a GUID; `avn organization vpc list` shows it", shortened(&raw.id)))
        })?;
        let vpc = match (raw.organization, raw.project) {
            (Some(organization), None) => Self::Organization { organization: organization.to_lowercase(), id: id.0 },
            (None, Some(project)) => Self::Project { project: project.to_lowercase(), id: id.0 },
            _ => return Err(InvalidId("vpc needs either \"organization\" or \"project\", and \"id\"".to_owned())),
        };
        vpc.check()?;
        Ok(vpc)
    }
}

impl VpcRef {
    /// The VPC's id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Organization { id, .. } | Self::Project { id, .. } => *id,
        }
    }

    /// `org:<organization>:<id>` or `project:<project>:<id>`: the partition of the VPC's records.
    pub fn key(&self) -> String {
        match self {
            Self::Organization { organization, id } => format!("org:{organization}:{id}"),
            Self::Project { project, id } => format!("project:{project}:{id}"),
        }
    }

    /// Refuses owners that cannot be an Aiven name and would not fit in a key or a path.
    pub fn check(&self) -> Result<(), InvalidId> {
        let (what, owner, most) = match self {
            Self::Organization { organization, .. } => ("organization", organization, 36),
            Self::Project { project, .. } => ("project", project, 63),
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if owner.is_empty() || owner.len() > most || !owner.chars().all(legal) {
            return Err(InvalidId(format!("vpc.{what} {:?} is not the name of an Aiven {what}", shortened(owner))));
        }
        Ok(())
    }
}

impl fmt::Display for VpcRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

impl FromStr for VpcRef {
    type Err = InvalidId;

    /// The reverse of [`VpcRef::key`].
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId(format!("{:?} is not the key of an Aiven VPC", shortened(text)));
        let [kind, owner, id] = text.split(':').collect::<Vec<_>>()[..] else { return Err(wrong()) };
        let id = Uuid::try_parse(id).map_err(|_| wrong())?;
        let vpc = match kind {
            "org" => Self::Organization { organization: owner.to_owned(), id },
            "project" => Self::Project { project: owner.to_owned(), id },
            _ => return Err(wrong()),
        };
        vpc.check()?;
        Ok(vpc)
    }
}

/// The namespace of ARM's `guid()` template function (Bicep compiler, `guid` intrinsic).
const ARM_GUID_NAMESPACE: Uuid = Uuid::from_u128(0x11fb06fb_712d_4ddd_98c7_e71bbd588830);

/// What Bicep's `guid(a, b, …)` computes: UUID v5 of the arguments joined with `-`. So an id that a deployment
/// made and one that we make are the same.
pub fn guid(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&ARM_GUID_NAMESPACE, parts.join("-").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VNET: &str = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/My-RG/providers/Microsoft.Network/virtualNetworks/My-VNet";

    #[test]
    fn guid_is_what_the_bicep_compiler_computes() {
        assert_eq!(guid(&["foo", "bar", "baz"]).to_string(), "2ed86837-7c7c-5eaa-9864-dd077fd19b0d");
        assert_eq!(guid(&["asdf"]).to_string(), "228d27cc-6fdb-5934-b7ac-1efccebade04");
    }

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

    #[test]
    fn a_vpc_key_reads_back() {
        for key in [
            "org:org1a2b3c4d5e6:66666666-6666-4666-8666-666666666666",
            "project:my-project:66666666-6666-4666-8666-666666666666",
        ] {
            assert_eq!(key.parse::<VpcRef>().unwrap().key(), key);
        }
    }
}
