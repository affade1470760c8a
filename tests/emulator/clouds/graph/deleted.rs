//! Graph's deleted items: list, read, restore, delete for good.

use super::{Caller, applications, body, collection, credentials, errors, principals, select, unknown, with_context};
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::{Deleted, DeletedObject, World};
use serde_json::Value;

/// `/directory/deletedItems/…`
pub(super) fn route(world: &mut World, request: &Request, caller: &Caller, rest: &[&str]) -> Answer {
    match (request.method.as_str(), rest) {
        ("GET", ["deletedItems", kind]) if kind.to_ascii_lowercase().starts_with("microsoft.graph.") => {
            list(world, request, caller, kind)
        }
        ("GET", ["deletedItems", id]) => {
            caller.read()?;
            let value =
                with_context(world, "directoryObjects/$entity", json(world, &world.deleted[find(world, caller, id)?]));
            Ok(Reply::ok(select(request, value)))
        }
        ("POST", ["deletedItems", id, "restore"]) => {
            body(request)?;
            restore(world, caller, id)
        }
        ("DELETE", ["deletedItems", id]) => {
            let index = find(world, caller, id)?;
            caller.change(world.deleted[index].owner())?;
            world.deleted.remove(index);
            Ok(Reply::empty(204))
        }
        _ => Err(unknown(request)),
    }
}

fn find(world: &World, caller: &Caller, id: &str) -> Answer<usize> {
    let found = world.deleted.iter().position(|d| d.tenant() == caller.tenant && d.id().eq_ignore_ascii_case(id));
    found.ok_or_else(|| errors::not_found(id))
}

fn list(world: &World, request: &Request, caller: &Caller, kind: &str) -> Answer {
    caller.list()?;
    let clause = request.query("$filter").map(super::filter::parse).transpose()?;
    let applications = kind.eq_ignore_ascii_case("microsoft.graph.application");
    if !applications && !kind.eq_ignore_ascii_case("microsoft.graph.servicePrincipal") {
        return Err(unknown(request));
    }
    let all = world.deleted.iter().filter(|d| d.tenant() == caller.tenant);
    let of_kind = all.filter(|d| matches!(d.object, DeletedObject::Application(_)) == applications);
    let fits = |value: &Value| clause.as_ref().is_none_or(|c| principals::fits(value, c));
    Ok(collection(world, request, "directoryObjects", of_kind.map(|d| json(world, d)).filter(fits).collect()))
}

/// Restoring an application does not restore its service principal (Graph: directory-deleteditems-restore).
fn restore(world: &mut World, caller: &Caller, id: &str) -> Answer {
    let index = find(world, caller, id)?;
    caller.change(world.deleted[index].owner())?;
    if let DeletedObject::ServicePrincipal(principal) = &world.deleted[index].object {
        if world.application(&principal.app_id).is_none() {
            return Err(errors::no_backing_application(&principal.app_id));
        }
        if world.service_principal(&principal.tenant, &principal.app_id).is_some() {
            return Err(errors::principal_in_use(&principal.app_id));
        }
    }
    let deleted = world.deleted.remove(index);
    let mut value = with_context(world, "directoryObjects/$entity", json(world, &deleted));
    value["deletedDateTime"] = Value::Null;
    match deleted.object {
        DeletedObject::Application(app) => world.applications.push(app),
        DeletedObject::ServicePrincipal(principal) => world.service_principals.push(principal),
    }
    Ok(Reply::ok(value))
}

fn json(world: &World, deleted: &Deleted) -> Value {
    let (kind, mut value) = match &deleted.object {
        DeletedObject::Application(app) => ("application", applications::json(world, app)),
        DeletedObject::ServicePrincipal(principal) => ("servicePrincipal", principals::json(world, principal)),
    };
    value["@odata.type"] = format!("#microsoft.graph.{kind}").into();
    value["deletedDateTime"] = credentials::time(deleted.at).into();
    value
}
