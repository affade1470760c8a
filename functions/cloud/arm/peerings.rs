//! Writing our half of a peering: as the application, with a token of the other network's tenant beside.

use azure_core::http::Method;
use serde_json::{Value, json};

use super::errors::said;
use super::network::WirePeering;
use super::{Accepted, Arm, Caller, Peering, is_absent};
use crate::cloud::Failure;
use crate::cloud::http::Reply;
use crate::peering::{AppId, TenantId, VnetId};

/// Our half as it should be. Virtual network access is always allowed: without it no traffic flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeeringSpec {
    /// The network to peer to.
    pub remote: VnetId,
    /// Its tenant.
    pub remote_tenant: TenantId,
    /// Whether to let in traffic forwarded by an appliance.
    pub allow_forwarded_traffic: bool,
}

impl Arm {
    /// Makes or updates a peering, and has it take over the other network's address space as it is now; the same again is no change.
    pub async fn put_peering(
        &self,
        app: AppId,
        vnet: &VnetId,
        name: &str,
        spec: &PeeringSpec,
    ) -> Result<Accepted, Failure> {
        let properties = json!({
            "remoteVirtualNetwork": { "id": spec.remote },
            "allowVirtualNetworkAccess": true,
            "allowForwardedTraffic": spec.allow_forwarded_traffic,
            "allowGatewayTransit": false,
            "useRemoteGateways": false,
        });
        self.write_peering(app, vnet, name, spec.remote_tenant, &properties).await
    }

    /// Has a peering take over the other network's address space as it is now, and changes nothing else of it
    /// (az: network vnet peering sync). Cures `LocalNotInSync`; `RemoteNotInSync` is the other side's to cure.
    pub async fn sync_peering(
        &self,
        app: AppId,
        vnet: &VnetId,
        peering: &Peering,
        (remote, remote_tenant): (&VnetId, TenantId),
    ) -> Result<Accepted, Failure> {
        let properties = json!({
            "remoteVirtualNetwork": { "id": remote },
            "allowVirtualNetworkAccess": peering.allow_vnet_access,
            "allowForwardedTraffic": peering.allow_forwarded_traffic,
            "allowGatewayTransit": peering.allow_gateway_transit,
            "useRemoteGateways": peering.use_remote_gateways,
        });
        self.write_peering(app, vnet, &peering.name, remote_tenant, &properties).await
    }

    /// Deletes a peering. The other half becomes `Disconnected` and cannot be revived from here.
    ///
    /// One that is gone already, perhaps with its network, is no failure: [`Accepted::was_absent`].
    pub async fn delete_peering(&self, app: AppId, vnet: &VnetId, name: &str) -> Result<Accepted, Failure> {
        let caller = Caller::Application { app, remote_tenant: None };
        let call = self.call(caller, Method::Delete, self.peering_address(vnet, name)).await?;
        match self.http.exchange(&call, said).await {
            Ok(reply) => Ok(self.accepted(&reply)),
            Err(failure) if is_absent(&failure) => Ok(Accepted::absent()),
            Err(failure) => Err(failure),
        }
    }

    async fn write_peering(
        &self,
        app: AppId,
        vnet: &VnetId,
        name: &str,
        remote_tenant: TenantId,
        properties: &Value,
    ) -> Result<Accepted, Failure> {
        let mut url = self.peering_address(vnet, name);
        url.query_pairs_mut().append_pair("syncRemoteAddressSpace", "true");
        let caller = Caller::Application { app, remote_tenant: Some(remote_tenant) };
        let body = json!({ "name": name, "properties": properties });
        let call = self.call(caller, Method::Put, url).await?.json(&body);
        let reply = self.http.exchange(&call, said).await?;
        Ok(Accepted { peering: written(&reply), ..self.accepted(&reply) })
    }
}

/// The peering that a 200 or 201 shows; a 202 has none.
fn written(reply: &Reply) -> Option<Peering> {
    serde_json::from_value::<WirePeering>(reply.value()).ok().map(Into::into)
}
