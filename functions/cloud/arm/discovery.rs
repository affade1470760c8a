//! Whose subscription it is, without any right to it.

use azure_core::http::Method;

use super::{Arm, version};
use crate::cloud::http::Call;
use crate::cloud::{Failure, Service};
use crate::peering::{SubscriptionId, TenantId};

impl Arm {
    /// The tenant of a subscription, as ARM names it to a caller without a token: it answers 401 with
    /// `WWW-Authenticate: Bearer authorization_uri="https://login…/<tenant>"`, for subscriptions of every tenant.
    /// `None`: it named none, so there may be no such subscription.
    pub async fn tenant_of(&self, id: SubscriptionId) -> Result<Option<TenantId>, Failure> {
        let call = Call::new(Service::Arm, Method::Get, self.resource(&id.scope(), version::SUBSCRIPTION));
        let reply = self.http.send(&call).await?;
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        let mut words = challenge.split(['"', '/', ' ', ',']);
        Ok(words.find_map(|word| word.parse().ok()))
    }
}
