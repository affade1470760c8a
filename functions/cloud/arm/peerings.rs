//! Writing our half of a peering: as the application, with a token of the other network's tenant beside.

use azure_core::http::Method;
use serde_json::json;

use super::errors::said;
use super::network::WirePeering;
use super::{Accepted, Arm, Caller, Peering};
use crate::cloud::http::Reply;
use crate::engine::Failure;
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
    /// Makes, updates or synchronises a peering; the same again is no change.
    pub async fn put_peering(
        &self,
        app: AppId,
        vnet: &VnetId,
        name: &str,
        spec: &PeeringSpec,
    ) -> Result<Accepted, Failure> {
        let body = json!({ "name": name, "properties": {
            "remoteVirtualNetwork": { "id": spec.remote },
            "allowVirtualNetworkAccess": true,
            "allowForwardedTraffic": spec.allow_forwarded_traffic,
            "allowGatewayTransit": false,
            "useRemoteGateways": false,
        }});
        let mut url = self.peering_address(vnet, name);
        url.query_pairs_mut().append_pair("syncRemoteAddressSpace", "true");
        let caller = Caller::Application { app, remote_tenant: Some(spec.remote_tenant) };
        let call = self.call(caller, Method::Put, url).await?.json(&body);
        let reply = self.http.exchange(&call, said).await?;
        Ok(Accepted { peering: written(&reply), ..self.accepted(&reply) })
    }

    /// Deletes a peering. The other half becomes `Disconnected` and cannot be revived from here.
    pub async fn delete_peering(&self, app: AppId, vnet: &VnetId, name: &str) -> Result<Accepted, Failure> {
        let caller = Caller::Application { app, remote_tenant: None };
        let call = self.call(caller, Method::Delete, self.peering_address(vnet, name)).await?;
        let reply = self.http.exchange(&call, said).await?;
        Ok(self.accepted(&reply))
    }
}

/// The peering that a 200 or 201 shows; a 202 has none.
fn written(reply: &Reply) -> Option<Peering> {
    serde_json::from_value::<WirePeering>(reply.value()).ok().map(Into::into)
}
