//! A request about to be sent.

use std::fmt;

use azure_core::http::{Method, Request};
use serde_json::Value;
use url::Url;

use crate::cloud::entra::Token;
use crate::cloud::redact::redact;
use crate::cloud::{Failure, Service};

/// A request about to be sent, and what must not be repeated of it; prints no more than method and path.
pub struct Call {
    service: Service,
    request: Request,
    label: String,
    secrets: Vec<Token>,
    request_id: Option<String>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.label).finish()
    }
}

impl Call {
    /// A request without body.
    pub fn new(service: Service, method: Method, url: Url) -> Self {
        let label = format!("{} {}", method.as_str(), url.path());
        let mut request = Request::new(url, method);
        request.insert_header("accept", "application/json");
        Self { service, request, label, secrets: Vec::new(), request_id: None }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.request.insert_header(name, value.into());
        self
    }

    /// Adds a header made of a scheme and a token, which no text about this call will repeat.
    pub fn token(mut self, header: &'static str, scheme: &str, token: Token) -> Self {
        self.request.insert_header(header, format!("{scheme} {}", token.secret()));
        self.secrets.push(token);
        self
    }

    /// No text about this call will repeat a secret that is in its body.
    pub fn hiding(mut self, secret: Token) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds an id of ours that the service's support can find the call by.
    pub fn request_id(mut self, name: &'static str) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        self.request.insert_header(name, id.clone());
        self.request_id = Some(id);
        self
    }

    /// Adds a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request.insert_header("content-type", "application/json");
        self.request.set_body(body.to_string());
        self
    }

    /// The request itself.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// Method and path.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A failure of this call, with its secrets taken out of the message.
    pub fn failure(&self, status: Option<u16>, code: &str, message: &str) -> Failure {
        let secrets: Vec<&str> = self.secrets.iter().map(Token::secret).collect();
        Failure {
            service: self.service,
            call: self.label.as_str().into(),
            status,
            code: redact(code, &secrets),
            message: redact(message, &secrets),
            retry_after: None,
            correlation: self.request_id.clone(),
            secret: None,
        }
    }
}
