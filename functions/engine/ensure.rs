//! Making what several peerings share, once: its row is claimed for the act itself.
//!
//! Touching a shared row is an effect, so a step comes here only under a claim on its own record. Join before you look; whoever
//! makes the thing claims the row; a live claim of another is waited for. Found under our own earlier claim = created.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outcome::{Fix, Stop, Wait};
use super::step::Job;
use crate::peering::{Claim, Provenance};
use crate::state::{Part, Scope, SharedRow, Versioned};
use crate::storage::StoreError;

/// How long what was seen of a shared thing is taken for granted; reconciliation looks as often. Nominal.
const TRUSTED_FOR: Duration = Duration::from_secs(3600);
/// How often a lost race for a row is run again before the message is put back.
pub(super) const TRIES: u32 = 8;
/// Until the next look at a row that another worker has claimed, nominal seconds.
pub(super) const CLAIMED_PACE: u64 = 5;

/// A thing that several peerings share.
#[async_trait]
pub trait SharedEffect: Send + Sync {
    /// What is kept of it.
    type Value: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Is it there?
    async fn look(&self) -> Result<Option<Self::Value>, Stop>;

    /// Makes it.
    async fn make(&self) -> Result<Self::Value, Stop>;

    /// What will be kept of it, where that is known before it is made: whoever has to remove what a dead worker made finds it by that.
    fn intended(&self) -> Option<Self::Value> {
        None
    }

    /// Whether what was found can be what we made: it does as well if not, but it is not ours to remove.
    fn can_be_ours(&self, _found: &Self::Value) -> bool {
        true
    }
}

/// A shared thing that is there.
#[derive(Debug, Clone)]
pub struct Known<T> {
    /// What is kept of it.
    pub value: T,
    /// When it was made, if we made it.
    pub made_at: Option<Timestamp>,
}

impl Job {
    /// A shared thing, if it was seen lately. Asks no cloud.
    ///
    /// # Errors
    /// A wait, while another worker is making it.
    pub async fn known<T: DeserializeOwned>(&mut self, scope: &Scope, part: &str) -> Result<Option<Known<T>>, Stop> {
        let mut held = self.shared.load(scope).await?;
        let known = self.trusted(held.value.part(part), part);
        self.keep(scope, held);
        known
    }

    /// [`Job::known`] for what a VNet's peerings share: only those that joined may rely on it.
    pub async fn known_to_member<T: DeserializeOwned>(
        &mut self,
        vnet: &Scope,
        part: &str,
    ) -> Result<Option<Known<T>>, Stop> {
        let known = self.known(vnet, part).await?;
        let joined =
            self.rows.iter().any(|(scope, held)| scope == vnet && held.value.users.contains(&self.record.user()));
        Ok(known.filter(|_| joined))
    }

    fn trusted<T: DeserializeOwned>(&self, part: &Part, name: &str) -> Result<Option<Known<T>>, Stop> {
        if part.claim.as_ref().is_some_and(|claim| claim.is_live(self.now()) && claim.by != self.by) {
            return Err(Wait::ourselves(format!("another peering is making the {name}"), CLAIMED_PACE).into());
        }
        let fresh = part.verified_at.is_some_and(|at| self.clock.since(at) < TRUSTED_FOR);
        let value = part.value.clone().filter(|_| fresh && part.provenance != Some(Provenance::Claimed));
        let value = value.and_then(|value| serde_json::from_value(value).ok());
        Ok(value.map(|value| Known { value, made_at: part.made_at }))
    }

    /// A row as this job last read or wrote it. Whatever is decided by it is written only if nobody else wrote since, so an
    /// older reading is as good as a new one.
    pub(super) fn take(&mut self, scope: &Scope) -> Option<Versioned<SharedRow>> {
        let at = self.rows.iter().position(|(held, _)| held == scope)?;
        Some(self.rows.swap_remove(at).1)
    }

    /// A row as this job last read or wrote it; read now, if it has not been.
    pub(super) async fn held(&mut self, scope: &Scope) -> Result<Versioned<SharedRow>, StoreError> {
        match self.take(scope) {
            Some(held) => Ok(held),
            None => self.shared.load(scope).await,
        }
    }

    pub(super) fn keep(&mut self, scope: &Scope, held: Versioned<SharedRow>) {
        self.take(scope);
        self.rows.push((scope.clone(), held));
    }

