//! Role definitions and role assignments.

use azure_core::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::said;
use super::{Arm, Caller, is_absent, version};
use crate::cloud::Failure;
use crate::peering::{ObjectId, SubscriptionId};

/// A role as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDefinition {
    /// Its GUID.
    pub name: Uuid,
    /// Resource id as ARM spells it: what an assignment names.
    pub id: String,
    /// Its name for people, unique in the tenant.
    pub role_name: String,
    /// What it allows.
    pub actions: Vec<String>,
    /// What it takes back.
    pub not_actions: Vec<String>,
    /// Where it may be assigned.
    pub assignable_scopes: Vec<String>,
}

/// A custom role as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSpec {
    /// Its name for people, unique in the tenant.
    pub role_name: String,
    /// One sentence on what it is for.
    pub description: String,
    /// What it allows.
    pub actions: Vec<String>,
}

/// A role assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAssignment {
    /// Resource id as ARM spells it: what `delete_role_assignment` takes.
    pub id: String,
    /// Its GUID, if the name is one.
    pub name: Option<Uuid>,
    /// Where it holds.
    pub scope: String,
    /// GUID of the role, if its id ends in one.
    pub role: Option<Uuid>,
    /// Whom it is for.
    pub principal: ObjectId,
    /// When it was made: rights settle some minutes later.
    pub created: Option<Timestamp>,
}

/// Full id of a role assignment at a scope.
pub fn role_assignment_id(scope: &str, name: Uuid) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}")
}

impl RoleAssignment {
    /// Whether it is made at this very scope (letter case aside), not above or below it.
    pub fn is_at(&self, scope: &str) -> bool {
        self.scope.trim_end_matches('/').eq_ignore_ascii_case(scope.trim_end_matches('/'))
    }

