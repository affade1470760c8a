//! The services in a VPC: a project's own, or those of all projects of an organization, which Aiven lists one project at a time.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::cloud::Failure;
use crate::cloud::aiven::{Aiven, AivenService};
use crate::peering::VpcRef;

/// Projects that are listed at once.
const AT_ONCE: usize = 8;
/// How long a list serves other peerings of the VPC: many become active in the same moment, and ask the same. Nominal.
const SHARED_FOR: Duration = Duration::from_secs(20);

/// What could be listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The services in the VPC, each with its project.
    pub services: Vec<(String, AivenService)>,
    /// Projects that could not be listed.
    pub failed: usize,
    /// Why the first of them could not; or the projects themselves.
    pub failure: Option<Failure>,
    /// Projects whose turn did not come in the time there is.
    pub late: usize,
}

type Shared = Arc<tokio::sync::Mutex<Option<(Timestamp, Arc<Listing>, usize)>>>;

/// Lists, once for all who ask for the same VPC in the same moment.
#[derive(Default)]
pub struct Lister(std::sync::Mutex<HashMap<VpcRef, Shared>>);

impl Lister {
    /// The services in a VPC, and how many projects were asked for them: a list of before `asked_at` is no answer to who has just mended
    /// something. Takes about `limit`, nominal, beside the list of projects.
    ///
    /// # Errors
    /// The projects of the organization cannot be listed.
    pub async fn list(
        &self,
        aiven: &Aiven,
        vpc: &VpcRef,
        asked_at: Option<Timestamp>,
        clock: &dyn Clock,
        limit: Duration,
    ) -> Result<(Arc<Listing>, usize), Failure> {
        let of_vpc = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(vpc.clone()).or_default().clone();
        let mut last = of_vpc.lock().await;
        if let Some((at, listing, projects)) = &*last
            && clock.since(*at) < SHARED_FOR
            && asked_at.is_none_or(|asked| asked < *at)
        {
            return Ok((listing.clone(), *projects));
        }
        let projects = match vpc {
            VpcRef::Project { project, .. } => vec![project.clone()],
            VpcRef::Organization { organization, .. } => aiven.projects_of(organization).await?,
        };
        let asked = projects.len();
        let listing = Arc::new(list(aiven, vpc, projects, clock, limit).await);
        if listing.failed + listing.late == 0 {
            *last = Some((clock.now(), listing.clone(), asked));
        }
        Ok((listing, asked))
    }
}

async fn list(aiven: &Aiven, vpc: &VpcRef, projects: Vec<String>, clock: &dyn Clock, limit: Duration) -> Listing {
    let asked = projects.len();
    let answers = stream::iter(projects).map(|project| async move { (aiven.services(&project).await, project) });
    let answers: Vec<_> = answers.buffer_unordered(AT_ONCE).take_until(clock.sleep(limit)).collect().await;
    let mut listing = Listing { late: asked - answers.len(), ..Listing::default() };
    for (answer, project) in answers {
        match answer {
            Ok(services) => {
                let inside = services.into_iter().filter(|service| service.vpc == Some(vpc.id()));
                listing.services.extend(inside.map(|service| (project.clone(), service)));
            }
            Err(failure) => {
                listing.failed += 1;
                listing.failure.get_or_insert(failure);
            }
        }
    }
    listing.services.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
    listing
}
