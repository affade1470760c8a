//! Role definitions: list, read, put, delete.

use super::roles::{BUILT_IN, BuiltIn};
use super::{Caller, body, errors, ids, method_not_allowed};
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{RoleDefinition, World};
use serde_json::{Value, json};

pub(super) fn route(world: &mut World, request: &Request, caller: &Caller, scope: &str, name: Option<&str>) -> Answer {
    match (request.method.as_str(), name) {
        ("GET", None) => list(world, request, caller, scope),
        ("GET", Some(name)) => {
            caller.need(world, "Microsoft.Authorization/roleDefinitions/read", scope)?;
            let built_in = BUILT_IN.iter().find(|b| b.id.eq_ignore_ascii_case(name));
            let custom = find(world, &caller.tenant, name).map(|i| custom(&world.role_definitions[i], scope));
            let found = built_in.map(|b| self::built_in(b, scope)).or(custom);
            found.map(Reply::ok).ok_or_else(|| missing(name))
        }
        ("PUT", Some(name)) => put(world, request, caller, scope, name),
        ("DELETE", Some(name)) => delete(world, caller, scope, name),
        _ => Err(method_not_allowed(request)),
    }
}

fn find(world: &World, tenant: &str, name: &str) -> Option<usize> {
    world.role_definitions.iter().position(|d| d.tenant == tenant && d.name.eq_ignore_ascii_case(name))
}

fn missing(name: &str) -> Reply {
    errors::error(
        404,
        "RoleDefinitionDoesNotExist",
        &format!("The specified role definition with ID '{name}' does not exist."),
    )
}

fn list(world: &World, request: &Request, caller: &Caller, scope: &str) -> Answer {
    caller.need(world, "Microsoft.Authorization/roleDefinitions/read", scope)?;
    let (mut role_name, mut kind) = (None, None);
    for clause in clauses(request.query("$filter").unwrap_or_default()) {
        match clause.split_once(" eq ").and_then(|(name, value)| Some((name, quoted(value)?))) {
            Some(("roleName", value)) => role_name = Some(value),
            Some(("type", value)) => kind = Some(value),
            None if clause.eq_ignore_ascii_case("atScopeAndBelow()") => {}
            _ => {
                return Err(errors::error(
                    400,
                    "UnsupportedQuery",
                    &format!("The filter '{clause}' is not supported."),
                ));
            }
        }
    }
    let here = |d: &&RoleDefinition| {
        d.tenant == caller.tenant
            && d.assignable_scopes.iter().any(|s| world.covers(s, scope) || world.covers(scope, s))
    };
    let built_in = BUILT_IN.iter().map(|b| self::built_in(b, scope));
    let custom = world.role_definitions.iter().filter(here).map(|d| custom(d, scope));
    let fits = |v: &Value| {
        let member = |p: &str| text(v, p).unwrap_or_default().to_owned();
        role_name.is_none_or(|n| n.eq_ignore_ascii_case(&member("/properties/roleName")))
            && kind.is_none_or(|k| k.eq_ignore_ascii_case(&member("/properties/type")))
    };
    Ok(Reply::ok(json!({"value": built_in.chain(custom).filter(fits).collect::<Vec<_>>()})))
}

fn clauses(filter: &str) -> impl Iterator<Item = &str> {
    filter.split(" and ").map(str::trim).filter(|clause| !clause.is_empty())
}

fn quoted(value: &str) -> Option<&str> {
    value.trim().strip_prefix('\'')?.strip_suffix('\'')
}

