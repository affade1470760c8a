//! The applications' passwords, from Key Vault, kept in memory until one is refused or forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{EntraTokens, Identity, Token, TokenSource};
use crate::cloud::http::Http;
use crate::cloud::key_vault::{KeyVault, secret_name};
use crate::cloud::{Failure, Service};
use crate::peering::{AppId, TenantId};
use crate::settings::Endpoints;

/// Entra's refusals of a password: wrong or too new, and expired.
const REFUSED: [&str; 2] = ["AADSTS7000215", "AADSTS7000222"];

/// Whether a failure says that the password is not good, so that there may be a newer one.
pub(super) fn is_refused(failure: &Failure) -> bool {
    failure.service == Service::Entra && REFUSED.contains(&failure.code.as_str())
}

/// Where the passwords come from.
pub(super) struct Secrets {
    tenant: TenantId,
    vault: Option<KeyVault>,
    /// The vault's own tokens: the managed identity's, which need no password.
    installation: Arc<EntraTokens>,
    kept: Mutex<HashMap<AppId, Token>>,
}

impl Secrets {
    /// From the endpoints' vault, as the managed identity whose tokens these are.
    pub(super) fn new(endpoints: &Endpoints, http: &Http, installation: Arc<EntraTokens>) -> Self {
        let client = |vault| KeyVault::new(vault, endpoints.tenant, http.clone(), installation.clone());
        let vault = endpoints.key_vault.as_ref().map(client);
        Self { tenant: endpoints.tenant, vault, installation, kept: Mutex::default() }
    }

    /// An application's password, as kept or else as the vault has it now.
    pub(super) async fn of(&self, app: AppId) -> Result<Token, Failure> {
        if let Some(kept) = self.kept().get(&app) {
            return Ok(kept.clone());
        }
        let name = secret_name(app);
        let Some(vault) = &self.vault else { return Err(missing(&name, "KEY_VAULT_URL names no vault")) };
        let found = vault.secret(&name).await?.ok_or_else(|| missing(&name, "the vault has no secret of that name"))?;
        // Its own end is Entra's to judge.
        let secret = Token::new(found.value.expose_secret(), Timestamp::MAX);
        self.kept().insert(app, secret.clone());
        Ok(secret)
    }

    /// Has the next password be read from the vault.
    pub(super) fn forget(&self, identity: Identity) {
        match identity {
            Identity::Installation => self.installation.forget(identity, self.tenant),
            Identity::Application(app) => drop(self.kept().remove(&app)),
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<AppId, Token>> {
        // A panic while this was held left a map that is still whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(name: &str, why: &str) -> Failure {
    Failure {
        service: Service::KeyVault,
        call: format!("GET /secrets/{name}").into(),
        status: Some(404),
        code: "SecretNotFound".to_owned(),
        message: why.to_owned(),
        retry_after: None,
        correlation: None,
        secret: None,
    }
}
