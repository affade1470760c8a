//! What the connectivity check asks of the network: the addresses of a host name, and whether a TCP port answers.
//!
//! Nothing is sent over a connection, so no certificate matters and no service sees more than a connection opened and closed.

mod dns;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use tokio::net::TcpStream;

use crate::clock::Clock;

/// How long a look-up or a connection may take, on the wall clock: networks do not play time fast.
const BOUND: Duration = Duration::from_secs(3);

/// Why a name has no addresses: one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} does not resolve: {why}")]
pub struct Unresolved {
    /// The name.
    pub host: String,
    /// The resolver's words.
    pub why: String,
}

/// What came of opening a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It was opened.
    Reached,
    /// The address answered, and nothing listens there, or a firewall says so.
    Refused,
    /// Nothing answered: a firewall drops it, or the peering does not carry it.
    TimedOut,
    /// The machine knows no way there: it is not attached to such a network.
    NoRoute,
}

/// The network, as the machine sees it. Tests put their own in its place.
#[async_trait]
pub trait Resolver: Send + Sync + std::fmt::Debug {
    /// The addresses of a host name, at least one; of an address itself, just that.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved>;

    /// Opens a TCP connection and closes it.
    async fn connect(&self, to: SocketAddr) -> Reach;
}

/// The machine's own resolver and network.
#[derive(Debug, Clone)]
pub struct System {
    clock: Arc<dyn Clock>,
    server: Option<SocketAddr>,
}

impl System {
    /// With a DNS server in place of the system's resolver, if one is given: emulated clouds have names that no other server knows.
    pub fn new(clock: Arc<dyn Clock>, server: Option<SocketAddr>) -> Self {
        Self { clock, server }
    }

    async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match self.server {
            Some(server) => dns::look_up(server, host).await,
            None => Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()),
        }
    }
}

#[async_trait]
impl Resolver for System {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let why = match bounded(&*self.clock, self.look_up(host)).await {
            Some(Ok(mut addresses)) if !addresses.is_empty() => {
                // The system names an address once for each kind of socket.
                addresses.sort();
                addresses.dedup();
                return Ok(addresses);
            }
            Some(Ok(_)) => "it has no address".to_owned(),
            Some(Err(error)) => error.to_string(),
            None => format!("no answer came within {} s", BOUND.as_secs()),
        };
        Err(Unresolved { host: host.to_owned(), why })
    }

    async fn connect(&self, to: SocketAddr) -> Reach {
        match bounded(&*self.clock, TcpStream::connect(to)).await {
            Some(Ok(_)) => Reach::Reached,
            Some(Err(error)) => reach(error.kind()),
            None => Reach::TimedOut,
        }
    }
}

/// What an error of `connect` means. Whatever else a machine may say of its own network, it did not get there.
fn reach(error: ErrorKind) -> Reach {
    match error {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Reach::Refused,
        ErrorKind::TimedOut => Reach::TimedOut,
        _ => Reach::NoRoute,
    }
}

/// The output of a future, or nothing if the bound is over first.
async fn bounded<T>(clock: &dyn Clock, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(clock.sleep(clock.scale().nominal(BOUND)))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
