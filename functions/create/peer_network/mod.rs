//! Runbook step 13: peers the VNet to Aiven's network, across tenants: the application's token of ours, and its token of Aiven's as auxiliary.

use std::time::Duration;

use async_trait::async_trait;

use super::create_service_principal::application;
use super::request_peering::MOST_REPLACED;
use super::roles::assign_command;
use crate::cloud::arm::{Caller, Peering, PeeringSpec, PeeringState, Progress, ProvisioningState};
use crate::cloud::entra::Identity;
use crate::create::Tools;
use crate::engine::{Act, Failure, Fix, Job, Look, Remedy, Service, Step, Stop, Wait};
use crate::peering::{Half, Provenance, Record, TenantId, VnetId};

/// How long an operation of ARM's may run, and how often it is asked for where it does not say. Nominal seconds.
const OPERATION: (u64, u64) = (10, 30 * 60);

/// See the module.
pub struct PeerNetwork(pub Tools);

#[async_trait]
impl Step for PeerNetwork {
    fn half(&self) -> Option<Half> {
        Some(Half::Azure)
    }

    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        self.follow_operation(job).await?;
        let remote = remote(job)?;
        let vnet = self.0.clouds.arm.vnet(&job.record.vnet).await?;
        let Some(peering) = vnet.peering_to(&remote) else {
            job.record.facts.peering = None;
            name_is_free(job, &vnet.peerings)?;
            return Ok(Look::Missing);
        };
        job.found(Half::Azure);
        job.record.facts.peering = Some(peering.name.clone());
        job.record.facts.azure_state = Some(peering.state.to_string());
        judge(job, peering)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let spec = PeeringSpec {
            remote: remote(job)?,
            remote_tenant: aiven_tenant(job)?,
            allow_forwarded_traffic: job.record.options.allow_forwarded_traffic,
        };
        let (app, name) = (application(job)?, job.record.peering_name());
        let accepted = match self.0.clouds.arm.put_peering(app, &job.record.vnet, &name, &spec).await {
            Ok(accepted) => accepted,
            Err(failure) => return Err(self.refused(job, failure)),
        };
        job.created(Half::Azure);
        job.record.facts.peering = Some(name);
        job.record.facts.operation = accepted.operation;
        let delay = accepted.retry_after.unwrap_or(Duration::from_secs(OPERATION.0));
        Err(Stop::Wait(Wait {
            delay,
            ..Wait::azure("peering_operation", "Azure makes our half", OPERATION.0, OPERATION.1)
        }))
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        let missing = failure.service == Service::Arm && failure.code == "AuthorizationFailed";
        let (principal, role) = (record.facts.principal?, record.facts.peering_role.as_deref()?);
        missing.then(|| Remedy {
            why: "the application's role assignment on the VNet has had no effect for longer than Azure takes, or is gone".to_owned(),
            command: assign_command(&record.vnet, principal, role),
        })
    }
}

