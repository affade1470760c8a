//! What `grants.bicep` makes, as the compiler predicted it, deployed into the emulated clouds by their administrator.

use std::collections::BTreeMap;
use std::path::Path;

use emulator::clouds::{Clouds, Directory, Service, World};
use package::snapshots::{self, Snapshot};
use serde_json::{Value, json};

/// Ids in the kept snapshots: subscription, identity, our application's principal, Aiven's.
const SAMPLES: [&str; 4] = [
    "33333333-3333-4333-8333-333333333333",
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "44444444-4444-4444-8444-444444444444",
];

/// The management group in the kept snapshots.
pub const GROUP: &str = "mg-landing";

/// The three roles by the last word of their names, as the templates call them, and as they are called here.
const ROLES: [(&str, &str, &str); 3] = [
    ("peering writer", "peering-writer", "writerRole"),
    ("peer only", "peer-only", "peerOnlyRole"),
    ("automation", "automation", "automationRole"),
];

/// A role or an assignment that the deployment makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// What it is called here.
    pub symbol: &'static str,
    /// Its type.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its full id.
    id: String,
    /// Its `properties`.
    pub properties: Value,
}

impl Deployed {
    pub fn id(&self) -> String {
        self.id.clone()
    }
}

/// Every kept snapshot.
pub fn kept() -> Vec<Snapshot> {
    snapshots::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/snapshots")).unwrap()
}

/// The snapshot of this name.
pub fn snapshot(name: &str) -> Snapshot {
    kept().into_iter().find(|one| one.name == name).unwrap()
}

/// Everything that `grants.bicep` makes for these subscriptions: what is kept, with the ids of this world in place of the samples.
pub fn made(world: &World, directory: &Directory, subscriptions: &[&str], peering_role: &str) -> Vec<Deployed> {
    let kept = snapshot(if peering_role == "minimal" { "grants" } else { "grants-network-contributor" });
    let ids = [&world.identity_principal_id, &directory.principal, &directory.aiven_principal];
    let swaps = |subscription: &str| swaps(subscription, ids.map(String::as_str));
    subscriptions.iter().flat_map(|subscription| swapped(&kept, &swaps(subscription))).collect()
}

/// Everything that `landing-zone.bicep` makes, and the settings that the app is then given.
pub fn landing_zone(
    world: &World,
    directory: &Directory,
    peering_role: &str,
) -> (Vec<Deployed>, BTreeMap<String, String>) {
    let kept = snapshot(if peering_role == "minimal" { "landing-zone" } else { "landing-zone-network-contributor" });
    let ids = [&world.identity_principal_id, &directory.principal, &directory.aiven_principal];
    let group = format!("/providers/Microsoft.Management/managementGroups/{GROUP}");
    let automation = kept.resources.iter().find(|one| symbol(&one.properties) == "automationRole").unwrap();
    let assignment = |identity: &str| guid(&[&group, identity, &automation.name]);
    let mut swaps = vec![(assignment(SAMPLES[1]), assignment(ids[0]))];
    swaps.extend(SAMPLES[1..].iter().zip(ids).map(|(old, new)| ((*old).to_owned(), new.clone())));
    let settings = kept.outputs.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    (swapped(&kept, &swaps), settings.collect())
}

fn swapped(kept: &Snapshot, swaps: &[(String, String)]) -> Vec<Deployed> {
    let renamed = |text: &str| swaps.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
    let all = kept.resources.iter().map(|one| Deployed {
        symbol: symbol(&one.properties),
        kind: one.kind.clone(),
        name: renamed(&one.name),
        id: renamed(&one.id),
        properties: serde_json::from_str(&renamed(&one.properties.to_string())).unwrap(),
    });
    let mut all: Vec<_> = all.collect();
    // A role is there before it is assigned.
    all.sort_by_key(|one| one.kind.ends_with("/roleAssignments"));
    all
}

fn symbol(properties: &Value) -> &'static str {
    let Some(name) = properties["roleName"].as_str() else { return "automation" };
    ROLES.iter().find(|(purpose, ..)| name.contains(&format!(": {purpose} ("))).map(|(.., symbol)| *symbol).unwrap()
}

