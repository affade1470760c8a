//! The vault's secret as it is now.
//!
//! It is read when it is first needed, again after some minutes, and at once when Aiven refuses what it held. So a first token and a
//! rotation take effect without a restart, and the old token may be revoked as soon as the new one is in the vault. A token that Aiven
//! refuses and a vault that does not answer cost one read in [`PAUSE`], however many calls there are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use tracing::warn;

use super::unreadable;
use crate::clock::Clock;
use crate::cloud::entra::{Identity, Token, TokenSource};
use crate::cloud::http::Http;
use crate::cloud::key_vault::KeyVault;
use crate::cloud::{Failure, SecretName, Service};
use crate::peering::TenantId;
use crate::settings::SecretUrl;

/// How long a token is used before the secret is read again. Nominal.
const GOOD_FOR: Duration = Duration::from_secs(5 * 60);
/// Reads that brought nothing new are at least this far apart. Nominal.
const PAUSE: Duration = Duration::from_secs(10);

/// A token in a vault, and what was last seen of it.
pub(in crate::cloud::aiven) struct InVault {
    secret: SecretUrl,
    vault: KeyVault,
    tokens: Arc<dyn TokenSource>,
    tenant: TenantId,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
    /// Held while the secret is read: one reads, and the others take what it got.
    reading: tokio::sync::Mutex<()>,
}

/// What was last seen of the secret.
#[derive(Clone, Default)]
struct Seen {
    /// When it was last asked for.
    at: Option<Timestamp>,
    /// The token that it held.
    token: Option<Token>,
    /// Whether Aiven refused that token, and the secret has held no other since.
    refused: bool,
    /// Why it could not be read, if the last read failed.
    failure: Option<Failure>,
}

impl InVault {
    pub(super) fn new(secret: SecretUrl, tenant: TenantId, http: &Http, tokens: Arc<dyn TokenSource>) -> Self {
        Self {
            vault: KeyVault::new(&secret.vault, tenant, http.clone(), tokens.clone()),
            secret,
            tokens,
            tenant,
            clock: http.clock().clone(),
            seen: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// See [`super::AivenTokens::current`].
    pub(super) async fn current(&self) -> Result<Token, Failure> {
        let seen = self.seen().clone();
        if let Some(answer) = self.known(&seen) {
            return answer;
        }
        let _reading = match (self.reading.try_lock(), seen.token) {
            (Ok(reading), _) => reading,
            // Somebody reads it already, and what was good a moment ago will do until then.
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => self.reading.lock().await,
        };
        let seen = self.seen().clone();
        match self.known(&seen) {
            Some(answer) => answer,
            None => self.read().await,
        }
    }

    /// See [`super::AivenTokens::instead_of`].
    pub(super) async fn instead_of(&self, refused: &Token) -> Option<Token> {
        let _reading = self.reading.lock().await;
        let seen = self.seen().clone();
        let is_recent = seen.at.is_some_and(|at| self.clock.since(at) < PAUSE);
        match seen.token {
            Some(other) if !is_same(&other, refused) => return Some(other),
            Some(_) if seen.refused && is_recent => return None,
            None if is_recent => return None,
            _ => {}
        }
        self.seen().refused = true;
        self.read().await.ok().filter(|newest| !is_same(newest, refused))
    }

    /// What needs no read: a token read lately, or the outcome of a read just now.
    fn known(&self, seen: &Seen) -> Option<Result<Token, Failure>> {
        let age = self.clock.since(seen.at?);
        let limit = if seen.failure.is_some() { PAUSE } else { GOOD_FOR };
        let answer = seen.token.clone().map(Ok).or_else(|| seen.failure.clone().map(Err));
        answer.filter(|_| age < limit)
    }

    /// Reads the secret. A token that was good outlives a vault that does not answer, but not a secret that is gone.
    async fn read(&self) -> Result<Token, Failure> {
        let outcome = self.ask().await;
        let mut seen = self.seen();
        seen.at = Some(self.clock.now());
        match outcome {
            Ok(token) => {
                seen.refused &= seen.token.as_ref().is_some_and(|before| is_same(before, &token));
                (seen.token, seen.failure) = (Some(token.clone()), None);
                Ok(token)
            }
            Err(failure) => {
                if is_gone(&failure) {
                    seen.token = None;
                } else if seen.token.is_some() && seen.failure.is_none() {
                    warn!(code = failure.code, "the last one is used meanwhile: {failure}");
                }
                seen.failure = Some(failure.clone());
                seen.token.clone().ok_or(failure)
            }
        }
    }

    async fn ask(&self) -> Result<Token, Failure> {
        let SecretUrl { name, version, .. } = &self.secret;
        let found = match version {
            None => self.vault.secret(name).await,
            Some(version) => self.vault.version(name, version).await,
        };
        let found = found.map_err(|failure| self.failed(&failure))?;
        let found = found.ok_or_else(|| self.unreadable("SecretNotFound", "the vault has no such secret"))?;
        match found.value.expose_secret().trim() {
            "" => Err(self.unreadable("SecretEmpty", "the secret is empty")),
            text if text.chars().any(|c| c.is_whitespace() || c.is_control()) => {
                Err(self
                    .unreadable("SecretUnusable", "the secret holds blanks or control characters, which no token does"))
            }
            text => Ok(Token::new(text, Timestamp::MAX)),
        }
    }

    /// The vault, or our identity, does not let us read it.
    fn failed(&self, failure: &Failure) -> Failure {
        if (failure.service, failure.status) == (Service::KeyVault, Some(401)) {
            self.tokens.forget(Identity::Installation, self.tenant);
        }
        let Failure { service, status, code, retry_after, correlation, .. } = failure.clone();
        let code = match service {
            Service::ManagedIdentity => "ManagedIdentity".to_owned(),
            _ if code.is_empty() => status.map_or_else(|| "Unanswered".to_owned(), |status| status.to_string()),
            _ => code,
        };
        Failure { status, retry_after, correlation, ..self.unreadable(&code, &failure.to_string()) }
    }

    fn unreadable(&self, code: &str, why: &str) -> Failure {
        Failure { secret: Some(Box::new(self.name())), ..unreadable(code, why) }
    }

    pub(super) fn name(&self) -> SecretName {
        let host = self.secret.vault.host_str().unwrap_or_default();
        let vault = host.strip_suffix(".vault.azure.net").unwrap_or(host).to_owned();
        SecretName { vault, name: self.secret.name.clone() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A panic while this was held left it whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(one: &Token, other: &Token) -> bool {
    one.secret() == other.secret()
}

/// Whether the vault says that there is no token, as somebody deleted, disabled or emptied the secret.
fn is_gone(failure: &Failure) -> bool {
    ["SecretNotFound", "SecretDisabled", "SecretEmpty", "SecretUnusable"].contains(&failure.code.as_str())
}
