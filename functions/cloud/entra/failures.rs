//! What `azure_identity`'s errors say, as a [`Failure`].

use azure_core::error::ErrorKind;
use azure_core::http::RawResponse;
use jiff::Timestamp;
use serde_json::Value;

use super::Token;
use super::source::Asked;
use crate::cloud::http::{causes, retry_after};
use crate::cloud::redact::redact;
use crate::cloud::{Failure, Service};

impl Asked {
    /// No answer came.
    pub(super) fn unanswered(&self, message: &str) -> Failure {
        self.with(None, String::new(), message)
    }

    /// The answer inside the SDK's error, if there was one.
    pub(super) fn failure(&self, error: &azure_core::Error, now: Timestamp) -> Failure {
        let Some((status, response)) = answer(error) else { return self.unanswered(&causes(error)) };
        let body: Value = response.map(|response| response.body().json().unwrap_or_default()).unwrap_or_default();
        let text = response.map(|response| String::from_utf8_lossy(response.body()).into_owned()).unwrap_or_default();
        let failure = self.with(Some(status), code(self.service, &body), &message(&body, text));
        Failure {
            correlation: body["correlation_id"].as_str().map(str::to_owned),
            retry_after: response.and_then(|response| retry_after(response.headers(), now)),
            ..failure
        }
    }

    fn with(&self, status: Option<u16>, code: String, message: &str) -> Failure {
        let secrets: Vec<&str> = self.proof.iter().map(Token::secret).collect();
        Failure {
            service: self.service,
            call: self.call.as_str().into(),
            status,
            code,
            message: redact(message, &secrets),
            retry_after: None,
            correlation: None,
            secret: None,
        }
    }
}

/// The innermost error of the chain that is an HTTP answer.
fn answer(error: &azure_core::Error) -> Option<(u16, Option<&RawResponse>)> {
    let mut error = Some(error);
    while let Some(this) = error {
        if let ErrorKind::HttpResponse { status, raw_response, .. } = this.kind() {
            return Some((u16::from(*status), raw_response.as_deref()));
        }
        error = this.downcast_ref::<azure_core::Error>();
    }
    None
}

/// `AADSTS<n>` of the first error code (Entra: use `error_codes`, never parse the text first); OAuth's word if there is none.
fn code(service: Service, body: &Value) -> String {
    match (service, body["error_codes"][0].as_i64(), body["error"].as_str()) {
        (Service::Entra, Some(number), _) => format!("AADSTS{number}"),
        (_, _, Some(word)) => word.to_owned(),
        _ => String::new(),
    }
}

/// Entra's `error_description`, App Service's `message`, or whatever came.
fn message(body: &Value, text: String) -> String {
    ["error_description", "message"].iter().find_map(|name| body[name].as_str()).map_or(text, str::to_owned)
}
