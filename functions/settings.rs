//! The settings, read once at start. All that are missing or malformed are named in one error.

mod endpoints;
pub mod names;

use std::net::SocketAddr;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::clock::TimeScale;
use crate::peering::{AppId, ObjectId, Owner, SubscriptionId, TenantId, VnetId, VpcRef};

pub use endpoints::{Credential, Endpoints};

/// Aiven's application, by which its platform peers to networks of its customers (its published runbooks).
const AIVEN_APPLICATION: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";

/// What the app was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of this installation: part of names and seeds of ids.
    pub installation: String,
    /// Where the services are, and who we are there.
    pub endpoints: Endpoints,
    /// Object id of the app's managed identity.
    pub identity: ObjectId,
    /// Client id of Aiven's application.
    pub aiven_application: AppId,
    /// What the deployment made already.
    pub made: Made,
    /// The role that our application gets on a VNet.
    pub peering_role: PeeringRole,
    /// What reconciliation does about what a vendor broke.
    pub reconcile: Reconcile,
    /// How the application proves itself.
    pub credential: Credential,
    /// Subscriptions that may be asked for; empty: all.
    pub allowed_subscriptions: Vec<SubscriptionId>,
    /// VPCs that may be asked for; empty: all.
    pub allowed_vpcs: Vec<AllowedVpc>,
    /// The VNet that the app itself is integrated with, if it is with any: only from there can it reach a peered VPC.
    pub app_vnet: Option<VnetId>,
    /// How fast nominal time runs.
    pub time_scale: TimeScale,
}

/// What the deployment made already: each one given needs no right of ours, each one absent is looked up or made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// `APPLICATION_ID`
    pub application: Option<AppId>,
    /// `APPLICATION_PRINCIPAL_ID`
    pub principal: Option<ObjectId>,
    /// `AIVEN_PRINCIPAL_ID`
    pub aiven_principal: Option<ObjectId>,
    /// `PEERING_ROLE_ID`
    pub peering_role: Option<Uuid>,
    /// `AIVEN_ROLE_ID`
    pub aiven_role: Option<Uuid>,
}

/// `PEERING_ROLE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeeringRole {
    /// Our custom role: peerings of the VNet, and nothing else.
    Minimal,
    /// The built-in role that the published runbooks use.
    NetworkContributor,
}

/// `RECONCILE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconcile {
    /// What a vendor broke of what we created is made again.
    Repair,
    /// Nothing is touched.
    Report,
}

/// An entry of `ALLOWED_VPCS`: a VPC's id, its key with the owner (`org:<organization>:<id>`, `project:<project>:<id>`), or the owner
/// alone (`org:<organization>`, `project:<project>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedVpc {
    /// By id alone.
    Id(Uuid),
    /// This one of this owner.
    Vpc(VpcRef),
    /// Any of this owner's, those to be made included.
    Owner(Owner),
}

impl FromStr for AllowedVpc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(Self::Id(id));
        }
        let said = |e: crate::peering::InvalidId| e.to_string();
        match text.matches(':').count() {
            1 => text.parse().map(Self::Owner).map_err(said),
            _ => text.parse().map(Self::Vpc).map_err(said),
        }
    }
}

impl AllowedVpc {
    /// Whether it means this VPC.
    pub fn admits(&self, vpc: &VpcRef) -> bool {
        match self {
            Self::Id(id) => *id == vpc.id(),
            Self::Vpc(allowed) => allowed == vpc,
            Self::Owner(owner) => *owner == Owner::from(vpc),
        }
    }
}

impl Settings {
    /// Whether VPCs may be made for this owner.
    pub fn admits_vpcs_of(&self, owner: &Owner) -> bool {
        let meant = |allowed: &AllowedVpc| matches!(allowed, AllowedVpc::Owner(allowed) if allowed == owner);
        self.allowed_vpcs.is_empty() || self.allowed_vpcs.iter().any(meant)
    }

    /// Whether peerings may be asked for of VNets in this subscription.
    pub fn admits_subscription(&self, subscription: &SubscriptionId) -> bool {
        self.allowed_subscriptions.is_empty() || self.allowed_subscriptions.contains(subscription)
    }
}

/// Reads settings and collects what is wrong with them.
struct Reader<F> {
    get: F,
    wrong: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        text.parse().map_err(|e| self.wrong.push(format!("{name}: {e}"))).ok()
    }

    fn required<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        if self.text(name).is_none() {
            self.wrong.push(format!("{name} is missing"));
        }
        self.parsed(name)
    }

    fn or<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str, default: &str) -> Option<T> {
        match self.text(name) {
            Some(_) => self.parsed(name),
            None => default.parse().ok(),
        }
    }

    fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let mut values = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match item.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.wrong.push(format!("{name}: {error}")),
            }
        }
        values
    }

    fn one_of<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name).unwrap_or_else(|| choices[0].0.to_owned());
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            self.wrong.push(format!("{name}: {text:?} is none of {}", words.join(", ")));
        }
        found
    }
}

impl Settings {
    /// Reads the settings from wherever `get` finds them.
    ///
    /// # Errors
    /// One text that names everything missing or malformed.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = Reader { get, wrong: Vec::new() };
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.wrong.is_empty() => Ok(settings),
            _ => Err(format!("the settings need mending: {}", reader.wrong.join("; "))),
        }
    }
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// Everything is read before anything is given up, so that all that is wrong is named.
    fn settings(&mut self) -> Option<Settings> {
        let entra = self.or::<Url>("ENTRA_URL", "https://login.microsoftonline.com");
        let graph = self.or::<Url>("GRAPH_URL", "https://graph.microsoft.com");
        let arm = self.or::<Url>("ARM_URL", "https://management.azure.com");
        let key_vault = self.parsed::<Url>("KEY_VAULT_URL");
        let aiven = self.or::<Url>("AIVEN_API_URL", "https://api.aiven.io");
        let tenant = self.required::<TenantId>("AZURE_TENANT_ID");
        let client_id = self.required::<AppId>("AZURE_CLIENT_ID");
        let identity = self.required::<ObjectId>("AZURE_PRINCIPAL_ID");
        let token = self.required::<SecretText>("AIVEN_TOKEN");
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
            aiven_token: token?.0,
        };
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

