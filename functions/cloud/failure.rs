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
        })
    }
}

/// A failed call. Its texts come from the service, with anything that looks like a token taken out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} answered {}{} to {call}: {message}", self.status_text(), self.code_text())]
pub struct Failure {
    /// Who answered, or should have.
    pub service: Service,
    /// Method and path without query, for people: `PUT /subscriptions/…`.
    pub call: String,
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
}

impl Failure {
    fn status_text(&self) -> String {
        self.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string())
    }

    fn code_text(&self) -> String {
        if self.code.is_empty() { String::new() } else { format!(" {}", self.code) }
    }

    /// Status and code alone, for a line that says the rest in words of ours.
    pub fn short(&self) -> String {
        format!("{} answered {}{}", self.service, self.status_text(), self.code_text())
    }

    /// The answer says that what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether the effect may have happened all the same: no answer, an answer that cannot be read, or a service that broke while it
    /// worked.
    pub fn may_have_landed(&self) -> bool {
        match self.status {
            None => self.code != NOT_SENT,
            Some(status) => !(300..500).contains(&status) || status == 408,
        }
    }
}
