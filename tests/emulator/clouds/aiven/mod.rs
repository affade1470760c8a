//! Aiven's API: who calls, and which route of which path dialect they mean.

mod connections;
pub(crate) mod errors;
mod json;
pub(crate) mod platform;
mod services;
pub(crate) mod vpcs;

use super::http::{Answer, Reply, Request};
use super::world::{Owner, World};
use errors::error;
use serde_json::{Value, json as object};
use std::time::Duration;

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    route(world, request).unwrap_or_else(|refusal| refusal)
}

fn route(world: &mut World, request: &Request) -> Answer {
    authenticate(world, request)?;
    rate_limit(world)?;
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["v1", "me"]) => Ok(Reply::ok(object!({"user": {
            "user": "automation@example.com", "user_id": "u1a2b3c4d5e6", "real_name": "Automation", "state": "active",
            "projects": world.projects.iter().map(|p| &p.name).collect::<Vec<_>>(), "project_membership": {},
            "token_validity_begin": null
        }}))),
        ("GET", ["v1", "organizations"]) => Ok(Reply::ok(json::organizations(world))),
        ("GET", ["v1", "project"]) => Ok(Reply::ok(json::projects(world))),
        ("GET", ["v1", "project", name]) => {
            let project = known_project(world, name)?;
            Ok(Reply::ok(object!({"project": json::project(&world.projects[project])})))
        }
        ("GET", ["v1", "project", name, "service"]) => {
            let project = known_project(world, name)?;
            Ok(services::list(&world.projects[project], request))
        }
        ("GET", ["v1", "project", name, "service", service]) => {
            let project = known_project(world, name)?;
            services::get(&world.projects[project], request, service)
        }
        ("PUT", ["v1", "project", name, "service", service]) => {
            let project = known_project(world, name)?;
            services::update(&mut world.projects[project], request, service)
        }
        ("GET", ["v1", "project", name, "service-types", kind]) => {
            known_project(world, name)?;
            Ok(services::kind(kind))
        }
        (_, ["v1", "project", name, rest @ ..]) => {
            let owner = Owner::Project((*name).to_owned());
            if matches!(rest, ["vpcs", ..]) {
                known_project(world, name)?;
            }
            owned(world, request, owner, rest)
        }
        ("GET", ["v1", "organization", id, "projects"]) => {
            known_organization(world, id)?;
            let mine = world.projects.iter().filter(|p| p.organization == *id);
            Ok(Reply::ok(object!({"projects": mine.map(json::project).collect::<Vec<_>>()})))
        }
        ("GET", ["v1", "organization", id]) => {
            known_organization(world, id)?;
            Ok(Reply::ok(object!({"organization_id": id})))
        }
        (_, ["v1", "organization", id, rest @ ..]) => {
            let rest = dialect(world, rest).ok_or_else(|| errors::no_route(request))?;
            known_organization(world, id)?;
            owned(world, request, Owner::Organization((*id).to_owned()), &rest)
        }
        _ => Err(errors::no_route(request)),
    }
}

/// Brings the organization routes' two dialects to the plural one: `vpc/{id}/peering-connection/{id}` (OpenAPI) and
/// `vpcs/{id}/peering-connections/{id}` (avn). Mixed spellings are no routes.
fn dialect<'a>(world: &World, rest: &[&'a str]) -> Option<Vec<&'a str>> {
    let upsets = &world.upsets;
    match rest {
        ["vpcs" | "vpc-clouds" | "vpc-peering-connection-types"] => Some(rest.to_vec()),
        ["vpc", ..] if upsets.no_singular_routes => None,
        ["vpcs", _, ..] if upsets.no_plural_routes => None,
        ["vpc", id] => Some(vec!["vpcs", id]),
        ["vpc", id, "peering-connection", connection] => Some(vec!["vpcs", id, "peering-connections", connection]),
        ["vpc", id, "peering-connections", "refresh"] => Some(vec!["vpcs", id, "refresh"]),
        ["vpc", id, last @ ("peering-connections" | "user-peer-network-cidrs")] => Some(vec!["vpcs", id, last]),
        ["vpcs", id, "peering-connections", "actions", "refresh"] => Some(vec!["vpcs", id, "refresh"]),
        ["vpcs", _, "peering-connections", "refresh"] | ["vpcs", _, "refresh"] => None,
        ["vpcs", ..] => Some(rest.to_vec()),
        _ => None,
    }
}

