//! Azure Resource Manager: subscriptions, virtual networks, roles, peerings and long-running operations.
//!
//! The managed identity reads, and writes roles; the application writes peerings, as only it can have rights in Aiven's tenant.

mod discovery;
mod errors;
mod network;
mod operations;
mod peerings;
mod roles;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use azure_core::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use self::errors::said;
use super::entra::{Identity, TokenSource};
use super::http::{Call, Http, address, code, default_scope};
use super::open_enum::open_enum;
use crate::cloud::{Failure, Service};
use crate::peering::{AppId, SubscriptionId, TenantId};
use crate::settings::Endpoints;

pub use network::{Peering, PeeringState, ProvisioningState, SyncLevel, Vnet};
pub use operations::{Accepted, Progress};
pub use peerings::PeeringSpec;
pub use roles::{RoleAssignment, RoleDefinition, RoleSpec, role_assignment_id, role_definition_id};

/// API versions (`api-version`); peerings keep the one that az uses, networks one that every region has.
mod version {
    pub(super) const SUBSCRIPTION: &str = "2022-12-01";
    pub(super) const NETWORK: &str = "2024-05-01";
    pub(super) const PEERING: &str = "2023-11-01";
    pub(super) const AUTHORIZATION: &str = "2022-04-01";
}

/// The most pages of one list that are read; more than any list of ours has.
const MOST_PAGES: usize = 50;

/// As whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The managed identity, in the home tenant.
    Installation,
    /// The application, in the home tenant; with a token of the remote tenant beside (`x-ms-authorization-auxiliary`) if the
    /// call touches a network there.
    Application {
        /// The application.
        app: AppId,
        /// The other network's tenant.
        remote_tenant: Option<TenantId>,
    },
}

open_enum! {
    /// `state` of a subscription.
    SubscriptionState {
        /// In use.
        Enabled = "Enabled",
        /// About to be disabled.
        Warned = "Warned",
        /// Payment is late; it still works.
        PastDue = "PastDue",
        /// Read-only.
        Disabled = "Disabled",
        /// Gone.
        Deleted = "Deleted",
    }
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    #[serde(rename = "subscriptionId")]
    pub id: SubscriptionId,
    /// The tenant it trusts.
    #[serde(rename = "tenantId")]
    pub tenant: TenantId,
    /// Whether it can be written to.
    pub state: SubscriptionState,
}

/// The client.
#[derive(Debug)]
pub struct Arm {
    http: Http,
    tokens: Arc<dyn TokenSource>,
    tenant: TenantId,
    base: Url,
    scope: String,
}

impl Arm {
    /// For the endpoints' ARM and home tenant.
    pub fn new(endpoints: &Endpoints, http: Http, tokens: Arc<dyn TokenSource>) -> Self {
        let scope = default_scope(&endpoints.arm);
        Self { http, tokens, tenant: endpoints.tenant, base: endpoints.arm.clone(), scope }
    }

    /// A subscription. A 404 may also mean that we have no role in it.
    pub async fn subscription(&self, id: SubscriptionId) -> Result<Subscription, Failure> {
        self.get(self.resource(&id.scope(), version::SUBSCRIPTION)).await
    }

    /// The address of a resource, `id` being its ARM id.
    fn resource(&self, id: &str, version: &str) -> Url {
        let mut url = address(&self.base, id.split('/').filter(|segment| !segment.is_empty()));
        url.query_pairs_mut().append_pair("api-version", version);
        url
    }

    async fn call(&self, caller: Caller, method: Method, url: Url) -> Result<Call, Failure> {
        let (identity, remote) = match caller {
            Caller::Installation => (Identity::Installation, None),
            Caller::Application { app, remote_tenant } => (Identity::Application(app), remote_tenant),
        };
        let token = self.tokens.token(identity, self.tenant, &self.scope).await?;
        let call = Call::new(Service::Arm, method, url)
            .token("authorization", "Bearer", token)
            .request_id("x-ms-client-request-id")
            .header("x-ms-return-client-request-id", "true");
        match remote {
            None => Ok(call),
            Some(tenant) => {
                let auxiliary = self.tokens.token(identity, tenant, &self.scope).await?;
                Ok(call.token("x-ms-authorization-auxiliary", "Bearer", auxiliary))
            }
        }
    }

    /// Reads a resource as the managed identity.
    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let call = self.call(Caller::Installation, Method::Get, url).await?;
        self.http.exchange(&call, said).await?.json(&call)
    }

    /// Reads a resource that may be missing.
    async fn find<T: DeserializeOwned>(&self, url: Url) -> Result<Option<T>, Failure> {
        match self.get(url).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads all pages of a list.
    async fn list<T: DeserializeOwned>(&self, first: Url) -> Result<Vec<T>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<T> {
            value: Vec<T>,
            next_link: Option<String>,
        }
        let mut items = Vec::new();
        let mut next = Some(first);
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else { break };
            let page: Page<T> = self.get(url).await?;
            items.extend(page.value);
            next = match page.next_link.filter(|link| !link.is_empty()) {
                Some(link) => Some(self.own("GET", &link)?),
                None => None,
            };
        }
        Ok(items)
    }

    /// An address that ARM gave us, if it is ARM's: a token sent elsewhere would be given away.
    fn own(&self, method: &str, link: &str) -> Result<Url, Failure> {
        let url = Url::parse(link).ok().filter(|url| url.origin() == self.base.origin());
        url.ok_or_else(|| Failure {
            service: Service::Arm,
            call: format!("{method} {}", super::redact::redact(link.split('?').next().unwrap_or_default(), &[])).into(),
            status: None,
            code: code::FOREIGN_ADDRESS.to_owned(),
            message: format!(
                "this address is not at {}, so no token was sent there",
                self.base.origin().ascii_serialization()
            ),
            retry_after: None,
            correlation: None,
            secret: None,
        })
    }
}

/// Whether a failure says that a resource is not there. A subscription that we cannot see says nothing about what is in it.
pub fn is_absent(failure: &Failure) -> bool {
    failure.is_not_found() && !failure.code.eq_ignore_ascii_case("SubscriptionNotFound")
}
