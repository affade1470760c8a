//! Azure Resource Manager: who calls, and which resource they mean.

mod assignments;
mod auth;
pub(crate) mod conditions;
mod definitions;
pub(crate) mod errors;
pub(crate) mod halves;
pub(crate) mod ids;
mod linked;
mod metadata;
mod networks;
mod operations;
mod peerings;
pub mod roles;
pub(crate) mod rules;
mod subscriptions;

use super::clock;
use super::http::{Answer, Reply, Request};
use super::world::World;
use conditions::Situation;
use serde_json::Value;

/// Who calls ARM: an application's principal in a tenant.
pub(super) struct Caller {
    pub(super) app_id: String,
    pub(super) object_id: String,
    pub(super) tenant: String,
}

impl Caller {
    /// Refuses as ARM does when no effective role assignment allows `action` at `scope`.
    fn need(&self, world: &World, action: &str, scope: &str) -> Answer<()> {
        if world.allows(&self.object_id, action, scope) {
            return Ok(());
        }
        Err(errors::forbidden(self, action, scope))
    }

    /// The same for what is done to role assignments, which conditions may narrow.
    fn need_in(&self, world: &World, situation: &Situation<'_>, scope: &str) -> Answer<()> {
        if world.allows_in(&self.object_id, situation, scope) {
            return Ok(());
        }
        Err(errors::forbidden_or_unmet(self, situation.action, scope))
    }
}

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    let answer = route(world, request).unwrap_or_else(|refusal| refusal);
    let correlation = request.header("x-ms-correlation-request-id").map_or_else(clock::uuid, str::to_owned);
    let answer = answer
        .with("x-ms-request-id", clock::uuid())
        .with("x-ms-correlation-request-id", correlation)
        .with("Cache-Control", "no-cache");
    match request.header("x-ms-client-request-id") {
        Some(id) if request.header("x-ms-return-client-request-id").is_some() => {
            answer.with("x-ms-client-request-id", id)
        }
        _ => answer,
    }
}

fn route(world: &mut World, request: &Request) -> Answer {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    if let [a, b] = segments.as_slice()
        && a.eq_ignore_ascii_case("metadata")
        && b.eq_ignore_ascii_case("endpoints")
    {
        return Ok(metadata::endpoints(world));
    }
    let subscription = ids::subscription(&format!("/{}", segments.join("/")));
    let caller = auth::caller(world, request, subscription.as_deref())?;
    if request.query("api-version").is_none() {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(errors::error(400, "MissingApiVersionParameter", text));
    }
    if request.method != "GET" {
        writable(world, subscription.as_deref())?;
    }
    if let Some((scope, kind, name)) = authorization(&segments) {
        return match kind {
            Authorization::Assignment => assignments::route(world, request, &caller, &scope, name),
            Authorization::Definition => definitions::route(world, request, &caller, &scope, name),
        };
    }
    let words: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (words.as_slice(), segments.as_slice()) {
        (["subscriptions"], _) => subscriptions::list(world, request, &caller),
        (["subscriptions", _], [_, s]) => subscriptions::get(world, request, &caller, s),
        (["subscriptions", _, "resourcegroups", rest @ ..], [_, s, ..]) if rest.len() < 2 => {
            let group = segments.get(3).copied();
            subscriptions::groups(world, request, &caller, s, group)
        }
        (["subscriptions", _, "providers", "microsoft.network", "locations", _, kind, _], [.., id]) => {
            operations::poll(world, request, &caller, kind, id)
        }
        (["subscriptions", _, "providers", "microsoft.network", "virtualnetworks"], [_, s, ..]) => {
            networks::list(world, request, &caller, s, None)
        }
        (
            ["subscriptions", _, "resourcegroups", _, "providers", "microsoft.network", "virtualnetworks", rest @ ..],
            [_, s, _, g, ..],
        ) => {
            let (vnet, deeper) = (segments.get(7).copied(), rest.get(1).copied());
            match (vnet, deeper, segments.get(9).copied()) {
                (None, ..) => networks::list(world, request, &caller, s, Some(g)),
                (Some(v), None, _) => networks::one(world, request, &caller, &ids::vnet(s, g, v)),
                (Some(v), Some("virtualnetworkpeerings"), None) => {
                    peerings::list(world, request, &caller, &ids::vnet(s, g, v))
                }
                (Some(v), Some("virtualnetworkpeerings"), Some(p)) if segments.len() == 10 => {
                    peerings::one(world, request, &caller, &ids::vnet(s, g, v), p)
                }
                _ => Err(errors::no_route(request.path())),
            }
        }
        _ => Err(errors::no_route(request.path())),
    }
}

fn writable(world: &World, subscription: Option<&str>) -> Answer<()> {
    match subscription.and_then(|s| world.subscription(s)).filter(|s| s.state != "Enabled") {
        Some(subscription) => Err(errors::read_only(&subscription.id, &subscription.state)),
        None => Ok(()),
    }
}

enum Authorization {
    Assignment,
    Definition,
}

/// `{scope}/providers/Microsoft.Authorization/roleAssignments[/{name}]` and the same for definitions.
fn authorization<'a>(segments: &[&'a str]) -> Option<(String, Authorization, Option<&'a str>)> {
    let at = segments.windows(2).rposition(|w| {
        w[0].eq_ignore_ascii_case("providers") && w[1].eq_ignore_ascii_case("Microsoft.Authorization")
    })?;
    let kind = segments.get(at + 2)?;
    let kind = if kind.eq_ignore_ascii_case("roleAssignments") {
        Authorization::Assignment
    } else if kind.eq_ignore_ascii_case("roleDefinitions") {
        Authorization::Definition
    } else {
        return None;
    };
    (segments.len() <= at + 4).then(|| (format!("/{}", segments[..at].join("/")), kind, segments.get(at + 3).copied()))
}

/// The body as a JSON object.
fn body(request: &Request) -> Answer<Value> {
    match request.json() {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(errors::bad_content("The request content was invalid and could not be deserialized.")),
    }
}

fn method_not_allowed(request: &Request) -> Reply {
    let text = format!("The requested resource does not support http method '{}'.", request.method);
    errors::error(405, "MethodNotAllowed", &text)
}

fn texts(prefixes: &[ipnet::Ipv4Net]) -> Vec<String> {
    prefixes.iter().map(ToString::to_string).collect()
}
