//! What may be asked for: the allow-lists of subscriptions and VPCs.

use std::str::FromStr;

use uuid::Uuid;

use super::Settings;
use crate::peering::{InvalidId, Owner, SubscriptionId, VpcRef};

/// An entry of `ALLOWED_VPCS`: a VPC's id, its key with the owner (`org:<organization>:<id>`, `project:<project>:<id>`), or the owner
/// alone (`org:<organization>`, `project:<project>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedVpc {
    /// By id alone.
    Id(Uuid),
    /// This one of this owner.
    Vpc(VpcRef),
    /// Any of this owner's, those to be made included.
    Owner(Owner),
}

impl FromStr for AllowedVpc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(Self::Id(id));
        }
        let said = |e: InvalidId| e.to_string();
        match text.matches(':').count() {
            1 => text.parse().map(Self::Owner).map_err(said),
            _ => text.parse().map(Self::Vpc).map_err(said),
        }
    }
}

impl AllowedVpc {
    /// Whether it means this VPC.
    pub fn admits(&self, vpc: &VpcRef) -> bool {
        match self {
            Self::Id(id) => *id == vpc.id(),
            Self::Vpc(allowed) => allowed == vpc,
            Self::Owner(owner) => *owner == Owner::from(vpc),
        }
    }
}

impl Settings {
    /// Whether VPCs may be made for this owner.
    pub fn admits_vpcs_of(&self, owner: &Owner) -> bool {
        let meant = |allowed: &AllowedVpc| matches!(allowed, AllowedVpc::Owner(allowed) if allowed == owner);
        self.allowed_vpcs.is_empty() || self.allowed_vpcs.iter().any(meant)
    }

    /// Whether peerings may be asked for of VNets in this subscription.
    pub fn admits_subscription(&self, subscription: &SubscriptionId) -> bool {
        self.allowed_subscriptions.is_empty() || self.allowed_subscriptions.contains(subscription)
    }
}
