//! Role assignments: list, read, put, delete.

use super::conditions::{Attributes, Condition, Situation};
use super::definitions::id as definition_id;
use super::roles::BUILT_IN;
use super::{Caller, body, errors, ids, method_not_allowed};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{AssignedRole, World};
use serde_json::{Value, json};

const WRITE: &str = "Microsoft.Authorization/roleAssignments/write";
const DELETE: &str = "Microsoft.Authorization/roleAssignments/delete";

pub(super) fn route(world: &mut World, request: &Request, caller: &Caller, scope: &str, name: Option<&str>) -> Answer {
    match (request.method.as_str(), name) {
        ("GET", None) => list(world, request, caller, scope),
        ("GET", Some(name)) => {
            caller.need(world, "Microsoft.Authorization/roleAssignments/read", scope)?;
            let index = find(world, scope, name).ok_or_else(|| missing(name))?;
            Ok(Reply::ok(json(&world.role_assignments[index])))
        }
        ("PUT", Some(name)) => put(world, request, caller, scope, name),
        ("DELETE", Some(name)) => delete(world, caller, scope, name),
        _ => Err(method_not_allowed(request)),
    }
}

fn find(world: &World, scope: &str, name: &str) -> Option<usize> {
    world.role_assignments.iter().position(|a| a.name.eq_ignore_ascii_case(name) && a.scope.eq_ignore_ascii_case(scope))
}

fn missing(name: &str) -> Reply {
    errors::error(404, "RoleAssignmentNotFound", &format!("The role assignment '{name}' is not found."))
}

/// Without a filter: at, above and below the scope; `atScope()` leaves out what is below.
fn list(world: &World, request: &Request, caller: &Caller, scope: &str) -> Answer {
    caller.need(world, "Microsoft.Authorization/roleAssignments/read", scope)?;
    let filter = request.query("$filter").unwrap_or_default().replace("assignedTo('", "principalId eq '");
    let principal = filter.split("principalId eq '").nth(1).and_then(|r| r.split('\'').next());
    let at_scope = filter.contains("atScope()");
    if !filter.is_empty() && principal.is_none() && !at_scope {
        return Err(errors::error(400, "UnsupportedQuery", &format!("The filter '{filter}' is not supported.")));
    }
    let here = |a: &&AssignedRole| world.covers(&a.scope, scope) || (!at_scope && world.covers(scope, &a.scope));
    let theirs = |a: &&AssignedRole| principal.is_none_or(|p| a.principal_id.eq_ignore_ascii_case(p));
    let found: Vec<Value> = world.role_assignments.iter().filter(here).filter(theirs).map(json).collect();
    Ok(Reply::ok(json!({"value": found})))
}

fn put(world: &mut World, request: &Request, caller: &Caller, scope: &str, name: &str) -> Answer {
    if !world.may_allow(&caller.object_id, WRITE, scope) {
        return Err(errors::forbidden_or_unmet(caller, WRITE, scope));
    }
    let body = body(request)?;
    let role = text(&body, "/properties/roleDefinitionId").map(ids::name);
    let principal = text(&body, "/properties/principalId");
    let kind = text(&body, "/properties/principalType");
    let asked = Attributes { role, principal, principal_type: kind };
    let situation = Situation { action: WRITE, request: asked, resource: Attributes::default() };
    caller.need_in(world, &situation, scope)?;
    if uuid::Uuid::parse_str(name).is_err() {
        return Err(errors::error(400, "InvalidRoleAssignmentId", "The role assignment ID must be a GUID."));
    }
    let (Some(role), Some(principal)) = (role, principal) else {
        return Err(errors::bad_content("The properties roleDefinitionId and principalId are required."));
    };
    if uuid::Uuid::parse_str(principal).is_err() {
        return Err(errors::error(400, "InvalidPrincipalId", "The principal ID is not a valid GUID."));
    }
    let condition = condition(&body)?;
    role_exists(world, caller, scope, role)?;
    principal_exists(world, caller, principal, kind)?;
    let wanted = (scope, role, principal);
    if let Some(index) =
        find(world, scope, name).filter(|&index| differs(&world.role_assignments[index], wanted, &condition))
    {
        world.role_assignments[index].condition = condition;
        return Ok(Reply::ok(json(&world.role_assignments[index])));
    }
    exists_already(world, wanted, name)?;
    resource_exists(world, scope)?;
    let assignment = AssignedRole {
        name: name.to_owned(),
        scope: scope.to_owned(),
        role: role.to_owned(),
        principal_id: principal.to_owned(),
        principal_type: "ServicePrincipal".to_owned(),
        condition,
        created_at: world.now(),
        created_by: caller.object_id.clone(),
        effective_at: world.effective_at(principal),
    };
    let answer = json(&assignment);
    world.role_assignments.push(assignment);
    Ok(Reply::new(201, answer))
}

/// Version 2.0 is the only one, and the default (Azure RBAC: conditions-faq, conditions-troubleshoot).
fn condition(body: &Value) -> Answer<Option<Condition>> {
    let Some(condition) = text(body, "/properties/condition") else { return Ok(None) };
    let version = text(body, "/properties/conditionVersion").unwrap_or("2.0");
    let parsed = Condition::parse(condition).ok().filter(|_| version == "2.0");
    let invalid =
        || errors::error(400, "InvalidRoleAssignmentCondition", "The given role assignment condition is invalid.");
    parsed.map(Some).ok_or_else(invalid)
}

