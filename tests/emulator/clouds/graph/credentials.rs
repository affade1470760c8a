//! What an application proves itself with: federated identity credentials here, passwords next door.

use super::{
    Caller, Entity, body, creates_if_missing, errors, parse_key, passwords, required, select, unknown, with_context,
};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{FederatedCredential, World};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn route(world: &mut World, request: &Request, caller: &Caller, app: usize, rest: &[&str]) -> Answer {
    let (first, after) = rest.split_first().map_or(("", rest), |(f, r)| (*f, r));
    let (name, key) = parse_key(first);
    let entity = key.or(after.first().map(|id| Entity { key: "id", value: id }));
    match (request.method.as_str(), name, entity) {
        ("POST", "addPassword", None) => passwords::add(world, request, caller, app),
        ("POST", "removePassword", None) => passwords::remove(world, request, caller, app),
        ("GET", "federatedIdentityCredentials", None) => list(world, request, caller, app),
        ("POST", "federatedIdentityCredentials", None) => create(world, request, caller, app, None),
        ("GET", "federatedIdentityCredentials", Some(entity)) => {
            caller.read()?;
            let credential = &world.applications[app].federated_credentials[find(world, app, &entity)?];
            Ok(Reply::ok(select(request, federated(credential))))
        }
        ("PATCH", "federatedIdentityCredentials", Some(entity)) => patch(world, request, caller, app, &entity),
        ("DELETE", "federatedIdentityCredentials", Some(entity)) => {
            caller.change(world.applications[app].owner.as_deref())?;
            let index = find(world, app, &entity)?;
            world.applications[app].federated_credentials.remove(index);
            Ok(Reply::empty(204))
        }
        _ => Err(unknown(request)),
    }
}

fn find(world: &World, app: usize, entity: &Entity<'_>) -> Answer<usize> {
    let wanted = |c: &FederatedCredential| {
        if entity.key == "name" { c.name == entity.value } else { c.id == entity.value || c.name == entity.value }
    };
    let all = &world.applications[app].federated_credentials;
    all.iter().position(wanted).ok_or_else(|| errors::not_found(entity.value))
}

fn list(world: &World, request: &Request, caller: &Caller, app: usize) -> Answer {
    caller.read()?;
    let wanted = request.query("$filter").and_then(|f| f.strip_prefix("name eq '")?.strip_suffix('\''));
    let all = world.applications[app].federated_credentials.iter();
    let found: Vec<Value> =
        all.filter(|c| wanted.is_none_or(|name| c.name == name)).map(|c| select(request, federated(c))).collect();
    Ok(Reply::ok(with_context(world, "applications/federatedIdentityCredentials", json!({"value": found}))))
}

fn create(world: &mut World, request: &Request, caller: &Caller, app: usize, name: Option<&str>) -> Answer {
    caller.change(world.applications[app].owner.as_deref())?;
    let body = body(request)?;
    let credential = FederatedCredential {
        id: clock::uuid(),
        name: name.map_or_else(|| required(&body, "name"), Ok)?.to_owned(),
        issuer: required(&body, "issuer")?.to_owned(),
        subject: required(&body, "subject")?.to_owned(),
        audiences: strings(&body["audiences"]),
        created_at: world.now(),
    };
    check(&world.applications[app].federated_credentials, &credential)?;
    let answer = with_context(world, "applications/federatedIdentityCredentials/$entity", federated(&credential));
    world.applications[app].federated_credentials.push(credential);
    Ok(Reply::new(201, answer))
}

/// Entra: name 3 to 120 characters, one audience, 20 credentials, issuer and subject unique in the application.
fn check(existing: &[FederatedCredential], new: &FederatedCredential) -> Answer<()> {
    if !(3..=120).contains(&new.name.chars().count()) {
        return Err(errors::bad(
            "Invalid value specified for property 'name' of resource 'FederatedIdentityCredential'.",
        ));
    }
    if new.audiences.len() != 1 {
        return Err(errors::bad("Property 'audiences' must have exactly one value."));
    }
    if existing.len() >= 20 {
        return Err(errors::bad("The application has the maximum of 20 federated identity credentials."));
    }
    if existing.iter().any(|c| c.name == new.name) {
        let text = format!("FederatedIdentityCredential with name {} already exists.", new.name);
        return Err(errors::same_key(&text));
    }
    if existing.iter().any(|c| c.issuer == new.issuer && c.subject == new.subject) {
        return Err(errors::bad("The issuer and subject combination already exists on the application."));
    }
    Ok(())
}

fn patch(world: &mut World, request: &Request, caller: &Caller, app: usize, entity: &Entity<'_>) -> Answer {
    let index = match find(world, app, entity) {
        Ok(index) => index,
        Err(_) if entity.key == "name" && creates_if_missing(request) => {
            return create(world, request, caller, app, Some(entity.value));
        }
        Err(refusal) => return Err(refusal),
    };
    caller.change(world.applications[app].owner.as_deref())?;
    let body = body(request)?;
    let now = world.now();
    let credential = &mut world.applications[app].federated_credentials[index];
    let mut changed = credential.clone();
    if let Some(issuer) = text(&body, "/issuer") {
        changed.issuer = issuer.to_owned();
    }
    if let Some(subject) = text(&body, "/subject") {
        changed.subject = subject.to_owned();
    }
    if body.get("audiences").is_some() {
        changed.audiences = strings(&body["audiences"]);
    }
    let same = changed.issuer == credential.issuer
        && changed.subject == credential.subject
        && changed.audiences == credential.audiences;
    if !same {
        changed.created_at = now;
    }
    *credential = changed;
    Ok(Reply::empty(204))
}

fn federated(credential: &FederatedCredential) -> Value {
    json!({
        "id": credential.id, "name": credential.name, "issuer": credential.issuer, "subject": credential.subject,
        "audiences": credential.audiences, "description": null
    })
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
