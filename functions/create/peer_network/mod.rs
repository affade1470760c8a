//! Runbook step 13: peers the VNet to Aiven's network, across tenants: the application's token of ours, and its token of Aiven's as auxiliary.

pub(super) mod fixes;

use std::time::Duration;

use async_trait::async_trait;

use self::fixes::{closed, disconnected, lost_role, named_otherwise, no_forwarding};
use super::add_credential::secret::refused_password;
use super::connection::MOST_REPLACED;
use super::create_service_principal::application;
use super::request_peering;
use crate::cloud::Failure;
use crate::cloud::arm::{Accepted, Caller, Peering, PeeringSpec, PeeringState, Progress, ProvisioningState, SyncLevel};
use crate::cloud::entra::Identity;
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Look, Remedy, Step, Stop, Wait};
use crate::peering::{Half, Provenance, Record, TenantId, VnetId};

/// How long an operation of ARM's may run, and how often it is asked for where it does not say. Nominal seconds.
const OPERATION: (u64, u64) = (10, 30 * 60);

/// Its name.
pub const STEP: &str = "peer_network";

/// See the module.
pub struct PeerNetwork {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for PeerNetwork {
    fn half(&self) -> Option<Half> {
        Some(Half::Azure)
    }

    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        self.follow_operation(job).await?;
        let remote = remote(job)?;
        let vnet = self.context.clouds.arm.vnet(&job.record.vnet).await?;
        let Some(peering) = vnet.peering_to(&remote) else {
            job.record.facts.peering = None;
            name_is_free(job, &vnet.peerings)?;
            job.record.facts.azure_state = None;
            return Ok(Look::Missing);
        };
        if !peering.name.eq_ignore_ascii_case(&job.record.given_name()) {
            // Ours, if there was one, is gone, and somebody made this one since: it is not ours to change or remove.
            job.record.provenance.azure = None;
        }
        job.found(Half::Azure);
        job.record.facts.peering = Some(peering.name.clone());
        job.record.facts.azure_state = Some(peering.state.to_string());
        judge(job, peering)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let accepted = match self.write(job).await? {
            Ok(accepted) => accepted,
            Err(failure) => return Err(self.refused(job, failure)),
        };
        job.created(Half::Azure);
        job.record.facts.peering = Some(job.record.peering_name());
        job.record.facts.operation = accepted.operation;
        let delay = accepted.retry_after.unwrap_or(Duration::from_secs(OPERATION.0));
        Err(Stop::Wait(Wait {
            delay,
            ..Wait::azure("peering_operation", "Azure makes our half", OPERATION.0, OPERATION.1)
        }))
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        refused_password(&self.context, record, failure).or_else(|| lost_role(record, failure))
    }
}

impl PeerNetwork {
    /// Makes our half, or puts it back as it should be.
    async fn write(&self, job: &Job) -> Result<Result<Accepted, Failure>, Stop> {
        let Record { vnet, options, .. } = &job.record;
        let (app, name, arm) = (application(job)?, job.record.peering_name(), &self.context.clouds.arm);
        let (remote, remote_tenant) = (remote(job)?, aiven_tenant(job)?);
        if is_only_to_be_synchronised(&job.record)
            && let Some(half) = arm.peering(vnet, &name).await?
        {
            return Ok(arm.sync_peering(app, vnet, &half, (&remote, remote_tenant)).await);
        }
        let spec = PeeringSpec { remote, remote_tenant, allow_forwarded_traffic: options.allow_forwarded_traffic };
        Ok(arm.put_peering(app, vnet, &name, &spec).await)
    }

