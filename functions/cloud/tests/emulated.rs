//! The clients against the emulated clouds, called in process: what deleting, reconciling, the connectivity check, making VPCs and
//! passwords need of them. The emulator shares no type with the clients, so what both misread is what the documentation leaves open.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use emulator::clouds::{Clouds as World, Options, Pair, Service};
use jiff::Timestamp;

use crate::clock::{Clock, SystemClock, TimeScale};
use crate::cloud::Clouds;
use crate::cloud::aiven::{NewConnection, Owner, VpcState};
use crate::cloud::arm::{PeeringSpec, PeeringState, SyncLevel};
use crate::cloud::entra::{EntraTokens, Identity};
use crate::cloud::key_vault::secret_name;
use crate::peering::{AppId, VnetId, VpcRef};
use crate::settings::{AivenToken, Credential, Endpoints};

/// Hands requests to the emulated clouds; those to the virtual machine's identity endpoint in the platform's words.
struct InProcess(World);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let query = url.query().unwrap_or_default();
        let mut headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
            .collect();
        let (service, target) = if url.path().starts_with("/metadata/identity") {
            headers.push(("x-identity-header".to_owned(), self.0.settings()["IDENTITY_HEADER"].clone()));
            (Service::Identity, format!("/msi/token?{query}"))
        } else {
            (self.0.service_of(url.as_str()).expect("a cloud's address"), format!("{}?{query}", url.path()))
        };
        let Body::Bytes(body) = request.body().clone() else { panic!("a streamed body") };
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.0.call(service, request.method().as_str(), target.trim_end_matches('?'), &headers, &body);
        let answer =
            answer.ok_or_else(|| azure_core::Error::with_message(ErrorKind::Io, "connection reset by peer"))?;
        let mut headers = Headers::new();
        answer.headers.into_iter().for_each(|(name, value)| headers.insert(name.to_lowercase(), value));
        Ok(AsyncRawResponse::from_bytes(answer.status.into(), headers, answer.body))
    }
}

struct Scene {
    world: World,
    pair: Pair,
    clouds: Clouds,
}

