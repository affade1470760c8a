//! Entra's token service: client credentials by password or by federated assertion, and discovery.

use super::clock;
use super::http::{Answer, Reply, Request};
use super::tokens::{Claims, normal, whole_seconds};
use super::world::{Application, Password, World};
use serde_json::{Value, json};
use std::sync::Arc;

const EXCHANGE: &str = "api://AzureADTokenExchange";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let answer = match (request.method.as_str(), segments.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => token(world, request, tenant),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => discovery(world, tenant, "/v2.0"),
        ("GET", [tenant, ".well-known", "openid-configuration"]) => discovery(world, tenant, ""),
        ("GET", [_, "discovery", "v2.0", "keys"]) => Ok(Reply::ok(json!({"keys": []}))),
        _ => Err(Reply::new(404, json!({"error": "not_found", "error_description": "No such endpoint."}))),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

fn token(world: &mut World, request: &Request, tenant: &str) -> Answer {
    known_tenant(world, tenant)?;
    if request.form("grant_type").as_deref() != Some("client_credentials") {
        let text = "The app requested an unsupported grant type.";
        return Err(refusal(world, 400, "unsupported_grant_type", 70003, text));
    }
    let Some(client) = request.form("client_id") else {
        return Err(missing(world, "client_id"));
    };
    let audience = audience(world, request, tenant)?;
    let (app, object_id) = principal(world, tenant, &client)?;
    credential(world, request, &app)?;
    let life = world.lags.token_lifetime;
    let (token, expires) = world.mint(tenant, &audience, &app.app_id, &object_id, life);
    let expires_in = whole_seconds(expires) - world.now().as_second();
    Ok(Reply::ok(json!({
        "token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in, "access_token": token
    }))
    .with("Cache-Control", "no-store, no-cache"))
}

fn known_tenant(world: &World, tenant: &str) -> Answer<()> {
    if world.tenants.contains(tenant) {
        return Ok(());
    }
    let text = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
         correct cloud. Check with your subscription administrator, this may happen if there are no active \
         subscriptions for the tenant."
    );
    Err(refusal(world, 400, "invalid_request", 90002, &text))
}

/// The resource of `{resource}/.default`; az sends a double slash when the resource ends in one.
fn audience(world: &World, request: &Request, tenant: &str) -> Answer<String> {
    let Some(scope) = request.form("scope") else { return Err(missing(world, "scope")) };
    let wanted = scope.split(' ').find_map(|s| s.strip_suffix("/.default"));
    let Some(resource) = wanted else {
        let text = format!(
            "The provided request must include a '{scope}' scope that is well-formed: client credential requests \
             must use the resource identifier with the /.default suffix."
        );
        return Err(refusal(world, 400, "invalid_scope", 1002012, &text));
    };
    let host_known = [".queue.core.windows.net", ".table.core.windows.net", ".blob.core.windows.net"]
        .iter()
        .any(|suffix| normal(resource).ends_with(suffix));
    let names = [
        world.urls.arm.as_str(),
        world.urls.graph.as_str(),
        world.urls.key_vault.as_str(),
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://graph.microsoft.com",
        "https://storage.azure.com",
        "https://vault.azure.net",
        EXCHANGE,
    ];
    if host_known || names.iter().any(|n| normal(n) == normal(resource)) {
        return Ok(resource.to_owned());
    }
    let text = format!(
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You might have sent your authentication request to the wrong tenant."
    );
    Err(refusal(world, 400, "invalid_resource", 500011, &text))
}

/// The application and its service principal's object id in the tenant.
fn principal(world: &World, tenant: &str, client: &str) -> Answer<(Application, String)> {
    let unknown = || {
        let text = format!(
            "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in \
             the tenant. You may have sent your authentication request to the wrong tenant."
        );
        refusal(world, 400, "unauthorized_client", 700016, &text)
    };
    let app = world.application(client).ok_or_else(unknown)?;
    let at_home = app.tenant == tenant;
    if !world.over(app.created_at, world.lags.graph_replication) || (!at_home && !app.multi_tenant()) {
        return Err(unknown());
    }
    let lag = if tenant == world.aiven_tenant && !at_home {
        world.lags.aiven_principal
    } else {
        world.lags.graph_replication
    };
    let principal = world.service_principal(tenant, client).filter(|p| world.over(p.created_at, lag));
    match principal {
        Some(p) if !p.enabled => {
            let text = format!("Application '{client}'({}) is disabled.", app.display_name);
            Err(refusal(world, 401, "unauthorized_client", 7000112, &text))
        }
        Some(p) => Ok((app.clone(), p.id.clone())),
        None if at_home => {
            let text = format!(
                "The client application {client} is missing service principal in the tenant {tenant}. See \
                 instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
            );
            Err(refusal(world, 400, "unauthorized_client", 7000229, &text))
        }
        None => Err(unknown()),
    }
}