/// The same assignment with another condition: that much of it can be changed (azurerm: 32714).
fn differs(there: &AssignedRole, (_, role, principal): (&str, &str, &str), condition: &Option<Condition>) -> bool {
    let same = there.role.eq_ignore_ascii_case(role) && there.principal_id.eq_ignore_ascii_case(principal);
    same && there.condition.as_ref().map(Condition::text) != condition.as_ref().map(Condition::text)
}

fn role_exists(world: &World, caller: &Caller, scope: &str, role: &str) -> Answer<()> {
    let custom = world.role_definitions.iter().any(|d| {
        d.tenant == caller.tenant
            && d.name.eq_ignore_ascii_case(role)
            && d.assignable_scopes.iter().any(|s| world.covers(s, scope))
            && world.over(d.created_at, world.lags.role_definition)
    });
    if custom || BUILT_IN.iter().any(|b| b.id.eq_ignore_ascii_case(role)) {
        return Ok(());
    }
    let text = format!("The specified role definition with ID '{role}' does not exist.");
    Err(errors::error(404, "RoleDefinitionDoesNotExist", &text))
}

/// With a principal type the directory check is relaxed, yet not waived (Azure: troubleshoot RBAC, PrincipalNotFound).
fn principal_exists(world: &World, caller: &Caller, principal: &str, kind: Option<&str>) -> Answer<()> {
    let lag = if kind.is_some() { world.lags.graph_replication / 4 } else { world.lags.graph_replication };
    let known = world
        .service_principals
        .iter()
        .find(|p| p.tenant == caller.tenant && p.id.eq_ignore_ascii_case(principal))
        .is_some_and(|p| world.over(p.created_at, lag));
    if !known {
        let text = format!(
            "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are \
             creating this principal and then immediately assigning a role, this error might be related to a \
             replication delay. In this case, set the role assignment principalType property to a value, such as \
             ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
            principal.replace('-', ""),
            caller.tenant
        );
        return Err(errors::error(400, "PrincipalNotFound", &text));
    }
    match kind {
        None | Some("ServicePrincipal") => Ok(()),
        Some(other) => {
            let text = format!(
                "The PrincipalId '{}' has type 'ServicePrincipal', which is different from specified PrincipalType \
                 '{other}'.",
                principal.replace('-', "")
            );
            Err(errors::error(400, "UnmatchedPrincipalType", &text))
        }
    }
}

/// One assignment for a scope, role and principal, under whatever GUID; and a GUID is never re-used for others.
fn exists_already(world: &World, (scope, role, principal): (&str, &str, &str), name: &str) -> Answer<()> {
    let same = world.role_assignments.iter().find(|a| {
        a.scope.eq_ignore_ascii_case(scope)
            && a.role.eq_ignore_ascii_case(role)
            && a.principal_id.eq_ignore_ascii_case(principal)
    });
    if let Some(same) = same {
        let text = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            same.name.replace('-', "")
        );
        return Err(errors::error(409, "RoleAssignmentExists", &text));
    }
    if world.role_assignments.iter().any(|a| a.name.eq_ignore_ascii_case(name)) {
        let text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
        return Err(errors::error(400, "RoleAssignmentUpdateNotPermitted", text));
    }
    Ok(())
}

fn resource_exists(world: &World, scope: &str) -> Answer<()> {
    match ids::parse_vnet(scope) {
        Some(id) if world.vnet(scope).is_none() => {
            Err(errors::resource_not_found("Microsoft.Network/virtualNetworks", &id.name, &id.resource_group))
        }
        _ => vault_exists(world, scope),
    }
}

fn vault_exists(world: &World, scope: &str) -> Answer<()> {
    let Some((group, name)) = ids::parse_vault(scope) else { return Ok(()) };
    match &world.vault {
        Some(vault) if ids::covers(&vault.id, scope) => Ok(()),
        _ => Err(errors::resource_not_found("Microsoft.KeyVault/vaults", name, group)),
    }
}

/// Without the assignment there is nothing for a condition to look at: who might delete some, hears that it is gone.
fn delete(world: &mut World, caller: &Caller, scope: &str, name: &str) -> Answer {
    let Some(index) = find(world, scope, name) else {
        if world.may_allow(&caller.object_id, DELETE, scope) {
            return Ok(Reply::empty(204));
        }
        return Err(errors::forbidden_or_unmet(caller, DELETE, scope));
    };
    let there = &world.role_assignments[index];
    let resource = Attributes {
        role: Some(&there.role),
        principal: Some(&there.principal_id),
        principal_type: Some(&there.principal_type),
    };
    let situation = Situation { action: DELETE, request: Attributes::default(), resource };
    caller.need_in(world, &situation, scope)?;
    let assignment = world.role_assignments.remove(index);
    Ok(Reply::ok(json(&assignment)))
}

fn json(assignment: &AssignedRole) -> Value {
    let AssignedRole { name, scope, .. } = assignment;
    let condition = assignment.condition.as_ref().map(Condition::text);
    json!({
        "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", scope.trim_end_matches('/')),
        "name": name, "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": definition_id(scope, &assignment.role), "principalId": assignment.principal_id,
            "principalType": assignment.principal_type, "scope": scope, "condition": condition,
            "conditionVersion": condition.map(|_| "2.0"),
            "createdOn": assignment.created_at, "updatedOn": assignment.created_at,
            "createdBy": assignment.created_by, "updatedBy": assignment.created_by,
            "delegatedManagedIdentityResourceId": null, "description": null
        }
    })
}