/// Ids of the samples and of the world, those that are computed from them included.
fn swaps(subscription: &str, principals: [&str; 3]) -> Vec<(String, String)> {
    let roles = |subscription: &str| {
        ROLES.map(|(_, seed, _)| guid(&[&format!("/subscriptions/{subscription}"), "aiven-peering", "default", seed]))
    };
    let (old, new) = (roles(SAMPLES[0]), roles(subscription));
    let assignment = |subscription: &str, identity: &str, role: &str| {
        guid(&[&format!("/subscriptions/{subscription}"), identity, role])
    };
    let mut swaps =
        vec![(assignment(SAMPLES[0], SAMPLES[1], &old[2]), assignment(subscription, principals[0], &new[2]))];
    swaps.extend(old.into_iter().zip(new));
    let ids = [subscription, principals[0], principals[1], principals[2]];
    swaps.extend(SAMPLES.iter().zip(ids).map(|(old, new)| ((*old).to_owned(), new.to_owned())));
    swaps
}

/// What Bicep's `guid()` gives.
fn guid(parts: &[&str]) -> String {
    const NAMESPACE: uuid::Uuid = uuid::uuid!("11fb06fb-712d-4ddd-98c7-e71bbd588830");
    uuid::Uuid::new_v5(&NAMESPACE, parts.join("-").as_bytes()).to_string()
}

/// Puts them, as the administrator who deploys; long ago, so that all is in effect.
pub fn deploy(clouds: &Clouds, resources: &[Deployed]) {
    let home = clouds.world().home_tenant.clone();
    let (app, secret) = clouds.world().add_administrator(&home);
    let administrator = Azure { clouds, token: by_secret(clouds, &home, &app, &secret) };
    let mut world_is_told = Vec::new();
    for resource in resources {
        let body = json!({"properties": resource.properties});
        let (status, answer) = administrator.arm("PUT", &resource.id(), Some(&body));
        assert_eq!(status, 201, "{}: {answer}", resource.id());
        world_is_told.push(resource.name.clone());
        let mut world = clouds.world();
        let before = world.now() - jiff::SignedDuration::from_hours(24);
        world.role_definitions.iter_mut().for_each(|role| role.created_at = role.created_at.min(before));
        for assignment in world.role_assignments.iter_mut().filter(|a| world_is_told.contains(&a.name)) {
            assignment.effective_at = Some(before);
        }
    }
}

/// Azure, as somebody sees it.
pub struct Azure<'a> {
    pub clouds: &'a Clouds,
    pub token: String,
}

impl Azure<'_> {
    /// A call of ARM: status and body.
    pub fn arm(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call(Service::Arm, method, &format!("{path}?api-version=2022-04-01"), body)
    }

    /// A call of Graph: status and body.
    pub fn graph(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call(Service::Graph, method, &format!("/v1.0{path}"), body)
    }

    fn call(&self, service: Service, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.clouds.call(service, method, target, &headers, body.as_bytes()).unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

/// The app's managed identity, as it calls a service.
pub fn identity<'a>(clouds: &'a Clouds, service: &str) -> Azure<'a> {
    let settings = clouds.settings();
    let target = format!(
        "/msi/token?api-version=2019-08-01&client_id={}&resource={}",
        settings["AZURE_CLIENT_ID"], settings[service]
    );
    let headers = [("x-identity-header", settings["IDENTITY_HEADER"].as_str())];
    let answer = clouds.call(Service::Identity, "GET", &target, &headers, b"").unwrap();
    Azure { clouds, token: token(&answer.body) }
}

fn by_secret(clouds: &Clouds, tenant: &str, app: &str, secret: &str) -> String {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", app)
        .append_pair("client_secret", secret)
        .append_pair("scope", &format!("{}/.default", clouds.settings()["ARM_URL"]))
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let target = format!("/{tenant}/oauth2/v2.0/token");
    token(&clouds.call(Service::Entra, "POST", &target, &headers, body.as_bytes()).unwrap().body)
}

fn token(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {body}")).to_owned()
}
