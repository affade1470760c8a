//! Opens the storage account that the settings name.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};

use super::Storage;
use super::attempt::Attempts;
use super::connection::{Access, Connection, ConnectionError};
use super::queues::AzureQueues;
use super::shared_key::{Dialect, SharedKey};
use super::tables::AzureTables;
use crate::clock::Clock;

/// What a token for storage is for, tables and queues alike.
const SCOPE: &str = "https://storage.azure.com/.default";

impl Storage {
    /// Opens an account over a transport. No request is made yet.
    ///
    /// `credential` is used where the connection is by identity; without one it is the app's managed identity.
    ///
    /// # Errors
    /// The managed identity cannot be used here.
    pub fn open(
        connection: &Connection,
        credential: Option<Arc<dyn TokenCredential>>,
        transport: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectionError> {
        // azure_core's retries are off: see `attempt`.
        let options = || ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(transport.clone())),
            ..ClientOptions::default()
        };
        let attempts = Attempts::new(clock.clone());
        let (table_url, queue_url) = (connection.table_url.clone(), connection.queue_url.clone());
        let mut queue_options = options();
        let (authorization, credential): (Arc<dyn Policy>, _) = match &connection.access {
            Access::Key { account, key } => {
                let sign =
                    |dialect| SharedKey { account: account.clone(), key: key.clone(), dialect, clock: clock.clone() };
                queue_options.per_try_policies.push(Arc::new(sign(Dialect::Queue)));
                (Arc::new(sign(Dialect::Table)), None)
            }
            Access::Identity { client_id } => {
                let credential = credential.map_or_else(|| managed_identity(client_id.clone(), options()), Ok)?;
                (Arc::new(BearerTokenAuthorizationPolicy::new(credential.clone(), vec![SCOPE])), Some(credential))
            }
        };
        let tables = AzureTables::new(table_url, options(), authorization, attempts.clone());
        let queues = AzureQueues::new(queue_url, queue_options, credential, attempts);
        Ok(Self::new(Arc::new(tables), Arc::new(queues)))
    }
}

/// The identity that the platform gave the app. Its endpoint is local, so a few quick retries are enough.
fn managed_identity(
    client_id: Option<String>,
    options: ClientOptions,
) -> Result<Arc<dyn TokenCredential>, ConnectionError> {
    let retry =
        RetryOptions::exponential(ExponentialRetryOptions { max_retries: 2, ..ExponentialRetryOptions::default() });
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client_id.map(UserAssignedId::ClientId),
        client_options: ClientOptions { retry, ..options },
    };
    let credential = ManagedIdentityCredential::new(Some(options)).map_err(|error| ConnectionError {
        setting: "AzureWebJobsStorage__clientId".to_owned(),
        reason: format!("cannot be used: {error}"),
    })?;
    Ok(credential)
}
