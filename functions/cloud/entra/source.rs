//! Tokens from Entra and from the managed-identity endpoint, through `azure_identity`.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::{ClientMethodOptions, ClientOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use jiff::Timestamp;

use super::readable::ReadableErrors;
use super::secrets::{Secrets, is_refused};
use super::{Identity, Token, TokenSource};
use crate::clock::Clock;
use crate::cloud::http::{Http, timed};
use crate::cloud::{Failure, Service};
use crate::peering::{AppId, TenantId};
use crate::settings::Credential;
use crate::settings::Endpoints;

/// What a managed identity's token must be for, to serve as an application's client assertion
/// (Entra: configure an app to trust a managed identity).
const EXCHANGE_SCOPE: &str = "api://AzureADTokenExchange/.default";

/// A token is renewed when it has less than this left, in nominal time (ARM wants auxiliary tokens fresh, too).
const MARGIN: Duration = Duration::from_secs(300);

/// How often a token is asked for again after a lost connection or a 5xx, and the pause before, in nominal time.
const RETRIES: u32 = 2;
const PAUSE: Duration = Duration::from_millis(300);

type Key = (Identity, TenantId, String);

/// A token as kept, and when to ask for the next.
#[derive(Debug, Clone)]
struct Kept {
    token: Token,
    renew: Timestamp,
}

/// One asks while the others wait for what it gets.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// Tokens from Entra, through `azure_identity`.
pub struct EntraTokens {
    authority: String,
    tenant: TenantId,
    client_id: AppId,
    transport: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<Key, Slot>>,
    /// The applications' passwords; `None`: they have none.
    secrets: Option<Secrets>,
}

impl fmt::Debug for EntraTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraTokens").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl EntraTokens {
    /// For the managed identity with the endpoints' client id, at the endpoints' authority.
    pub fn new(
        endpoints: &Endpoints,
        credential: Credential,
        transport: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let secrets = (credential == Credential::Secret).then(|| {
            let installation = Self::new(endpoints, Credential::Federated, transport.clone(), clock.clone());
            Secrets::new(endpoints, &Http::new(transport.clone(), clock.clone()), Arc::new(installation))
        });
        Self {
            secrets,
            authority: endpoints.entra.as_str().trim_end_matches('/').to_owned(),
            tenant: endpoints.tenant,
            client_id: endpoints.client_id,
            transport,
            clock,
            kept: Mutex::default(),
        }
    }

    fn slot(&self, key: &Key) -> Slot {
        // A panic while this was held left a map that is still whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default().clone()
    }

    async fn kept_or_new(&self, key: Key) -> Result<Token, Failure> {
        let slot = self.slot(&key);
        let mut slot = slot.lock().await;
        if let Some(kept) = slot.as_ref().filter(|kept| self.clock.now() < kept.renew) {
            return Ok(kept.token.clone());
        }
        match self.fresh(&key).await {
            Ok(token) => {
                *slot = Some(self.keep(&token));
                Ok(token)
            }
            // What is still good outlives a failed renewal.
            Err(failure) => match slot.as_ref().filter(|kept| self.clock.now() < kept.token.expires) {
                Some(kept) => Ok(kept.token.clone()),
                None => Err(failure),
            },
        }
    }

    fn keep(&self, token: &Token) -> Kept {
        // A short-lived token is not renewed at each use: a fifth of its life is margin enough then.
        let life = self.clock.until(token.expires);
        Kept { renew: self.clock.after(life.saturating_sub(MARGIN.min(life / 5))), token: token.clone() }
    }

    async fn fresh(&self, (identity, tenant, scope): &Key) -> Result<Token, Failure> {
        match identity {
            Identity::Installation => self.ask(&*self.managed_identity()?, Asked::managed_identity(scope)).await,
            Identity::Application(app) => match &self.secrets {
                None => self.by_assertion(*app, *tenant, scope).await,
                Some(secrets) => self.by_secret(secrets, *app, *tenant, scope).await,
            },
        }
    }

    async fn by_assertion(&self, app: AppId, tenant: TenantId, scope: &str) -> Result<Token, Failure> {
        let exchange = (Identity::Installation, self.tenant, EXCHANGE_SCOPE.to_owned());
        let assertion = Box::pin(self.kept_or_new(exchange)).await?;
        let credential = self.application(app, tenant, assertion.clone())?;
        self.ask(&*credential, Asked::entra(tenant, scope, assertion)).await
    }

    /// One that is refused is read anew: it may have been replaced since.
    async fn by_secret(&self, secrets: &Secrets, app: AppId, tenant: TenantId, scope: &str) -> Result<Token, Failure> {
        let secret = secrets.of(app).await?;
        let refused = match self.sign_in(app, tenant, scope, &secret).await {
            Err(failure) if is_refused(&failure) => failure,
            outcome => return outcome,
        };
        secrets.forget(Identity::Application(app));
        let newest = secrets.of(app).await?;
        if newest.secret() == secret.secret() { Err(refused) } else { self.sign_in(app, tenant, scope, &newest).await }
    }

    async fn sign_in(&self, app: AppId, tenant: TenantId, scope: &str, secret: &Token) -> Result<Token, Failure> {
        let options = ClientSecretCredentialOptions { client_options: self.client_options() };
        let asked = Asked::entra(tenant, scope, secret.clone());
        let password = Secret::new(secret.secret().to_owned());
        match ClientSecretCredential::new(&tenant.to_string(), app.to_string(), password, Some(options)) {
            Ok(credential) => self.ask(&*credential, asked).await,
            Err(error) => Err(asked.failure(&error, self.clock.now())),
        }
    }

    async fn ask(&self, credential: &dyn TokenCredential, asked: Asked) -> Result<Token, Failure> {
        let mut left = RETRIES;
        loop {
            let scopes = [asked.scope.as_str()];
            let failure = match timed(&*self.clock, pin!(credential.get_token(&scopes, None))).await {
                Some(Ok(token)) => return Ok(from_sdk(token)),
                Some(Err(error)) => asked.failure(&error, self.clock.now()),
                None => return Err(asked.unanswered("no answer came in time")),
            };
            let transient = failure.status.is_none_or(|status| status >= 500);
            if !transient || left == 0 {
                return Err(failure);
            }
            left -= 1;
            self.clock.sleep(PAUSE).await;
        }
    }

    /// Made anew each time, as the platform may change the endpoint's address and header when it restarts.
    fn managed_identity(&self) -> Result<Arc<ManagedIdentityCredential>, Failure> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: Some(UserAssignedId::ClientId(self.client_id.to_string())),
            client_options: self.client_options(),
        };
        let asked = || Asked::managed_identity("");
        ManagedIdentityCredential::new(Some(options)).map_err(|error| asked().failure(&error, self.clock.now()))
    }

    fn application(
        &self,
        app: AppId,
        tenant: TenantId,
        assertion: Token,
    ) -> Result<Arc<ClientAssertionCredential<Assertion>>, Failure> {
        let options = ClientAssertionCredentialOptions { client_options: self.client_options() };
        let asked = Asked::entra(tenant, "", assertion.clone());
        ClientAssertionCredential::new(tenant.to_string(), app.to_string(), Assertion(assertion), Some(options))
            .map_err(|error| asked.failure(&error, self.clock.now()))
    }

    fn client_options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        ClientOptions {
            per_try_policies: vec![Arc::new(ReadableErrors)],
            // The retries are ours: the SDK would sleep on the wall clock, and as long as `Retry-After` says.
            retry: RetryOptions::none(),
            transport: Some(Transport::new(self.transport.clone())),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        }
    }
}

