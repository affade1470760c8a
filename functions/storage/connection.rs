//! Where storage is and how it is opened: the `AzureWebJobsStorage…` settings, as the Functions host reads them.

use std::collections::HashMap;
use std::fmt;

use azure_core::credentials::Secret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::Url;

/// The setting that holds a connection string; the others start with it.
const SETTING: &str = "AzureWebJobsStorage";

/// Azurite's account and its well-known key: published in its documentation, so no secret.
const AZURITE_ACCOUNT: &str = "devstoreaccount1";
const AZURITE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A setting that is missing or cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {reason}")]
pub struct ConnectionError {
    /// Name of the setting.
    pub setting: String,
    /// What is wrong and what it should be: the rest of a sentence that starts with the setting.
    pub reason: String,
}

impl ConnectionError {
    fn new(suffix: &str, reason: impl Into<String>) -> Self {
        Self { setting: format!("{SETTING}{suffix}"), reason: reason.into() }
    }
}

/// Endpoints of a storage account, and the right to use them. Its `Debug` shows no key.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(super) table_url: Url,
    pub(super) queue_url: Url,
    pub(super) access: Access,
    /// What is set and not used, in a sentence.
    pub ignored: Option<String>,
}

/// The right to use an account.
#[derive(Clone)]
pub(super) enum Access {
    /// A shared key, as Azurite has it.
    Key {
        account: String,
        /// Base64.
        key: Secret,
    },
    /// A managed identity: the one with this client id, or the system's.
    Identity { client_id: Option<String> },
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { account, .. } => write!(f, "Key of {account}"),
            Self::Identity { client_id } => write!(f, "Identity {client_id:?}"),
        }
    }
}

impl Connection {
    /// Reads the settings: the endpoints for an identity, or else a connection string. Where both are set, the identity is meant: a
    /// platform adds a connection string by itself, and where shared keys are off nothing works with it.
    ///
    /// # Errors
    /// The first setting that is missing or wrong.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Self, ConnectionError> {
        let filled = |suffix: &str| setting(&format!("{SETTING}{suffix}")).filter(|text| !text.trim().is_empty());
        let is_set = |suffix: &str| filled(suffix).is_some();
        let by_identity = is_set("__accountName") || (is_set("__queueServiceUri") && is_set("__tableServiceUri"));
        match filled("") {
            Some(text) if !by_identity => Self::parse(&text),
            None => Self::by_identity(filled),
            Some(_) => {
                let said = format!(
                    "{SETTING} is not used, because {SETTING}__… names the account for the managed identity: remove it"
                );
                Ok(Self { ignored: Some(said), ..Self::by_identity(filled)? })
            }
        }
    }

    /// Parses a connection string ("Configure Azure Storage connection strings").
    ///
    /// # Errors
    /// What is missing or wrong in it; no value is repeated.
    pub fn parse(text: &str) -> Result<Self, ConnectionError> {
        let wrong = |reason: &str| ConnectionError::new("", reason);
        let parts = parts(text)
            .ok_or_else(|| wrong("is not a connection string: name=value pairs, separated by semicolons"))?;
        let part = |name: &str| parts.get(&name.to_ascii_lowercase()).copied();
        if part("UseDevelopmentStorage").is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
            return Self::azurite();
        }
        if part("SharedAccessSignature").is_some() {
            return Err(wrong("holds a shared access signature; give AccountName and AccountKey, or use an identity"));
        }
        let account = part("AccountName").ok_or_else(|| wrong("has no AccountName"))?;
        let key = part("AccountKey").ok_or_else(|| wrong("has no AccountKey"))?;
        if BASE64_STANDARD.decode(key).is_err() {
            return Err(wrong("has an AccountKey that is not base64"));
        }
        let endpoint = |service: &str, name: &str| match part(name) {
            Some(url) => url.to_owned(),
            None => {
                let scheme = part("DefaultEndpointsProtocol").unwrap_or("https");
                format!("{scheme}://{account}.{service}.{}", part("EndpointSuffix").unwrap_or("core.windows.net"))
            }
        };
        let url = |service, name| {
            base_url(&endpoint(service, name)).ok_or_else(|| wrong(&format!("has a {name} that is not a URL")))
        };
        let access = Access::Key { account: account.to_owned(), key: Secret::new(key.to_owned()) };
        Ok(Self {
            table_url: url("table", "TableEndpoint")?,
            queue_url: url("queue", "QueueEndpoint")?,
            access,
            ignored: None,
        })
    }

    fn azurite() -> Result<Self, ConnectionError> {
        Self::parse(&format!(
            "AccountName={AZURITE_ACCOUNT};AccountKey={AZURITE_KEY};\
             QueueEndpoint=http://127.0.0.1:10001/{AZURITE_ACCOUNT};TableEndpoint=http://127.0.0.1:10002/{AZURITE_ACCOUNT}"
        ))
    }

    /// "Connecting to host storage with an identity": an account's name, or the endpoints.
    fn by_identity(filled: impl Fn(&str) -> Option<String>) -> Result<Self, ConnectionError> {
        if let Some(credential) = filled("__credential").filter(|kind| !kind.eq_ignore_ascii_case("managedidentity")) {
            return Err(ConnectionError::new(
                "__credential",
                format!("is {credential:?}; only managedidentity is known"),
            ));
        }
        let url = |service: &str| {
            let suffix = format!("__{service}ServiceUri");
            let text = match (filled(&suffix), filled("__accountName")) {
                (Some(url), _) => url,
                (None, Some(account)) => format!("https://{account}.{service}.core.windows.net"),
                (None, None) => {
                    return Err(ConnectionError::new(
                        &suffix,
                        format!("is missing; set it, or {SETTING}__accountName, or a connection string as {SETTING}"),
                    ));
                }
            };
            base_url(&text).filter(|url| url.scheme() == "https").ok_or_else(|| {
                ConnectionError::new(&suffix, "is not an https URL, and tokens are sent over nothing else")
            })
        };
        let access = Access::Identity { client_id: filled("__clientId") };
        Ok(Self { queue_url: url("queue")?, table_url: url("table")?, access, ignored: None })
    }
}

