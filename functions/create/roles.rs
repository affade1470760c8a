//! Role definitions and role assignments, as the steps that give rights need them. Ids are computed as Bicep's `guid()` is, so a
//! deployment's and ours are the same.

use async_trait::async_trait;
use uuid::Uuid;

use crate::cloud::arm::{RoleDefinition, RoleSpec, role_assignment_id, role_definition_id};
use crate::context::Context;
use crate::engine::{Fix, SharedEffect, Stop};
use crate::peering::{AppId, ObjectId, SubscriptionId, VnetId, guid};

/// A custom role of a subscription.
pub struct Role<'a> {
    /// The clouds.
    pub context: &'a Context,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// What it is for: part of its name and of the seed of its id.
    pub purpose: &'static str,
    /// What it says of itself.
    pub description: &'static str,
    /// What it allows.
    pub actions: &'static [&'static str],
    /// Whether one of ours that somebody changed is to be made again as it should be.
    pub mend: bool,
}

impl Role<'_> {
    /// Its id: the GUID that Bicep computes for it.
    pub fn id(&self) -> Uuid {
        let words = self.purpose.replace(' ', "-");
        guid(&[&self.subscription.scope(), "aiven-peering", &self.context.settings.installation, &words])
    }

    /// Role names are unique in a tenant, so the name holds the subscription.
    fn spec(&self) -> RoleSpec {
        let installation = &self.context.settings.installation;
        RoleSpec {
            role_name: format!("Aiven peering {installation}: {} ({})", self.purpose, self.subscription),
            description: self.description.to_owned(),
            actions: self.actions.iter().map(|&action| action.to_owned()).collect(),
        }
    }

    /// Whether a role allows what it should, and nothing else.
    pub fn is_as_it_should_be(&self, role: &RoleDefinition) -> bool {
        let allowed = |action: &String| self.actions.iter().any(|wanted| wanted.eq_ignore_ascii_case(action));
        role.actions.len() == self.actions.len() && role.actions.iter().all(allowed) && role.not_actions.is_empty()
    }

    /// The command that gives a role its actions back. The CLI finds it by `id`, and wants all of it.
    fn restore_command(&self, role: &RoleDefinition) -> String {
        let json = serde_json::json!({
            "id": role.id, "roleName": role.role_name, "description": self.description,
            "actions": self.actions, "notActions": [], "assignableScopes": role.assignable_scopes,
        });
        format!("az role definition update --role-definition '{}'", json.to_string().replace('\'', "'\\''"))
    }

    fn checked(&self, role: RoleDefinition) -> Result<Option<String>, Stop> {
        if self.is_as_it_should_be(&role) {
            return Ok(Some(role.id));
        }
        if self.mend && role.name == self.id() {
            // As good as missing: making it again makes it as it should be.
            return Ok(None);
        }
        Err(Stop::Fix(Fix {
            what: format!(
                "role {:?} ({}) allows {}, not {}",
                role.role_name,
                role.name,
                role.actions.join(", "),
                self.actions.join(", ")
            ),
            why: "somebody changed our role, or made another of the same name".to_owned(),
            command: format!("{}; or, if it is ours, send action \"retry\"", self.restore_command(&role)),
            code: "role_differs".to_owned(),
            correlation: None,
        }))
    }
}

#[async_trait]
impl SharedEffect for Role<'_> {
    /// Full id.
    type Value = String;

    async fn look(&self) -> Result<Option<String>, Stop> {
        let arm = &self.context.clouds.arm;
        let found = match arm.role_definition(self.subscription, self.id()).await? {
            Some(role) => Some(role),
            None => arm.role_definitions_named(self.subscription, &self.spec().role_name).await?.into_iter().next(),
        };
        found.map_or(Ok(None), |role| self.checked(role))
    }

    async fn make(&self) -> Result<String, Stop> {
        Ok(self.context.clouds.arm.put_role_definition(self.subscription, self.id(), &self.spec()).await?.id)
    }
}

/// A role on a VNet, for a service principal.
pub struct Assignment<'a> {
    /// The clouds.
    pub context: &'a Context,
    /// The VNet.
    pub vnet: &'a VnetId,
    /// Who gets the role.
    pub principal: ObjectId,
    /// Full id of the role.
    pub role: &'a str,
}

impl Assignment<'_> {
    /// Lower case: two requests may write the same VNet differently.
    fn scope(&self) -> String {
        self.vnet.to_string().to_lowercase()
    }

    fn role_id(&self) -> Uuid {
        last_segment(self.role)
    }

    fn name(&self) -> Uuid {
        guid(&[&self.scope(), &self.principal.to_string(), &self.role_id().to_string()])
    }
}

#[async_trait]
impl SharedEffect for Assignment<'_> {
    /// Id of the assignment.
    type Value = String;

    /// One at the VNet, or above it: a role on the whole subscription does as well, and is not ours.
    async fn look(&self) -> Result<Option<String>, Stop> {
        let scope = self.vnet.to_string();
        let all = self.context.clouds.arm.role_assignments(&scope, self.principal).await?;
        let same =
            |a: &&crate::cloud::arm::RoleAssignment| a.role == Some(self.role_id()) && a.principal == self.principal;
        Ok(all.iter().filter(same).find(|a| a.covers(&scope)).map(|found| found.id.clone()))
    }

    async fn make(&self) -> Result<String, Stop> {
        let scope = self.vnet.to_string();
        Ok(self.context.clouds.arm.put_role_assignment(&scope, self.name(), self.role, self.principal).await?.id)
    }

    fn intended(&self) -> Option<String> {
        Some(role_assignment_id(&self.vnet.to_string(), self.name()))
    }

    /// An assignment under another name, or at another scope, is somebody else's.
    fn can_be_ours(&self, found: &String) -> bool {
        last_segment(found) == self.name()
    }
}

/// The part of a VNet's row that is Aiven's role on it.
pub const AIVEN_ASSIGNMENT: &str = "aiven_assignment";

/// The part of a VNet's row that is our application's role on it; an application of the sender's has a part of its own.
pub fn assignment_part(application: Option<AppId>) -> String {
    application.map_or_else(|| "assignment".to_owned(), |application| format!("assignment:{application}"))
}

/// The sender's application that such a part is about.
pub fn senders_application(part: &str) -> Option<AppId> {
    part.strip_prefix("assignment:")?.parse().ok()
}

/// Whether a user of a VNet (see [`crate::peering::Record::user`]) peers as this application.
pub fn peers_as(user: &str, application: Option<AppId>) -> bool {
    user.split_once(':').map(|(_, application)| application) == application.map(|id| id.to_string()).as_deref()
}

/// Full id of a role from its GUID.
pub fn full_id(subscription: SubscriptionId, role: Uuid) -> String {
    role_definition_id(subscription, role)
}

/// The GUID at the end of a role's full id; nil if there is none, which matches nothing.
pub fn last_segment(id: &str) -> Uuid {
    id.rsplit('/').next().and_then(|last| Uuid::try_parse(last).ok()).unwrap_or_default()
}

/// The command that gives a role on a VNet, for a person who may.
pub fn assign_command(vnet: &VnetId, principal: ObjectId, role: &str) -> String {
    let role = last_segment(role);
    format!(
        "az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal --role {role} --scope {vnet}"
    )
}

/// The command that lets the app assign roles on a VNet, for an owner.
pub fn delegate_command(vnet: &VnetId, identity: ObjectId) -> String {
    format!(
        "az role assignment create --assignee-object-id {identity} --assignee-principal-type ServicePrincipal --role \"Role Based Access Control Administrator\" --scope {vnet} (run by an owner of the VNet)"
    )
}
