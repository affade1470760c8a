//! The locks that let one host run a timer, and one be the primary host: blob leases, as the real host takes.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::clock::Scale;
use super::events::Event;
use super::lifecycle::Core;
use crate::azurite::{Blob, Lease, StorageError};

/// A kind of lock; all times are nominal.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// How long a lock outlives a killed host.
    period: Duration,
    /// How often its holder renews it.
    renewal: Duration,
    /// How often each other host looks whether it is free.
    look: Duration,
}

/// `SingletonOptions`: `ListenerLockPeriod`, renewed at its half by `SingletonManager`, `ListenerLockRecoveryPollingInterval`.
const LISTENER: Kind =
    Kind { period: Duration::from_secs(60), renewal: Duration::from_secs(30), look: Duration::from_secs(60) };

/// `PrimaryHostCoordinator`: renewed three seconds before it ends, looked at every five seconds.
const PRIMARY: Kind =
    Kind { period: Duration::from_secs(15), renewal: Duration::from_secs(12), look: Duration::from_secs(5) };

/// However fast time runs, storage is not asked more often than this about one lock (real).
const LEAST: Duration = Duration::from_millis(200);

/// Where locks and status blobs are.
pub(super) const CONTAINER: &str = "azure-webjobs-hosts";

/// Storage leases blobs for 15 to 60 seconds.
const SHORTEST: u8 = 15;
const LONGEST: u8 = 60;

/// A lock that is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    kind: Kind,
    blob: Blob,
    lease: Lease,
}

impl Held {
    /// Waits for the lock of `function`'s timer; `None` if the host stops first.
    pub(super) async fn of_timer(core: &Core, function: &str) -> Option<Self> {
        Self::acquire(core, LISTENER, &format!("Host.Functions.{function}.Listener")).await
    }

    /// Holds the lock that makes one of several hosts the primary one, until the host stops. Nothing
    /// here depends on who that is.
    pub(super) async fn be_primary(core: Arc<Core>) {
        while let Some(lock) = Self::acquire(&core, PRIMARY, "host").await {
            tokio::select! {
                () = lock.keep(&core) => {}
                () = core.stopped() => {}
            }
            lock.release(&core).await;
        }
    }

    async fn acquire(core: &Core, kind: Kind, name: &str) -> Option<Self> {
        let path = format!("locks/{}/{name}", core.options.host_id);
        let blob = core.account.blob(CONTAINER, &path);
        let mut looks = every(core.scale, kind.look);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = core.stopped() => return None,
            }
            match take(&blob, core.scale.real(kind.period)).await {
                Ok(Some(lease)) => {
                    let held = Self { kind, blob, lease };
                    core.held.lock().unwrap_or_else(PoisonError::into_inner).push(held.clone());
                    return Some(held);
                }
                Ok(None) => {}
                Err(error) => core.events().tell(Event::Trouble(error.to_string())),
            }
        }
    }

    /// Renews the lock until it is lost.
    pub(super) async fn keep(&self, core: &Core) {
        let mut renewals = every(core.scale, self.kind.renewal);
        // It was taken at this moment.
        renewals.tick().await;
        loop {
            renewals.tick().await;
            if let Err(error) = self.blob.renew_lease(&self.lease).await
                && error.status().is_some()
            {
                return core.events().tell(Event::Trouble(error.to_string()));
            }
        }
    }

    /// Gives the lock up.
    pub(super) async fn release(self, core: &Core) {
        // A lock lost in the meantime is somebody else's.
        let _ = self.blob.release_lease(&self.lease).await;
        core.held.lock().unwrap_or_else(PoisonError::into_inner).retain(|held| held.lease != self.lease);
    }

    /// What is left of a killed host's locks ends when the scaled period has passed; storage itself
    /// cannot count that fast.
    pub(super) async fn expire_all(mut held: Vec<Self>, scale: Scale) {
        held.sort_by_key(|lock| lock.kind.period);
        let killed = Instant::now();
        for lock in held {
            tokio::time::sleep_until(killed + scale.real(lock.kind.period)).await;
            // It may have ended by itself.
            let _ = lock.blob.release_lease(&lock.lease).await;
        }
    }
}

/// From now on at a fixed rate, however long storage takes, as .NET's timers are.
fn every(scale: Scale, nominal: Duration) -> Interval {
    let mut interval = tokio::time::interval(scale.real(nominal).max(LEAST));
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}

/// Looks first, so that a lock that is held costs no refusal (`BlobLeaseDistributedLockManager`).
async fn take(blob: &Blob, period: Duration) -> Result<Option<Lease>, StorageError> {
    let seconds = u8::try_from(period.as_secs()).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST);
    match blob.is_free().await {
        Ok(true) => blob.acquire_lease(seconds).await,
        Ok(false) => Ok(None),
        Err(error) if error.status() == Some(404) => {
            blob.write(b"").await?;
            blob.acquire_lease(seconds).await
        }
        Err(error) => Err(error),
    }
}