fn put(world: &mut World, request: &Request, caller: &Caller, scope: &str, name: &str) -> Answer {
    let body = body(request)?;
    let scopes = strings(&body["properties"]["assignableScopes"]);
    caller.need(world, "Microsoft.Authorization/roleDefinitions/write", scope)?;
    for scope in &scopes {
        caller.need(world, "Microsoft.Authorization/roleDefinitions/write", scope)?;
    }
    let invalid = |text: &str| errors::error(400, "InvalidRoleDefinition", text);
    let Some(role_name) = text(&body, "/properties/roleName").filter(|n| !n.is_empty()) else {
        return Err(invalid("The role definition's roleName is missing."));
    };
    if uuid::Uuid::parse_str(name).is_err() {
        return Err(errors::error(400, "InvalidRoleDefinitionId", "The role definition ID must be a GUID."));
    }
    if scopes.is_empty() {
        return Err(invalid("The role definition must have at least one assignable scope."));
    }
    let permission = &body["properties"]["permissions"][0];
    let actions = strings(&permission["actions"]);
    let data_actions = strings(&permission["dataActions"]);
    if actions.is_empty() && data_actions.is_empty() {
        return Err(invalid("The role definition must have permissions with at least one action."));
    }
    let twin = world.role_definitions.iter().any(|d| {
        d.tenant == caller.tenant && d.role_name.eq_ignore_ascii_case(role_name) && !d.name.eq_ignore_ascii_case(name)
    });
    if twin || BUILT_IN.iter().any(|b| b.name.eq_ignore_ascii_case(role_name)) {
        let text = "A custom role with the same name already exists in this directory. Use a different name.";
        return Err(errors::error(409, "RoleDefinitionWithSameNameExists", text));
    }
    let definition = RoleDefinition {
        name: name.to_owned(),
        tenant: caller.tenant.clone(),
        role_name: role_name.to_owned(),
        description: text(&body, "/properties/description").unwrap_or_default().to_owned(),
        actions,
        not_actions: strings(&permission["notActions"]),
        data_actions,
        assignable_scopes: scopes,
        created_at: world.now(),
    };
    let answer = custom(&definition, scope);
    store(world, definition);
    // 201 on update too: the SDK that az uses accepts nothing else.
    Ok(Reply::new(201, answer))
}

/// An update keeps the age: it is the definition's being there that lags.
fn store(world: &mut World, mut definition: RoleDefinition) {
    match find(world, &definition.tenant, &definition.name) {
        Some(index) => {
            definition.created_at = world.role_definitions[index].created_at;
            world.role_definitions[index] = definition;
        }
        None => world.role_definitions.push(definition),
    }
}

fn delete(world: &mut World, caller: &Caller, scope: &str, name: &str) -> Answer {
    caller.need(world, "Microsoft.Authorization/roleDefinitions/delete", scope)?;
    let Some(index) = find(world, &caller.tenant, name) else { return Ok(Reply::empty(204)) };
    if world.role_assignments.iter().any(|a| a.role.eq_ignore_ascii_case(name)) {
        let text = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).";
        return Err(errors::error(400, "RoleDefinitionHasAssignments", text));
    }
    let definition = world.role_definitions.remove(index);
    Ok(Reply::ok(custom(&definition, scope)))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Ids of definitions are given under the subscription asked through.
pub(super) fn id(scope: &str, name: &str) -> String {
    let under = ids::subscription(scope).map(|s| format!("/subscriptions/{s}")).unwrap_or_default();
    format!("{under}/providers/Microsoft.Authorization/roleDefinitions/{name}")
}

fn built_in(role: &BuiltIn, scope: &str) -> Value {
    json!({
        "id": id(scope, role.id), "name": role.id, "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name, "type": "BuiltInRole", "description": role.name, "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions, "notActions": role.not_actions, "dataActions": role.data_actions,
                "notDataActions": []
            }]
        }
    })
}

fn custom(role: &RoleDefinition, scope: &str) -> Value {
    json!({
        "id": id(scope, &role.name), "name": role.name, "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.role_name, "type": "CustomRole", "description": role.description,
            "assignableScopes": role.assignable_scopes,
            "permissions": [{
                "actions": role.actions, "notActions": role.not_actions, "dataActions": role.data_actions,
                "notDataActions": []
            }],
            "createdOn": role.created_at, "updatedOn": role.created_at, "createdBy": null, "updatedBy": null
        }
    })
}
