//! A cloud of named objects, and the steps that make them: an own half, and something shared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::stepped::moment;
use crate::cloud::{Failure, Service};
use crate::engine::tests::failure;
use crate::engine::{Act, Job, Look, SharedEffect, Step, Stop};
use crate::peering::{Half, Provenance};
use crate::state::Scope;

/// What becomes of the requests to make an object, in their order; then each is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Refused.
    Refused,
    /// Done, but the answer is lost.
    AnswerLost,
}

/// Who made an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Us.
    Ours,
    /// Somebody before us.
    Foreign,
}

/// The objects by name.
#[derive(Debug, Default)]
pub struct Cloud {
    /// What is there.
    pub objects: BTreeMap<&'static str, Found>,
    /// How often an object was made.
    pub made: u32,
    /// How often one was asked for that was there: claims are to see to it that nobody does.
    pub conflicts: u32,
    /// What happens to the next requests.
    pub next: Vec<Asked>,
    /// How often one was removed that somebody had made before us.
    pub robbed: u32,
}

/// The cloud, as steps hold it.
pub type Shared = Arc<Mutex<Cloud>>;

async fn exists(cloud: &Shared, name: &str) -> bool {
    moment().await;
    cloud.lock().unwrap().objects.contains_key(name)
}

/// Makes an object, whose name is its natural key: of two requests the second is a conflict.
async fn make(cloud: &Shared, name: &'static str) -> Result<(), Failure> {
    moment().await;
    let answer = {
        let cloud = &mut *cloud.lock().unwrap();
        let asked = if cloud.next.is_empty() { None } else { Some(cloud.next.remove(0)) };
        match asked {
            Some(Asked::Refused) => Err(failure(Service::Arm, 403, "AuthorizationFailed")),
            _ if cloud.objects.contains_key(name) => {
                cloud.conflicts += 1;
                Err(failure(Service::Arm, 409, "RoleAssignmentExists"))
            }
            asked => {
                cloud.objects.insert(name, Found::Ours);
                cloud.made += 1;
                let lost = Failure { status: None, ..failure(Service::Arm, 0, "") };
                if asked.is_some() { Err(lost) } else { Ok(()) }
            }
        }
    };
    moment().await;
    answer
}

/// Removes an object; one that is gone already is no error.
async fn unmake(cloud: &Shared, name: &'static str) -> Result<(), Failure> {
    moment().await;
    let answer = {
        let cloud = &mut *cloud.lock().unwrap();
        let asked = if cloud.next.is_empty() { None } else { Some(cloud.next.remove(0)) };
        if asked == Some(Asked::Refused) {
            Err(failure(Service::Arm, 403, "AuthorizationFailed"))
        } else {
            cloud.robbed += u32::from(cloud.objects.remove(name) == Some(Found::Foreign));
            let lost = Failure { status: None, ..failure(Service::Arm, 0, "") };
            if asked.is_some() { Err(lost) } else { Ok(()) }
        }
    };
    moment().await;
    answer
}

/// A step that removes a half of the peering, if we made it.
pub struct Unmake(pub Shared, pub &'static str);

#[async_trait]
impl Step for Unmake {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if matches!(job.record.provenance.aiven, None | Some(Provenance::Adopted)) {
            return Ok(Look::Done);
        }
        if exists(&self.0, self.1).await {
            return Ok(Look::Missing);
        }
        job.record.provenance.aiven = None;
        Ok(Look::Done)
    }

    async fn act(&self, _: &mut Job) -> Result<Act, Stop> {
        unmake(&self.0, self.1).await?;
        Ok(Act::Again)
    }
}

/// A step that leaves the users of a row.
pub struct Leave(pub Scope);

#[async_trait]
impl Step for Leave {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        Ok(if job.is_member(&self.0).await? { Look::Missing } else { Look::Done })
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        job.leave(&self.0).await?;
        Ok(Act::Done)
    }
}

/// A step that removes what the peerings of a VNet share, when nobody uses it.
pub struct UnmakeShared(pub Shared, pub Scope);

#[async_trait]
impl Step for UnmakeShared {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let unused = job.is_removable(&self.1, "assignment", &|_| true).await?;
        Ok(if unused { Look::Missing } else { Look::Done })
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        let cloud = &self.0;
        job.remove(&self.1, "assignment", &|_| true, async |_: String| Ok(unmake(cloud, "assignment").await?)).await?;
        Ok(Act::Again)
    }
}

/// A step that makes a half of the peering.
pub struct Make(pub Shared, pub &'static str);

#[async_trait]
impl Step for Make {
    fn half(&self) -> Option<Half> {
        Some(Half::Aiven)
    }

    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        if exists(&self.0, self.1).await {
            job.found(Half::Aiven);
            return Ok(Look::Done);
        }
        Ok(Look::Missing)
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        make(&self.0, self.1).await?;
        job.created(Half::Aiven);
        Ok(Act::Done)
    }
}

/// A step without an effect.
pub struct Pass;

#[async_trait]
impl Step for Pass {
    async fn look(&self, _: &mut Job) -> Result<Look, Stop> {
        Ok(Look::Done)
    }
}

/// A step that makes what the peerings of a VNet share: it joins, then sees to it.
pub struct MakeShared(pub Shared, pub Scope);

/// The shared object.
struct Assignment<'a>(&'a Shared);

#[async_trait]
impl SharedEffect for Assignment<'_> {
    type Value = String;

    async fn look(&self) -> Result<Option<String>, Stop> {
        Ok(exists(self.0, "assignment").await.then(|| "assignment".to_owned()))
    }

    fn intended(&self) -> Option<String> {
        Some("assignment".to_owned())
    }

    async fn make(&self) -> Result<String, Stop> {
        make(self.0, "assignment").await?;
        Ok("assignment".to_owned())
    }
}

#[async_trait]
impl Step for MakeShared {
    async fn look(&self, job: &mut Job) -> Result<Look, Stop> {
        let known = job.known_to_member::<String>(&self.1, "assignment").await?;
        Ok(if known.is_some() { Look::Done } else { Look::Missing })
    }

    async fn act(&self, job: &mut Job) -> Result<Act, Stop> {
        job.join(&self.1).await?;
        job.ensure(&self.1, "assignment", &Assignment(&self.0)).await?;
        Ok(Act::Done)
    }
}
