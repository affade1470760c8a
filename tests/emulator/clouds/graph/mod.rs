//! Microsoft Graph: who calls, what they may, and which entity they mean.

mod applications;
mod credentials;
mod deleted;
pub(crate) mod errors;
mod filter;
mod passwords;
mod principals;

use super::clock;
use super::http::{Answer, Reply, Request, text};
use super::tokens::normal;
use super::world::World;
use serde_json::{Value, json};

/// Who calls Graph, and in which tenant.
pub(super) struct Caller {
    pub(super) tenant: String,
    pub(super) principal: String,
    may_read: bool,
    may_write_own: bool,
    may_write_all: bool,
}

impl Caller {
    /// Keyed reads; `OwnedBy` has them too.
    pub(super) fn read(&self) -> Answer<()> {
        if self.may_read || self.may_write_own { Ok(()) } else { Err(errors::denied()) }
    }

    /// Lists and filters: refused to `OwnedBy` (terraform-provider-azuread: 403 under OwnedBy).
    pub(super) fn list(&self) -> Answer<()> {
        if self.may_read { Ok(()) } else { Err(errors::denied()) }
    }

    pub(super) fn create(&self) -> Answer<()> {
        if self.may_write_own { Ok(()) } else { Err(errors::denied()) }
    }

    pub(super) fn change(&self, owner: Option<&str>) -> Answer<()> {
        let own = self.may_write_own && owner == Some(self.principal.as_str());
        if own || self.may_write_all { Ok(()) } else { Err(errors::denied()) }
    }

    pub(super) fn may_write_all(&self) -> bool {
        self.may_write_all
    }
}

/// A collection with the key in its parentheses or in the next segment.
pub(super) struct Entity<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a str,
}

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    let answer = route(world, request).unwrap_or_else(|refusal| refusal);
    let client_id = request.header("client-request-id").map_or_else(clock::uuid, str::to_owned);
    answer.with("request-id", clock::uuid()).with("client-request-id", client_id)
}

fn route(world: &mut World, request: &Request) -> Answer {
    world.purge_deleted();
    let caller = authenticate(world, request)?;
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let Some(("v1.0" | "beta", rest)) = segments.split_first().map(|(v, r)| (*v, r)) else {
        return Err(errors::bad("Invalid version. Use v1.0 or beta."));
    };
    let Some((first, rest)) = rest.split_first() else { return Err(unknown(request)) };
    let (collection, in_parentheses) = parse_key(first);
    if collection.eq_ignore_ascii_case("directory") {
        return deleted::route(world, request, &caller, rest);
    }
    let (entity, rest) = match (in_parentheses, rest.split_first()) {
        (Some(entity), _) => (Some(entity), rest),
        (None, Some((id, rest))) => (Some(Entity { key: "id", value: id }), rest),
        (None, None) => (None, rest),
    };
    match collection.to_ascii_lowercase().as_str() {
        "applications" => applications::route(world, request, &caller, entity.as_ref(), rest),
        "serviceprincipals" => principals::route(world, request, &caller, entity.as_ref(), rest),
        "directoryobjects" => by_ids(world, request, &caller, entity.as_ref()),
        _ => Err(unknown(request)),
    }
}

fn authenticate(world: &World, request: &Request) -> Answer<Caller> {
    let refuse = |text: &str| errors::error(401, "InvalidAuthenticationToken", text);
    let token = request.bearer().ok_or_else(|| refuse("Access token is empty."))?;
    let claims =
        world.tokens.claims(token).ok_or_else(|| refuse("Invalid JWT access token: signature validation failed."))?;
    let audiences = [normal(&world.urls.graph), "https://graph.microsoft.com".to_owned()];
    if !audiences.contains(&claims.audience) {
        return Err(refuse("Access token validation failure. Invalid audience."));
    }
    if claims.expires <= world.now() {
        return Err(refuse("Lifetime validation failed, the token is expired."));
    }
    let has = |wanted: &[&str]| world.has_graph_role(&claims.object_id, wanted);
    Ok(Caller {
        tenant: claims.tenant.clone(),
        principal: claims.object_id.clone(),
        may_read: has(&["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"]),
        may_write_own: has(&["Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"]),
        may_write_all: has(&["Application.ReadWrite.All"]),
    })
}

/// `applications(uniqueName='x')` → the collection and its key.
pub(super) fn parse_key(segment: &str) -> (&str, Option<Entity<'_>>) {
    let Some((collection, key)) = segment.strip_suffix("')").and_then(|s| s.split_once('(')) else {
        return (segment, None);
    };
    let Some((name, value)) = key.split_once("='") else { return (segment, None) };
    let key = match name.to_ascii_lowercase().as_str() {
        "appid" => "appId",
        "uniquename" => "uniqueName",
        "name" => "name",
        _ => "id",
    };
    (collection, Some(Entity { key, value }))
}

pub(super) fn unknown(request: &Request) -> Reply {
    let text = format!("Resource not found for the segment '{}'.", request.segments.last().map_or("", String::as_str));
    errors::bad(&text)
}

pub(super) fn body(request: &Request) -> Answer<Value> {
    match request.json() {
        Ok(value) if value.is_object() || value.is_null() => Ok(value),
        _ => Err(errors::bad(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )),
    }
}

/// Keeps the members that `$select` names.
pub(super) fn select(request: &Request, mut value: Value) -> Value {
    let Some(names) = request.query("$select") else { return value };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(object) = value.as_object_mut() {
        object.retain(|k, _| k.starts_with('@') || names.contains(&k.as_str()));
    }
    value
}

pub(super) fn with_context(world: &World, of: &str, mut value: Value) -> Value {
    value["@odata.context"] = format!("{}/v1.0/$metadata#{of}", world.urls.graph).into();
    value
}

pub(super) fn collection(world: &World, request: &Request, of: &str, values: Vec<Value>) -> Reply {
    let values: Vec<Value> = values.into_iter().map(|v| select(request, v)).collect();
    Reply::ok(with_context(world, of, json!({"value": values})))
}

/// Whether a PATCH may create what it does not find (Graph: application-upsert).
pub(super) fn creates_if_missing(request: &Request) -> bool {
    request.header("prefer").is_some_and(|p| p.split(',').any(|p| p.trim() == "create-if-missing"))
}

fn by_ids(world: &World, request: &Request, caller: &Caller, entity: Option<&Entity<'_>>) -> Answer {
    if request.method != "POST" || entity.map(|e| e.value) != Some("getByIds") {
        return Err(unknown(request));
    }
    caller.list()?;
    let body = body(request)?;
    let ids: Vec<&str> = body["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let found = world
        .service_principals
        .iter()
        .filter(|p| p.tenant == caller.tenant && ids.iter().any(|id| id.eq_ignore_ascii_case(&p.id)))
        .filter(|p| world.replicated(p.created_at, p.created_by_key, "id"))
        .map(|p| {
            let mut value = principals::json(world, p);
            value["@odata.type"] = "#microsoft.graph.servicePrincipal".into();
            value
        })
        .collect();
    Ok(collection(world, request, "directoryObjects", found))
}

/// A string member that must be there.
pub(super) fn required<'a>(body: &'a Value, name: &str) -> Answer<&'a str> {
    text(body, &format!("/{name}"))
        .filter(|t| !t.is_empty())
        .ok_or_else(|| errors::bad(&format!("A value is required for property '{name}' of resource.")))
}