/// The routes under an organization or a project, in the plural dialect.
fn owned(world: &mut World, request: &Request, owner: Owner, rest: &[&str]) -> Answer {
    let project = matches!(owner, Owner::Project(_));
    match (request.method.as_str(), rest) {
        ("GET", ["vpcs"]) => Ok(vpcs::list(world, &owner)),
        ("POST", ["vpcs"]) => vpcs::create(world, request, owner),
        ("GET", ["vpc-peering-connection-types" | "vpc-clouds"]) => {
            Ok(Reply::ok(object!({"vpc_peering_connection_types": [], "clouds": []})))
        }
        ("GET", ["vpcs", id]) => vpcs::get(world, &owner, id),
        ("PUT", ["vpcs", id]) if !project => vpcs::rename(world, request, &owner, id),
        ("DELETE", ["vpcs", id]) => vpcs::delete(world, &owner, id),
        ("GET", ["vpcs", id, "peering-connections"]) if !project => {
            let vpc = json::vpc(&world.aiven_vpcs[find(world, &owner, id)?], true);
            Ok(Reply::ok(object!({"peering_connections": vpc["peering_connections"]})))
        }
        ("POST", ["vpcs", id, "peering-connections"]) => connections::create(world, request, &owner, id),
        ("POST", ["vpcs", id, "peering-connections", "refresh"]) if project => platform::refresh(world, &owner, id),
        ("POST", ["vpcs", id, "refresh"]) if !project => platform::refresh(world, &owner, id),
        ("PUT", ["vpcs", id, "user-peer-network-cidrs"]) => connections::set_cidrs(world, request, &owner, id),
        ("PUT", ["vpcs", id, "peering-connections", connection, "user-peer-network-cidrs"]) if !project => {
            connections::set_cidrs_of(world, request, &owner, id, connection)
        }
        ("DELETE", ["vpcs", id, "peering-connections", connection]) if !project => {
            connections::delete_by_id(world, &owner, id, connection)
        }
        (
            "DELETE",
            [
                "vpcs",
                id,
                "peering-connections",
                "peer-accounts",
                account,
                "peer-resource-groups",
                group,
                "peer-vpcs",
                vnet,
            ],
        ) if project => connections::delete_by_tuple(world, &owner, id, account, group, vnet),
        ("DELETE", ["vpcs", id, "peering-connections", "peer-accounts", _, "peer-vpcs", _]) if project => {
            Err(connections::group_missing(&world.aiven_vpcs[find(world, &owner, id)?].cloud))
        }
        _ => Err(errors::no_route(request)),
    }
}

fn authenticate(world: &World, request: &Request) -> Answer<()> {
    let header = request.header("authorization").and_then(|h| h.split_once(' '));
    let known = header.is_some_and(|(scheme, token)| {
        (scheme.eq_ignore_ascii_case("aivenv1") || scheme.eq_ignore_ascii_case("bearer"))
            && world.aiven_tokens.iter().any(|known| known == token.trim())
    });
    match (known, world.aiven_token_expired) {
        (true, false) => Ok(()),
        (true, true) => Err(errors::coded(401, "authentication_failed", "Authentication failed: token has expired")),
        (false, _) => Err(errors::coded(401, "authentication_failed", "Authentication failed: invalid token")),
    }
}

/// The wait is in the text, in nominal seconds; no `Retry-After` (terraform-provider-aiven: 429).
fn rate_limit(world: &mut World) -> Answer<()> {
    let Some(limit) = world.lags.aiven_requests_per_minute else { return Ok(()) };
    let (now, window) = (world.now(), Duration::from_secs(60));
    while world.aiven_requests.front().is_some_and(|at| world.clock.due(*at, window) <= now) {
        world.aiven_requests.pop_front();
    }
    let oldest = world.aiven_requests.front().copied();
    if let Some(oldest) = oldest.filter(|_| world.aiven_requests.len() >= limit as usize) {
        let real = world.clock.due(oldest, window).duration_since(now).unsigned_abs();
        let wait = world.clock.nominal(real).as_secs() + 1;
        return Err(errors::too_many(limit, wait));
    }
    world.aiven_requests.push_back(now);
    Ok(())
}

fn known_project(world: &World, name: &str) -> Answer<usize> {
    let found = world.projects.iter().position(|p| p.name == name);
    found.ok_or_else(|| errors::coded(404, "project_does_not_exist", "Project does not exist"))
}

fn known_organization(world: &World, id: &str) -> Answer<()> {
    let known = world.organizations.iter().any(|o| o.id == id);
    known.then_some(()).ok_or_else(|| errors::coded(404, "organization_not_found", "Organization does not exist"))
}

/// Index of a VPC of this owner.
fn find(world: &World, owner: &Owner, id: &str) -> Answer<usize> {
    let found = world.aiven_vpcs.iter().position(|v| v.owner == *owner && v.id == id);
    found.ok_or_else(|| error(404, "VPC does not exist"))
}

fn body(request: &Request) -> Answer<Value> {
    match request.json() {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(error(400, "Invalid input: the request body is not a JSON object")),
    }
}
