//! The way to the emulated clouds without a network: a transport, and a source of tokens that the emulated Entra mints.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use emulator::clouds::{Answer, Check, Clouds, Service};
use functions::clock::Clock;
use functions::cloud::entra::{Identity, Token, TokenSource};
use functions::cloud::resolve::{Reach, Resolver, Unresolved};
use functions::cloud::{Failure, Service as Product};
use functions::peering::TenantId;
use serde_json::Value;

use super::clock::VirtualClock;
use super::moments::Moments;

/// What an application's client assertion must be for.
const EXCHANGE: &str = "api://AzureADTokenExchange";

tokio::task_local! {
    /// The function at work.
    pub static AT_WORK: &'static str;
}

/// An action that somebody was to be allowed, for a call of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The function; empty: none, the clouds by themselves.
    pub function: &'static str,
    /// What the clouds checked.
    pub check: Check,
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The function.
    pub function: &'static str,
    /// Whom it called.
    pub service: Service,
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
}

/// Calls the clouds as functions, at the virtual present.
#[derive(Clone)]
pub struct Wire {
    pub clouds: Clouds,
    pub clock: VirtualClock,
    pub moments: Arc<Moments>,
    /// What was checked for the calls until now.
    pub uses: Arc<Mutex<BTreeSet<Use>>>,
    /// The calls until now, each once.
    pub asked: Arc<Mutex<BTreeSet<Asked>>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    async fn call(
        &self,
        service: Service,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        self.moments.moment().await;
        self.clouds.world().hold_time(self.clock.now());
        // What the clouds did by themselves meanwhile is nobody's call.
        self.keep_uses("");
        let answer = self.clouds.call(service, method, target, headers, body);
        let function = AT_WORK.try_with(|name| *name).unwrap_or_default();
        self.keep_uses(function);
        let path = target.split('?').next().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().insert(Asked { function, service, method: method.to_owned(), path });
        answer
    }

    fn keep_uses(&self, function: &'static str) {
        let checks = self.clouds.take_checks();
        self.uses.lock().unwrap().extend(checks.into_iter().map(|check| Use { function, check }));
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let Body::Bytes(body) = request.body().clone() else { panic!("a streamed body") };
        let mut headers: Vec<(&str, &str)> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let settings = self.clouds.settings();
        let (service, target) = if url.path().starts_with("/metadata/identity") {
            // The production source of tokens takes the test for a virtual machine; the emulated platform is App Service.
            headers.push(("x-identity-header", &settings["IDENTITY_HEADER"]));
            (Service::Identity, format!("/msi/token?{}", url.query().unwrap_or_default()))
        } else if let Some(service) = self.clouds.service_of(url.as_str()) {
            let rest = &url.as_str()[url.as_str().find("://").unwrap() + 3..];
            (service, rest.find('/').map_or("/", |slash| &rest[slash..]).to_owned())
        } else {
            return Err(azure_core::Error::with_message(ErrorKind::Io, format!("nobody listens at {url}")));
        };
        let target = target.as_str();
        match self.call(service, request.method().as_str(), target, &headers, &body).await {
            Some(Answer { status, headers, body }) => {
                let mut all = Headers::new();
                headers.into_iter().for_each(|(name, value)| all.insert(name, value));
                Ok(AsyncRawResponse::from_bytes(status.into(), all, body))
            }
            None => Err(azure_core::Error::with_message(ErrorKind::Io, "connection reset by peer")),
        }
    }
}

/// Tokens, asked for each time: nothing is kept, so nothing stale is either.
#[async_trait]
impl TokenSource for Wire {
    async fn token(&self, identity: Identity, tenant: TenantId, scope: &str) -> Result<Token, Failure> {
        match identity {
            Identity::Installation => self.managed_identity(scope.trim_end_matches("/.default")).await,
            Identity::Application(app) => {
                let assertion = self.managed_identity(EXCHANGE).await?;
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", &app.to_string())
                    .append_pair("scope", scope)
                    .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                    .append_pair("client_assertion", assertion.secret())
                    .finish();
                let target = format!("/{tenant}/oauth2/v2.0/token");
                let headers = [("content-type", "application/x-www-form-urlencoded")];
                let answer = self.call(Service::Entra, "POST", &target, &headers, body.as_bytes()).await;
                self.read(Product::Entra, answer)
            }
        }
    }

    fn forget(&self, _: Identity, _: TenantId) {}
}

impl Wire {
    async fn managed_identity(&self, resource: &str) -> Result<Token, Failure> {
        let settings = self.clouds.settings();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("api-version", "2019-08-01")
            .append_pair("client_id", &settings["AZURE_CLIENT_ID"])
            .append_pair("resource", resource)
            .finish();
        let headers = [("x-identity-header", settings["IDENTITY_HEADER"].as_str())];
        let answer = self.call(Service::Identity, "GET", &format!("/msi/token?{query}"), &headers, b"").await;
        self.read(Product::ManagedIdentity, answer)
    }

    /// A token, or the failure as the production source words it.
    fn read(&self, service: Product, answer: Option<Answer>) -> Result<Token, Failure> {
        let status = answer.as_ref().map(|answer| answer.status);
        let body: Value = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
        if let Some(token) = body["access_token"].as_str() {
            return Ok(Token::new(token, self.clock.after(Duration::from_secs(3000))));
        }
        let code = body["error_codes"][0].as_i64().map(|number| format!("AADSTS{number}")).unwrap_or_default();
        let text = ["error_description", "message"].iter().find_map(|name| body[name].as_str());
        Err(Failure {
            service,
            call: "the token".into(),
            status,
            code,
            message: text.unwrap_or("no answer").to_owned(),
            retry_after: None,
            correlation: None,
            secret: None,
        })
    }
}

/// The network as a machine in the clouds sees it: a service takes connections from where a peering carries traffic, if its filter admits that.
#[async_trait]
impl Resolver for Wire {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Unresolved> {
        self.moments.moment().await;
        let found = self.clouds.world().resolve(host);
        let unknown = || Unresolved { host: host.to_owned(), why: "there is no such name".to_owned() };
        found.map(|all| all.into_iter().map(IpAddr::V4).collect()).ok_or_else(unknown)
    }

    async fn connect(&self, to: SocketAddr) -> Reach {
        self.moments.moment().await;
        let world = self.clouds.world();
        let Some(vnet) = world.app_settings.get("APP_VNET").and_then(|id| world.vnet(id)) else {
            return Reach::NoRoute;
        };
        let services = world.projects.iter().flat_map(|project| &project.services);
        let service = services.into_iter().find(|service| IpAddr::V4(service.address) == to.ip());
        let Some((service, vpc)) = service.and_then(|service| Some((service, service.vpc.as_deref()?))) else {
            return Reach::TimedOut;
        };
        let admitted = vnet.prefixes.iter().all(|prefix| service.admits(*prefix));
        let listens = service.components.iter().any(|component| component.port == to.port());
        match (admitted && world.traffic_flows(&vnet.id, vpc), listens) {
            (false, _) => Reach::TimedOut,
            (true, false) => Reach::Refused,
            (true, true) => Reach::Reached,
        }
    }
}
