//! Microsoft Graph: applications, service principals, federated credentials and passwords of the home tenant.
//!
//! Every effect has a natural key (`uniqueName`, `appId`, the credential's name), so doing it twice is doing it once; but a
//! password has none.

mod passwords;

use std::sync::Arc;

use azure_core::http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use url::Url;

use super::entra::{Identity, TokenSource};
use super::http::{Call, Http, Reply, Said, address, code, default_scope};
use crate::cloud::{Failure, Service};
use crate::peering::{AppId, ObjectId, TenantId};
use crate::settings::Endpoints;

pub use passwords::{NewPassword, Password};

const APPLICATION_FIELDS: &str = "id,appId,displayName,signInAudience";
const PRINCIPAL_FIELDS: &str = "id,appId,appOwnerOrganizationId,accountEnabled,displayName";

/// A codes that say no more than the status does; a detail's code then says more.
const VAGUE: [&str; 3] = ["", "Request_BadRequest", "BadRequest"];

/// An application registration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// Object id of the registration.
    pub id: ObjectId,
    /// Client id.
    pub app_id: AppId,
    /// Who may sign in: `AzureADMultipleOrgs` for a multi-tenant one.
    #[serde(default)]
    pub sign_in_audience: Option<String>,
}

/// A service principal: an application as a tenant sees it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// Object id: what role assignments name.
    pub id: ObjectId,
    /// Client id of its application.
    pub app_id: AppId,
    /// The tenant that the application is registered in.
    #[serde(default, rename = "appOwnerOrganizationId")]
    pub owner_tenant: Option<TenantId>,
    /// Whether the tenant lets it sign in.
    #[serde(default = "yes", rename = "accountEnabled", deserialize_with = "unless_null")]
    pub enabled: bool,
}

/// A federated credential: whose tokens an application accepts in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FederatedCredential {
    /// Unique in the application.
    pub name: String,
    /// `{entra}/{tenant}/v2.0` for a managed identity.
    pub issuer: String,
    /// Object id of the managed identity; letter case counts.
    pub subject: String,
    /// `api://AzureADTokenExchange` in the public cloud.
    #[serde(default)]
    pub audiences: Vec<String>,
}

/// What an upsert did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upserted<T> {
    /// The object as it is now.
    pub object: T,
    /// Whether it was not there before (201, not 204).
    pub created: bool,
}

fn yes() -> bool {
    true
}

fn unless_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<bool>::deserialize(deserializer)?.unwrap_or(true))
}

/// The client. It acts as the managed identity, in the home tenant.
#[derive(Debug)]
pub struct Graph {
    http: Http,
    tokens: Arc<dyn TokenSource>,
    tenant: TenantId,
    base: Url,
    scope: String,
}

impl Graph {
    /// For the endpoints' Graph and home tenant.
    pub fn new(endpoints: &Endpoints, http: Http, tokens: Arc<dyn TokenSource>) -> Self {
        let scope = default_scope(&endpoints.graph);
        Self { http, tokens, tenant: endpoints.tenant, base: address(&endpoints.graph, ["v1.0"]), scope }
    }

    /// The application with a `uniqueName`, if there is one.
    pub async fn application_by_unique_name(&self, name: &str) -> Result<Option<Application>, Failure> {
        self.find(&[&key("applications", "uniqueName", name)], APPLICATION_FIELDS).await
    }

    /// The application with a client id, if it is registered in the home tenant.
    pub async fn application_by_app_id(&self, app: AppId) -> Result<Option<Application>, Failure> {
        self.find(&[&key("applications", "appId", &app.to_string())], APPLICATION_FIELDS).await
    }

    /// The multi-tenant application with a `uniqueName`, made if missing (Graph: application-upsert).
    ///
    /// # Errors
    /// Also a 404 right after it was made, when the read met a replica that does not have it yet.
    pub async fn upsert_application(&self, name: &str, display_name: &str) -> Result<Upserted<Application>, Failure> {
        let body = json!({ "displayName": display_name, "signInAudience": "AzureADMultipleOrgs" });
        self.upsert(&key("applications", "uniqueName", name), body, APPLICATION_FIELDS).await
    }

    /// The service principal of an application in the home tenant, if there is one.
    pub async fn service_principal(&self, app: AppId) -> Result<Option<ServicePrincipal>, Failure> {
        self.find(&[&key("servicePrincipals", "appId", &app.to_string())], PRINCIPAL_FIELDS).await
    }

