//! The locks that let one host run a timer, and one be the primary host: blob leases, as the real host takes.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::clock::Scale;
use super::events::Event;
use super::lifecycle::Core;
use crate::azurite::{Blob, Lease, StorageError};

/// `listenerLockPeriod`: how long a lock outlives a killed host, and how often losers try (nominal).
const PERIOD: Duration = Duration::from_secs(60);

/// Where locks and status blobs are.
pub(super) const CONTAINER: &str = "azure-webjobs-hosts";

/// Storage leases blobs for 15 to 60 seconds.
const SHORTEST: u64 = 15;

/// A lock that is held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    blob: Blob,
    lease: Lease,
}

impl Held {
    /// Waits for the lock of `function`'s timer; `None` if the host stops first.
    pub(super) async fn of_timer(core: &Core, function: &str) -> Option<Self> {
        Self::acquire(core, &format!("Host.Functions.{function}.Listener")).await
    }

    /// Holds the lock that makes one of several hosts the primary one, until the host stops. Nothing
    /// here depends on who that is.
    pub(super) async fn be_primary(core: Arc<Core>) {
        while let Some(lock) = Self::acquire(&core, "host").await {
            tokio::select! {
                () = lock.keep(&core) => {}
                () = core.stopped() => {}
            }
            lock.release(&core).await;
        }
    }

    async fn acquire(core: &Core, name: &str) -> Option<Self> {
        let path = format!("locks/{}/{name}", core.options.host_id);
        let blob = core.account.blob(CONTAINER, &path);
        loop {
            match take(&blob, core.scale).await {
                Ok(Some(lease)) => {
                    let held = Self { blob, lease };
                    core.held.lock().unwrap_or_else(PoisonError::into_inner).push(held.clone());
                    return Some(held);
                }
                Ok(None) => {}
                Err(error) => core.events().tell(Event::Trouble(error.to_string())),
            }
            if !core.sleep(core.scale.real(PERIOD)).await {
                return None;
            }
        }
    }

    /// Renews the lock until it is lost.
    pub(super) async fn keep(&self, core: &Core) {
        loop {
            tokio::time::sleep(Duration::from_secs(SHORTEST) / 3).await;
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
    pub(super) async fn expire_all(held: Vec<Self>, scale: Scale) {
        if held.is_empty() {
            return;
        }
        tokio::time::sleep(scale.real(PERIOD)).await;
        for lock in held {
            // It may have ended by itself.
            let _ = lock.blob.release_lease(&lock.lease).await;
        }
    }
}

async fn take(blob: &Blob, scale: Scale) -> Result<Option<Lease>, StorageError> {
    let seconds = scale.real(PERIOD).as_secs().clamp(SHORTEST, PERIOD.as_secs());
    let seconds = u8::try_from(seconds).unwrap_or(60);
    match blob.acquire_lease(seconds).await {
        Err(error) if error.status() == Some(404) => {
            blob.write(b"").await?;
            blob.acquire_lease(seconds).await
        }
        taken => taken,
    }
}
