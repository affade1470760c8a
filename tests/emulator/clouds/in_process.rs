//! The clouds without a network: for a simulator that owns time and calls them as functions.

use super::calls::Service;
use super::faults::Faults;
use super::http::Request;
use super::server::{Shared, lock};
use super::world::World;
use super::{Clouds, Options, Tasks, Urls};
use axum::body::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// An answer of the clouds called in process.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers; none of them carries a secret.
    pub headers: Vec<(String, String)>,
    /// Body, JSON or empty.
    pub body: Vec<u8>,
}

impl Clouds {
    /// Clouds with neither servers nor a clock that ticks: things happen when they are called, or when
    /// [`Clouds::world`] is. `Options::dir` and `Options::ports` are not used. Time: [`World::hold_time`].
    pub fn in_process(options: Options) -> Self {
        let mut world = World::new(options.time_scale, options.lags, options.aiven_token);
        let url = |name: &str| format!("https://{name}.emulated");
        world.urls = Urls {
            aiven: url("aiven"),
            entra: url("entra"),
            graph: url("graph"),
            arm: url("arm"),
            identity: "http://identity.emulated/msi/token".to_owned(),
            key_vault: "https://vault.vault.azure.net".to_owned(),
        };
        let shared = Shared {
            world: Mutex::new(world),
            faults: Mutex::new(Faults::default()),
            calls: Mutex::new(Vec::new()),
            bodies: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
            certificate: options.dir,
            name_server: None,
            _tasks: Arc::new(Tasks(Vec::new())),
        }
    }

    /// The service that a URL of `settings()` belongs to.
    pub fn service_of(&self, url: &str) -> Option<Service> {
        let world = lock(&self.shared.world);
        let urls = &world.urls;
        let known = [
            (&urls.aiven, Service::Aiven),
            (&urls.entra, Service::Entra),
            (&urls.graph, Service::Graph),
            (&urls.arm, Service::Arm),
            (&urls.identity, Service::Identity),
            (&urls.key_vault, Service::KeyVault),
        ];
        known.into_iter().find(|(base, _)| url.starts_with(base.as_str())).map(|(_, service)| service)
    }

    /// Answers one call, `target` being its path and query; none when a fault cuts the connection. A fault that
    /// delays has no effect here: the caller owns time.
    pub fn call(
        &self,
        service: Service,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
        let request = Request::new(method, target, map, Bytes::copy_from_slice(body));
        let struck = lock(&self.shared.faults).before(service, &request);
        let reply = self.shared.answer(service, &request, struck).ok()?;
        let body = reply.body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        Some(Answer { status: reply.status, headers: reply.headers, body })
    }
}