    /// The service principal of an application in the home tenant, made if missing (Graph: serviceprincipal-upsert).
    ///
    /// # Errors
    /// As [`Self::upsert_application`].
    pub async fn upsert_service_principal(&self, app: AppId) -> Result<Upserted<ServicePrincipal>, Failure> {
        let body = json!({ "accountEnabled": true });
        self.upsert(&key("servicePrincipals", "appId", &app.to_string()), body, PRINCIPAL_FIELDS).await
    }

    /// The federated credentials of an application; Entra allows 20, so there is one page.
    pub async fn federated_credentials(&self, app: AppId) -> Result<Vec<FederatedCredential>, Failure> {
        #[derive(Deserialize)]
        struct Page {
            value: Vec<FederatedCredential>,
        }
        let call = self.call(Method::Get, address(&self.base, credentials(app).each_ref().map(|s| s.as_str()))).await?;
        let page: Page = self.http.exchange(&call, said).await?.json(&call)?;
        Ok(page.value)
    }

    /// Adds a federated credential; one of the same name, or of the same issuer and subject, is a conflict.
    pub async fn create_federated_credential(
        &self,
        app: AppId,
        credential: &FederatedCredential,
    ) -> Result<FederatedCredential, Failure> {
        let FederatedCredential { name, issuer, subject, audiences } = credential;
        let body = json!({ "name": name, "issuer": issuer, "subject": subject, "audiences": audiences });
        let url = address(&self.base, credentials(app).each_ref().map(|s| s.as_str()));
        let call = self.call(Method::Post, url).await?.json(&body);
        self.http.exchange(&call, said).await?.json(&call)
    }

    async fn find<T: serde::de::DeserializeOwned>(&self, path: &[&str], fields: &str) -> Result<Option<T>, Failure> {
        let mut url = address(&self.base, path.iter().copied());
        url.query_pairs_mut().append_pair("$select", fields);
        let call = self.call(Method::Get, url).await?;
        match self.http.exchange(&call, said).await {
            Ok(reply) => reply.json(&call).map(Some),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn upsert<T>(&self, path: &str, body: Value, fields: &str) -> Result<Upserted<T>, Failure>
    where
        T: serde::de::DeserializeOwned,
    {
        let url = address(&self.base, [path]);
        let call = self.call(Method::Patch, url).await?.header("prefer", "create-if-missing").json(&body);
        let reply = self.http.exchange(&call, said).await?;
        let created = reply.status == 201;
        if !reply.is_empty() {
            // Go on from the object returned: a read may meet a replica that does not have it yet.
            return Ok(Upserted { object: reply.json(&call)?, created });
        }
        match self.find(&[path], fields).await? {
            Some(object) => Ok(Upserted { object, created }),
            // It was made: a refusal would say that whatever is found later is somebody else's.
            None if created => {
                Err(call.failure(Some(201), code::UNREADABLE, "the object just made cannot be read yet"))
            }
            None => Err(call.failure(Some(404), "Request_ResourceNotFound", "the object cannot be read yet")),
        }
    }

    async fn call(&self, method: Method, url: Url) -> Result<Call, Failure> {
        let token = self.tokens.token(Identity::Installation, self.tenant, &self.scope).await?;
        Ok(Call::new(Service::Graph, method, url)
            .token("authorization", "Bearer", token)
            .request_id("client-request-id"))
    }
}

fn credentials(app: AppId) -> [String; 2] {
    [key("applications", "appId", &app.to_string()), "federatedIdentityCredentials".to_owned()]
}

/// `set(name='value')`, OData's way to address by an alternate key; quotes are doubled.
fn key(set: &str, name: &str, value: &str) -> String {
    format!("{set}({name}='{}')", value.replace('\'', "''"))
}

/// Graph's error body; the detail's code where the outer one says no more than the status.
fn said(reply: &Reply) -> Said {
    let body = reply.value();
    let error = &body["error"];
    let outer = error["code"].as_str().unwrap_or_default();
    let detail = error["details"][0]["code"].as_str().filter(|code| !code.is_empty() && VAGUE.contains(&outer));
    Said {
        code: detail.unwrap_or(outer).to_owned(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        retry_after: None,
        correlation: error["innerError"]["request-id"].as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
