//! Signs a request with an account's key: Shared Key Lite, for Azurite ("Authorize with Shared Key"). In Azure, tokens are used.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::http::headers::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::clock::Clock;

/// What is signed differs between the services.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dialect {
    Table,
    Queue,
}

/// Signs each try anew, because the date is part of the signature.
#[derive(Debug)]
pub(super) struct SharedKey {
    pub(super) account: String,
    pub(super) key: Secret,
    pub(super) dialect: Dialect,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Policy for SharedKey {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let now = self.clock.now();
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).map_err(|error| {
            azure_core::Error::with_message(
                azure_core::error::ErrorKind::Credential,
                format!("the clock shows no date: {error}"),
            )
        })?;
        request.insert_header("x-ms-date", date.clone());
        let signature = hmac_sha256(&self.string_to_sign(request, &date), &self.key)?;
        request.insert_header(AUTHORIZATION, format!("SharedKeyLite {}:{signature}", self.account));
        match next.split_first() {
            Some((first, rest)) => first.send(context, request, rest).await,
            None => Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "no transport follows the signature",
            )),
        }
    }
}

impl SharedKey {
    fn string_to_sign(&self, request: &Request, date: &str) -> String {
        let resource = self.resource(request);
        match self.dialect {
            Dialect::Table => format!("{date}\n{resource}"),
            Dialect::Queue => {
                let header = |name: &HeaderName| request.headers().get_optional_str(name).unwrap_or_default();
                let (method, md5) = (request.method().as_str(), header(&HeaderName::from_static("content-md5")));
                // The line of `Date` is empty because `x-ms-date` is among the headers.
                format!("{method}\n{md5}\n{}\n\n{}{resource}", header(&CONTENT_TYPE), own_headers(request))
            }
        }
    }

    /// Account, encoded path and, of the query, `comp` only.
    fn resource(&self, request: &Request) -> String {
        let comp = request.url().query_pairs().find(|(name, _)| name == "comp");
        let comp = comp.map(|(_, value)| format!("?comp={value}")).unwrap_or_default();
        format!("/{}{}{comp}", self.account, request.url().path())
    }
}

/// The `x-ms-` headers, sorted, one a line.
fn own_headers(request: &Request) -> String {
    let all = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut own: Vec<_> = all.filter(|(name, _)| name.starts_with("x-ms-")).collect();
    own.sort_unstable();
    own.iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
}
