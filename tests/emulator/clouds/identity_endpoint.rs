//! The managed-identity endpoint of App Service and Functions (api-version 2019-08-01).

use super::clock;
use super::http::{Reply, Request};
use super::tokens::whole_seconds;
use super::world::World;
use serde_json::json;

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    if request.segments.join("/") != "msi/token" || request.method != "GET" {
        return failure(404, "No such endpoint.");
    }
    if request.header("x-identity-header") != Some(world.identity_header.as_str()) {
        return failure(403, "The X-IDENTITY-HEADER header is missing or does not match IDENTITY_HEADER.");
    }
    if request.query("api-version") != Some("2019-08-01") {
        return failure(400, "The api-version is missing or not supported; use 2019-08-01.");
    }
    let client = request.query("client_id").or(request.query("principal_id")).or(request.query("object_id"));
    let ours = client.is_some_and(|c| {
        c.eq_ignore_ascii_case(&world.identity_client_id) || c.eq_ignore_ascii_case(&world.identity_principal_id)
    });
    if !ours {
        // The app has no system-assigned identity, so that naming none is as wrong as naming another.
        return failure(
            400,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
    }
    match request.query("resource") {
        None => failure(400, "The resource query parameter is missing."),
        // A scope instead of a resource fails vaguely, as the platform does (msal: managed identity).
        Some(resource) if resource.ends_with("/.default") => {
            failure(500, "An unexpected error occured while fetching the AAD Token.")
        }
        Some(resource) => token(world, resource),
    }
}

fn token(world: &mut World, resource: &str) -> Reply {
    let client = world.identity_client_id.clone();
    let key = (client.clone(), resource.to_owned());
    let life = world.lags.identity_token_lifetime;
    let (now, half) = (world.now(), world.clock.real(life / 2));
    let cached = world.tokens.cached.get(&key).and_then(|t| Some((t.clone(), world.tokens.claims(t)?.expires)));
    let (token, expires) = match cached.filter(|(_, expires)| *expires > clock::add(now, half)) {
        Some(cached) => cached,
        None => {
            let (tenant, principal) = (world.home_tenant.clone(), world.identity_principal_id.clone());
            let minted = world.mint(&tenant, resource, &client, &principal, life);
            world.tokens.cached.insert(key, minted.0.clone());
            minted
        }
    };
    Reply::ok(json!({
        "access_token": token, "expires_on": whole_seconds(expires).to_string(),
        "resource": resource, "token_type": "Bearer", "client_id": client
    }))
}

fn failure(status: u16, message: &str) -> Reply {
    Reply::new(status, json!({"statusCode": status, "message": message, "correlationId": clock::uuid()}))
}