    /// A running operation decides by its body. One that cannot be asked for decides nothing: the resource itself does.
    async fn follow_operation(&self, job: &mut Job) -> Result<(), Stop> {
        let Some(address) = job.record.facts.operation.clone() else { return Ok(()) };
        let caller = Caller::Application { app: application(job)?, remote_tenant: Some(aiven_tenant(job)?) };
        match self.context.clouds.arm.operation(caller, &address).await {
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
            for tenant in
                [Some(self.context.settings.endpoints.tenant), job.record.facts.aiven_tenant].into_iter().flatten()
            {
                self.context.clouds.tokens.forget(Identity::Application(app), tenant);
            }
        }
        let ours = job.record.provenance.aiven == Some(Provenance::Created);
        if failure.code == "RemotePeeringIsDisconnected" && ours && job.record.facts.recreated < MOST_REPLACED {
            job.record.facts.replace = true;
            let why = "Aiven's half is disconnected: it is replaced, then ours is made".to_owned();
            return Stop::Back { step: request_peering::STEP, why, after: Duration::ZERO };
        }
        failure.into()
    }
}

fn judge(job: &mut Job, peering: &Peering) -> Result<Look, Stop> {
    match (&peering.state, &peering.provisioning_state) {
        (PeeringState::Connected, ProvisioningState::Succeeded) if is_to_be_mended(&job.record, peering) => {
            Ok(Look::Missing)
        }
        (PeeringState::Connected, ProvisioningState::Succeeded) => as_asked(&job.record, peering),
        (PeeringState::Disconnected, _) if is_ours(&job.record) && job.record.facts.recreated < MOST_REPLACED => {
            let why = "our half is Disconnected: it is removed, and both are made again".to_owned();
            Err(Stop::Back { step: request_peering::STEP, why, after: Duration::ZERO })
        }
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

fn is_ours(record: &Record) -> bool {
    record.provenance.azure == Some(Provenance::Created)
}

/// Whether our half is to be written once more, in place: there is no outage.
fn is_to_be_mended(record: &Record, half: &Peering) -> bool {
    let stale = matches!(half.sync_level, SyncLevel::LocalNotInSync | SyncLevel::LocalAndRemoteNotInSync);
    let closed = !half.allow_vnet_access;
    let differs = half.allow_forwarded_traffic != record.options.allow_forwarded_traffic;
    record.mending && is_ours(record) && (stale || (is_to_be_put_back(record) && (closed || differs)))
}

/// What a person changed is reported; `retry` is what puts it back.
fn changed_by_hand(record: &Record) -> bool {
    record.drift.iter().any(|drift| drift.kind == "forwarding_changed")
}

/// Whether `retry` was sent for a half that was known to have been changed by hand: unasked, that is never undone.
fn is_to_be_put_back(record: &Record) -> bool {
    let by_hand = ["access_off", "forwarding_changed"];
    record.mending && record.drift.iter().any(|drift| by_hand.contains(&drift.kind.as_str()))
}

/// Whether a write is to change nothing of our half but the address space that it knows.
fn is_only_to_be_synchronised(record: &Record) -> bool {
    let drifted = record.mending && !record.drift.is_empty();
    drifted && !is_to_be_put_back(record) && record.facts.azure_state.as_deref() == Some("Connected")
}

/// Ours takes another option in place, without an outage. An adopted half is not ours to change: it has to let in what was asked for.
fn as_asked(record: &Record, peering: &Peering) -> Result<Look, Stop> {
    let adopted = record.provenance.azure == Some(Provenance::Adopted);
    let other_name = record.options.peering_name.as_ref().filter(|name| !name.eq_ignore_ascii_case(&peering.name));
    if let (true, Some(asked)) = (adopted, other_name) {
        return Err(Stop::Fix(named_otherwise(record, peering, asked)));
    }
    let (asked, found) = (record.options.allow_forwarded_traffic, peering.allow_forwarded_traffic);
    // The write would switch it on again, and nobody said `retry`.
    if is_ours(record) && asked != found && !peering.allow_vnet_access && !record.mending {
        return Err(Stop::Fix(closed(record, peering)));
    }
    match record.provenance.azure {
        Some(Provenance::Adopted) if asked && !found => Err(Stop::Fix(no_forwarding(record, peering))),
        Some(Provenance::Created)
            if asked != found && !changed_by_hand(record) && !is_only_to_be_synchronised(record) =>
        {
            Ok(Look::Missing)
        }
        _ => Ok(Look::Done),
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
