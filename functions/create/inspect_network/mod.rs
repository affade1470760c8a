//! Runbook steps 5 and 10: looks at the VNet and the Aiven VPC, and refuses in the first minute what could never work.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::cloud::Failure;
use crate::cloud::aiven::{Vpc, VpcState};
use crate::cloud::arm::{PeeringState, ProvisioningState, Subscription, SubscriptionState, Vnet};
use crate::context::Context;
use crate::engine::{Fix, Job, Look, Remedy, Step, Stop, Wait};
use crate::peering::{ObjectId, Record, SubscriptionId, TenantId, VnetId};

/// A VNet takes this many peerings (Azure's networking limits).
const MOST_PEERINGS: usize = 500;

/// How long a subscription that was found to be ours is not asked about again, nominal.
const TRUSTED_FOR: Duration = Duration::from_secs(3600);

/// Its name.
pub const STEP: &str = "inspect_network";

/// See the module.
pub struct InspectNetwork {
    context: Context,
    /// Subscriptions found usable, and when: what several peerings ask would be the same question.
    usable: Mutex<HashMap<SubscriptionId, Timestamp>>,
}

impl InspectNetwork {
    /// The step.
    pub fn new(context: Context) -> Self {
        Self { context, usable: Mutex::default() }
    }

    async fn subscription(&self, job: &Job) -> Result<(), Stop> {
        let (arm, home) = (&self.context.clouds.arm, self.context.settings.endpoints.tenant);
        let id = job.record.vnet.subscription;
        let known = self.usable.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        if known.is_some_and(|at| job.clock.since(at) < TRUSTED_FOR) {
            return Ok(());
        }
        if let Some(tenant) = arm.tenant_of(id).await?.filter(|tenant| *tenant != home) {
            return Err(other_tenant(&job.record.vnet, tenant, home).into());
        }
        usable(&arm.subscription(id).await?, home)?;
        self.usable.lock().unwrap_or_else(PoisonError::into_inner).insert(id, job.now());
        Ok(())
    }
}

#[async_trait]
impl Step for InspectNetwork {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let Context { clouds, settings } = &self.context;
        let id = job.record.vnet.clone();
        self.subscription(job).await?;
        let vnet = clouds.arm.vnet(&id).await?;
        settled(&vnet)?;
        let vpc = clouds.aiven.vpc(&job.record.key.vpc).await?;
        live(&vpc)?;
        let requested = vpc.live_connection_to(&id).is_some();
        let ours = job.record.facts.aiven_vnet.clone();
        no_overlap(&id, &vnet, &vpc.prefixes, requested, ours.as_ref())?;
        let facts = &mut job.record.facts;
        (facts.tenant, facts.location) = (Some(settings.endpoints.tenant), Some(vnet.location));
        (facts.prefixes, facts.vpc_cidrs) = (vnet.prefixes, vpc.prefixes);
        Ok(Look::Done)
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        reader(self.context.settings.identity, &record.vnet, failure)
    }
}

/// What lets the app read a VNet, where that is what failed.
pub fn reader(identity: ObjectId, vnet: &VnetId, failure: &Failure) -> Option<Remedy> {
    let missing_right = failure.status == Some(403) || failure.code == "SubscriptionNotFound";
    let in_azure = failure.service == crate::cloud::Service::Arm && missing_right;
    in_azure.then(|| Remedy {
        why: "the app's managed identity may not read the VNet".to_owned(),
        command: format!(
            "az role assignment create --assignee-object-id {identity} --assignee-principal-type ServicePrincipal --role Reader --scope {vnet} (run by an owner of the subscription)"
        ),
    })
}

fn other_tenant(id: &VnetId, tenant: TenantId, home: TenantId) -> Fix {
    Fix {
        what: format!("subscription {} belongs to tenant {tenant}, not to ours, {home}", id.subscription),
        why: "an installation peers the networks of one tenant".to_owned(),
        command: "correct the VNet's resource id, or send the request to the installation of that tenant".to_owned(),
        code: "other_tenant".to_owned(),
        correlation: None,
    }
}

fn usable(subscription: &Subscription, home: TenantId) -> Result<(), Stop> {
    let refused = matches!(subscription.state, SubscriptionState::Disabled | SubscriptionState::Deleted);
    if subscription.tenant == home && !refused {
        return Ok(());
    }
    Err(Stop::Fix(Fix {
        what: format!("subscription {} is {} in tenant {}", subscription.id, subscription.state, subscription.tenant),
        why: "nothing can be written to it".to_owned(),
        command: "enable the subscription in the Azure portal".to_owned(),
        code: "subscription_unusable".to_owned(),
        correlation: None,
    }))
}

fn settled(vnet: &Vnet) -> Result<(), Stop> {
    match vnet.provisioning_state {
        ProvisioningState::Succeeded => Ok(()),
        ProvisioningState::Deleting => Err(Stop::Fix(Fix {
            what: format!("VNet {} is being deleted", vnet.id),
            why: "a network that goes away cannot be peered".to_owned(),
            command: "create the VNet again, or ask for another".to_owned(),
            code: "vnet_deleting".to_owned(),
            correlation: None,
        })),
        ref state => Err(Wait::azure("vnet_not_settled", format!("the VNet is {state}, not Succeeded"), 15, 1800)
            .or(format!("mend the VNet: az network vnet show --ids {} --query provisioningState", vnet.id))
            .into()),
    }
}

