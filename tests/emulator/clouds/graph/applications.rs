//! Graph's applications: create, upsert by unique name, read, change, delete.

use super::filter::{Clause, parse};
use super::{
    Caller, Entity, body, collection, creates_if_missing, credentials, errors, passwords, required, select, unknown,
    with_context,
};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{Application, World};
use serde_json::{Value, json};

pub(super) fn route(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    entity: Option<&Entity<'_>>,
    rest: &[&str],
) -> Answer {
    match (request.method.as_str(), entity, rest) {
        ("GET", None, []) => list(world, request, caller),
        ("POST", None, []) => create(world, request, caller, None),
        ("GET", Some(entity), []) => {
            caller.read()?;
            let app = &world.applications[find(world, caller, entity)?];
            Ok(Reply::ok(select(request, with_context(world, "applications/$entity", json(world, app)))))
        }
        ("PATCH", Some(entity), []) => patch(world, request, caller, entity),
        ("DELETE", Some(entity), []) => delete(world, caller, entity),
        (_, Some(entity), rest) if !rest.is_empty() => {
            let index = find(world, caller, entity)?;
            credentials::route(world, request, caller, index, rest)
        }
        _ => Err(unknown(request)),
    }
}

/// Index of the application that a key names, if the caller's replica has it already.
fn find(world: &World, caller: &Caller, entity: &Entity<'_>) -> Answer<usize> {
    world
        .applications
        .iter()
        .position(|a| {
            a.tenant == caller.tenant
                && matches(a, entity)
                && world.replicated(a.created_at, a.created_by_key, entity.key)
        })
        .ok_or_else(|| errors::not_found(entity.value))
}

fn matches(app: &Application, entity: &Entity<'_>) -> bool {
    match entity.key {
        "appId" => app.app_id.eq_ignore_ascii_case(entity.value),
        "uniqueName" => app.unique_name.as_deref() == Some(entity.value),
        _ => app.id.eq_ignore_ascii_case(entity.value),
    }
}

fn list(world: &World, request: &Request, caller: &Caller) -> Answer {
    caller.list()?;
    let clause = request.query("$filter").map(parse).transpose()?;
    let found = world
        .applications
        .iter()
        .filter(|a| a.tenant == caller.tenant)
        // A list is never the key of a creation: it lags in full.
        .filter(|a| world.replicated(a.created_at, None, "list"))
        .filter(|a| clause.as_ref().is_none_or(|c| fits(world, a, c)))
        .map(|a| json(world, a))
        .collect();
    Ok(collection(world, request, "applications", found))
}

fn fits(world: &World, app: &Application, clause: &Clause) -> bool {
    let value = json(world, app);
    let member = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match clause {
        Clause::Equals(name, wanted) => member(name).eq_ignore_ascii_case(wanted),
        Clause::StartsWith(name, wanted) => member(name).to_ascii_lowercase().starts_with(&wanted.to_ascii_lowercase()),
        Clause::AnyName(_) => false,
    }
}

fn create(world: &mut World, request: &Request, caller: &Caller, unique_name: Option<&str>) -> Answer {
    caller.create()?;
    let by_key = unique_name.map(|_| "uniqueName");
    let body = body(request)?;
    let display_name = required(&body, "displayName")?.to_owned();
    let audience = text(&body, "/signInAudience").unwrap_or("AzureADMyOrg").to_owned();
    let audiences =
        ["AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"];
    if !audiences.contains(&audience.as_str()) {
        return Err(errors::bad("Invalid value specified for property 'signInAudience' of resource 'Application'."));
    }
    by_service_actions(&body)?;
    let unique_name = unique_name.or(text(&body, "/uniqueName"));
    if unique_name.is_some_and(|name| world.unique_name_taken(&caller.tenant, name)) {
        return Err(errors::unique_name_taken());
    }
    let app = Application {
        id: clock::uuid(),
        app_id: clock::uuid(),
        tenant: caller.tenant.clone(),
        unique_name: unique_name.map(str::to_owned),
        display_name,
        sign_in_audience: audience,
        owner: Some(caller.principal.clone()),
        passwords: Vec::new(),
        federated_credentials: Vec::new(),
        created_at: world.now(),
        created_by_key: by_key,
    };
    let answer = with_context(world, "applications/$entity", json(world, &app));
    world.applications.push(app);
    Ok(Reply::new(201, select(request, answer)))
}

/// Passwords come from `addPassword` alone (Graph: application-addpassword).
fn by_service_actions(body: &Value) -> Answer<()> {
    if body.get("passwordCredentials").and_then(Value::as_array).is_some_and(|p| !p.is_empty()) {
        return Err(errors::bad("New password credentials must be generated with service actions."));
    }
    Ok(())
}

fn patch(world: &mut World, request: &Request, caller: &Caller, entity: &Entity<'_>) -> Answer {
    // Uniqueness is kept where writes go: an upsert finds what a read may not see yet.
    let upsert = entity.key == "uniqueName" && creates_if_missing(request);
    let written =
        world.applications.iter().position(|a| a.tenant == caller.tenant && matches(a, entity)).filter(|_| upsert);
    let index = match (written, upsert) {
        (Some(index), _) => index,
        (None, true) => return create(world, request, caller, Some(entity.value)),
        (None, false) => find(world, caller, entity)?,
    };
    let body = body(request)?;
    by_service_actions(&body)?;
    let app = &mut world.applications[index];
    caller.change(app.owner.as_deref())?;
    if let Some(name) = text(&body, "/uniqueName")
        && app.unique_name.as_deref().is_some_and(|n| n != name)
    {
        return Err(errors::bad("Property 'uniqueName' is read-only once it is set."));
    }
    if let Some(name) = text(&body, "/displayName") {
        app.display_name = name.to_owned();
    }
    if let Some(audience) = text(&body, "/signInAudience") {
        app.sign_in_audience = audience.to_owned();
    }
    Ok(Reply::empty(204))
}

fn delete(world: &mut World, caller: &Caller, entity: &Entity<'_>) -> Answer {
    let index = find(world, caller, entity)?;
    caller.change(world.applications[index].owner.as_deref())?;
    let app_id = world.applications[index].app_id.clone();
    world.delete_application(&app_id);
    Ok(Reply::empty(204))
}

/// A new password is shown as late as a new object is (terraform-provider-azuread waits for it).
pub(super) fn json(world: &World, app: &Application) -> Value {
    let passwords = app.passwords.iter().filter(|p| world.replicated(p.created_at, None, "passwordCredentials"));
    json!({
        "id": app.id, "appId": app.app_id, "uniqueName": app.unique_name, "displayName": app.display_name,
        "signInAudience": app.sign_in_audience, "createdDateTime": credentials::time(app.created_at),
        "deletedDateTime": null, "description": null, "disabledByMicrosoftStatus": null,
        "identifierUris": [], "tags": [], "keyCredentials": [], "requiredResourceAccess": [], "appRoles": [],
        "passwordCredentials": passwords.map(passwords::json).collect::<Vec<_>>(),
        "publisherDomain": "example.onmicrosoft.com", "isFallbackPublicClient": null,
        "web": {"homePageUrl": null, "redirectUris": []}
    })
}
