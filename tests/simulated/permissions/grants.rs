//! `grants.bicep`, worked out and deployed into the emulated clouds by their administrator.

use std::path::Path;

use emulator::clouds::{Clouds, Directory, Service, World};
use package::bicep::{Deployed, Deployment, Templates};
use serde_json::{Value, json};

/// Roles and their assignments.
const RIGHTS: &str = "Microsoft.Authorization/";

/// Our templates.
pub fn templates() -> Templates {
    Templates::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("infra")).unwrap()
}

/// Everything that `grants.bicep` makes for these subscriptions.
pub fn made(world: &World, directory: &Directory, subscriptions: &[&str], peering_role: &str) -> Vec<Deployed> {
    let parameters = json!({
        "subscriptionIds": subscriptions,
        "installation": "default",
        "peeringRole": peering_role,
        "identityPrincipalId": world.identity_principal_id,
        "applicationPrincipalId": directory.principal,
        "aivenPrincipalId": directory.aiven_principal,
    });
    let scope = format!("/subscriptions/{}", subscriptions[0]);
    let parameters = parameters.as_object().unwrap().clone().into_iter().collect();
    let templates = templates();
    let grants = templates.file("grants.bicep").unwrap();
    assert_eq!(grants.kinds().unwrap(), [""; 0], "all that grants makes, its modules make");
    let modules = grants.modules(&Deployment { scope, parameters }).unwrap();
    let each = modules.iter().map(|module| {
        let file = templates.file(&module.path).unwrap();
        let made = file.makes(&module.deployment, |kind| kind.starts_with(RIGHTS)).unwrap();
        assert!(file.kinds().unwrap().iter().all(|kind| kind.starts_with(RIGHTS)), "it makes nothing else");
        made
    });
    each.flatten().collect()
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
