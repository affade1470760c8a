//! Runbook step 11: the peering connection at Aiven, of an organization's or a project's VPC.

mod ranges;

use async_trait::async_trait;

use self::ranges::Change;
use super::add_credential::secret::refused_password;
use super::connection::{MOST_REPLACED, delete_command, disown_if_other, forget, is_other, is_refused, keep, refused};
use super::create_service_principal::application;
use super::peer_network::fixes::{disconnected, lost_role};
use crate::cloud::Failure;
use crate::cloud::aiven::{Connection, ConnectionState, NewConnection, Vpc};
use crate::cloud::arm::{Peering, PeeringState, ProvisioningState};
use crate::context::Context;
use crate::engine::{Act, Fix, Job, Look, Remedy, Step, Stop, Wait};
use crate::peering::{Half, Provenance, Record, VpcRef};

/// Its name.
pub const STEP: &str = "request_peering";

/// See the module.
pub struct RequestPeering {
    /// The clouds and the settings.
    pub context: Context,
}

#[async_trait]
impl Step for RequestPeering {
    fn half(&self) -> Option<Half> {
        Some(Half::Aiven)
    }

    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let vpc = self.context.clouds.aiven.vpc(&job.record.key.vpc).await?;
        gone(job, &vpc)?;
        let connection = vpc.live_connection_to(&job.record.vnet);
        if let Some(found) = connection {
            disown_if_other(&mut job.record, found);
        }
        if self.leftover(&mut job.record).await?.is_some() {
            return replace_both(job, connection);
        }
        let Some(connection) = connection else {
            // What we made, if we did, is gone: what comes next is made anew.
            job.record.provenance.aiven = job.record.provenance.aiven.filter(|p| *p == Provenance::Claimed);
            forget(&mut job.record.facts);
            return Ok(Look::Missing);
        };
        if is_refused(&connection.state) || job.record.facts.replace {
            job.found(Half::Aiven);
            return replaceable(job, connection);
        }
        self.same(job, connection)?;
        job.found(Half::Aiven);
        let now = job.now();
        keep(&mut job.record.facts, connection, now);
        ranges::as_asked(&job.record, connection)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        if let Some(half) = self.leftover(&mut job.record).await? {
            return self.remove_half(job, &half).await;
        }
        if job.record.facts.aiven_state.is_none() {
            return self.request(job).await;
        }
        // The look saw a refused one, which has to go first; or one that routes other ranges than asked for.
        let vpc = self.context.clouds.aiven.vpc(&job.record.key.vpc).await?;
        match vpc.live_connection_to(&job.record.vnet).filter(|found| !is_other(&job.record.facts, found)) {
            Some(connection) if is_refused(&connection.state) || job.record.facts.replace => {
                self.remove(job, connection).await
            }
            Some(connection) if ranges::change(&job.record, connection) != Change::default() => {
                self.route(job, connection).await
            }
            _ => Err(Wait::aiven("connection_changed", "the connection has just changed", 5, 600).into()),
        }
    }

    fn remedy(&self, record: &Record, failure: &Failure) -> Option<Remedy> {
        refused_password(&self.context, record, failure).or_else(|| lost_role(record, failure))
    }
}

