//! What every refusal starts from: two networks, an administrator, an application of ours, an Aiven VPC.

use crate::clouds::tests::runbook::{self, Prepared};
use crate::clouds::tests::{Answer, Scene, assignment};
use crate::clouds::{AIVEN_APPLICATION, Fault, Lags, Service, roles};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) struct Ground {
    pub(super) scene: Scene,
    pub(super) home: String,
    pub(super) subscription: String,
    /// Two networks that may be peered.
    pub(super) a: String,
    pub(super) b: String,
    /// Our application and its principal.
    pub(super) app: String,
    pub(super) principal: String,
    /// An ARM token of an Owner.
    pub(super) owner: String,
    /// An organization VPC at Aiven, as a path, and its id.
    pub(super) vpc: String,
    pub(super) vpc_id: String,
}

impl Ground {
    pub(super) async fn new() -> Self {
        Self::with(1.0, Lags::none()).await
    }

    pub(super) async fn with(scale: f64, lags: Lags) -> Self {
        let scene = Scene::with(scale, lags).await;
        let (home, subscription, a, b, app, principal, administrator, organization, vpc_id) = {
            let mut world = scene.clouds.world();
            let home = world.home_tenant.clone();
            let subscription = world.add_subscription(&home);
            let a = world.add_vnet(&subscription, "Rg", "A", &["10.1.0.0/24"]);
            let b = world.add_vnet(&subscription, "Rg", "B", &["10.2.0.0/24"]);
            let app = world.add_application(&home, "ours", None, true);
            let principal = world.add_service_principal(&home, &app);
            let administrator = world.add_administrator(&home);
            let organization = world.add_organization();
            let vpc = world.add_organization_vpc(&organization, "azure-westeurope", "10.77.0.0/24");
            (home, subscription, a, b, app, principal, administrator, organization, vpc)
        };
        let (app_id, secret) = administrator;
        let token = scene.by_secret(&home, &app_id, &secret, &scene.url(Service::Arm)).await;
        let owner = token.body["access_token"].as_str().unwrap().to_owned();
        let vpc = format!("/organization/{organization}/vpc/{vpc_id}");
        Self { scene, home, subscription, a, b, app, principal, owner, vpc, vpc_id }
    }

    pub(super) async fn arm(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.scene.arm(&self.owner, method, path, body).await
    }

    pub(super) async fn graph(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let token = self.scene.graph_identity().await;
        self.scene.graph(&token, method, path, body).await
    }

    pub(super) async fn aiven(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.scene.aiven(method, path, body).await
    }

    /// Writes a half within the tenant.
    pub(super) async fn peer(&self, from: &str, name: &str, to: &str) -> Answer {
        runbook::put_peering(&self.scene, from, name, to, &self.owner, None).await
    }

    /// Both halves, connected.
    pub(super) async fn connect(&self) {
        assert_eq!(self.peer(&self.a, "to-b", &self.b).await.status, 201);
        assert_eq!(self.peer(&self.b, "to-a", &self.a).await.status, 201);
    }

    pub(super) fn network(&self, name: &str, prefix: &str) -> String {
        self.scene.clouds.world().add_vnet(&self.subscription, "Rg", name, &[prefix])
    }

