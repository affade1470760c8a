//! The least-privileged app: what it still may do.

use super::{Scene, assignment};
use crate::clouds::{Delegation, LeastPrivilege, roles};
use serde_json::{Value, json};

async fn scene(delegation: Delegation) -> (Scene, String, String, LeastPrivilege) {
    let scene = Scene::instant().await;
    let (vnet, least) = {
        let mut world = scene.clouds.world();
        world.secret_mode();
        let vnet = world.standard(1, 1, false).remove(0).vnet;
        (vnet, world.least_privilege("default", delegation))
    };
    let subscription = vnet.split('/').nth(2).unwrap().to_owned();
    (scene, subscription, vnet, least)
}

#[tokio::test]
async fn it_looks_assigns_its_roles_to_its_principals_and_takes_them_back() {
    for delegation in [Delegation::CustomRole, Delegation::BuiltInRoles] {
        let (scene, subscription, vnet, least) = scene(delegation).await;
        let token = scene.arm_identity().await;
        assert_eq!(scene.arm(&token, "GET", &vnet, None).await.status, 200);
        assert_eq!(scene.arm(&token, "GET", &format!("/subscriptions/{subscription}"), None).await.status, 200);
        let roles = &least.roles[&subscription];
        for (role, principal) in [(&roles.peer_only, &least.aiven_principal), (&roles.peering_writer, &least.principal)]
        {
            let path = format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{}", uuid::Uuid::new_v4());
            let body = assignment(&subscription, role, principal);
            let made = scene.arm(&token, "PUT", &path, Some(body)).await;
            assert_eq!(made.status, 201, "{}", made.body);
            assert_eq!(scene.arm(&token, "DELETE", &path, None).await.status, 200);
            assert_eq!(scene.arm(&token, "DELETE", &path, None).await.status, 204);
        }
        assert_eq!(scene.federated(&scene.clouds.settings()["AZURE_TENANT_ID"], &least.application).await.status, 200);
        let vault = scene.vault_identity().await;
        let put = scene.vault(&vault, "PUT", "/secrets/peering", Some(json!({"value": "x"}))).await;
        assert_eq!(put.status, 200, "rights on the vault stay");
    }
}

#[tokio::test]
async fn the_deployment_tells_the_app_what_it_made() {
    let (scene, subscription, _, least) = scene(Delegation::CustomRole).await;
    let settings = scene.clouds.settings();
    assert_eq!(settings["APPLICATION_ID"], least.application);
    assert_eq!(settings["APPLICATION_PRINCIPAL_ID"], least.principal);
    assert_eq!(settings["AIVEN_PRINCIPAL_ID"], least.aiven_principal);
    let world = scene.clouds.world();
    let names: Vec<&str> = world.role_definitions_in(&subscription).iter().map(|d| d.role_name.as_str()).collect();
    let name = |purpose: &str| format!("Aiven peering default: {purpose} ({subscription})");
    assert_eq!(names, [name("peer only"), name("peering writer"), name("automation")]);
    assert_eq!(least.roles.len(), 1, "a subscription without networks is none of the app's");
}

#[tokio::test]
async fn a_condition_is_shown_as_it_was_given_and_can_be_changed_in_its_place() {
    let (scene, subscription, vnet, least) = scene(Delegation::CustomRole).await;
    let home = scene.clouds.settings()["AZURE_TENANT_ID"].clone();
    let (app, secret) = scene.clouds.world().add_administrator(&home);
    let token = scene.by_secret(&home, &app, &secret, &scene.clouds.settings()["ARM_URL"]).await;
    let token = token.body["access_token"].as_str().unwrap();
    let path = format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{}", uuid::Uuid::new_v4());
    let put = async |condition: Value| {
        let mut body = assignment(&subscription, roles::RBAC_ADMINISTRATOR, &least.principal);
        body["properties"]["condition"] = condition;
        scene.arm(token, "PUT", &path, Some(body)).await
    };
    let first = put(json!("ActionMatches{'a'}")).await;
    assert_eq!((first.status, &first.body["properties"]["conditionVersion"]), (201, &json!("2.0")));
    assert_eq!(put(json!("ActionMatches{'a'}")).await.code(), "RoleAssignmentExists");
    assert_eq!(put(json!("ActionMatches{'b'}")).await.status, 200);
    let shown = scene.arm(token, "GET", &path, None).await;
    assert_eq!(shown.body["properties"]["condition"], "ActionMatches{'b'}");
}