impl PeerNetwork {
    /// A running operation decides by its body. One that cannot be asked for decides nothing: the resource itself does.
    async fn follow_operation(&self, job: &mut Job) -> Result<(), Stop> {
        let Some(address) = job.record.facts.operation.clone() else { return Ok(()) };
        let caller = Caller::Application { app: application(job)?, remote_tenant: Some(aiven_tenant(job)?) };
        match self.0.clouds.arm.operation(caller, &address).await {
            Ok(Progress::InProgress { retry_after }) => {
                let delay = retry_after.unwrap_or(Duration::from_secs(OPERATION.0));
                let wait = Wait::azure("peering_operation", "Azure makes our half", OPERATION.0, OPERATION.1);
                Err(Stop::Wait(Wait { delay, ..wait }))
            }
            Ok(Progress::Succeeded) => {
                job.record.facts.operation = None;
                Ok(())
            }
            Ok(Progress::Failed(failure)) => {
                job.record.facts.operation = None;
                Err(self.refused(job, failure))
            }
            Err(failure) if failure.status.is_some_and(|status| (400..500).contains(&status) && status != 429) => {
                job.record.facts.operation = None;
                Ok(())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Aiven's half may be left over from a peering that was deleted: then both are made anew, beginning with Aiven's, once.
    /// And a right that came late is not in a token of before: the next try takes fresh ones.
    fn refused(&self, job: &mut Job, failure: Failure) -> Stop {
        if let Ok(app) = application(job) {
            for tenant in [Some(self.0.settings.endpoints.tenant), job.record.facts.aiven_tenant].into_iter().flatten()
            {
                self.0.clouds.tokens.forget(Identity::Application(app), tenant);
            }
        }
        let ours = job.record.provenance.aiven == Some(Provenance::Created);
        if failure.code == "RemotePeeringIsDisconnected" && ours && job.record.facts.recreated < MOST_REPLACED {
            job.record.facts.replace = true;
            let why = "Aiven's half is disconnected: it is replaced, then ours is made".to_owned();
            return Stop::Back { step: "request_peering", why, after: Duration::ZERO };
        }
        failure.into()
    }
}

fn judge(job: &mut Job, peering: &Peering) -> Result<Look, Stop> {
    match (&peering.state, &peering.provisioning_state) {
        (PeeringState::Connected, ProvisioningState::Succeeded) => as_asked(&job.record, peering),
        (PeeringState::Disconnected, _) => Err(Stop::Fix(disconnected(&job.record, peering))),
        (_, ProvisioningState::Failed) => Ok(Look::Missing),
        (state, progress) => {
            let reason = format!("our half is {state} ({progress})");
            Err(Wait::azure("our_half", reason, 15, OPERATION.1)
                .or("see the activity log of the VNet; `retry` waits afresh")
                .into())
        }
    }
}

/// Ours takes another option in place, without an outage. An adopted half is not ours to change: it has to let in what was asked for.
fn as_asked(record: &Record, peering: &Peering) -> Result<Look, Stop> {
    let adopted = record.provenance.azure == Some(Provenance::Adopted);
    let other_name = record.options.peering_name.as_ref().filter(|name| !name.eq_ignore_ascii_case(&peering.name));
    if let (true, Some(asked)) = (adopted, other_name) {
        return Err(Stop::Fix(named_otherwise(record, peering, asked)));
    }
    let (asked, found) = (record.options.allow_forwarded_traffic, peering.allow_forwarded_traffic);
    match record.provenance.azure {
        Some(Provenance::Adopted) if asked && !found => Err(Stop::Fix(no_forwarding(record, peering))),
        Some(Provenance::Created) if asked != found => Ok(Look::Missing),
        _ => Ok(Look::Done),
    }
}

fn named_otherwise(record: &Record, peering: &Peering, asked: &str) -> Fix {
    Fix {
        what: format!(
            "the VNet is peered to Aiven's network already as {}, and peering_name {asked} was asked for",
            peering.name
        ),
        why: "it was there before this peering was asked for, a network can be peered only once, and a peering's name cannot be changed".to_owned(),
        command: format!(
            "send action \"delete\", then ask again without \"peering_name\"; or, if nobody needs it as it is: {}",
            delete_command(&record.vnet, &peering.name)
        ),
        code: "peering_name_differs".to_owned(),
        correlation: None,
    }
}

fn delete_command(vnet: &VnetId, name: &str) -> String {
    format!(
        "az network vnet peering delete --name {name} --vnet-name {} --resource-group {} --subscription {}",
        vnet.name, vnet.resource_group, vnet.subscription
    )
}

fn no_forwarding(record: &Record, peering: &Peering) -> Fix {
    let vnet = &record.vnet;
    Fix {
        what: format!(
            "peering {} on the VNet has allowForwardedTraffic false, and allow_forwarded_traffic true was asked for",
            peering.name
        ),
        why: "it was there before this peering was asked for, so it is not ours to change".to_owned(),
        command: format!(
            "az network vnet peering update --name {} --vnet-name {} --resource-group {} --subscription {} --set allowForwardedTraffic=true; or send action \"update\" without the option",
            peering.name, vnet.name, vnet.resource_group, vnet.subscription
        ),
        code: "forwarding_differs".to_owned(),
        correlation: None,
    }
}

fn disconnected(record: &Record, peering: &Peering) -> Fix {
    Fix {
        what: format!("peering {} on the VNet is Disconnected: the half at its other end was deleted", peering.name),
        why: "a disconnected half cannot be revived, only made anew".to_owned(),
        command: delete_command(&record.vnet, &peering.name),
        code: "half_disconnected".to_owned(),
        correlation: None,
    }
}

/// A peering of our name that leads elsewhere is somebody else's: its remote network cannot be changed.
fn name_is_free(job: &Job, peerings: &[Peering]) -> Result<(), Stop> {
    let name = job.record.peering_name();
    let Some(other) = peerings.iter().find(|peering| peering.name.eq_ignore_ascii_case(&name)) else { return Ok(()) };
    let ours = remote(job)?;
    let leads = other.remote.as_ref().map_or_else(|| "an unknown network".to_owned(), ToString::to_string);
    Err(Stop::Fix(Fix {
        what: format!("the VNet has a peering named {name} already, and it leads to {leads}, not to {ours}"),
        why: "a peering's remote network cannot be changed, and it may be somebody's".to_owned(),
        command: "ask for the peering with another \"peering_name\", or delete the other one".to_owned(),
        code: "peering_name_taken".to_owned(),
        correlation: None,
    }))
}

fn remote(job: &Job) -> Result<VnetId, Stop> {
    job.record.facts.aiven_vnet.clone().ok_or_else(|| Fix::report("the record names no network of Aiven's").into())
}

fn aiven_tenant(job: &Job) -> Result<TenantId, Stop> {
    job.record.facts.aiven_tenant.ok_or_else(|| Fix::report("the record names no tenant of Aiven's").into())
}