    /// Assigns a role at network A under a new GUID, or this one.
    pub(super) async fn assign(&self, guid: uuid::Uuid, scope: &str, body: Value) -> Answer {
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}");
        self.arm("PUT", &path, Some(body)).await
    }

    pub(super) fn reader(&self) -> Value {
        assignment(&self.subscription, roles::READER, &self.principal)
    }

    pub(super) async fn define(&self, name: &str) -> Answer {
        let scope = format!("/subscriptions/{}", self.subscription);
        let path = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", uuid::Uuid::new_v4());
        let actions = json!([{"actions": ["Microsoft.Network/virtualNetworks/peer/action"]}]);
        let body = json!({"properties": {"roleName": name, "assignableScopes": [scope], "permissions": actions}});
        self.arm("PUT", &path, Some(body)).await
    }

    /// An ARM token of an application that has no role anywhere.
    pub(super) async fn stranger(&self) -> String {
        let (app, secret) = {
            let mut world = self.scene.clouds.world();
            let made = world.add_administrator(&self.home);
            let id = world.service_principal(&self.home, &made.0).unwrap().id.clone();
            world.role_assignments.retain(|a| a.principal_id != id);
            made
        };
        let answer = self.scene.by_secret(&self.home, &app, &secret, &self.scene.url(Service::Arm)).await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// The principal of a token.
    pub(super) fn principal_of(&self, token: &str) -> String {
        self.scene.clouds.world().tokens.claims(token).unwrap().object_id.clone()
    }

    /// Everything up to the peering across the tenants: the network at Aiven, and the application's two tokens.
    pub(super) async fn across(&self) -> Across {
        let pair = self.scene.clouds.world().standard(1, 1, false).remove(0);
        let prepared = runbook::prepare(&self.scene, pair).await;
        let (aiven_tenant, network) = runbook::request_peering(&self.scene, &prepared).await;
        let (primary, auxiliary) = runbook::both_tokens(&self.scene, &prepared, &aiven_tenant).await;
        Across { prepared, aiven_tenant, network, primary, auxiliary }
    }

    /// What a connection needs, right in all parts.
    pub(super) fn connection(&self) -> Value {
        json!({
            "peer_cloud_account": self.subscription, "peer_resource_group": "rg", "peer_vpc": "a",
            "peer_azure_app_id": self.app, "peer_azure_tenant_id": self.home
        })
    }

    /// The same, but for one member.
    pub(super) async fn request(&self, member: &str, value: Value) -> Answer {
        let mut body = self.connection();
        body[member] = value;
        self.aiven("POST", &format!("{}/peering-connections", self.vpc), Some(body)).await
    }

    /// Adds a password to our application.
    pub(super) async fn add_password(&self, body: Value) -> Answer {
        self.graph("POST", &format!("/applications(appId='{}')/addPassword", self.app), Some(body)).await
    }

    /// Calls the vault as the app's identity, its Secrets Officer.
    pub(super) async fn vault(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let token = self.scene.vault_identity().await;
        self.scene.vault(&token, method, path, body).await
    }

    /// Calls the vault with another token than the identity's for vaults.
    pub(super) async fn vault_with(&self, token: &str) -> Answer {
        self.scene.vault(token, "GET", "/secrets/peering", None).await
    }

    /// The same ground with a vault on it, and a secret in that.
    pub(super) async fn with_vault() -> Self {
        let ground = Self::new().await;
        let mut world = ground.scene.clouds.world();
        world.secret_mode();
        world.write_secret("peering", "text");
        drop(world);
        ground
    }

    /// A federated credential of our application, with this subject.
    pub(super) async fn trust(&self, name: &str, subject: &str) -> Answer {
        let entra = self.scene.url(Service::Entra);
        let body = json!({
            "name": name, "issuer": format!("{entra}/{}/v2.0", self.home), "subject": subject,
            "audiences": ["api://AzureADTokenExchange"]
        });
        self.graph("POST", &format!("/applications(appId='{}')/federatedIdentityCredentials", self.app), Some(body))
            .await
    }

    pub(super) fn identity(&self) -> String {
        self.scene.clouds.settings()["AZURE_PRINCIPAL_ID"].clone()
    }

    /// Leaves the app's identity with the right to its own applications only.
    pub(super) fn own_applications_only(&self) {
        self.scene.clouds.fault(Fault::graph_right_missing());
    }

    pub(super) async fn admit_aiven(&self) -> Answer {
        let path = format!("/servicePrincipals(appId='{AIVEN_APPLICATION}')");
        self.graph("PATCH", &path, Some(json!({}))).await
    }

    /// One network operation takes so long, in nominal seconds.
    pub(super) async fn slow(seconds: u64) -> Self {
        Self::with(1.0, Lags { arm_operation: Duration::from_secs(seconds), ..Lags::none() }).await
    }
}

pub(super) struct Across {
    pub(super) prepared: Prepared,
    pub(super) aiven_tenant: String,
    network: String,
    pub(super) primary: String,
    pub(super) auxiliary: String,
}

impl Across {
    pub(super) async fn put(&self, scene: &Scene, auxiliary: Option<&str>) -> Answer {
        runbook::put_peering(scene, &self.prepared.pair.vnet, "to-aiven", &self.network, &self.primary, auxiliary).await
    }
}
