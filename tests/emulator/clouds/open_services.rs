//! Services that really take TCP connections on this machine, to show that something is reachable.
//!
//! Linux answers for every address of 127.0.0.0/8, so a VPC with a range in there (`127.77.0.0/24`) has services whose
//! addresses are inside the VPC's range and reachable without any privilege. Elsewhere 127.0.0.1 alone is the machine's.

use super::{Clouds, clock};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A service that takes TCP connections until this is dropped.
pub struct OpenService {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl OpenService {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for OpenService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Clouds {
    /// Opens the endpoint of a service that has this host name: it listens at its own address, on a port that the API
    /// shows from then on.
    ///
    /// # Errors
    /// There is no such host, or its address is not one of this machine's.
    pub async fn open_service(&self, host: &str) -> io::Result<OpenService> {
        let found = self.world().resolve(host).and_then(|all| all.first().copied());
        let address = found.ok_or_else(|| io::Error::other(format!("no emulated service has the host name {host}")))?;
        if !address.is_loopback() {
            let text = format!("{address} is not this machine's: give the VPC a range in 127.0.0.0/8");
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, text));
        }
        let listener = TcpListener::bind((address, 0)).await?;
        let address = listener.local_addr()?;
        let mut world = self.world();
        let services = world.projects.iter_mut().flat_map(|p| &mut p.services);
        for component in services.flat_map(|s| &mut s.components).filter(|c| c.host.eq_ignore_ascii_case(host)) {
            component.port = address.port();
        }
        drop(world);
        let accepted = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(accept(listener, Arc::clone(&accepted))).abort_handle();
        Ok(OpenService { address, accepted, task })
    }
}

/// Takes every connection and closes it: that it was taken is all that a probe wants to know.
async fn accept(listener: TcpListener, accepted: Arc<AtomicUsize>) {
    loop {
        match listener.accept().await {
            Ok(_) => drop(accepted.fetch_add(1, Ordering::SeqCst)),
            Err(_) => clock::sleep(Duration::from_millis(20)).await,
        }
    }
}
