//! Making the password, under the claim of its row: remove what dead workers left over, add, look at the vault once more, write.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{AppId, Context, Kept, secret_name};
use crate::clock::Clock;
use crate::cloud::Failure;
use crate::cloud::graph::{NewPassword, Password};
use crate::cloud::key_vault::{KeyVault, Version};
use crate::engine::{Fix, SharedEffect, Stop};

/// How long a password is good, nominal: what Entra's portal proposes. Long enough that a new one is no monthly chore, short enough
/// for the policies that tenants set on the lifetime of passwords.
const LIFE: Duration = Duration::from_secs(180 * 24 * 3600);

/// A password of ours that the vault does not hold and that is as old as this, nominal, is nobody's work in progress: a worker has a
/// minute from adding it to writing it.
const LEFT_OVER: Duration = Duration::from_secs(15 * 60);

/// Tags of the vault's secret: which password of which application it is.
const KEY_ID: &str = "key_id";
const APP: &str = "app";

/// What our passwords are called, and nobody else's.
fn display_name(context: &Context) -> String {
    format!("aiven-azure-peering-{}", context.settings.installation)
}

/// The application's password in the vault.
pub struct ItsPassword<'a> {
    context: &'a Context,
    app: AppId,
    clock: Arc<dyn Clock>,
    /// The application's passwords when they were looked at first.
    seen: OnceLock<Vec<Password>>,
}

impl<'a> ItsPassword<'a> {
    /// Of an application.
    pub fn new(context: &'a Context, app: AppId, clock: Arc<dyn Clock>) -> Self {
        Self { context, app, clock, seen: OnceLock::new() }
    }

    fn vault(&self) -> Result<&KeyVault, Stop> {
        let vault = self.context.clouds.key_vault.as_deref();
        vault.ok_or_else(|| Fix::report("CREDENTIAL=secret, and there is no vault").into())
    }

    fn is_ours(&self, password: &Password) -> bool {
        password.display_name.as_ref() == Some(&display_name(self.context))
    }

    fn unless_over(&self, kept: Kept) -> Option<Kept> {
        let is_over = kept.expires.is_some_and(|end| end <= self.clock.now());
        (!is_over).then_some(kept)
    }

    /// What the vault holds, if it can be good: not at its end, and still in the directory, where the vault says which one it is.
    async fn good(&self, removed: &[Uuid]) -> Result<Option<Kept>, Stop> {
        let Some(newest) = self.vault()?.secret(&secret_name(self.app)).await? else { return Ok(None) };
        let Version { version, expires, tags, .. } = newest.about;
        let key_id = tags.get(KEY_ID).and_then(|id| Uuid::try_parse(id).ok());
        let kept = Kept { key_id, version, expires };
        let Some(id) = key_id else { return Ok(self.unless_over(kept)) };
        let listed = match self.context.clouds.graph.passwords(self.app).await {
            // Whoever may not read the application could add no other one either.
            Err(failure) if failure.status == Some(403) => return Ok(self.unless_over(kept)),
            other => other?,
        };
        let held = listed.iter().find(|password| password.key_id == id && !removed.contains(&id));
        let kept = held.map(|held| Kept { expires: held.end.or(kept.expires), ..kept });
        self.seen.get_or_init(|| listed);
        Ok(kept.and_then(|kept| self.unless_over(kept)))
    }

    /// Removes what dead workers left over. Under the claim of the row, so what the vault does not hold is nobody's.
    async fn remove_all_of_ours(&self) -> Result<Vec<Uuid>, Stop> {
        let all = self.context.clouds.graph.passwords(self.app).await?;
        let ours: Vec<Uuid> = all.iter().filter(|one| self.is_ours(one)).map(|one| one.key_id).collect();
        for id in &ours {
            self.remove(*id).await?;
        }
        Ok(ours)
    }

    /// Removes what was left over by a worker that lost a race and died, seen by the look that found the vault's to be good.
    pub(super) async fn remove_left_over(&self, kept: &Kept) -> Result<(), Failure> {
        let seen = self.seen.get().map(Vec::as_slice).unwrap_or_default();
        if !seen.iter().any(|one| Some(one.key_id) == kept.key_id) {
            return Ok(());
        }
        let is_old = |one: &&Password| one.start.is_some_and(|start| self.clock.since(start) >= LEFT_OVER);
        let others = seen.iter().filter(|one| self.is_ours(one) && Some(one.key_id) != kept.key_id);
        for one in others.filter(is_old) {
            self.remove(one.key_id).await?;
        }
        Ok(())
    }

    /// Another worker of ours may have been quicker: then it is gone all the same.
    async fn remove(&self, id: Uuid) -> Result<(), Failure> {
        match self.context.clouds.graph.remove_password(self.app, id).await {
            Err(failure) if failure.message.contains("No password credential found") => Ok(()),
            other => other,
        }
    }

    async fn write(&self, fresh: NewPassword, end: Timestamp) -> Result<Kept, Stop> {
        let NewPassword { key_id, secret, end: shown } = fresh;
        let expires = shown.unwrap_or(end);
        let tags = BTreeMap::from([(KEY_ID.to_owned(), key_id.to_string()), (APP.to_owned(), self.app.to_string())]);
        match self.vault()?.set_secret(&secret_name(self.app), &secret, Some(expires), &tags).await {
            Ok(Version { version, .. }) => Ok(Kept { key_id: Some(key_id), version, expires: Some(expires) }),
            Err(failure) => {
                if !failure.may_have_landed() {
                    // Nobody will ever know its text. Should this fail, too, the next pass removes it.
                    drop(self.remove(key_id).await);
                }
                Err(failure.into())
            }
        }
    }
}

#[async_trait]
impl SharedEffect for ItsPassword<'_> {
    type Value = Kept;

    async fn look(&self) -> Result<Option<Kept>, Stop> {
        self.good(&[]).await
    }

    /// The vault has no conditional write, so it is looked at once more just before: whoever was first stays.
    async fn make(&self) -> Result<Kept, Stop> {
        let removed = self.remove_all_of_ours().await?;
        let end = self.clock.after(LIFE);
        let fresh = self.context.clouds.graph.add_password(self.app, &display_name(self.context), end).await?;
        if let Some(first) = self.good(&removed).await? {
            self.remove(fresh.key_id).await?;
            return Ok(first);
        }
        self.write(fresh, end).await
    }

    fn can_be_ours(&self, found: &Kept) -> bool {
        found.key_id.is_some()
    }
}