fn credential(world: &World, request: &Request, app: &Application) -> Answer<()> {
    if let Some(assertion) = request.form("client_assertion") {
        if request.form("client_assertion_type").as_deref() != Some(ASSERTION_TYPE) {
            return Err(missing(world, "client_assertion_type"));
        }
        return federated(world, app, &assertion);
    }
    let Some(secret) = request.form("client_secret") else {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(refusal(world, 401, "invalid_client", 7000218, text));
    };
    let found = app.passwords.iter().find(|p| p.secret == secret);
    let counts = |p: &&Password| world.over(p.created_at, world.lags.secret) && p.start <= world.now();
    let Some(password) = found.filter(counts) else {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID, for a secret added to app '{}'.",
            app.app_id
        );
        return Err(refusal(world, 401, "invalid_client", 7000215, &text));
    };
    if password.end <= world.now() {
        let text = format!(
            "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for \
             your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
             https://aka.ms/certCreds.",
            app.app_id
        );
        return Err(refusal(world, 401, "invalid_client", 7000222, &text));
    }
    Ok(())
}

/// The rules of "Configure an application to trust a managed identity" (Entra).
fn federated(world: &World, app: &Application, assertion: &str) -> Answer<()> {
    let refuse = |code, text: &str| Err(refusal(world, 401, "invalid_client", code, text));
    let Some(claims) = world.tokens.claims(assertion) else {
        return refuse(50013, "Assertion failed signature validation.");
    };
    if claims.expires <= world.now() {
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {}, expiry time of assertion {}.",
            world.now(),
            claims.expires
        );
        return refuse(700024, &text);
    }
    let identity_here = world
        .service_principals
        .iter()
        .any(|p| p.managed_identity && p.id == claims.object_id && p.tenant == app.tenant);
    if !identity_here {
        return refuse(
            700211,
            &presented("No matching federated identity record found for presented assertion issuer", &claims),
        );
    }
    let known: Vec<_> = app
        .federated_credentials
        .iter()
        .filter(|c| world.over(c.created_at, world.lags.federated_credential))
        .collect();
    if known.is_empty() {
        return refuse(
            70021,
            &presented("No matching federated identity record found for presented assertion", &claims),
        );
    }
    if !known.iter().any(|c| c.issuer == claims.issuer) {
        return refuse(
            700211,
            &presented("No matching federated identity record found for presented assertion issuer", &claims),
        );
    }
    if !known.iter().any(|c| c.issuer == claims.issuer && c.subject == claims.object_id) {
        return refuse(
            700213,
            &presented("No matching federated identity record found for presented assertion subject", &claims),
        );
    }
    let fits = known.iter().any(|c| {
        c.issuer == claims.issuer
            && c.subject == claims.object_id
            && c.audiences.iter().any(|a| normal(a) == claims.audience && a == EXCHANGE)
    });
    if !fits {
        return refuse(
            700212,
            &presented("No matching federated identity record found for presented assertion audience", &claims),
        );
    }
    Ok(())
}

fn presented(what: &str, claims: &Arc<Claims>) -> String {
    format!(
        "{what}. Assertion Issuer: '{}'. Assertion Subject: '{}'. Assertion Audience: '{}'. \
         https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
        claims.issuer, claims.object_id, claims.audience
    )
}

fn missing(world: &World, parameter: &str) -> Reply {
    let text = format!("The required field '{parameter}' is missing from the credential or request.");
    refusal(world, 400, "invalid_request", 90014, &text)
}

/// An error body as Microsoft's token service writes it.
pub(crate) fn refusal(world: &World, status: u16, error: &str, code: u32, text: &str) -> Reply {
    let (trace, correlation) = (clock::uuid(), clock::uuid());
    let time = world.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let description =
        format!("AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}");
    Reply::new(
        status,
        json!({
            "error": error, "error_description": description, "error_codes": [code], "timestamp": time,
            "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("{}/error?code={code}", world.urls.entra)
        }),
    )
}

fn discovery(world: &World, tenant: &str, version: &str) -> Answer {
    if !matches!(tenant, "organizations" | "common" | "consumers") {
        known_tenant(world, tenant)?;
    }
    let entra = &world.urls.entra;
    let named = if matches!(tenant, "organizations" | "common") { "{tenantid}" } else { tenant };
    let v2 = if version.is_empty() { "" } else { "/v2.0" };
    let body: Value = json!({
        "issuer": format!("{entra}/{named}{version}"),
        "authorization_endpoint": format!("{entra}/{tenant}/oauth2{v2}/authorize"),
        "token_endpoint": format!("{entra}/{tenant}/oauth2{v2}/token"),
        "device_authorization_endpoint": format!("{entra}/{tenant}/oauth2{v2}/devicecode"),
        "end_session_endpoint": format!("{entra}/{tenant}/oauth2{v2}/logout"),
        "jwks_uri": format!("{entra}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com"
    });
    Ok(Reply::ok(body))
}
