//! An application's passwords: which there are, adding one, removing one. For `CREDENTIAL=secret` only.

use std::fmt;

use azure_core::http::Method;
use jiff::{Timestamp, Unit};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{Graph, key, said};
use crate::cloud::Failure;
use crate::cloud::http::{address, code};
use crate::peering::AppId;

/// A password as Graph shows it: never its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// Names it to `remove_password`.
    pub key_id: Uuid,
    /// Given when it was added; not unique.
    pub display_name: Option<String>,
    /// When it was or will be good from.
    pub start: Option<Timestamp>,
    /// When it expires.
    pub end: Option<Timestamp>,
}

/// A password just added. Its text is shown this once.
#[derive(Clone)]
pub struct NewPassword {
    /// Names it to `remove_password`.
    pub key_id: Uuid,
    /// The text.
    pub secret: SecretString,
    /// When it expires, if the answer shows it.
    pub end: Option<Timestamp>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key_id, secret: _, end } = self;
        f.debug_struct("NewPassword").field("key_id", key_id).field("end", end).finish_non_exhaustive()
    }
}

impl Graph {
    /// The passwords of an application of the home tenant.
    ///
    /// # Errors
    /// Also 404: there is no such application, or it is not visible yet.
    pub async fn passwords(&self, app: AppId) -> Result<Vec<Password>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown {
            password_credentials: Option<Vec<WirePassword>>,
        }
        let mut url = address(&self.base, [key("applications", "appId", &app.to_string()).as_str()]);
        url.query_pairs_mut().append_pair("$select", "passwordCredentials");
        let call = self.call(Method::Get, url).await?;
        let shown: Shown = self.http.exchange(&call, said).await?.json(&call)?;
        Ok(shown.password_credentials.unwrap_or_default().into_iter().filter_map(WirePassword::read).collect())
    }

    /// Adds a password beside those there are. Doing it twice adds two: look for the name first, and remove what nobody holds.
    pub async fn add_password(&self, app: AppId, display_name: &str, end: Timestamp) -> Result<NewPassword, Failure> {
        // Graph takes fractions of a second in some spellings only.
        let end = end.round(Unit::Second).unwrap_or(end);
        let body = json!({ "passwordCredential": { "displayName": display_name, "endDateTime": end } });
        let call = self.call(Method::Post, self.action(app, "addPassword")).await?.json(&body);
        let reply = self.http.exchange(&call, said).await?;
        // Field by field: what reads a whole body quotes in its error what it did not expect.
        let body = reply.value();
        let key_id = body["keyId"].as_str().and_then(|id| Uuid::try_parse(id).ok());
        match (key_id, body["secretText"].as_str().filter(|text| !text.is_empty())) {
            (Some(key_id), Some(text)) => {
                let end = body["endDateTime"].as_str().and_then(|end| end.parse().ok());
                Ok(NewPassword { key_id, secret: text.into(), end })
            }
            _ => Err(call.failure(Some(reply.status), code::UNREADABLE, "the answer shows no keyId or no secretText")),
        }
    }

    /// Removes a password; whoever uses it is refused from then on, give or take some minutes.
    pub async fn remove_password(&self, app: AppId, key_id: Uuid) -> Result<(), Failure> {
        let body = json!({ "keyId": key_id });
        let call = self.call(Method::Post, self.action(app, "removePassword")).await?.json(&body);
        self.http.exchange(&call, said).await.map(drop)
    }

    fn action(&self, app: AppId, name: &str) -> Url {
        address(&self.base, [key("applications", "appId", &app.to_string()).as_str(), name])
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePassword {
    key_id: Option<String>,
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
}

impl WirePassword {
    fn read(self) -> Option<Password> {
        let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
        Some(Password {
            key_id: Uuid::try_parse(&self.key_id?).ok()?,
            display_name: self.display_name,
            start: time(self.start_date_time),
            end: time(self.end_date_time),
        })
    }
}
