//! What is refused to who may assign some roles to some principals only, and what is no condition.

use super::Row;
use super::ground::Ground;
use crate::clouds::tests::{Answer, assignment};
use crate::clouds::{AIVEN_APPLICATION, Delegation, LeastPrivilege, roles};
use serde_json::{Value, json};

/// The ground, with an app that may do the least.
async fn least() -> (Ground, LeastPrivilege) {
    let ground = Ground::new().await;
    let least = ground.scene.clouds.world().least_privilege("default", Delegation::CustomRole);
    (ground, least)
}

impl Ground {
    /// Assigns at network A as the app's identity.
    async fn assign_as_app(&self, role: &str, principal: &str) -> Answer {
        let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", self.a, uuid::Uuid::new_v4());
        let body = assignment(&self.subscription, role, principal);
        self.scene.arm(&self.scene.arm_identity().await, "PUT", &path, Some(body)).await
    }

    async fn assign_under(&self, condition: Value, version: Value) -> Answer {
        let mut body = self.reader();
        body["properties"]["condition"] = condition;
        body["properties"]["conditionVersion"] = version;
        self.assign(uuid::Uuid::new_v4(), &self.a, body).await
    }

    /// Puts a role definition as the app's identity.
    async fn define_as_app(&self) -> Answer {
        let scope = format!("/subscriptions/{}", self.subscription);
        let path = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{}", uuid::Uuid::new_v4());
        let actions = json!([{"actions": ["Microsoft.Network/virtualNetworks/peer/action"]}]);
        let body = json!({"properties": {"roleName": "mine", "assignableScopes": [scope], "permissions": actions}});
        self.scene.arm(&self.scene.arm_identity().await, "PUT", &path, Some(body)).await
    }
}

refusals! {
    another_role: "a role outside the condition", "ARM: PUT role assignment" => 403 "AuthorizationFailed" "or an ABAC condition not fulfilled", "Azure RBAC: delegate role assignments"; async {
        let (g, least) = least().await;
        g.assign_as_app(roles::OWNER, &least.principal).await
    }
    another_principal: "a principal outside the condition: one's own", "ARM: PUT role assignment" => 403 "AuthorizationFailed" "or an ABAC condition not fulfilled", "Azure RBAC: delegate role assignments"; async {
        let (g, least) = least().await;
        let role = least.roles[&g.subscription].peering_writer.clone();
        g.assign_as_app(&role, &g.identity()).await
    }
    another_assignment: "another's assignment, deleted under a condition", "ARM: DELETE role assignment" => 403 "AuthorizationFailed" "roleAssignments/delete", "Azure RBAC: delegate role assignments"; async {
        let (g, _) = least().await;
        let name = g.scene.clouds.world().assign_role(&g.a, roles::READER, &g.principal);
        let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", g.a);
        g.scene.arm(&g.scene.arm_identity().await, "DELETE", &path, None).await
    }
    no_type_said: "a condition on the principal's type, which the body leaves out", "ARM: PUT role assignment" => 403 "AuthorizationFailed" "or an ABAC condition not fulfilled", "Azure RBAC: delegate role assignments"; async {
        let (g, least) = least().await;
        {
            let mut world = g.scene.clouds.world();
            let text = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}";
            let condition = crate::clouds::Condition::parse(text).unwrap();
            for assignment in world.role_assignments.iter_mut().filter(|a| a.condition.is_some()) {
                assignment.condition = Some(condition.clone());
            }
        }
        let role = least.roles[&g.subscription].peer_only.clone();
        let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", g.a, uuid::Uuid::new_v4());
        let mut body = assignment(&g.subscription, &role, &least.aiven_principal);
        body["properties"].as_object_mut().unwrap().remove("principalType");
        g.scene.arm(&g.scene.arm_identity().await, "PUT", &path, Some(body)).await
    }
    own_role: "a role definition, by who may only assign", "ARM: PUT role definition" => 403 "AuthorizationFailed" "roleDefinitions/write", "Azure built-in roles: RBAC Administrator"; async {
        least().await.0.define_as_app().await
    }
    own_role_built_in: "a role definition, by a Role Based Access Control Administrator", "ARM: PUT role definition" => 403 "AuthorizationFailed" "roleDefinitions/write", "Azure built-in roles: RBAC Administrator"; async {
        let g = Ground::new().await;
        g.scene.clouds.world().least_privilege("default", Delegation::BuiltInRoles);
        g.define_as_app().await
    }
    directory_closed: "the least-privileged app in the directory", "Graph: PATCH service principal" => 403 "Authorization_RequestDenied" "Insufficient privileges", "Graph: permissions"; async {
        let (g, _) = least().await;
        g.graph("PATCH", &format!("/servicePrincipals(appId='{AIVEN_APPLICATION}')"), Some(json!({}))).await
    }
    condition_malformed: "a condition with a parenthesis too few", "ARM: PUT role assignment" => 400 "InvalidRoleAssignmentCondition" "The given role assignment condition is invalid.", "Azure RBAC: conditions-troubleshoot"; async {
        Ground::new().await.assign_under(json!("(ActionMatches{'x'}"), json!("2.0")).await
    }
    condition_old: "a condition of version 1.0", "ARM: PUT role assignment" => 400 "InvalidRoleAssignmentCondition" "The given role assignment condition is invalid.", "azure-docs: 119449"; async {
        Ground::new().await.assign_under(json!("ActionMatches{'x'}"), json!("1.0")).await
    }
    condition_of_storage: "a condition on what role assignments have not", "ARM: PUT role assignment" => 400 "InvalidRoleAssignmentCondition" "The given role assignment condition is invalid.", "azure-cli: 15683"; async {
        Ground::new().await.assign_under(json!("@Resource[Microsoft.ServiceBus/namespaces/queues:Name] stringEquals 'foo'"), json!("2.0")).await
    }
    no_such_vault: "a key vault that does not exist", "ARM: PUT role assignment" => 404 "ResourceNotFound" "Microsoft.KeyVault/vaults/none", "ARM: common errors"; async {
        let g = Ground::new().await;
        let scope = format!("/subscriptions/{}/resourceGroups/Rg/providers/Microsoft.KeyVault/vaults/none", g.subscription);
        g.assign(uuid::Uuid::new_v4(), &scope, assignment(&g.subscription, roles::SECRETS_USER, &g.principal)).await
    }
}