    /// Whether it holds at this scope: made there or above it.
    pub fn covers(&self, scope: &str) -> bool {
        let (own, scope) =
            (self.scope.trim_end_matches('/').to_lowercase(), scope.trim_end_matches('/').to_lowercase());
        scope == own || scope.strip_prefix(&own).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Resource id of a role in a subscription.
pub fn role_definition_id(subscription: SubscriptionId, role: Uuid) -> String {
    format!("{}/providers/Microsoft.Authorization/roleDefinitions/{role}", subscription.scope())
}

impl Arm {
    /// A role by its GUID, if it can be assigned in the subscription.
    pub async fn role_definition(
        &self,
        subscription: SubscriptionId,
        role: Uuid,
    ) -> Result<Option<RoleDefinition>, Failure> {
        let wire: Option<WireRole> =
            self.find(self.resource(&role_definition_id(subscription, role), version::AUTHORIZATION)).await?;
        Ok(wire.map(Into::into))
    }

    /// The roles of a name, as seen from a subscription.
    pub async fn role_definitions_named(
        &self,
        subscription: SubscriptionId,
        role_name: &str,
    ) -> Result<Vec<RoleDefinition>, Failure> {
        let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions", subscription.scope());
        let mut url = self.resource(&id, version::AUTHORIZATION);
        url.query_pairs_mut().append_pair("$filter", &format!("roleName eq '{}'", role_name.replace('\'', "''")));
        let roles: Vec<WireRole> = self.list(url).await?;
        Ok(roles.into_iter().map(Into::into).collect())
    }

    /// All custom roles that may be assigned in a subscription, in one list. One that cannot be read is none of ours, and left out.
    pub async fn role_definitions(&self, subscription: SubscriptionId) -> Result<Vec<RoleDefinition>, Failure> {
        let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions", subscription.scope());
        let mut url = self.resource(&id, version::AUTHORIZATION);
        url.query_pairs_mut().append_pair("$filter", "type eq 'CustomRole'");
        let roles: Vec<Value> = self.list(url).await?;
        Ok(roles.into_iter().filter_map(|role| WireRole::deserialize(role).ok()).map(Into::into).collect())
    }

    /// Makes or replaces a custom role that may be assigned in the subscription.
    pub async fn put_role_definition(
        &self,
        subscription: SubscriptionId,
        role: Uuid,
        spec: &RoleSpec,
    ) -> Result<RoleDefinition, Failure> {
        let body = json!({ "properties": {
            "roleName": spec.role_name,
            "description": spec.description,
            "type": "CustomRole",
            "permissions": [{ "actions": spec.actions, "notActions": [] }],
            "assignableScopes": [subscription.scope()],
        }});
        let url = self.resource(&role_definition_id(subscription, role), version::AUTHORIZATION);
        let call = self.call(Caller::Installation, Method::Put, url).await?.json(&body);
        let wire: WireRole = self.http.exchange(&call, said).await?.json(&call)?;
        Ok(wire.into())
    }

    /// A principal's assignments at, above and below a scope: judge each with [`RoleAssignment::is_at`].
    pub async fn role_assignments(&self, scope: &str, principal: ObjectId) -> Result<Vec<RoleAssignment>, Failure> {
        let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
        let mut url = self.resource(&id, version::AUTHORIZATION);
        url.query_pairs_mut().append_pair("$filter", &format!("principalId eq '{principal}'"));
        let assignments: Vec<WireAssignment> = self.list(url).await?;
        Ok(assignments.into_iter().map(Into::into).collect())
    }

    /// A principal's assignments of a whole subscription, those on resources in it included, in one list.
    pub async fn assignments_of(
        &self,
        subscription: SubscriptionId,
        principal: ObjectId,
    ) -> Result<Vec<RoleAssignment>, Failure> {
        self.role_assignments(&subscription.scope(), principal).await
    }

    /// Assigns a role (its resource id) to a service principal at a scope, under a GUID of ours.
    ///
    /// # Errors
    /// Also 409 `RoleAssignmentExists`: the same assignment exists, under this GUID or another.
    pub async fn put_role_assignment(
        &self,
        scope: &str,
        name: Uuid,
        role_definition_id: &str,
        principal: ObjectId,
    ) -> Result<RoleAssignment, Failure> {
        // Without principalType the service looks for a user and fails on a principal not yet replicated; conditions on our
        // right to assign may ask for it, too.
        let body = json!({ "properties": {
            "roleDefinitionId": role_definition_id,
            "principalId": principal,
            "principalType": "ServicePrincipal",
        }});
        let id = role_assignment_id(scope, name);
        let url = self.resource(&id, version::AUTHORIZATION);
        let call = self.call(Caller::Installation, Method::Put, url).await?.json(&body);
        let wire: WireAssignment = self.http.exchange(&call, said).await?.json(&call)?;
        Ok(wire.into())
    }

    /// Deletes an assignment by its resource id; `false` if it was not there (204, or 404 with its scope gone, too).
    pub async fn delete_role_assignment(&self, id: &str) -> Result<bool, Failure> {
        let url = self.resource(id, version::AUTHORIZATION);
        let call = self.call(Caller::Installation, Method::Delete, url).await?;
        match self.http.exchange(&call, said).await {
            Ok(reply) => Ok(reply.status != 204),
            Err(failure) if is_absent(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

#[derive(Deserialize)]
struct WireRole {
    id: String,
    name: Uuid,
    properties: WireRoleProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRoleProperties {
    role_name: String,
    #[serde(default)]
    permissions: Vec<WirePermission>,
    #[serde(default)]
    assignable_scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePermission {
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    not_actions: Vec<String>,
}

#[derive(Deserialize)]
struct WireAssignment {
    id: String,
    #[serde(default)]
    name: String,
    properties: WireAssignmentProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssignmentProperties {
    #[serde(default)]
    scope: String,
    role_definition_id: String,
    principal_id: ObjectId,
    created_on: Option<String>,
}

impl From<WireRole> for RoleDefinition {
    fn from(wire: WireRole) -> Self {
        let permissions = wire.properties.permissions;
        Self {
            name: wire.name,
            id: wire.id,
            role_name: wire.properties.role_name,
            actions: permissions.iter().flat_map(|p| p.actions.clone()).collect(),
            not_actions: permissions.iter().flat_map(|p| p.not_actions.clone()).collect(),
            assignable_scopes: wire.properties.assignable_scopes,
        }
    }
}

impl From<WireAssignment> for RoleAssignment {
    fn from(WireAssignment { id, name, properties: wire }: WireAssignment) -> Self {
        let role = wire.role_definition_id.rsplit('/').next().and_then(|guid| Uuid::try_parse(guid).ok());
        Self {
            name: Uuid::try_parse(&name).ok(),
            scope: wire.scope,
            role,
            principal: wire.principal_id,
            created: wire.created_on.and_then(|text| text.parse().ok()),
            id,
        }
    }
}
