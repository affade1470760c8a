//! Virtual networks and their peerings, as ARM shows them.

use ipnet::IpNet;
use serde::Deserialize;

use super::{Arm, open_enum, version};
use crate::cloud::Failure;
use crate::peering::{SubscriptionId, VnetId};

open_enum! {
    /// `provisioningState`: where the last write of a resource has got to.
    ProvisioningState {
        /// Done.
        Succeeded = "Succeeded",
        /// Being written.
        Updating = "Updating",
        /// Being deleted.
        Deleting = "Deleting",
        /// The last write failed.
        Failed = "Failed",
    }
}

open_enum! {
    /// `peeringState`: whether the two halves of a peering have found each other.
    PeeringState {
        /// Only this half exists.
        Initiated = "Initiated",
        /// Both halves exist.
        Connected = "Connected",
        /// The other half was deleted; this one cannot be revived.
        Disconnected = "Disconnected",
    }
}

open_enum! {
    /// `peeringSyncLevel`: whether both halves know the other's address space as it is now.
    SyncLevel {
        /// They do.
        FullyInSync = "FullyInSync",
        /// The other half does not know our newest prefixes.
        RemoteNotInSync = "RemoteNotInSync",
        /// Ours does not know the other's.
        LocalNotInSync = "LocalNotInSync",
        /// Neither does.
        LocalAndRemoteNotInSync = "LocalAndRemoteNotInSync",
    }
}

/// A virtual network.
#[derive(Debug, Clone)]
pub struct Vnet {
    /// Resource id as ARM spells it.
    pub id: String,
    /// Region.
    pub location: String,
    /// Peerings can be written only when `Succeeded`.
    pub provisioning_state: ProvisioningState,
    /// Address space.
    pub prefixes: Vec<IpNet>,
    /// Peerings that start here.
    pub peerings: Vec<Peering>,
}

/// One half of a peering: the one of the network it was read from.
#[derive(Debug, Clone)]
pub struct Peering {
    /// Its name; arbitrary, so look for peerings by `remote`.
    pub name: String,
    /// Resource id as ARM spells it.
    pub id: String,
    /// The other network; `None` if its id is not one of a network.
    pub remote: Option<VnetId>,
    /// Whether the halves are connected.
    pub state: PeeringState,
    /// Whether they know each other's address space.
    pub sync_level: SyncLevel,
    /// The last write of this half.
    pub provisioning_state: ProvisioningState,
    /// The other network's address space: as it is now, and as this half last knew it.
    pub remote_prefixes: Vec<IpNet>,
    /// Without it no traffic flows, though the state says `Connected`.
    pub allow_vnet_access: bool,
    /// Whether traffic forwarded by an appliance is let in.
    pub allow_forwarded_traffic: bool,
    /// Whether the other network may use this one's gateway.
    pub allow_gateway_transit: bool,
    /// Whether this network uses the other one's gateway.
    pub use_remote_gateways: bool,
}

impl Vnet {
    /// The peering to a network, whatever its name.
    pub fn peering_to(&self, remote: &VnetId) -> Option<&Peering> {
        self.peerings.iter().find(|peering| peering.remote.as_ref() == Some(remote))
    }
}

impl Arm {
    /// A virtual network with its peerings.
    pub async fn vnet(&self, id: &VnetId) -> Result<Vnet, Failure> {
        let wire: WireVnet = self.get(self.resource(&id.to_string(), version::NETWORK)).await?;
        Ok(wire.into())
    }

    /// All virtual networks of a subscription that we may read, with their peerings.
    pub async fn vnets(&self, subscription: SubscriptionId) -> Result<Vec<Vnet>, Failure> {
        let id = format!("{}/providers/Microsoft.Network/virtualNetworks", subscription.scope());
        let wires: Vec<WireVnet> = self.list(self.resource(&id, version::NETWORK)).await?;
        Ok(wires.into_iter().map(Into::into).collect())
    }

    /// A peering by name, if it is there.
    pub async fn peering(&self, vnet: &VnetId, name: &str) -> Result<Option<Peering>, Failure> {
        let wire: Option<WirePeering> = self.find(self.peering_address(vnet, name)).await?;
        Ok(wire.map(Into::into))
    }

    pub(super) fn peering_address(&self, vnet: &VnetId, name: &str) -> url::Url {
        let mut url = self.resource(&vnet.to_string(), version::PEERING);
        // ARM addresses have path segments always.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(["virtualNetworkPeerings", name]);
        }
        url
    }
}

#[derive(Deserialize)]
struct WireVnet {
    #[serde(default)]
    id: String,
    #[serde(default)]
    location: String,
    properties: WireVnetProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVnetProperties {
    provisioning_state: Option<ProvisioningState>,
    address_space: Option<AddressSpace>,
    virtual_network_peerings: Option<Vec<WirePeering>>,
}

/// A peering, alone or inside its network.
#[derive(Deserialize)]
pub(super) struct WirePeering {
    #[serde(default)]
    name: String,
    #[serde(default)]
    id: String,
    properties: WirePeeringProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePeeringProperties {
    remote_virtual_network: Option<Reference>,
    peering_state: Option<PeeringState>,
    peering_sync_level: Option<SyncLevel>,
    provisioning_state: Option<ProvisioningState>,
    remote_address_space: Option<AddressSpace>,
    remote_virtual_network_address_space: Option<AddressSpace>,
    allow_virtual_network_access: Option<bool>,
    allow_forwarded_traffic: Option<bool>,
    allow_gateway_transit: Option<bool>,
    use_remote_gateways: Option<bool>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressSpace {
    address_prefixes: Option<Vec<String>>,
}

impl From<WireVnet> for Vnet {
    fn from(wire: WireVnet) -> Self {
        let properties = wire.properties;
        Self {
            id: wire.id,
            location: wire.location,
            provisioning_state: known(properties.provisioning_state),
            prefixes: prefixes([properties.address_space]),
            peerings: properties.virtual_network_peerings.unwrap_or_default().into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WirePeering> for Peering {
    fn from(WirePeering { name, id, properties: wire }: WirePeering) -> Self {
        Self {
            name,
            id,
            remote: wire.remote_virtual_network.and_then(|reference| reference.id?.parse().ok()),
            state: known(wire.peering_state),
            sync_level: known(wire.peering_sync_level),
            provisioning_state: known(wire.provisioning_state),
            remote_prefixes: prefixes([wire.remote_address_space, wire.remote_virtual_network_address_space]),
            // ARM's default, though it always writes it.
            allow_vnet_access: wire.allow_virtual_network_access.unwrap_or(true),
            allow_forwarded_traffic: wire.allow_forwarded_traffic.unwrap_or(false),
            allow_gateway_transit: wire.allow_gateway_transit.unwrap_or(false),
            use_remote_gateways: wire.use_remote_gateways.unwrap_or(false),
        }
    }
}

/// An absent word is a word not known.
fn known<T: From<String>>(word: Option<T>) -> T {
    word.unwrap_or_else(|| T::from(String::new()))
}

/// All prefixes of some address spaces, each once; what is not a prefix is left out (ARM validates them).
fn prefixes<const N: usize>(spaces: [Option<AddressSpace>; N]) -> Vec<IpNet> {
    let texts = spaces.into_iter().flatten().filter_map(|space| space.address_prefixes).flatten();
    let mut prefixes: Vec<IpNet> = texts.filter_map(|text| text.parse().ok()).collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes
}
