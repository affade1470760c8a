//! A call to a service that did not do what it was asked: everything that judging it may need, and no secret.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The code of a call that this app refused to send.
pub const NOT_SENT: &str = "ForeignAddress";

/// Whom a call went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// `api.aiven.io`
    Aiven,
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// The token service (STS).
    Entra,
    /// The platform's managed-identity endpoint.
    ManagedIdentity,
    /// Key Vault.
    KeyVault,
    /// Where Aiven's token comes from: a setting, or a vault's secret.
    AivenToken,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aiven => "Aiven",
            Self::Arm => "Azure Resource Manager",
            Self::Graph => "Microsoft Graph",
            Self::Entra => "Microsoft Entra",
            Self::ManagedIdentity => "the managed-identity endpoint",
            Self::KeyVault => "Azure Key Vault",
            Self::AivenToken => "Aiven's token",
        })
    }
}

/// A secret of a vault, as `az keyvault secret` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretName {
    /// The vault's name.
    pub vault: String,
    /// The secret's.
    pub name: String,
}

/// A failed call. Its texts come from the service, with anything that looks like a token taken out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Failure {
    /// Who answered, or should have.
    pub service: Service,
    /// Method and path without query, for people: `PUT /subscriptions/…`.
    pub call: Box<str>,
    /// HTTP status; `None` when no answer came (refused, reset, timed out: the effect may or may not have happened).
    pub status: Option<u16>,
    /// The service's own code: ARM `error.code` (innermost that is known), Graph `error.code` or the detail's, `AADSTS<n>`, Aiven
    /// `error_code`; empty if it gave none.
    pub code: String,
    /// The service's own words, shortened to 1 kB.
    pub message: String,
    /// How long it asks to wait, in nominal time (the header's, or the text's, seconds as they stand).
    pub retry_after: Option<Duration>,
    /// What its support asks for: `x-ms-correlation-request-id`, `request-id`, `correlation_id`.
    pub correlation: Option<String>,
    /// The secret that the command that fixes it is about, where the client knows one.
    pub secret: Option<Box<SecretName>>,
}

impl Failure {
    fn sentence(&self) -> String {
        let Self { service, call, message, .. } = self;
        match service {
            // The message says whose answer it was, if there was one.
            Service::AivenToken => format!("{service} cannot be read: {message}"),
            _ => format!("{} to {call}: {message}", self.short()),
        }
    }

    fn status_text(&self) -> String {
        self.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string())
    }

    fn code_text(&self) -> String {
        if self.code.is_empty() { String::new() } else { format!(" {}", self.code) }
    }

    /// Status and code alone, for a line that says the rest in words of ours.
    pub fn short(&self) -> String {
        match self.service {
            Service::AivenToken => self.code.clone(),
            service => format!("{service} answered {}{}", self.status_text(), self.code_text()),
        }
    }

    /// The answer says that what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether the effect may have happened all the same: no answer, an answer that cannot be read, or a service that broke while it
    /// worked.
    pub fn may_have_landed(&self) -> bool {
        match self.status {
            // Without a token nothing was sent.
            _ if self.service == Service::AivenToken => false,
            None => self.code != NOT_SENT,
            Some(status) => !(300..500).contains(&status) || status == 408,
        }
    }
}