    /// Sees to it that a shared thing is there: looks, and makes it under a claim on its row. Only from `act`.
    ///
    /// # Errors
    /// A wait while another worker makes it; whatever looking or making says.
    pub async fn ensure<E: SharedEffect>(
        &mut self,
        scope: &Scope,
        name: &str,
        effect: &E,
    ) -> Result<Known<E::Value>, Stop> {
        for _ in 0..TRIES {
            let mut held = self.held(scope).await?;
            if let Some(known) = self.trusted(held.value.part(name), name)? {
                return Ok(known);
            }
            let found = effect.look().await?;
            let part = held.value.part(name);
            let meant_before = part.provenance == Some(Provenance::Claimed);
            match &found {
                Some(value) => part.seen(value, effect.can_be_ours(value), self.now())?,
                None => {
                    part.claim_for(self);
                    part.value = intended(effect)?;
                }
            }
            let made_at = part.made_at;
            match self.shared.write(scope, &mut held).await {
                Err(error) if error.is_lost_race() => continue,
                Err(error) => return Err(error.into()),
                Ok(()) => {}
            }
            return match found {
                Some(value) => Ok(Known { value, made_at }),
                None => self.make(scope, held, name, effect, meant_before).await,
            };
        }
        Err(Wait::ourselves(format!("other peerings keep changing the row of the {name}"), CLAIMED_PACE).into())
    }

    /// Acts under the claim just written, and commits the row. Others may have joined meanwhile: their change is kept.
    async fn make<E: SharedEffect>(
        &self,
        scope: &Scope,
        claimed: Versioned<SharedRow>,
        name: &str,
        effect: &E,
        meant_before: bool,
    ) -> Result<Known<E::Value>, Stop> {
        let made = effect.make().await;
        let now = self.now();
        let landed = match &made {
            Ok(value) => Some(serde_json::to_value(value).map_err(unreadable)?),
            Err(_) => None,
        };
        // A clear refusal means that nothing was made: unless an earlier try may have been, nothing found later is ours.
        let refused = made.as_ref().err().is_some_and(Stop::is_refusal) && !meant_before;
        let outcome = |row: &mut SharedRow| {
            let part = row.part(name);
            if part.claim.as_ref().is_none_or(|claim| claim.by != self.by) {
                return false;
            }
            match &landed {
                Some(value) => part.made(value.clone(), now),
                None => part.not_made(refused, now),
            }
            true
        };
        self.shared.change(scope, Some(claimed), outcome).await?;
        made.map(|value| Known { value, made_at: Some(now) })
    }

    /// Whether a shared thing of ours that somebody changed may be put back as it should be.
    pub async fn may_mend(&mut self, scope: &Scope, part: &str) -> Result<bool, Stop> {
        let held = self.held(scope).await?;
        let provenance = held.value.parts.get(part).and_then(|part| part.provenance);
        self.keep(scope, held);
        Ok(self.record.mending && matches!(provenance, Some(Provenance::Created | Provenance::Claimed)))
    }

    /// Joins a VNet's users, unless this peering is one of them already. Only from `act`.
    pub async fn join(&mut self, vnet: &Scope) -> Result<(), Stop> {
        let held = self.take(vnet);
        let held = self.shared.change(vnet, held, |row| row.users.insert(self.record.user())).await?;
        self.keep(vnet, held);
        Ok(())
    }
}

fn intended<E: SharedEffect>(effect: &E) -> Result<Option<serde_json::Value>, Stop> {
    effect.intended().map(|value| serde_json::to_value(value).map_err(unreadable)).transpose()
}

impl Part {
    fn seen(&mut self, value: &impl Serialize, can_be_ours: bool, now: Timestamp) -> Result<(), Stop> {
        let provenance = if can_be_ours { Provenance::found(self.provenance) } else { Provenance::Adopted };
        if provenance == Provenance::Created && self.made_at.is_none() {
            self.made_at = self.claim.as_ref().map(|_| now);
        }
        self.value = Some(serde_json::to_value(value).map_err(unreadable)?);
        self.provenance = Some(provenance);
        self.claim = None;
        self.verified_at = Some(now);
        Ok(())
    }

    pub(super) fn claim_for(&mut self, job: &Job) {
        let until = job.clock.after(job.clock.scale().claim_length());
        self.claim = Some(Claim { step: job.record.step.clone(), by: job.by.clone(), until });
        // What was adopted and is gone, or created and is gone, is made again now: it will be ours.
        self.provenance = Some(Provenance::Claimed);
    }

    fn made(&mut self, value: serde_json::Value, now: Timestamp) {
        self.value = Some(value);
        self.provenance = Some(Provenance::Created);
        self.claim = None;
        self.made_at = Some(now);
        self.verified_at = Some(now);
    }

    /// Lets others look at once.
    pub(super) fn not_made(&mut self, refused: bool, now: Timestamp) {
        if refused {
            self.claim = None;
            self.provenance = None;
        } else if let Some(claim) = &mut self.claim {
            claim.until = now;
        }
    }
}

fn unreadable(error: serde_json::Error) -> Stop {
    Fix::report(format!("a shared value cannot be written: {error}")).into()
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
