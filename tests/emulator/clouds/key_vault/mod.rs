//! Key Vault's data plane: secrets, their versions, soft delete.
//!
//! A PUT is never conditional (the API has neither If-Match nor If-None-Match): each makes a new version, and the last
//! one is current. Nor do versions tell who was first: their list has no order, and their times are whole seconds. Who
//! has to be the only writer claims that elsewhere beforehand, in a store that has conditions, and afterwards knows
//! the version as its own by a tag.

mod deleted;
pub(crate) mod errors;
mod json;
mod secrets;

use super::clock;
use super::http::{Answer, Reply, Request};
use super::tokens::normal;
use super::world::{Vault, World};

/// Who calls the vault.
pub(super) struct Caller {
    pub(super) app_id: String,
    pub(super) object_id: String,
    pub(super) tenant: String,
}

/// The versions of the API that clients in use send.
const VERSIONS: [&str; 9] = ["2016-10-01", "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    world.purge_secrets();
    let answer = route(world, request).unwrap_or_else(|refusal| refusal);
    answer
        .with("x-ms-keyvault-region", "westeurope")
        .with("x-ms-request-id", clock::uuid())
        .with("Cache-Control", "no-cache")
}

fn route(world: &mut World, request: &Request) -> Answer {
    let caller = authenticate(world, request)?;
    version(request)?;
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    if let Some(name) = segments.get(1).filter(|name| !legal(name)) {
        return Err(errors::bad(&format!("The request URI contains an invalid name: {name}")));
    }
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["secrets"]) => secrets::list(world, request, &caller),
        ("PUT", ["secrets", name]) => secrets::set(world, request, &caller, name),
        ("GET", ["secrets", name]) => secrets::get(world, &caller, name, None),
        ("GET", ["secrets", name, "versions"]) => secrets::versions(world, request, &caller, name),
        ("GET", ["secrets", name, version]) => secrets::get(world, &caller, name, Some(version)),
        ("PATCH", ["secrets", name]) => secrets::update(world, request, &caller, name, None),
        ("PATCH", ["secrets", name, version]) => secrets::update(world, request, &caller, name, Some(version)),
        ("DELETE", ["secrets", name]) => deleted::delete(world, &caller, name),
        ("GET", ["deletedsecrets", name]) => deleted::get(world, &caller, name),
        ("POST", ["deletedsecrets", name, "recover"]) => deleted::recover(world, &caller, name),
        ("DELETE", ["deletedsecrets", name]) => deleted::purge(world, &caller, name),
        _ => Err(errors::error(404, "NotFound", "No resource or method is known under this path.")),
    }
}

/// `[0-9A-Za-z-]{1,127}` (Key Vault: about keys, secrets and certificates).
fn legal(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn version(request: &Request) -> Answer<()> {
    match request.query("api-version") {
        None => Err(errors::bad("api-version must be specified")),
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => Err(errors::bad(&format!(
            "The specified version ({version}) isn't recognized. Consider using the latest supported version \
             (2025-07-01)."
        ))),
    }
}

/// The vault takes tokens for vaults, of its own tenant, and of nobody else's making.
fn authenticate(world: &World, request: &Request) -> Answer<Caller> {
    let tenant = vault(world)?.id.as_str();
    let tenant = world.tenant_of(tenant).unwrap_or_default();
    let refuse = |text: &str| errors::unauthorized(world, tenant, text);
    let token = request.bearer().ok_or_else(|| refuse("AKV10000: Request is missing a Bearer or PoP token."))?;
    let claims = world
        .tokens
        .claims(token)
        .ok_or_else(|| refuse("AKV10046: Unable to resolve the key used for signature validation."))?;
    if ![normal(&world.urls.key_vault), "https://vault.azure.net".to_owned()].contains(&claims.audience) {
        let text = format!("AKV10022: Invalid audience. Expected https://vault.azure.net, found: {}.", claims.audience);
        return Err(refuse(&text));
    }
    if claims.expires <= world.now() {
        return Err(refuse("[TokenExpired] Error validating token: IDX10223"));
    }
    if claims.tenant != tenant {
        let text = format!(
            "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant}/, found \
             https://sts.windows.net/{}/.",
            claims.tenant
        );
        return Err(refuse(&text));
    }
    Ok(Caller { app_id: claims.app_id.clone(), object_id: claims.object_id.clone(), tenant: claims.tenant.clone() })
}

/// The vault; a world without one gives no answers here at all, so that none of its callers comes this far.
fn vault(world: &World) -> Answer<&Vault> {
    world.vault.as_ref().ok_or_else(|| errors::error(404, "VaultNotFound", "There is no vault."))
}

/// The same, to change it.
fn vault_mut(world: &mut World) -> Answer<&mut Vault> {
    world.vault.as_mut().ok_or_else(|| errors::error(404, "VaultNotFound", "There is no vault."))
}

impl Caller {
    /// Refuses as Key Vault does when no effective role assignment allows the data action on a secret, or on all.
    fn need(&self, world: &World, action: &str, name: Option<&str>) -> Answer<()> {
        let vault = vault(world)?;
        let action = format!("Microsoft.KeyVault/vaults/secrets/{action}");
        let resource = name.map_or_else(|| vault.id.clone(), |name| format!("{}/secrets/{name}", vault.id));
        if world.allows_data(&self.object_id, &action, &resource) {
            return Ok(());
        }
        Err(errors::forbidden(self, vault, &action, &resource))
    }
}
