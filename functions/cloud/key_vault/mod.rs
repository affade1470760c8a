//! Key Vault: the secrets of one vault. It keeps Aiven's token and, with `CREDENTIAL=secret`, the application's password.
//!
//! It acts as the managed identity. No value is ever in a text: bodies are read field by field, as what reads a whole body
//! quotes in its error what it did not expect.
//!
//! The official crate, azure_security_keyvault_secrets 1.0, is not used: it takes our transport and no retries, but it keeps tokens by the
//! machine's clock, out of reach of [`TokenSource::forget`], sends each client's first request without a token, and its errors quote bodies.

mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use azure_core::http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::Url;

use self::wire::{attributes, read, said};
use super::entra::{Identity, Token, TokenSource};
use super::http::{Call, Http, Reply, address, code, default_scope};
use crate::cloud::{Failure, Service};
use crate::peering::{AppId, TenantId};

/// API version (`api-version`): az's default.
const VERSION: &str = "7.4";

/// The most pages of versions that are read.
const MOST_PAGES: usize = 20;

/// Name of the secret that holds an application's password.
pub fn secret_name(app: AppId) -> String {
    format!("application-{app}")
}

/// What is known of a version of a secret, but its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Which of the secret's versions.
    pub version: String,
    /// Whether its value can be read.
    pub enabled: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its owner says it expires; Key Vault gives it out afterwards, too.
    pub expires: Option<Timestamp>,
    /// Labels.
    pub tags: BTreeMap<String, String>,
}

/// A version of a secret, with its value.
#[derive(Clone)]
pub struct Secret {
    /// The value.
    pub value: SecretString,
    /// What is known of it.
    pub about: Version,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("about", &self.about).finish_non_exhaustive()
    }
}

/// The client of one vault.
#[derive(Debug, Clone)]
pub struct KeyVault {
    http: Http,
    tokens: Arc<dyn TokenSource>,
    tenant: TenantId,
    base: Url,
    scope: String,
}

impl KeyVault {
    /// For a vault, `https://<name>.vault.azure.net` in the public cloud, of the home tenant.
    pub fn new(vault: &Url, tenant: TenantId, http: Http, tokens: Arc<dyn TokenSource>) -> Self {
        Self { http, tokens, tenant, base: vault.clone(), scope: scope(vault) }
    }

    /// The newest version of a secret; `None` if there is no such secret, or it is deleted.
    ///
    /// # Errors
    /// Also 403 `SecretDisabled`: its newest version is switched off.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, Failure> {
        self.read(&["secrets", name]).await
    }

    /// A version of a secret; `None` if there is no such version or secret, or it is deleted.
    ///
    /// # Errors
    /// Also 403 `SecretDisabled`: it is switched off.
    pub async fn version(&self, name: &str, version: &str) -> Result<Option<Secret>, Failure> {
        self.read(&["secrets", name, version]).await
    }

    async fn read(&self, path: &[&str]) -> Result<Option<Secret>, Failure> {
        let call = self.call(Method::Get, self.address(path)).await?;
        match self.http.exchange(&call, said).await {
            Ok(reply) => secret(&call, &reply).map(Some),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Adds a version, the newest from then on; older ones stay. Doing it twice adds two of the same value, which is no harm.
    pub async fn set_secret(
        &self,
        name: &str,
        value: &SecretString,
        expires: Option<Timestamp>,
        tags: &BTreeMap<String, String>,
    ) -> Result<Version, Failure> {
        let mut body = json!({ "value": value.expose_secret(), "attributes": { "enabled": true }, "tags": tags });
        if let Some(expires) = expires {
            body["attributes"]["exp"] = json!(expires.as_second());
        }
        let hidden = Token::new(value.expose_secret(), Timestamp::MAX);
        let call = self.call(Method::Put, self.address(&["secrets", name])).await?.json(&body).hiding(hidden);
        let reply = self.http.exchange(&call, said).await?;
        attributes(&reply.value()).ok_or_else(|| unreadable(&call, &reply))
    }

    /// All versions of a secret, in no order; empty if there is no such secret.
    pub async fn versions(&self, name: &str) -> Result<Vec<Version>, Failure> {
        let mut versions = Vec::new();
        let mut next = Some(self.address(&["secrets", name, "versions"]));
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else { break };
            let call = self.call(Method::Get, url).await?;
            let page = match self.http.exchange(&call, said).await {
                Ok(reply) => reply.value(),
                Err(failure) if failure.is_not_found() => return Ok(Vec::new()),
                Err(failure) => return Err(failure),
            };
            versions.extend(page["value"].as_array().into_iter().flatten().filter_map(attributes));
            next = match page["nextLink"].as_str().filter(|link| !link.is_empty()) {
                Some(link) => Some(own(&self.base, &call, link)?),
                None => None,
            };
        }
        Ok(versions)
    }

    fn address(&self, segments: &[&str]) -> Url {
        let mut url = address(&self.base, segments.iter().copied());
        url.query_pairs_mut().append_pair("api-version", VERSION);
        url
    }

    async fn call(&self, method: Method, url: Url) -> Result<Call, Failure> {
        let token = self.tokens.token(Identity::Installation, self.tenant, &self.scope).await?;
        Ok(Call::new(Service::KeyVault, method, url)
            .token("authorization", "Bearer", token)
            .request_id("x-ms-client-request-id"))
    }
}

/// What a token must be for. Every vault of a cloud has the cloud's audience, `https://vault.azure.net`, not its own address; what is
/// no vault's address is its own.
fn scope(vault: &Url) -> String {
    let host = vault.host_str().unwrap_or_default();
    match host.split_once('.') {
        Some((_, suffix)) if suffix.starts_with("vault.") => format!("https://{suffix}/.default"),
        _ => default_scope(vault),
    }
}

/// An address that the vault gave us, if it is the vault's: a token sent elsewhere would be given away.
fn own(base: &Url, call: &Call, link: &str) -> Result<Url, Failure> {
    Url::parse(link).ok().filter(|url| url.origin() == base.origin()).ok_or_else(|| {
        call.failure(None, code::FOREIGN_ADDRESS, "its next page is not at the vault, so no token was sent there")
    })
}

fn secret(call: &Call, reply: &Reply) -> Result<Secret, Failure> {
    read(&reply.value()).ok_or_else(|| unreadable(call, reply))
}

fn unreadable(call: &Call, reply: &Reply) -> Failure {
    call.failure(Some(reply.status), code::UNREADABLE, "the answer shows no value or no id of a version")
}

#[cfg(test)]
mod tests;
