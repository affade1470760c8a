//! Graph's service principals: create, upsert by client id, read, delete.

use super::filter::{Clause, parse};
use super::{
    Caller, Entity, body, collection, creates_if_missing, credentials, errors, required, select, unknown, with_context,
};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::{ServicePrincipal, World};
use serde_json::{Value, json};

pub(super) fn route(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    entity: Option<&Entity<'_>>,
    rest: &[&str],
) -> Answer {
    if !rest.is_empty() {
        return Err(unknown(request));
    }
    match (request.method.as_str(), entity) {
        ("GET", None) => list(world, request, caller),
        ("POST", None) => {
            let body = body(request)?;
            create(world, request, caller, required(&body, "appId")?, None)
        }
        ("GET", Some(entity)) => {
            caller.read()?;
            let principal = &world.service_principals[find(world, caller, entity)?];
            let value = with_context(world, "servicePrincipals/$entity", json(world, principal));
            Ok(Reply::ok(select(request, value)))
        }
        ("PATCH", Some(entity)) => patch(world, request, caller, entity),
        ("DELETE", Some(entity)) => {
            let index = find(world, caller, entity)?;
            caller.change(world.service_principals[index].owner.as_deref())?;
            let id = world.service_principals[index].id.clone();
            world.delete_principal(&id);
            Ok(Reply::empty(204))
        }
        _ => Err(unknown(request)),
    }
}

fn find(world: &World, caller: &Caller, entity: &Entity<'_>) -> Answer<usize> {
    let seen = |p: &ServicePrincipal| world.replicated(p.created_at, p.created_by_key, entity.key);
    world
        .service_principals
        .iter()
        .position(|p| p.tenant == caller.tenant && matches(p, entity) && seen(p))
        .ok_or_else(|| errors::not_found(entity.value))
}

fn matches(principal: &ServicePrincipal, entity: &Entity<'_>) -> bool {
    let own = if entity.key == "appId" { &principal.app_id } else { &principal.id };
    own.eq_ignore_ascii_case(entity.value)
}

fn list(world: &World, request: &Request, caller: &Caller) -> Answer {
    caller.list()?;
    let clause = request.query("$filter").map(parse).transpose()?;
    let found = world
        .service_principals
        .iter()
        .filter(|p| p.tenant == caller.tenant)
        // A list is never the key of a creation: it lags in full.
        .filter(|p| world.replicated(p.created_at, None, "list"))
        .map(|p| json(world, p))
        .filter(|value| clause.as_ref().is_none_or(|c| fits(value, c)))
        .collect();
    Ok(collection(world, request, "servicePrincipals", found))
}

pub(super) fn fits(value: &Value, clause: &Clause) -> bool {
    let member = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match clause {
        Clause::Equals(name, wanted) => member(name).eq_ignore_ascii_case(wanted),
        Clause::StartsWith(name, wanted) => member(name).to_ascii_lowercase().starts_with(&wanted.to_ascii_lowercase()),
        Clause::AnyName(wanted) => member("appId").eq_ignore_ascii_case(wanted),
    }
}

fn create(world: &mut World, request: &Request, caller: &Caller, app_id: &str, by_key: Option<&'static str>) -> Answer {
    caller.create()?;
    let app = world.application(app_id).ok_or_else(|| errors::no_backing_application(app_id))?;
    let local = app.tenant == caller.tenant;
    if !local && !app.multi_tenant() {
        return Err(errors::no_backing_application(app_id));
    }
    if !local && !caller.may_write_all() {
        return Err(errors::not_local());
    }
    if !world.over(app.created_at, world.lags.graph_replication) {
        return Err(errors::no_backing_application(app_id));
    }
    if local {
        caller.change(app.owner.as_deref())?;
    }
    if world.service_principal(&caller.tenant, app_id).is_some() {
        return Err(errors::principal_in_use(app_id));
    }
    let principal = ServicePrincipal {
        id: clock::uuid(),
        app_id: app.app_id.clone(),
        tenant: caller.tenant.clone(),
        display_name: app.display_name.clone(),
        managed_identity: false,
        enabled: true,
        owner: Some(caller.principal.clone()),
        created_at: world.now(),
        created_by_key: by_key,
    };
    let value = with_context(world, "servicePrincipals/$entity", json(world, &principal));
    world.service_principals.push(principal);
    Ok(Reply::new(201, select(request, value)))
}

fn patch(world: &mut World, request: &Request, caller: &Caller, entity: &Entity<'_>) -> Answer {
    let body = body(request)?;
    let upsert = entity.key == "appId" && creates_if_missing(request);
    let written = world
        .service_principals
        .iter()
        .position(|p| p.tenant == caller.tenant && matches(p, entity))
        .filter(|_| upsert);
    let index = match (written, upsert) {
        (Some(index), _) => index,
        (None, true) => return create(world, request, caller, entity.value, Some("appId")),
        (None, false) => find(world, caller, entity)?,
    };
    let principal = &mut world.service_principals[index];
    caller.change(principal.owner.as_deref())?;
    if let Some(enabled) = body.get("accountEnabled").and_then(Value::as_bool) {
        principal.enabled = enabled;
    }
    Ok(Reply::empty(204))
}

pub(super) fn json(world: &World, principal: &ServicePrincipal) -> Value {
    let owner_tenant = world.application(&principal.app_id).map(|a| a.tenant.as_str());
    json!({
        "id": principal.id, "appId": principal.app_id, "displayName": principal.display_name,
        "appDisplayName": principal.display_name, "accountEnabled": principal.enabled,
        "appOwnerOrganizationId": owner_tenant,
        "servicePrincipalType": if principal.managed_identity { "ManagedIdentity" } else { "Application" },
        "servicePrincipalNames": [principal.app_id], "createdDateTime": credentials::time(principal.created_at),
        "deletedDateTime": null, "alternativeNames": [], "appRoles": [], "tags": [], "keyCredentials": [],
        "passwordCredentials": [], "signInAudience": world.application(&principal.app_id).map(|a| &a.sign_in_audience)
    })
}
