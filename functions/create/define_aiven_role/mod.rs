//! Runbook step 8: the custom role for Aiven. It may peer to a VNet of the subscription, and nothing else.

use async_trait::async_trait;

use super::authorize_application::assignment_remedy;
use super::roles::{Role, full_id};
use crate::cloud::Failure;
use crate::context::Context;
use crate::engine::{Act, Job, Look, Remedy, Step, Stop};
use crate::peering::{Record, SubscriptionId};
use crate::state::Scope;

/// The part of a subscription's row that is the role.
pub const ROLE: &str = "aiven_role";

/// Its name.
pub const STEP: &str = "define_aiven_role";

/// See the module.
pub struct DefineAivenRole {
    /// The clouds and the settings.
    pub context: Context,
}

/// Aiven's role in a subscription.
pub fn role(context: &Context, subscription: SubscriptionId) -> Role<'_> {
    let description = "Peer to a VNet, not from it; nothing else. For Aiven's application.";
    let actions = &["Microsoft.Network/virtualNetworks/peer/action"];
    Role { context, subscription, purpose: "peer only", description, actions, mend: false }
}

#[async_trait]
impl Step for DefineAivenRole {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let subscription = job.record.vnet.subscription;
        if let Some(made) = self.context.settings.made.aiven_role {
            job.record.facts.aiven_role = Some(full_id(subscription, made));
            return Ok(Look::Done);
        }
        let Some(known) = job.known(&Scope::Subscription(subscription), ROLE).await? else { return Ok(Look::Missing) };
        (job.record.facts.aiven_role, job.record.facts.role_at) = (Some(known.value), known.made_at);
        Ok(Look::Done)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let subscription = job.record.vnet.subscription;
        let scope = Scope::Subscription(subscription);
        let role = Role { mend: job.may_mend(&scope, ROLE).await?, ..role(&self.context, subscription) };
        let known = job.ensure(&scope, ROLE, &role).await?;
        (job.record.facts.aiven_role, job.record.facts.role_at) = (Some(known.value), known.made_at);
        Ok(Act::Done)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        assignment_remedy(&self.context, record, failure, None, None)
    }
}
