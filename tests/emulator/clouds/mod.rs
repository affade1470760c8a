//! The emulated clouds: Aiven, Entra, Microsoft Graph, Azure Resource Manager, Key Vault and the managed-identity endpoint.
//!
//! One process, one [`World`], six servers on 127.0.0.1, TLS with a CA of their own (the identity endpoint is plain
//! HTTP, as App Service's is; names are resolved by plain DNS). They are state machines: tokens belong to tenants and audiences, permissions are
//! enforced, what is new is seen late, operations take time, Aiven works on its own clock. A test starts them with
//! [`Clouds::start`], sets the scene in [`Clouds::world`], and makes trouble with [`Clouds::fault`].
//!
//! Time: delays in [`Lags`] are nominal and divided by the time scale. What is put on the wire as a *delay*
//! (`Retry-After`, Aiven's "try again in Ns") is nominal too, for clients that scale their delays alike; what is put
//! there as a *moment* (`createdOn`, `exp`, `expires_on`) and a token's `expires_in` are real.
//!
//! - `world/`: the state, its builders, its upsets        - `faults/`: trouble with single calls, by name too
//! - `entra`, `identity_endpoint`, `tokens`: who is who    - `graph/`: the directory
//! - `arm/`: subscriptions, roles, networks, peerings      - `aiven/`: its API, and the platform behind it
//! - `key_vault/`: one vault's secrets
//! - `server`, `tls`, `http`, `in_process`: transport      - `calls`: the record; `clock`, `lags`: time
//! - `dns`, `open_services`: how services are found and reached

mod aiven;
mod arm;
mod calls;
mod clock;
mod dns;
mod entra;
mod faults;
mod graph;
mod http;
mod identity_endpoint;
mod in_process;
mod key_vault;
mod lags;
mod open_services;
mod server;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
mod world;

pub use arm::conditions::{Condition, Malformed};
pub use arm::roles;
pub use calls::{Call, Service};
pub use faults::Fault;
pub use in_process::Answer;
pub use lags::Lags;
pub use open_services::OpenService;
pub use world::{
    AIVEN_APPLICATION, Admitted, AivenService, AivenVpc, Application, AssignedRole, Change, Check, Component,
    Connection, DelegatedRoles, Delegation, Deleted, DeletedObject, Directory, FederatedCredential, LeastPrivilege,
    Operation, OperationKind, OperationState, Organization, Owner, Pair, Password, PasswordPolicy, Peering, Project,
    RoleDefinition, Secret, SecretVersion, ServicePrincipal, Stalled, Subscription, Upsets, Urls, Vault, Vnet, World,
    differences,
};

use faults::{Faults, Kind};
use server::{Shared, lock};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// How to start the clouds.
#[derive(Clone)]
pub struct Options {
    /// Every nominal delay is divided by it; at least 1.
    pub time_scale: f64,
    /// A directory that exists, for the CA's certificate.
    pub dir: PathBuf,
    /// How long things take.
    pub lags: Lags,
    /// The one token that Aiven accepts.
    pub aiven_token: String,
    /// Fixed ports, or 0 for any free one.
    pub ports: Ports,
}

/// Ports on 127.0.0.1; 0 = any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Aiven's.
    pub aiven: u16,
    /// Entra's.
    pub entra: u16,
    /// Graph's.
    pub graph: u16,
    /// ARM's.
    pub arm: u16,
    /// The managed-identity endpoint's.
    pub identity: u16,
    /// Key Vault's.
    pub key_vault: u16,
    /// The name server's, UDP.
    pub dns: u16,
}

impl Options {
    /// Documented lags at the given scale, any ports.
    pub fn new(dir: impl Into<PathBuf>, time_scale: f64) -> Self {
        Self {
            time_scale,
            dir: dir.into(),
            lags: Lags::documented(),
            aiven_token: "emulated-aiven-token".to_owned(),
            ports: Ports::default(),
        }
    }

    /// No lags at all.
    pub fn instant(dir: impl Into<PathBuf>) -> Self {
        Self { lags: Lags::none(), ..Self::new(dir, 1.0) }
    }
}