fn live(vpc: &Vpc) -> Result<(), Stop> {
    match vpc.state {
        VpcState::Active => Ok(()),
        VpcState::Deleting | VpcState::Deleted => Err(Stop::Fix(Fix {
            what: format!("the Aiven VPC is {}", vpc.state),
            why: "a VPC that goes away takes no peerings".to_owned(),
            command: "ask for another VPC; `avn organization vpc list` or `avn vpc list` shows them".to_owned(),
            code: "vpc_deleted".to_owned(),
            correlation: None,
        })),
        ref state => {
            Err(Wait::aiven("vpc_not_active", format!("the Aiven VPC is {state}, not ACTIVE"), 30, 1800).into())
        }
    }
}

/// The rule that ARM applies later, after ten minutes: no overlap with the VNet's own space, nor with that of any network already peered.
/// A peering that this very VPC has with the VNet is no obstacle (`requested`); nor is what is left of one that comes back (`ours`).
pub fn no_overlap(id: &VnetId, vnet: &Vnet, vpc: &[IpNet], requested: bool, ours: Option<&VnetId>) -> Result<(), Fix> {
    if vnet.peerings.len() >= MOST_PEERINGS {
        return Err(Fix {
            what: format!("VNet {id} has {} peerings, and Azure allows {MOST_PEERINGS}", vnet.peerings.len()),
            why: "there is no room for another".to_owned(),
            // `list` takes no `--ids` (az 2.91.0).
            command: format!(
                "remove one that nobody needs: az network vnet peering list --vnet-name {} --resource-group {} --subscription {}",
                id.name, id.resource_group, id.subscription
            ),
            code: "peering_limit".to_owned(),
            correlation: None,
        });
    }
    if let Some((ours, theirs)) = overlap(&vnet.prefixes, vpc) {
        return Err(overlapping(format!("the VNet's {ours} overlaps the Aiven VPC's {theirs}")));
    }
    let others = vnet.peerings.iter().filter(|peering| peering.state != PeeringState::Disconnected);
    let others = others.filter(|peering| ours.is_none() || peering.remote.as_ref() != ours);
    for other in others.filter(|peering| !(requested && peering.remote_prefixes == vpc)) {
        if let Some((remote, theirs)) = overlap(&other.remote_prefixes, vpc) {
            let what = format!("{remote}, peered already as {}, overlaps the Aiven VPC's {theirs}", other.name);
            return Err(overlapping(what));
        }
    }
    Ok(())
}

fn overlap(ours: &[IpNet], theirs: &[IpNet]) -> Option<(IpNet, IpNet)> {
    let pairs = ours.iter().flat_map(|a| theirs.iter().map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| a.contains(b) || b.contains(a))
}

fn overlapping(what: String) -> Fix {
    Fix {
        what,
        why: "Azure does not peer networks whose address spaces overlap".to_owned(),
        command: "use an Aiven VPC of another range, or free the overlapping prefix".to_owned(),
        code: "address_overlap".to_owned(),
        correlation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::arm::{Peering, SyncLevel};

    #[test]
    fn a_full_network_names_the_command_that_lists_its_peerings() {
        let id: VnetId = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/Group/providers/Microsoft.Network/virtualNetworks/net"
            .parse()
            .unwrap();
        let peering = Peering {
            name: "p".to_owned(),
            id: format!("{id}/virtualNetworkPeerings/p"),
            remote: None,
            state: PeeringState::Connected,
            sync_level: SyncLevel::FullyInSync,
            provisioning_state: ProvisioningState::Succeeded,
            remote_prefixes: Vec::new(),
            allow_vnet_access: true,
            allow_forwarded_traffic: false,
            allow_gateway_transit: false,
            use_remote_gateways: false,
        };
        let vnet = Vnet {
            id: id.to_string(),
            location: "westeurope".to_owned(),
            provisioning_state: ProvisioningState::Succeeded,
            prefixes: Vec::new(),
            peerings: vec![peering; MOST_PEERINGS],
        };
        let fix = no_overlap(&id, &vnet, &[], false, None).unwrap_err();
        assert!(
            fix.command.ends_with("az network vnet peering list --vnet-name net --resource-group Group --subscription 11111111-1111-4111-8111-111111111111"),
            "{}",
            fix.command
        );
    }

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn one_network_inside_the_other_overlaps_whichever_is_larger() {
        assert!(overlap(&nets(&["10.0.0.0/8"]), &nets(&["10.9.0.0/24"])).is_some());
        assert!(overlap(&nets(&["192.168.0.0/16", "10.9.0.128/25"]), &nets(&["10.9.0.0/24"])).is_some());
        assert!(overlap(&nets(&["10.8.0.0/16", "fd00::/8"]), &nets(&["10.9.0.0/24"])).is_none());
    }
}