impl RequestPeering {
    async fn request(&self, job: &mut Job) -> Result<Act, Stop> {
        let new = NewConnection {
            vnet: job.record.vnet.clone(),
            app_id: application(job)?,
            tenant_id: self.context.settings.endpoints.tenant,
            user_peer_network_cidrs: job
                .record
                .options
                .user_peer_network_cidrs
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        let made = self.context.clouds.aiven.create_connection(&job.record.key.vpc, &new).await?;
        job.created(Half::Aiven);
        let now = job.now();
        job.record.facts.requested_at = Some(now);
        if let Some(connection) = &made {
            keep(&mut job.record.facts, connection, now);
        }
        Ok(Act::Done)
    }

    /// Our half, if it is left over from a connection that is no more: it cannot be revived, and Aiven builds nothing beside it.
    async fn leftover(&self, record: &mut Record) -> Result<Option<Peering>, Stop> {
        let Some(whose) = record.provenance.azure else { return Ok(None) };
        let vnet = self.context.clouds.arm.vnet(&record.vnet).await?;
        let name = record.peering_name();
        let half = match &record.facts.aiven_vnet {
            Some(remote) => vnet.peering_to(remote),
            None => vnet.peerings.iter().find(|peering| peering.name.eq_ignore_ascii_case(&name)),
        };
        let Some(half) = half else {
            // What we made is gone: what is there from now on is what comes next.
            record.provenance.azure = record.provenance.azure.filter(|p| *p != Provenance::Created);
            return Ok(None);
        };
        let is_leftover = match half.state {
            PeeringState::Disconnected => true,
            // It was connected once.
            PeeringState::Initiated => record.mending && record.facts.aiven_vnet.is_some(),
            _ => false,
        };
        let is_other = !half.name.eq_ignore_ascii_case(&record.given_name());
        match whose {
            Provenance::Created | Provenance::Claimed if is_other => Ok(None),
            Provenance::Adopted if half.state == PeeringState::Disconnected => Err(disconnected(record, half).into()),
            Provenance::Created | Provenance::Claimed if is_leftover => Ok(Some(half.clone())),
            _ => Ok(None),
        }
    }

    /// Removes our half, as the application that made it; the next look finds it gone.
    async fn remove_half(&self, job: &mut Job, half: &Peering) -> Result<Act, Stop> {
        if job.record.facts.aiven_state.is_none() {
            // Nothing was asked of Aiven: what may be found there later is not ours for that.
            job.record.provenance.aiven = None;
        }
        let retry_after = match half.provisioning_state {
            ProvisioningState::Deleting => None,
            _ => {
                self.context
                    .clouds
                    .arm
                    .delete_peering(application(job)?, &job.record.vnet, &half.name)
                    .await?
                    .retry_after
            }
        };
        let wait = Wait::azure("deleting_half", "Azure deletes our half, which is left over", 10, 1800)
            .or("see the activity log of the VNet; `retry` deletes it again");
        Err(Stop::Wait(Wait { delay: retry_after.unwrap_or(wait.delay), ..wait }))
    }

    /// Routes are all that changes: the connection stays as it is.
    async fn route(&self, job: &mut Job, connection: &Connection) -> Result<Act, Stop> {
        let Change { add, delete } = ranges::change(&job.record, connection);
        self.context.clouds.aiven.set_cidrs(&job.record.key.vpc, connection, &add, &delete).await?;
        job.record.facts.routed.clone_from(&job.record.options.user_peer_network_cidrs);
        job.said = Some(format!("Aiven routes the ranges asked for: {} added, {} removed", add.len(), delete.len()));
        Ok(Act::Done)
    }

    /// Removes a refused connection of ours; the next look finds it gone, and asks again.
    async fn remove(&self, job: &mut Job, refused: &Connection) -> Result<Act, Stop> {
        self.context.clouds.aiven.delete_connection(&job.record.key.vpc, refused).await?;
        job.record.facts.recreated += 1;
        job.record.facts.replace = false;
        job.record.provenance.aiven = None;
        let reason = format!("the connection that ended {} is being deleted", refused.state);
        Err(Wait::aiven("replacing", reason, 10, 1800).into())
    }

    /// A connection that differs is somebody else's: it cannot be changed, only replaced, and not by us.
    fn same(&self, job: &Job, connection: &Connection) -> Result<(), Stop> {
        let (app, tenant) = (application(job)?, self.context.settings.endpoints.tenant);
        let other_app = connection.app_id.filter(|found| *found != app);
        let other_tenant = connection.tenant_id.filter(|found| *found != tenant);
        let differs = match (other_app, other_tenant) {
            (None, None) => return Ok(()),
            (Some(found), _) => format!("it names application {found}, ours is {app}"),
            (None, Some(found)) => format!("it names tenant {found}, ours is {tenant}"),
        };
        Err(Stop::Fix(Fix {
            what: format!("Aiven has a connection to this VNet already, and {differs}"),
            why: "a connection's application and tenant cannot be changed".to_owned(),
            command: format!(
                "ask for the peering with that application, or delete the connection: {}",
                delete_command(&job.record.key.vpc, connection)
            ),
            code: "connection_differs".to_owned(),
            correlation: None,
        }))
    }
}

/// A connection on its way out must be gone before another can be asked for (deletion is asynchronous).
fn gone(job: &Job, vpc: &Vpc) -> Result<(), Stop> {
    let leaving = vpc.connections_to(&job.record.vnet).any(|connection| connection.state == ConnectionState::Deleting);
    if leaving {
        return Err(Wait::aiven("deleting", "the former connection is being deleted", 10, 1800).into());
    }
    Ok(())
}

/// Our half is left over: it goes first. A connection that is still there leads nowhere, so it goes, too, if it is ours.
fn replace_both(job: &mut Job, connection: Option<&Connection>) -> Result<Look, Stop> {
    let Some(connection) = connection else {
        job.record.provenance.aiven = job.record.provenance.aiven.filter(|p| *p == Provenance::Claimed);
        (job.record.facts.connection, job.record.facts.aiven_state) = (None, None);
        return Ok(Look::Missing);
    };
    job.found(Half::Aiven);
    if job.record.provenance.aiven == Some(Provenance::Adopted) {
        return Err(leads_nowhere(&job.record.key.vpc, connection).into());
    }
    let look = replaceable(job, connection)?;
    job.record.facts.replace = true;
    Ok(look)
}

fn leads_nowhere(vpc: &VpcRef, connection: &Connection) -> Fix {
    Fix {
        what: "our half of the peering is left over: the half at its other end was deleted".to_owned(),
        why: "both have to be made again, and Aiven's connection was there before us, so it is not ours to replace"
            .to_owned(),
        command: format!("{}: then both are made again by themselves", delete_command(vpc, connection)),
        code: "connection_leads_nowhere".to_owned(),
        correlation: None,
    }
}

fn replaceable(job: &mut Job, connection: &Connection) -> Result<Look, Stop> {
    let ours = matches!(job.record.provenance.aiven, Some(Provenance::Created | Provenance::Claimed));
    if ours && job.record.facts.recreated < MOST_REPLACED {
        job.record.facts.aiven_state = Some(connection.state.to_string());
        return Ok(Look::Missing);
    }
    Err(refused(job.record.key.vpc.clone(), connection, ours).into())
}
