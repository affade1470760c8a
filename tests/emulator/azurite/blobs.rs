//! Blobs: what the timers' status and locks need: read, write, lease.

use reqwest::Method;

use super::client::{Account, Answer, Call, StorageError};

/// A block blob by container and path.
#[derive(Debug, Clone)]
pub struct Blob {
    account: Account,
    container: String,
    path: String,
}

/// A held lease of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease(String);

impl Account {
    /// A blob of this account; nothing is asked of storage.
    #[must_use]
    pub fn blob(&self, container: &str, path: &str) -> Blob {
        Blob { account: self.clone(), container: container.to_owned(), path: path.to_owned() }
    }
}

impl Blob {
    /// Its content, if it exists.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn read(&self) -> Result<Option<Vec<u8>>, StorageError> {
        match self.call(Method::GET, Vec::new(), Vec::new(), Vec::new()).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes it whole, making its container if need be.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn write(&self, content: &[u8]) -> Result<(), StorageError> {
        let headers =
            vec![("x-ms-blob-type", "BlockBlob".to_owned()), ("content-type", "application/octet-stream".to_owned())];
        match self.call(Method::PUT, Vec::new(), headers.clone(), content.to_vec()).await {
            Err(error) if error.status() == Some(404) => {
                self.create_container().await?;
                self.call(Method::PUT, Vec::new(), headers, content.to_vec()).await.map(drop)
            }
            answer => answer.map(drop),
        }
    }

    /// Whether nobody holds its lease at this moment.
    ///
    /// # Errors
    /// When storage refuses (404: no such blob) or does not answer.
    pub async fn is_free(&self) -> Result<bool, StorageError> {
        let answer = self.call(Method::HEAD, Vec::new(), Vec::new(), Vec::new()).await?;
        Ok(answer.header("x-ms-lease-state").is_none_or(|state| state != "leased" && state != "breaking"))
    }

    /// Takes its lease for `seconds` (15 to 60); `None` if somebody else holds it.
    ///
    /// # Errors
    /// When storage refuses (404: no such blob) or does not answer.
    pub async fn acquire_lease(&self, seconds: u8) -> Result<Option<Lease>, StorageError> {
        let headers = vec![("x-ms-lease-action", "acquire".to_owned()), ("x-ms-lease-duration", seconds.to_string())];
        match self.lease_call(headers).await {
            Ok(answer) => answer
                .header("x-ms-lease-id")
                .map(|id| Some(Lease(id)))
                .ok_or_else(|| StorageError::malformed("acquire lease", "the answer has no x-ms-lease-id")),
            Err(error) if error.status() == Some(409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Renews a lease.
    ///
    /// # Errors
    /// When it was lost (409), or storage does not answer.
    pub async fn renew_lease(&self, lease: &Lease) -> Result<(), StorageError> {
        self.lease_action("renew", lease).await
    }

    /// Gives a lease up.
    ///
    /// # Errors
    /// When it was lost (409), or storage does not answer.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StorageError> {
        self.lease_action("release", lease).await
    }

    async fn lease_action(&self, action: &str, lease: &Lease) -> Result<(), StorageError> {
        let headers = vec![("x-ms-lease-action", action.to_owned()), ("x-ms-lease-id", lease.0.clone())];
        self.lease_call(headers).await.map(drop)
    }

    async fn lease_call(&self, headers: Vec<(&'static str, String)>) -> Result<Answer, StorageError> {
        self.call(Method::PUT, vec![("comp", "lease".to_owned())], headers, Vec::new()).await
    }

    /// Makes its container, unless that is there.
    ///
    /// # Errors
    /// When storage refuses or does not answer.
    pub async fn create_container(&self) -> Result<(), StorageError> {
        let query = vec![("restype", "container".to_owned())];
        let path = format!("/{}", self.container);
        let call = Call {
            method: Method::PUT,
            base: &self.account.blob,
            path,
            query,
            headers: Vec::new(),
            body: Vec::new(),
            table: false,
        };
        match self.account.send(call).await {
            Err(error) if error.status() == Some(409) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn call(
        &self,
        method: Method,
        query: Vec<(&str, String)>,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Answer, StorageError> {
        let path = format!("/{}/{}", self.container, self.path);
        self.account.send(Call { method, base: &self.account.blob, path, query, headers, body, table: false }).await
    }
}