/// Why the clouds did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port is taken or the directory cannot be written.
    #[error("the emulated clouds could not start ({0}): free the port, or give a directory that can be written")]
    Io(#[from] std::io::Error),
    /// The CA or the server certificate could not be made.
    #[error("the emulated clouds could not make their certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS configuration was refused.
    #[error("the emulated clouds could not set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// The running clouds; a clone is another handle on the same. They end with the last handle.
#[derive(Clone)]
pub struct Clouds {
    shared: Arc<Shared>,
    certificate: PathBuf,
    name_server: Option<SocketAddr>,
    _tasks: Arc<Tasks>,
}

struct Tasks(Vec<AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl Clouds {
    /// Starts the servers and Aiven's clock.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (tls, certificate) = tls::make(&options.dir)?;
        let world = World::new(options.time_scale, options.lags, options.aiven_token);
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            faults: Mutex::new(Faults::default()),
            calls: Mutex::new(Vec::new()),
            bodies: AtomicBool::new(false),
        });
        let ports = options.ports;
        let mut tasks = Vec::new();
        let aiven = listen(&shared, Service::Aiven, ports.aiven, Some(&tls), &mut tasks).await?;
        let entra = listen(&shared, Service::Entra, ports.entra, Some(&tls), &mut tasks).await?;
        let graph = listen(&shared, Service::Graph, ports.graph, Some(&tls), &mut tasks).await?;
        let arm = listen(&shared, Service::Arm, ports.arm, Some(&tls), &mut tasks).await?;
        let identity = listen(&shared, Service::Identity, ports.identity, None, &mut tasks).await?;
        let key_vault = listen(&shared, Service::KeyVault, ports.key_vault, Some(&tls), &mut tasks).await?;
        let identity = format!("{identity}/msi/token");
        lock(&shared.world).urls = Urls { aiven, entra, graph, arm, identity, key_vault };
        let names = UdpSocket::bind(("127.0.0.1", ports.dns)).await?;
        let name_server = Some(names.local_addr()?);
        tasks.push(tokio::spawn(dns::serve(Arc::clone(&shared), names)).abort_handle());
        tasks.push(tokio::spawn(tick(Arc::clone(&shared))).abort_handle());
        Ok(Self { shared, certificate, name_server, _tasks: Arc::new(Tasks(tasks)) })
    }

    /// The settings of a function app that lives in these clouds.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let world = self.world();
        let urls = &world.urls;
        [
            ("AIVEN_API_URL", urls.aiven.clone()),
            ("AIVEN_TOKEN", world.aiven_tokens.first().cloned().unwrap_or_default()),
            ("ENTRA_URL", urls.entra.clone()),
            ("GRAPH_URL", urls.graph.clone()),
            ("ARM_URL", urls.arm.clone()),
            ("KEY_VAULT_URL", urls.key_vault.clone()),
            ("AZURE_TENANT_ID", world.home_tenant.clone()),
            ("AZURE_CLIENT_ID", world.identity_client_id.clone()),
            ("AZURE_PRINCIPAL_ID", world.identity_principal_id.clone()),
            ("IDENTITY_ENDPOINT", urls.identity.clone()),
            ("IDENTITY_HEADER", world.identity_header.clone()),
            ("SSL_CERT_FILE", self.certificate.display().to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(self.name_server.map(|server| ("DNS_SERVER".to_owned(), server.to_string())))
        .chain(world.app_settings.clone())
        .collect()
    }

    /// Where the hosts of Aiven's services are resolved, by DNS over UDP; none in process, where [`World::resolve`] is.
    pub fn name_server(&self) -> Option<SocketAddr> {
        self.name_server
    }

    /// The state of both clouds, brought to the present. Do not hold it across an `await` (no call is answered
    /// meanwhile), nor ask for it, `settings` or a world fault twice in one statement.
    ///
    /// # Panics
    /// When somebody holds it for ten seconds: a panic names the mistake, a deadlock would not.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = server::lock_or_panic(&self.shared.world);
        world.advance();
        world
    }

    /// Makes trouble: a fault of calls waits for its call, a change of the world is made at once.
    pub fn fault(&self, fault: Fault) {
        match fault.kind {
            Kind::Call(call) => lock(&self.shared.faults).add(call),
            Kind::World(change) => change(&mut self.world()),
        }
    }

    /// Takes all faults of calls away.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// How many faults of calls still wait to strike: 0 proves that the ones given did.
    pub fn faults_left(&self) -> usize {
        lock(&self.shared.faults).standing()
    }

    /// Every request so far, in the order of the answers.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// [`World::take_checks`], without bringing the world to the present before.
    pub fn take_checks(&self) -> Vec<Check> {
        lock(&self.shared.world).take_checks()
    }

    /// How many requests each service has had.
    pub fn calls_by_service(&self) -> BTreeMap<Service, usize> {
        let mut counts = BTreeMap::new();
        for call in lock(&self.shared.calls).iter() {
            *counts.entry(call.service).or_default() += 1;
        }
        counts
    }

    /// From now on requests are recorded with their bodies (not those to token services, which are credentials).
    pub fn record_bodies(&self) {
        self.shared.bodies.store(true, Ordering::Relaxed);
    }

    /// Forgets the requests so far.
    pub fn reset_calls(&self) {
        lock(&self.shared.calls).clear();
    }

    /// Every token minted so far, for a test that none of them leaks.
    pub fn tokens_minted(&self) -> Vec<String> {
        lock(&self.shared.world).tokens.all()
    }

    /// The text of every password of an application made so far, for the same test.
    pub fn passwords_made(&self) -> Vec<String> {
        lock(&self.shared.world).secrets_made.clone()
    }
}

/// Binds a port, serves the service there, and returns its URL without a trailing slash.
async fn listen(
    shared: &Arc<Shared>,
    service: Service,
    port: u16,
    tls: Option<&TlsAcceptor>,
    tasks: &mut Vec<AbortHandle>,
) -> Result<String, Error> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tasks.push(tokio::spawn(server::serve(Arc::clone(shared), service, listener, tls.cloned())).abort_handle());
    Ok(format!("{scheme}://{address}"))
}

/// Time passes in the clouds also while nobody calls.
async fn tick(shared: Arc<Shared>) {
    loop {
        clock::sleep(Duration::from_millis(20)).await;
        lock(&shared.world).advance();
    }
}
