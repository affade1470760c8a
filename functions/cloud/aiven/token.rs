//! Aiven's API token: the one in a setting, or the vault's secret.

mod in_vault;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use self::in_vault::InVault;
use crate::cloud::entra::{Token, TokenSource};
use crate::cloud::http::Http;
use crate::cloud::{Failure, SecretName, Service};
use crate::settings::{AivenToken, Endpoints};

/// Where the token comes from.
pub(super) enum AivenTokens {
    /// Nowhere.
    NotSet,
    /// A setting.
    Text(Token),
    /// A vault's secret.
    Secret(Box<InVault>),
}

impl AivenTokens {
    pub(super) fn new(endpoints: &Endpoints, http: &Http, tokens: Arc<dyn TokenSource>) -> Self {
        match &endpoints.aiven_token {
            AivenToken::NotSet => Self::NotSet,
            AivenToken::Text(text) => Self::Text(Token::new(text.expose_secret(), Timestamp::MAX)),
            AivenToken::Secret(secret) => {
                Self::Secret(Box::new(InVault::new(secret.clone(), endpoints.tenant, http, tokens)))
            }
        }
    }

    /// The token to use.
    ///
    /// # Errors
    /// Of [`Service::AivenToken`]: there is none, or it cannot be read.
    pub(super) async fn current(&self) -> Result<Token, Failure> {
        match self {
            Self::NotSet => Err(unreadable("TokenNotSet", "neither AIVEN_TOKEN_SECRET nor AIVEN_TOKEN is set")),
            Self::Text(token) => Ok(token.clone()),
            Self::Secret(secret) => secret.current().await,
        }
    }

    /// The token to use instead of one that Aiven refused, if there is another by now.
    pub(super) async fn instead_of(&self, refused: &Token) -> Option<Token> {
        match self {
            Self::NotSet | Self::Text(_) => None,
            Self::Secret(secret) => secret.instead_of(refused).await,
        }
    }

    /// The secret that holds the token, if one does.
    pub(super) fn secret(&self) -> Option<SecretName> {
        match self {
            Self::NotSet | Self::Text(_) => None,
            Self::Secret(secret) => Some(secret.name()),
        }
    }
}

fn unreadable(code: &str, why: &str) -> Failure {
    Failure {
        service: Service::AivenToken,
        call: "the token".into(),
        status: None,
        code: code.to_owned(),
        message: why.to_owned(),
        retry_after: None,
        correlation: None,
        secret: None,
    }
}
