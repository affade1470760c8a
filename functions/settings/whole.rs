//! All settings together: what is required, what the defaults are, and what goes with what.

use std::net::SocketAddr;
use std::str::FromStr;

use url::Url;

use super::aiven_token::{SecretUrl, Token, is_unresolved};
use super::endpoints::{is_local, is_loopback};
use super::reader::Reader;
use super::{AIVEN_APPLICATION, AivenToken, Credential, Endpoints, Made, PeeringRole, Reconcile, Settings};
use crate::clock::TimeScale;
use crate::peering::{AppId, ObjectId, TenantId, VnetId};

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// Everything is read before anything is given up, so that all that is wrong is named.
    pub(super) fn settings(&mut self) -> Option<Settings> {
        let entra = self.or::<Url>("ENTRA_URL", "https://login.microsoftonline.com");
        let graph = self.or::<Url>("GRAPH_URL", "https://graph.microsoft.com");
        let arm = self.or::<Url>("ARM_URL", "https://management.azure.com");
        let key_vault = self.parsed::<Url>("KEY_VAULT_URL");
        let aiven = self.or::<Url>("AIVEN_API_URL", "https://api.aiven.io");
        let tenant = self.required::<TenantId>("AZURE_TENANT_ID");
        let client_id = self.required::<AppId>("AZURE_CLIENT_ID");
        let identity = self.required::<ObjectId>("AZURE_PRINCIPAL_ID");
        let (aiven_token, ignored) = self.aiven_token();
        let installation = self.or::<Installation>("INSTALLATION", "default");
        let aiven_application = self.or::<AppId>("AIVEN_APPLICATION_ID", AIVEN_APPLICATION);
        let made = self.made();
        let roles = [("minimal", PeeringRole::Minimal), ("network-contributor", PeeringRole::NetworkContributor)];
        let peering_role = self.one_of("PEERING_ROLE", &roles);
        let credential = self.credential(key_vault.as_ref());
        let choices = [("repair", Reconcile::Repair), ("report", Reconcile::Report)];
        let reconcile = self.one_of("RECONCILE", &choices);
        let allowed_subscriptions = self.list("ALLOWED_SUBSCRIPTIONS");
        let allowed_vpcs = self.list("ALLOWED_VPCS");
        let app_vnet = self.parsed::<VnetId>("APP_VNET");
        let scale = self.or::<f64>("TIME_SCALE", "1");
        let endpoints = Endpoints {
            entra: entra?,
            graph: graph?,
            arm: arm?,
            key_vault,
            aiven: aiven?,
            name_server: None,
            tenant: tenant?,
            client_id: client_id?,
            aiven_token,
        };
        self.check_token_vault(&endpoints);
        let time_scale = self.time_scale(scale?, &endpoints)?;
        let endpoints = Endpoints { name_server: self.name_server(&endpoints), ..endpoints };
        Some(Settings {
            installation: installation?.0,
            endpoints,
            identity: identity?,
            aiven_application: aiven_application?,
            made,
            peering_role: peering_role?,
            reconcile: reconcile?,
            credential: credential?,
            allowed_subscriptions,
            allowed_vpcs,
            app_vnet,
            time_scale,
            ignored,
        })
    }

    /// A password needs a vault to be kept in; a malformed address of one is told already.
    fn credential(&mut self, key_vault: Option<&Url>) -> Option<Credential> {
        let credential =
            self.one_of("CREDENTIAL", &[("federated", Credential::Federated), ("secret", Credential::Secret)])?;
        if credential == Credential::Secret && key_vault.is_none() && self.text("KEY_VAULT_URL").is_none() {
            self.wrong
                .push("KEY_VAULT_URL is missing: CREDENTIAL=secret keeps the application's password there".to_owned());
        }
        Some(credential)
    }

    /// The vault's secret comes before the token in a setting, which no rotation reaches; and what of the two is not used.
    fn aiven_token(&mut self) -> (AivenToken, Vec<String>) {
        let secret = self.parsed::<SecretUrl>("AIVEN_TOKEN_SECRET");
        let text = self.text("AIVEN_TOKEN");
        match (secret, text) {
            (Some(secret), None) => (AivenToken::Secret(secret), Vec::new()),
            (Some(secret), Some(_)) => {
                let said = "AIVEN_TOKEN is not used, because AIVEN_TOKEN_SECRET is set, too: remove one of them";
                (AivenToken::Secret(secret), vec![said.to_owned()])
            }
            (None, Some(text)) if is_unresolved(&text) => {
                let said = "AIVEN_TOKEN is not used, because it holds a Key Vault reference that was not resolved: \
                            set AIVEN_TOKEN_SECRET to the secret's URL instead";
                (AivenToken::NotSet, vec![said.to_owned()])
            }
            (None, _) => {
                let token = self.parsed::<Token>("AIVEN_TOKEN");
                (token.map_or(AivenToken::NotSet, |token| AivenToken::Text(token.0)), Vec::new())
            }
        }
    }

    /// A vault on this machine could be anybody's, so it is only for local clouds.
    fn check_token_vault(&mut self, endpoints: &Endpoints) {
        let here = matches!(&endpoints.aiven_token, AivenToken::Secret(secret) if is_loopback(&secret.vault));
        if here && !is_local(endpoints) {
            self.wrong.push(
                "AIVEN_TOKEN_SECRET names a vault on this machine, and that is only for clouds on this machine"
                    .to_owned(),
            );
        }
    }

    fn made(&mut self) -> Made {
        Made {
            application: self.parsed("APPLICATION_ID"),
            principal: self.parsed("APPLICATION_PRINCIPAL_ID"),
            aiven_principal: self.parsed("AIVEN_PRINCIPAL_ID"),
            peering_role: self.parsed::<ObjectId>("PEERING_ROLE_ID").map(|id| id.0),
            aiven_role: self.parsed::<ObjectId>("AIVEN_ROLE_ID").map(|id| id.0),
        }
    }

    /// Another name server than the system's could send the app anywhere, so it is only for local clouds.
    fn name_server(&mut self, endpoints: &Endpoints) -> Option<SocketAddr> {
        let server = self.parsed::<SocketAddr>("DNS_SERVER")?;
        if !(server.ip().is_loopback() && is_local(endpoints)) {
            self.wrong.push("DNS_SERVER is only for clouds on this machine".to_owned());
        }
        Some(server)
    }

    /// Playing time fast against real clouds would flood them, so it is only for local ones.
    fn time_scale(&mut self, scale: f64, endpoints: &Endpoints) -> Option<TimeScale> {
        if scale != 1.0 && !is_local(endpoints) {
            self.wrong.push("TIME_SCALE other than 1 is only for clouds on this machine".to_owned());
            return None;
        }
        TimeScale::new(scale).map_err(|e| self.wrong.push(e)).ok()
    }
}

struct Installation(String);

impl FromStr for Installation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=32).contains(&text.len()) && text.chars().all(legal) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not 1 to 32 lower-case letters, digits and hyphens"))
    }
}
