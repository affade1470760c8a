//! Which peering is meant: the pair of VPC and VNet is its identity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{InvalidId, VpcRef, guid};

/// The natural key of a peering: its VPC, and the lower-case key of its VNet. Written `<vpc>/<vnet>` in messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PeeringKey {
    /// The Aiven VPC.
    pub vpc: VpcRef,
    /// `subscription:group:name`, lower case ([`super::VnetId::key`]).
    pub vnet: String,
}

impl PeeringKey {
    /// The id that people use: twelve hex digits of a UUID v5 over both keys.
    pub fn id(&self) -> String {
        guid(&[&self.vpc.key(), &self.vnet]).simple().to_string()[..12].to_owned()
    }
}

impl fmt::Display for PeeringKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vpc.key(), self.vnet)
    }
}

impl FromStr for PeeringKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (vpc, vnet) =
            text.split_once('/').ok_or_else(|| InvalidId(format!("{text:?} is not the key of a peering")))?;
        Ok(Self { vpc: vpc.parse()?, vnet: vnet.to_owned() })
    }
}

impl From<PeeringKey> for String {
    fn from(key: PeeringKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PeeringKey {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}
