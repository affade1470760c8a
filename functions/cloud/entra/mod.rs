//! Tokens: who asks for them, where they come from, and how long they are kept.

mod failures;
mod readable;
mod secrets;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::cloud::Failure;
use crate::peering::{AppId, TenantId};

pub use source::EntraTokens;

/// As whom we act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The installation's managed identity itself.
    Installation,
    /// The application that peers, which proves itself as [`Credential`](crate::settings::Credential) says.
    Application(AppId),
}

/// A bearer token; prints no more than its expiry.
#[derive(Clone)]
pub struct Token {
    secret: SecretString,
    expires: Timestamp,
}

impl Token {
    /// A token good until an instant.
    pub fn new(secret: impl Into<String>, expires: Timestamp) -> Self {
        Self { secret: SecretString::from(secret.into()), expires }
    }

    /// The token itself, for a request's header and nothing else.
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// When it expires, by the wall clock.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Where tokens come from.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token of a tenant for a scope, good for some minutes at least. The installation's are of the home tenant always.
    ///
    /// # Errors
    /// Of [`Service::Entra`](crate::cloud::Service::Entra) with code `AADSTS<n>`, of [`Service::ManagedIdentity`](crate::cloud::Service::ManagedIdentity),
    /// or of [`Service::KeyVault`](crate::cloud::Service::KeyVault).
    async fn token(&self, identity: Identity, tenant: TenantId, scope: &str) -> Result<Token, Failure>;

    /// Has the next token be a new one: rights granted since the last one may show only there
    /// (ARM's AuthorizationFailed: "please refresh your credentials"). An application's password, if it has one, is read anew, too.
    fn forget(&self, identity: Identity, tenant: TenantId);
}
