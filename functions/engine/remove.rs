//! Leaving what several peerings share, and removing it, once nobody uses it any more: the other way of [`super::ensure`], by the same rules.
//!
//! Leave before you remove; whoever then finds no user removes what is ours, under a claim of the row, which a newcomer's look waits for.

use serde::de::DeserializeOwned;

use super::ensure::{CLAIMED_PACE, TRIES};
use super::outcome::{Fix, Stop, Wait};
use super::step::Job;
use crate::peering::Provenance;
use crate::state::{Scope, SharedRow};

/// Whether a user of a row uses a part of it.
pub type Uses<'a> = &'a (dyn Fn(&str) -> bool + Send + Sync);

impl Job {
    /// Whether this peering is among a VNet's users.
    pub async fn is_member(&mut self, vnet: &Scope) -> Result<bool, Stop> {
        let held = self.shared.load(vnet).await?;
        let is_member = held.value.users.contains(&self.record.user());
        self.keep(vnet, held);
        Ok(is_member)
    }

    /// Leaves a VNet's users. Only from `act`.
    pub async fn leave(&mut self, vnet: &Scope) -> Result<(), Stop> {
        let held = self.take(vnet);
        let held = self.shared.change(vnet, held, |row| row.users.remove(&self.record.user())).await?;
        self.keep(vnet, held);
        Ok(())
    }

    /// Whether a shared thing is ours and nobody uses it. What a dead worker meant to make is ours, too. Judged by the row as this job
    /// last saw it: a peering leaves in an earlier step, so any reading of this one is late enough, and removing writes only over that.
    ///
    /// # Errors
    /// A wait, while another worker is making or removing it.
    pub async fn is_removable(&mut self, scope: &Scope, name: &str, uses: Uses<'_>) -> Result<bool, Stop> {
        let held = self.held(scope).await?;
        let removable = self.may_remove(&held.value, name, uses);
        self.keep(scope, held);
        removable
    }

    fn may_remove(&self, row: &SharedRow, name: &str, uses: Uses<'_>) -> Result<bool, Stop> {
        let Some(part) = row.parts.get(name) else { return Ok(false) };
        if part.claim.as_ref().is_some_and(|claim| claim.is_live(self.now()) && claim.by != self.by) {
            return Err(Wait::ourselves(format!("another peering is at the {name}"), CLAIMED_PACE).into());
        }
        let ours = matches!(part.provenance, Some(Provenance::Created | Provenance::Claimed)) && part.value.is_some();
        Ok(ours && !row.users.iter().any(|user| uses(user)))
    }

    /// Removes a shared thing of ours that nobody uses, under a claim on its row. Only from `act`. Who joins meanwhile waits for the claim.
    /// False: somebody uses it now, or somebody else has removed it.
    ///
    /// # Errors
    /// A wait while another worker is at it; whatever removing says.
    pub async fn remove<T: DeserializeOwned>(
        &mut self,
        scope: &Scope,
        name: &str,
        uses: Uses<'_>,
        effect: impl AsyncFnOnce(T) -> Result<(), Stop>,
    ) -> Result<bool, Stop> {
        for _ in 0..TRIES {
            let mut held = self.held(scope).await?;
            if !self.may_remove(&held.value, name, uses)? {
                return Ok(false);
            }
            let part = held.value.part(name);
            let before = part.provenance;
            let Some(value) = part.value.clone().and_then(|value| serde_json::from_value(value).ok()) else {
                return Err(Fix::report(format!("the row of the {name} cannot be read")).into());
            };
            part.claim_for(self);
            match self.shared.write(scope, &mut held).await {
                Err(error) if error.is_lost_race() => continue,
                Err(error) => return Err(error.into()),
                Ok(()) => {}
            }
            let removed = effect(value).await;
            let refused = removed.as_ref().err().is_some_and(Stop::is_refusal);
            let now = self.now();
            let outcome = |row: &mut SharedRow| {
                let part = row.part(name);
                if part.claim.as_ref().is_none_or(|claim| claim.by != self.by) {
                    return false;
                }
                match &removed {
                    Ok(()) => drop(row.parts.remove(name)),
                    Err(_) if refused => (part.claim, part.provenance) = (None, before),
                    Err(_) => part.not_made(false, now),
                }
                true
            };
            let held = self.shared.change(scope, Some(held), outcome).await?;
            self.keep(scope, held);
            return removed.map(|()| true);
        }
        Err(Wait::ourselves(format!("other peerings keep changing the row of the {name}"), CLAIMED_PACE).into())
    }
}