#[async_trait]
impl TokenSource for EntraTokens {
    async fn token(&self, identity: Identity, tenant: TenantId, scope: &str) -> Result<Token, Failure> {
        let tenant = if identity == Identity::Installation { self.tenant } else { tenant };
        self.kept_or_new((identity, tenant, scope.to_owned())).await
    }

    fn forget(&self, identity: Identity, tenant: TenantId) {
        if let Some(secrets) = &self.secrets {
            secrets.forget(identity);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // An application's new token wants a new assertion, too (AADSTS700024: the old one may be what is wrong).
        kept.retain(|(whose, of, scope), _| match identity {
            Identity::Installation => *whose != identity,
            Identity::Application(_) => (*whose, *of) != (identity, tenant) && scope != EXCHANGE_SCOPE,
        });
    }
}

/// The managed identity's token, in the application's name.
#[derive(Debug)]
struct Assertion(Token);

#[async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.secret().to_owned())
    }
}

/// What is being asked of whom, for the failure it may end in.
pub(super) struct Asked {
    pub(super) service: Service,
    pub(super) call: String,
    scope: String,
    /// The assertion or the password, which no text may repeat.
    pub(super) proof: Option<Token>,
}

impl Asked {
    fn managed_identity(scope: &str) -> Self {
        let call = "GET the managed identity's token".to_owned();
        Self { service: Service::ManagedIdentity, call, scope: scope.to_owned(), proof: None }
    }

    fn entra(tenant: TenantId, scope: &str, proof: Token) -> Self {
        let call = format!("POST /{tenant}/oauth2/v2.0/token");
        Self { service: Service::Entra, call, scope: scope.to_owned(), proof: Some(proof) }
    }
}

fn from_sdk(token: AccessToken) -> Token {
    let expires = Timestamp::from_second(token.expires_on.unix_timestamp()).unwrap_or(Timestamp::MAX);
    Token::new(token.token.secret(), expires)
}
