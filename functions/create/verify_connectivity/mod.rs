//! Runbook step blog: does it connect? What the published runbooks leave to the reader, and the blog did by hand with nslookup and psql.
//!
//! The hosts of the services in the VPC resolve into its range, their IP filters admit the VNet, and they take TCP connections, where the app is in that VNet and can try.
//!
//! Its verdict is shown on `Active` and undoes nothing. No name of a certificate is looked at and no credential is used.

mod judge;
mod listing;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{BoxFuture, Either, join, select};
use futures::{StreamExt, stream};

use self::judge::{Ground, Scope, Tcp, is_inside, judge, not_checked, verdict};
use self::listing::{Lister, Listing};
use crate::clock::Clock;
use crate::cloud::Failure;
use crate::cloud::aiven::{AivenService, Component, ServiceState};
use crate::context::Context;
use crate::engine::{Job, Look, Step, Stop, Verdict, Wait, classify};
use crate::peering::{Connectivity, Reach, Record};

/// Addresses that are probed at once.
const AT_ONCE: usize = 16;
/// How long failures to look are waited out; then the verdict is that it was not checked. Nominal.
const PATIENCE: Duration = Duration::from_secs(300);
/// The slowest pace of those looks; nominal.
const SLOWEST: Duration = Duration::from_secs(120);
/// Never reached: see [`PATIENCE`].
const WINDOW: u64 = 24 * 3600;
/// What a wait of this step is about.
const CODE: &str = "connectivity_unseen";

/// Its name.
pub const STEP: &str = "verify_connectivity";

/// See the module.
pub struct VerifyConnectivity {
    context: Context,
    lister: Lister,
}

#[async_trait]
impl Step for VerifyConnectivity {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        // A third of the step's time for the lists, a third for the probes: the rest is for storage.
        let limit = job.clock.scale().step_budget() / 3;
        let vpc = job.record.key.vpc.clone();
        let asked_at = job.record.times.get("started").or(job.record.times.get("requested")).copied();
        let lists = self.lister.list(&self.context.clouds.aiven, &vpc, asked_at, &*job.clock, limit / 2);
        let lists = within(&*job.clock, limit, lists);
        let (listed, ground) = join(lists, self.ground(&job.record, &*job.clock, limit)).await;
        let connectivity = match seen(job, listed)? {
            Ok((listing, unseen)) => self.check(job, &ground, &listing, unseen, limit).await?,
            Err(why) => not_checked(&why, job.now()),
        };
        job.said = Some(connectivity.summary.clone());
        job.record.facts.connectivity = Some(connectivity);
        Ok(Look::Done)
    }
}

/// What is in the VPC, and a word on what of it could not be seen; or why nothing could.
type Seen = Result<(Arc<Listing>, Option<String>), String>;

impl VerifyConnectivity {
    /// The step.
    pub fn new(context: Context) -> Self {
        Self { context, lister: Lister::default() }
    }

    async fn check(
        &self,
        job: &Job,
        ground: &Ground,
        listing: &Listing,
        unseen: Option<String>,
        limit: Duration,
    ) -> Result<Connectivity, Stop> {
        let running = listing.services.iter().filter(|(_, service)| service.state == ServiceState::Running);
        let targets: Vec<_> = running
            .flat_map(|(project, service)| service.private_addresses().map(move |one| (project.as_str(), service, one)))
            .collect();
        let may_try = may_try(&self.context, &job.record);
        let mut probes: Vec<BoxFuture<'_, Reach>> = Vec::new();
        for target in &targets {
            probes.push(Box::pin(self.probe(ground, *target, &may_try)));
        }
        let probes = stream::iter(probes).buffer_unordered(AT_ONCE);
        let reaches: Vec<Reach> = probes.take_until(job.clock.sleep(limit)).collect().await;
        let late = targets.len() - reaches.len();
        if late > 0 && reaches.is_empty() {
            patient(job, || Wait::aiven(CODE, "it takes long to find the services' addresses", 30, WINDOW))?;
            return Ok(not_checked("it took too long to find the services' addresses", job.now()));
        }
        let late = (late > 0).then(|| format!("{late} addresses were not looked at: there was no time left"));
        let unseen = [unseen, late].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
        let scope = Scope { services: listing.services.len(), unseen };
        Ok(verdict(&scope, reaches, &may_try, job.now()))
    }