fn is_local(endpoints: &Endpoints) -> bool {
    let Endpoints { entra, graph, arm, key_vault, aiven, .. } = endpoints;
    [entra, graph, arm, aiven].into_iter().chain(key_vault).all(is_loopback)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

struct SecretText(SecretString);

impl FromStr for SecretText {
    type Err = &'static str;

    /// The error must not repeat the text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("@Microsoft.KeyVault(") {
            return Err("the Key Vault reference was not resolved; see the app's identity and its right to the secret");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("it holds blanks or control characters");
        }
        Ok(Self(SecretString::from(text)))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
        let id = "22222222-2222-4222-8222-222222222222";
        let mut all = BTreeMap::from([
            ("AZURE_TENANT_ID", id),
            ("AZURE_CLIENT_ID", id),
            ("AZURE_PRINCIPAL_ID", id),
            ("AIVEN_TOKEN", "canary"),
        ]);
        all.extend(changes.iter().copied());
        Settings::read(|name| all.get(name).map(|&value| value.to_owned()))
    }

    #[test]
    fn the_defaults_are_the_public_clouds() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.endpoints.arm.as_str(), "https://management.azure.com/");
        assert_eq!(settings.aiven_application.to_string(), AIVEN_APPLICATION);
        assert_eq!((settings.installation.as_str(), settings.peering_role), ("default", PeeringRole::Minimal));
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let error = read(&[
            ("AZURE_TENANT_ID", ""),
            ("AZURE_CLIENT_ID", "me"),
            ("PEERING_ROLE", "owner"),
            ("RECONCILE", "undo"),
            ("INSTALLATION", "Ünique"),
            ("ALLOWED_SUBSCRIPTIONS", "a,b"),
            ("TIME_SCALE", "60"),
        ])
        .unwrap_err();
        for name in [
            "AZURE_TENANT_ID is missing",
            "AZURE_CLIENT_ID:",
            "PEERING_ROLE:",
            "RECONCILE:",
            "INSTALLATION:",
            "ALLOWED_SUBSCRIPTIONS:",
        ] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }

    #[test]
    fn vpcs_are_allowed_by_id_by_key_or_by_owner_and_made_only_for_an_owner() {
        let id = "66666666-6666-4666-8666-666666666666";
        let list = format!("{id}, project:p:{id}, org:org1a2b3c4d5e6");
        let settings = read(&[("ALLOWED_VPCS", &list)]).unwrap();
        let [organization, project]: [Owner; 2] = ["org:org1a2b3c4d5e6", "project:p"].map(|text| text.parse().unwrap());
        assert!(settings.admits_vpcs_of(&organization) && !settings.admits_vpcs_of(&project));
        assert!(settings.allowed_vpcs[2].admits(&organization.vpc(Uuid::nil())));
        assert!(!settings.allowed_vpcs[2].admits(&project.vpc(Uuid::nil())));
        assert!(read(&[]).unwrap().admits_vpcs_of(&project));
        assert!(read(&[("ALLOWED_VPCS", "orgs:x")]).unwrap_err().contains("ALLOWED_VPCS"));
    }

    #[test]
    fn a_password_needs_a_vault() {
        assert_eq!(read(&[]).unwrap().credential, Credential::Federated);
        let vault = ("KEY_VAULT_URL", "https://peering.vault.azure.net");
        assert_eq!(read(&[("CREDENTIAL", "secret"), vault]).unwrap().credential, Credential::Secret);
        let error = read(&[("CREDENTIAL", "secret"), ("AZURE_TENANT_ID", "")]).unwrap_err();
        assert!(error.contains("KEY_VAULT_URL is missing") && error.contains("AZURE_TENANT_ID is missing"), "{error}");
        let error = read(&[("CREDENTIAL", "secret"), ("KEY_VAULT_URL", "vault")]).unwrap_err();
        assert_eq!(error.matches("KEY_VAULT_URL").count(), 1, "{error}");
        assert!(read(&[("CREDENTIAL", "password")]).unwrap_err().contains("CREDENTIAL"));
    }

    #[test]
    fn fast_time_is_only_for_clouds_on_this_machine() {
        assert!(read(&[("TIME_SCALE", "60")]).unwrap_err().contains("TIME_SCALE"));
        let local = ["ENTRA_URL", "GRAPH_URL", "ARM_URL", "AIVEN_API_URL"].map(|name| (name, "https://localhost:8443"));
        let fast = [&local[..], &[("TIME_SCALE", "60")]].concat();
        assert_eq!(read(&fast).unwrap().time_scale, TimeScale::new(60.0).unwrap());
        assert!(read(&[("DNS_SERVER", "127.0.0.1:53")]).unwrap_err().contains("DNS_SERVER"));
        let named = [&local[..], &[("DNS_SERVER", "127.0.0.1:53")]].concat();
        assert_eq!(read(&named).unwrap().endpoints.name_server, "127.0.0.1:53".parse().ok());
    }

    #[test]
    fn an_unresolved_key_vault_reference_is_told_and_not_used_as_a_token() {
        let error = read(&[("AIVEN_TOKEN", "@Microsoft.KeyVault(SecretUri=https://v/secrets/x)")]).unwrap_err();
        assert!(error.contains("Key Vault") && !error.contains("https://v"), "{error}");
    }
}
