//! Runbook step 6: our minimal peering role in the subscription, and its assignment on the VNet to our service principal.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::roles::{Assignment, Role, assign_command, assignment_part, delegate_command, full_id};
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Look, Remedy, Step, Stop};
use crate::peering::{ObjectId, Record, SubscriptionId};
use crate::settings::{PeeringRole, Settings};
use crate::state::Scope;

/// Azure's built-in Network Contributor, which the published runbooks use.
const NETWORK_CONTRIBUTOR: Uuid = Uuid::from_u128(0x4d97b98b_1d4f_4787_a291_c67834d212e7);

/// What making, reading and removing a peering needs; `peer/action` and the operations are for its polls and for peerings of ours in one tenant.
const ACTIONS: &[&str] = &[
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/peer/action",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
    "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/delete",
    "Microsoft.Network/locations/operations/read",
    "Microsoft.Network/locations/operationResults/read",
];

/// How long after it was made the role is not asked about again, nominal.
const JUST_MADE: Duration = Duration::from_secs(120);

/// The part of a subscription's row that is the role.
pub const ROLE: &str = "peering_role";

/// Its name.
pub const STEP: &str = "authorize_application";

/// See the module.
pub struct AuthorizeApplication {
    /// The clouds and the settings.
    pub context: Context,
}

/// The role that needs no making: the deployment's, or a built-in one.
pub fn given_role(settings: &Settings) -> Option<Uuid> {
    let built_in = (settings.peering_role == PeeringRole::NetworkContributor).then_some(NETWORK_CONTRIBUTOR);
    built_in.or(settings.made.peering_role)
}

/// Our role in a subscription.
pub fn role(context: &Context, subscription: SubscriptionId) -> Role<'_> {
    let description =
        "Make, read and remove the peerings of a VNet; nothing else. For the application that peers with Aiven.";
    Role { context, subscription, purpose: "peering writer", description, actions: ACTIONS, mend: false }
}

impl AuthorizeApplication {
    async fn known_role(&self, job: &mut Job) -> Result<bool, Stop> {
        let subscription = job.record.vnet.subscription;
        if let Some(given) = given_role(&self.context.settings) {
            job.record.facts.peering_role = Some(full_id(subscription, given));
            return Ok(true);
        }
        let seen = job.record.facts.peering_role.is_some();
        if seen && job.record.facts.role_at.is_some_and(|at| job.clock.since(at) < JUST_MADE) {
            // The run before this one made it.
            return Ok(true);
        }
        let known = job.known::<String>(&Scope::Subscription(subscription), ROLE).await?;
        let Some(known) = known else {
            // What was known of it may be no more.
            job.record.facts.peering_role = None;
            return Ok(false);
        };
        (job.record.facts.peering_role, job.record.facts.role_at) = (Some(known.value), known.made_at);
        Ok(true)
    }
}

#[async_trait]
impl Step for AuthorizeApplication {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if !self.known_role(job).await? {
            return Ok(Look::Missing);
        }
        let part = assignment_part(job.record.options.application);
        let Some(known) = job.known_to_member::<String>(&Scope::Vnet(job.record.vnet.clone()), &part).await? else {
            return Ok(Look::Missing);
        };
        job.record.facts.assigned_at = known.made_at;
        Ok(Look::Done)
    }

    /// Two things are made here, each in a run of its own: a step stays short, and dies small.
    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let vnet = job.record.vnet.clone();
        let Some(role) = job.record.facts.peering_role.clone() else {
            let subscription = vnet.subscription;
            let scope = Scope::Subscription(subscription);
            let role = Role { mend: job.may_mend(&scope, ROLE).await?, ..role(&self.context, subscription) };
            let known = job.ensure(&scope, ROLE, &role).await?;
            (job.record.facts.peering_role, job.record.facts.role_at) = (Some(known.value), known.made_at);
            job.said = Some("the peering role is there".to_owned());
            return Ok(Act::Again);
        };
        let principal = principal(job)?;
        let scope = Scope::Vnet(vnet.clone());
        job.join(&scope).await?;
        let assignment = Assignment { context: &self.context, vnet: &vnet, principal, role: &role };
        let known = job.ensure(&scope, &assignment_part(job.record.options.application), &assignment).await?;
        job.record.facts.assigned_at = known.made_at;
        Ok(Act::Done)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        assignment_remedy(&self.context, record, failure, record.facts.principal, record.facts.peering_role.as_deref())
    }
}

fn principal(job: &Job) -> Result<ObjectId, Stop> {
    job.record.facts.principal.ok_or_else(|| Fix::report("the record names no service principal").into())
}

/// Without the right to assign roles, either the right or the assignment itself can be given.
pub(super) fn assignment_remedy(
    context: &Context,
    record: &Record,
    failure: &Failure,
    principal: Option<ObjectId>,
    role: Option<&str>,
) -> Option<Remedy> {
    if failure.service != Service::Arm || failure.status != Some(403) {
        return None;
    }
    let delegate = delegate_command(&record.vnet, context.settings.identity);
    let command = match (principal, role) {
        (Some(principal), Some(role)) => format!("{}; or {delegate}", assign_command(&record.vnet, principal, role)),
        _ => delegate,
    };
    Some(Remedy { why: "the app's managed identity may not define or assign roles there".to_owned(), command })
}