impl Scene {
    fn new(project: bool, credential: Credential) -> Self {
        let world = World::in_process(Options::instant("/nonexistent"));
        let pair = world.world().standard(1, 1, project).remove(0);
        if credential == Credential::Secret {
            world.world().secret_mode();
        }
        let settings = world.settings();
        let endpoints = Endpoints {
            entra: settings["ENTRA_URL"].parse().unwrap(),
            graph: settings["GRAPH_URL"].parse().unwrap(),
            arm: settings["ARM_URL"].parse().unwrap(),
            key_vault: Some(settings["KEY_VAULT_URL"].parse().unwrap()),
            aiven: settings["AIVEN_API_URL"].parse().unwrap(),
            name_server: None,
            tenant: settings["AZURE_TENANT_ID"].parse().unwrap(),
            client_id: settings["AZURE_CLIENT_ID"].parse().unwrap(),
            aiven_token: AivenToken::Text(settings["AIVEN_TOKEN"].as_str().into()),
        };
        let transport: Arc<dyn HttpClient> = Arc::new(InProcess(world.clone()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock(TimeScale::REAL));
        let tokens = Arc::new(EntraTokens::new(&endpoints, credential, transport.clone(), clock.clone()));
        Self { world, pair, clouds: Clouds::new(&endpoints, transport, clock, tokens) }
    }

    fn vpc(&self) -> VpcRef {
        serde_json::from_value(self.pair.vpc.clone()).unwrap()
    }

    fn vnet(&self) -> VnetId {
        self.pair.vnet.parse().unwrap()
    }

    async fn application(&self) -> AppId {
        let made = self.clouds.graph.upsert_application("test", "Test").await.unwrap();
        self.clouds.graph.upsert_service_principal(made.object.app_id).await.unwrap();
        made.object.app_id
    }
}

#[tokio::test]
async fn vpcs_are_listed_and_made() {
    for project in [false, true] {
        let scene = Scene::new(project, Credential::Federated);
        let owner = Owner::from(&scene.vpc());
        let aiven = &scene.clouds.aiven;
        let before = aiven.vpcs(&owner).await.unwrap();
        assert_eq!(before.iter().map(|vpc| owner.vpc(vpc.id)).collect::<Vec<_>>(), [scene.vpc()]);
        let cidr = "10.201.0.0/24".parse().unwrap();
        let made = aiven.create_vpc(&owner, "azure-westeurope", cidr).await.unwrap().unwrap();
        let listed = aiven.vpcs(&owner).await.unwrap();
        assert_eq!(listed.len(), 2);
        let found = listed.iter().find(|vpc| vpc.is("azure-westeurope", cidr)).unwrap();
        assert_eq!(found.id, made.id);
        assert!(matches!(found.state, VpcState::Approved | VpcState::Active), "{:?}", found.state);
        let failure = aiven.create_vpc(&owner, "azure-westeurope", "10.202.0.0/16".parse().unwrap()).await.unwrap_err();
        let rule = crate::engine::classify(&failure);
        assert!(rule.why.contains("address range") && rule.window == 0, "{failure}");
    }
}

#[tokio::test]
async fn the_ranges_of_a_connection_are_added_and_deleted() {
    for project in [false, true] {
        let scene = Scene::new(project, Credential::Federated);
        let (aiven, vpc, vnet) = (&scene.clouds.aiven, scene.vpc(), scene.vnet());
        let app_id = scene.application().await;
        let tenant_id = scene.world.settings()["AZURE_TENANT_ID"].parse().unwrap();
        let new = NewConnection { vnet: vnet.clone(), app_id, tenant_id, user_peer_network_cidrs: vec![] };
        aiven.create_connection(&vpc, &new).await.unwrap();
        let ranges = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let shown = async || {
            let vpc = aiven.vpc(&vpc).await.unwrap();
            vpc.connections_to(&vnet).next().unwrap().clone()
        };
        aiven.set_cidrs(&vpc, &shown().await, &ranges(&["10.50.0.0/24", "10.51.0.0/24"]), &[]).await.unwrap();
        assert_eq!(shown().await.user_peer_network_cidrs, ["10.50.0.0/24", "10.51.0.0/24"]);
        aiven.set_cidrs(&vpc, &shown().await, &[], &ranges(&["10.50.0.0/24"])).await.unwrap();
        assert_eq!(shown().await.user_peer_network_cidrs, ["10.51.0.0/24"]);
    }
}

#[tokio::test]
async fn services_are_found_through_their_organization() {
    let scene = Scene::new(false, Credential::Federated);
    let VpcRef::Organization { organization, id } = scene.vpc() else { panic!("an organization's") };
    {
        let mut world = scene.world.world();
        world.add_project_in(&organization, "demo");
        let service = world.add_service("demo", "pg-1", Some(&scene.pair.vpc_id));
        service.add_component("pg", "public", "primary").add_component("pg", "dynamic", "replica");
        service.ip_filter = vec!["10.0.0.0/8".into()];
    }
    let aiven = &scene.clouds.aiven;
    let projects = aiven.projects_of(&organization).await.unwrap();
    assert!(projects.contains(&"demo".to_owned()), "{projects:?}");
    let services = aiven.services("demo").await.unwrap();
    assert_eq!((services.len(), services[0].vpc), (1, Some(id)));
    let hosts: Vec<&str> = services[0].private_addresses().map(|one| one.host.as_str()).collect();
    assert_eq!(hosts, ["pg-1-demo.a.aivencloud.com"]);
    assert!(services[0].admits(&"10.1.0.0/16".parse().unwrap()) && !services[0].admits(&"0.0.0.0/0".parse().unwrap()));
    assert!(aiven.services("nobody").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_subscriptions_networks_roles_and_assignments_are_listed_whole() {
    let scene = Scene::new(false, Credential::Federated);
    let (arm, vnet) = (&scene.clouds.arm, scene.vnet());
    let vnets = arm.vnets(vnet.subscription).await.unwrap();
    assert!(vnets.iter().any(|one| one.id.parse::<VnetId>().as_ref() == Ok(&vnet)), "{vnets:?}");
    let role = uuid::Uuid::from_u128(9);
    let spec = crate::cloud::arm::RoleSpec {
        role_name: "test".into(),
        description: "d".into(),
        actions: vec!["Microsoft.Network/virtualNetworks/peer/action".into()],
    };
    let made = arm.put_role_definition(vnet.subscription, role, &spec).await.unwrap();
    let listed = arm.role_definitions(vnet.subscription).await.unwrap();
    assert!(listed.contains(&made), "{listed:?}");
    assert!(listed.iter().all(|role| role.role_name != "Network Contributor"), "custom ones only");

    let app = scene.application().await;
    let principal = scene.clouds.graph.service_principal(app).await.unwrap().unwrap().id;
    let scope = vnet.to_string();
    let assignment = arm.put_role_assignment(&scope, uuid::Uuid::from_u128(8), &made.id, principal).await.unwrap();
    let found = arm.assignments_of(vnet.subscription, principal).await.unwrap();
    assert_eq!(found.iter().map(|one| one.is_at(&scope)).collect::<Vec<_>>(), [true]);
    assert!(arm.delete_role_assignment(&assignment.id).await.unwrap());
    assert!(!arm.delete_role_assignment(&assignment.id).await.unwrap());
    assert!(arm.assignments_of(vnet.subscription, principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_password_signs_the_application_in_until_it_is_replaced() {
    let scene = Scene::new(false, Credential::Secret);
    let Clouds { graph, tokens, .. } = &scene.clouds;
    let vault = scene.clouds.key_vault.as_ref().unwrap();
    let app = scene.application().await;
    let home = scene.world.settings()["AZURE_TENANT_ID"].parse().unwrap();
    let scope = format!("{}/.default", scene.world.settings()["ARM_URL"]);
    let name = secret_name(app);
    let sign_in = || tokens.token(Identity::Application(app), home, &scope);
    assert_eq!(sign_in().await.unwrap_err().code, "SecretNotFound");

    let end: Timestamp = scene.world.world().now() + jiff::SignedDuration::from_hours(24 * 90);
    let old = graph.add_password(app, "one", end).await.unwrap();
    let tags = BTreeMap::from([("key".to_owned(), old.key_id.to_string())]);
    vault.set_secret(&name, &old.secret, old.end, &tags).await.unwrap();
    assert_eq!(vault.secret(&name).await.unwrap().unwrap().about.tags, tags);
    sign_in().await.unwrap();

    let new = graph.add_password(app, "two", end).await.unwrap();
    assert_eq!(graph.passwords(app).await.unwrap().len(), 2);
    vault.set_secret(&name, &new.secret, new.end, &BTreeMap::new()).await.unwrap();
    assert_eq!(vault.versions(&name).await.unwrap().len(), 2);
    graph.remove_password(app, old.key_id).await.unwrap();
    // Another scope, so that no token is kept: the password kept is the old one, and is refused.
    let graph_scope = format!("{}/.default", scene.world.settings()["GRAPH_URL"]);
    tokens.token(Identity::Application(app), home, &graph_scope).await.unwrap();
    let left: Vec<_> = graph.passwords(app).await.unwrap().into_iter().map(|password| password.key_id).collect();
    assert_eq!(left, [new.key_id]);
}

#[tokio::test]
async fn a_half_is_made_synchronised_and_deleted() {
    let scene = Scene::new(false, Credential::Secret);
    let (arm, vnet) = (&scene.clouds.arm, scene.vnet());
    let app = scene.application().await;
    let vault = scene.clouds.key_vault.as_ref().unwrap();
    let (_, text) = scene.world.world().add_password(&app.to_string(), None).unwrap();
    vault.set_secret(&secret_name(app), &text.as_str().into(), None, &BTreeMap::new()).await.unwrap();
    let home = scene.world.settings()["AZURE_TENANT_ID"].clone();
    let remote = {
        let mut world = scene.world.world();
        let principal = world.service_principal(&home, &app.to_string()).unwrap().id.clone();
        world.assign_role(&scene.pair.vnet, emulator::clouds::roles::NETWORK_CONTRIBUTOR, &principal);
        let aiven = world.add_service_principal(&home, emulator::clouds::AIVEN_APPLICATION);
        world.assign_role(&scene.pair.vnet, emulator::clouds::roles::NETWORK_CONTRIBUTOR, &aiven);
        let id = world.add_connection(&scene.pair.vpc_id, &scene.pair.vnet, &app.to_string(), "APPROVED").unwrap();
        world.build_connection(&scene.pair.vpc_id, &id);
        id
    };
    let vpc = scene.clouds.aiven.vpc(&scene.vpc()).await.unwrap();
    let connection = vpc.connections.iter().find(|one| one.id.as_deref() == Some(&remote)).unwrap();
    let spec = PeeringSpec {
        remote: connection.to_network.clone().unwrap(),
        remote_tenant: connection.to_tenant.unwrap(),
        allow_forwarded_traffic: true,
    };
    arm.put_peering(app, &vnet, "to-aiven", &spec).await.unwrap();
    let made = arm.peering(&vnet, "to-aiven").await.unwrap().unwrap();
    assert_eq!(made.state, PeeringState::Connected);

    scene.world.world().change_vpc_range(&scene.pair.vpc_id, "10.220.0.0/24");
    let stale = arm.peering(&vnet, "to-aiven").await.unwrap().unwrap();
    assert_ne!(stale.sync_level, SyncLevel::FullyInSync);
    arm.sync_peering(app, &vnet, &stale, (&spec.remote, spec.remote_tenant)).await.unwrap();
    let synced = arm.peering(&vnet, "to-aiven").await.unwrap().unwrap();
    assert!(!matches!(synced.sync_level, SyncLevel::LocalNotInSync | SyncLevel::LocalAndRemoteNotInSync));
    assert!(synced.allow_forwarded_traffic && synced.allow_vnet_access);

    assert!(!arm.delete_peering(app, &vnet, "to-aiven").await.unwrap().was_absent);
    assert!(arm.peering(&vnet, "to-aiven").await.unwrap().is_none());
    assert!(arm.delete_peering(app, &vnet, "to-aiven").await.unwrap().was_absent);
}