    /// The VNet's prefixes as they are now, which need not be those of the time of the request.
    async fn ground(&self, record: &Record, clock: &dyn Clock, limit: Duration) -> Ground {
        let vnet = within(clock, limit, self.context.clouds.arm.vnet(&record.vnet)).await;
        let vnet = vnet.and_then(Result::ok).map_or_else(|| record.facts.prefixes.clone(), |vnet| vnet.prefixes);
        Ground { vnet, vpc: record.facts.vpc_cidrs.clone() }
    }

    async fn probe(&self, ground: &Ground, target: (&str, &AivenService, &Component), tcp: &Tcp) -> Reach {
        let (resolver, component) = (&self.context.clouds.resolver, target.2);
        let addresses = resolver.addresses(&component.host).await.map_err(|unresolved| unresolved.to_string());
        let inside =
            addresses.iter().flatten().next().filter(|_| addresses.as_deref().is_ok_and(|all| is_inside(ground, all)));
        let tcp = match (tcp, inside) {
            (Tcp::NotTried(why), _) => Tcp::NotTried(why.clone()),
            (Tcp::Tried(_), None) => Tcp::NotTried("its address is not one of the VPC's".to_owned()),
            (Tcp::Tried(_), Some(address)) => {
                Tcp::Tried(resolver.connect(SocketAddr::new(*address, component.port)).await)
            }
        };
        judge(ground, target, addresses, &tcp)
    }
}

/// Whether the app can reach the VPC through this peering at all: peerings are not transitive, so only from within the VNet itself.
fn may_try(context: &Context, record: &Record) -> Tcp {
    match &context.settings.app_vnet {
        Some(vnet) if *vnet == record.vnet => Tcp::Tried(crate::cloud::resolve::Reach::Reached),
        Some(vnet) => Tcp::NotTried(format!("the app is in VNet {}, and peerings are not transitive", vnet.name)),
        None => Tcp::NotTried("the app is not integrated with the VNet (setting APP_VNET)".to_owned()),
    }
}

/// What the lists show. A failure that may pass is waited out for a while; one that stays is told in the verdict.
fn seen(job: &Job, listed: Option<Result<(Arc<Listing>, usize), Failure>>) -> Result<Seen, Stop> {
    let (listing, projects) = match listed {
        Some(Ok(listed)) => listed,
        Some(Err(failure)) => {
            wait_out(job, &failure)?;
            return Ok(Err(told(&failure)));
        }
        None => {
            patient(job, || Wait::aiven(CODE, "Aiven takes long to list the services", 60, WINDOW))?;
            return Ok(Err("Aiven took too long to list the services; send action \"verify\" later".to_owned()));
        }
    };
    if let Some(failure) = &listing.failure {
        wait_out(job, failure)?;
    }
    let unseen = listing.failed + listing.late;
    let why = listing.failure.as_ref().map_or_else(|| "there was no time left".to_owned(), told);
    if unseen > 0 && unseen >= projects {
        return Ok(Err(why));
    }
    let words = (unseen > 0).then(|| format!("{unseen} of {projects} projects could not be looked at: {why}"));
    Ok(Ok((listing, words)))
}

/// Waits while the failure may pass by itself, but not for long.
fn wait_out(job: &Job, failure: &Failure) -> Result<(), Stop> {
    let rule = classify(failure);
    let (age, attempts) = waited(job);
    let Verdict::Wait { party, delay } = rule.at(failure, age, attempts) else { return Ok(()) };
    let reason = format!("{} ({})", rule.why, failure.short());
    let delay = delay.min(SLOWEST);
    patient(job, || Wait { party, delay, ..Wait::aiven(CODE, reason, 0, WINDOW) })
}

fn patient(job: &Job, wait: impl FnOnce() -> Wait) -> Result<(), Stop> {
    if waited(job).0 < PATIENCE { Err(wait().into()) } else { Ok(()) }
}

/// For how long this step has waited for a look, nominal, and how often it looked.
fn waited(job: &Job) -> (Duration, u32) {
    let waiting = job.record.waiting.as_ref().filter(|waiting| waiting.code == CODE);
    waiting.map_or((Duration::ZERO, 0), |waiting| (job.clock.since(waiting.since), waiting.attempts + 1))
}

/// The output of a future, or nothing if its time, nominal, is over first.
async fn within<T>(clock: &dyn Clock, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(clock.sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

fn told(failure: &Failure) -> String {
    let rule = classify(failure);
    format!("{failure} ({}); {}; then send action \"verify\"", rule.why, rule.fix_for(failure))
}
