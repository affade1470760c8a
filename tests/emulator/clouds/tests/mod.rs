//! Tests of the emulated clouds, over the wire.

mod access;
mod aiven;
mod delegation;
mod deleted;
mod directory;
mod faults;
mod key_vault;
mod life;
mod network;
mod outside;
mod refusals;
mod runbook;
mod services;

use super::{Clouds, Lags, Options, Service};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

impl Answer {
    /// The error code of an ARM or Graph body.
    pub(super) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(super) fn message(&self) -> &str {
        let message = &self.body["error"]["message"];
        message.as_str().or(self.body["message"].as_str()).unwrap_or_default()
    }
}

/// Running clouds and a client that trusts their CA.
pub(super) struct Scene {
    pub(super) clouds: Clouds,
    pub(super) http: reqwest::Client,
    dir: PathBuf,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Scene {
    pub(super) async fn instant() -> Self {
        Self::with(1.0, Lags::none()).await
    }

    pub(super) async fn with(time_scale: f64, lags: Lags) -> Self {
        let dir = std::env::temp_dir().join(format!("clouds-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        let clouds = Clouds::start(Options { time_scale, lags, ..Options::instant(&dir) }).await.unwrap();
        let pem = std::fs::read(&clouds.settings()["SSL_CERT_FILE"]).unwrap();
        let http =
            reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()]).build().unwrap();
        Self { clouds, http, dir }
    }

    pub(super) fn url(&self, service: Service) -> String {
        let urls = self.clouds.world().urls.clone();
        match service {
            Service::Aiven => urls.aiven,
            Service::Entra => urls.entra,
            Service::Graph => urls.graph,
            Service::Arm => urls.arm,
            Service::Identity => urls.identity,
            Service::KeyVault => urls.key_vault,
        }
    }

    pub(super) async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let headers = response
            .headers()
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_str().unwrap_or_default().to_owned()))
            .collect();
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body })
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub(super) fn request(
        &self,
        method: &str,
        url: &str,
        token: &str,
        body: Option<&Value>,
    ) -> reqwest::RequestBuilder {
        let request =
            self.http.request(method.parse().unwrap(), url).header("Authorization", format!("Bearer {token}"));
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    pub(super) async fn arm(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let sign = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{sign}api-version=2024-05-01", self.url(Service::Arm));
        self.send(self.request(method, &url, token, body.as_ref())).await
    }

    pub(super) async fn graph(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/v1.0{path}", self.url(Service::Graph));
        let request = self.request(method, &url, token, body.as_ref());
        let request = if method == "PATCH" { request.header("Prefer", "create-if-missing") } else { request };
        self.send(request).await
    }

    pub(super) async fn vault(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let sign = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{sign}api-version=7.4", self.url(Service::KeyVault));
        self.send(self.request(method, &url, token, body.as_ref())).await
    }

    /// A token of the app's managed identity for the vault.
    pub(super) async fn vault_identity(&self) -> String {
        self.identity("https://vault.azure.net").await
    }

    pub(super) async fn aiven(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/v1{path}", self.url(Service::Aiven));
        let token = self.clouds.settings()["AIVEN_TOKEN"].clone();
        let request =
            self.http.request(method.parse().unwrap(), url).header("Authorization", format!("aivenv1 {token}"));
        self.send(match &body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(url).header("Content-Type", "application/x-www-form-urlencoded");
        self.send(request.body(encode(form))).await
    }

    /// A token of the app's managed identity.
    pub(super) async fn identity(&self, resource: &str) -> String {
        let settings = self.clouds.settings();
        let query =
            [("api-version", "2019-08-01"), ("resource", resource), ("client_id", &settings["AZURE_CLIENT_ID"])];
        let request = self.http.get(format!("{}?{}", settings["IDENTITY_ENDPOINT"], encode(&query)));
        let answer = self.send(request.header("X-IDENTITY-HEADER", &settings["IDENTITY_HEADER"])).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn arm_identity(&self) -> String {
        self.identity(&self.url(Service::Arm)).await
    }

    pub(super) async fn graph_identity(&self) -> String {
        self.identity(&self.url(Service::Graph)).await
    }

    /// Asks Entra for an ARM token of an application in a tenant, by the managed identity's assertion.
    pub(super) async fn federated(&self, tenant: &str, app_id: &str) -> Answer {
        let assertion = self.identity("api://AzureADTokenExchange").await;
        self.assert(tenant, app_id, &assertion).await
    }

    pub(super) async fn assert(&self, tenant: &str, app_id: &str, assertion: &str) -> Answer {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.url(Service::Entra));
        let scope = format!("{}//.default", self.url(Service::Arm));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app_id),
            ("scope", &scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        self.post_form(&url, &form).await
    }

    pub(super) async fn by_secret(&self, tenant: &str, app_id: &str, secret: &str, resource: &str) -> Answer {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.url(Service::Entra));
        let scope = format!("{resource}/.default");
        let form =
            [("grant_type", "client_credentials"), ("client_id", app_id), ("scope", &scope), ("client_secret", secret)];
        self.post_form(&url, &form).await
    }
}

/// Tries until it is done; a lag is waited for, a hang is not.
pub(super) async fn eventually<F: Future<Output = bool>>(what: &str, mut attempt: impl FnMut() -> F) {
    for _ in 0..400 {
        if attempt().await {
            return;
        }
        super::clock::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen in 4 s");
}

pub(super) fn assignment(subscription: &str, role: &str, principal: &str) -> Value {
    let role = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}})
}

fn encode(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    pairs.iter().map(|(k, v)| format!("{k}={}", escape(v))).collect::<Vec<_>>().join("&")
}