/// Pairs by name, which is not case-sensitive. Values may hold `=`.
fn parts(text: &str) -> Option<HashMap<String, &str>> {
    let pairs = text.split(';').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())))
        .collect()
}

/// A URL to put paths behind; with neither query nor fragment, because a SAS in it would be lost.
fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim_end_matches('/')).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Connection, ConnectionError> {
        let settings: HashMap<_, _> = settings.iter().copied().collect();
        Connection::read(|name| settings.get(name).map(|&value| value.to_owned()))
    }

    #[test]
    fn a_connection_string_gives_the_public_endpoints_unless_it_names_its_own() {
        let public = Connection::parse(
            "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5PQ==;EndpointSuffix=core.windows.net",
        )
        .unwrap();
        assert_eq!(public.table_url.as_str(), "https://acc.table.core.windows.net/");
        assert_eq!(public.queue_url.as_str(), "https://acc.queue.core.windows.net/");
        let own = Connection::parse(
            "AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/a/;tableendpoint=http://127.0.0.1:2/a",
        )
        .unwrap();
        assert_eq!((own.queue_url.as_str(), own.table_url.as_str()), ("http://127.0.0.1:1/a", "http://127.0.0.1:2/a"));
    }

    #[test]
    fn development_storage_is_azurite_at_its_usual_ports() {
        let azurite = Connection::parse("UseDevelopmentStorage=true").unwrap();
        assert_eq!(azurite.queue_url.as_str(), "http://127.0.0.1:10001/devstoreaccount1");
    }

    #[test]
    fn an_identity_needs_an_account_or_both_endpoints() {
        let by_name =
            read(&[("AzureWebJobsStorage__accountName", "acc"), ("AzureWebJobsStorage__clientId", "id")]).unwrap();
        assert_eq!(by_name.table_url.as_str(), "https://acc.table.core.windows.net/");
        let by_url = [
            ("AzureWebJobsStorage__queueServiceUri", "https://a.queue.local"),
            ("AzureWebJobsStorage__credential", "managedidentity"),
        ];
        assert_eq!(read(&by_url).unwrap_err().setting, "AzureWebJobsStorage__tableServiceUri");
    }

    #[test]
    fn an_identity_comes_before_a_connection_string_that_a_platform_added_and_that_is_said() {
        let added = ("AzureWebJobsStorage", "AccountName=acc;AccountKey=c3VwZXJzZWNyZXQ=");
        let urls = [
            ("AzureWebJobsStorage__queueServiceUri", "https://acc.queue.core.windows.net"),
            ("AzureWebJobsStorage__tableServiceUri", "https://acc.table.core.windows.net"),
        ];
        for identity in [&[("AzureWebJobsStorage__accountName", "acc")][..], &urls] {
            let both = read(&[&[added], identity].concat()).unwrap();
            assert!(matches!(both.access, Access::Identity { .. }), "{both:?}");
            assert_eq!(both.table_url.as_str(), "https://acc.table.core.windows.net/");
            let said = both.ignored.unwrap();
            assert!(said.starts_with("AzureWebJobsStorage is not used") && !said.contains("c3VwZXJz"), "{said}");
            assert_eq!(read(identity).unwrap().ignored, None);
        }
        // What names no account says nothing of who is meant.
        for more in [("AzureWebJobsStorage__clientId", "id"), urls[0]] {
            let by_key = read(&[added, more]).unwrap();
            assert!(matches!(by_key.access, Access::Key { .. }) && by_key.ignored.is_none(), "{by_key:?}");
        }
    }

    #[test]
    fn an_error_names_the_setting_and_no_value_of_a_key() {
        for (settings, named) in [
            (vec![], "AzureWebJobsStorage__queueServiceUri is missing"),
            (vec![("AzureWebJobsStorage", "s3cret")], "AzureWebJobsStorage is not a connection string"),
            (vec![("AzureWebJobsStorage", "AccountName=a;AccountKey=s3cret!")], "AccountKey that is not base64"),
            (
                vec![("AzureWebJobsStorage", "AccountName=a;AccountKey=a2V5;TableEndpoint=s3cret")],
                "TableEndpoint that is not a URL",
            ),
            (vec![("AzureWebJobsStorage", "AccountName=a;SharedAccessSignature=s3cret")], "shared access signature"),
            (
                vec![("AzureWebJobsStorage__accountName", "a"), ("AzureWebJobsStorage__credential", "clientsecret")],
                "__credential is",
            ),
            (
                vec![("AzureWebJobsStorage__queueServiceUri", "http://a")],
                "AzureWebJobsStorage__queueServiceUri is not an https URL",
            ),
        ] {
            let error = read(&settings).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", Connection::parse("AccountName=a;AccountKey=c3VwZXJzZWNyZXQ=").unwrap());
        assert!(shown.contains("Key of a") && !shown.contains("c3VwZXJzZWNyZXQ"), "{shown}");
    }
}
