//! Linked authorization: may the caller peer *to* the remote network, in whatever tenant it is?

use super::{Caller, auth, errors, ids};
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::World;

const PEER: &str = "Microsoft.Network/virtualNetworks/peer/action";
const WRITE: &str = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write";

/// Refuses unless the caller, or the same application in the remote's tenant by its auxiliary token, has
/// `peer/action` on the remote network (ARM: authenticate requests across tenants).
pub(super) fn authorize(world: &World, request: &Request, caller: &Caller, peering: &str, remote: &str) -> Answer<()> {
    let subscription = ids::subscription(remote).unwrap_or_default();
    let auxiliaries = auxiliaries(world, request)?;
    let tenant = world.tenant_of(remote);
    let principal = if tenant == Some(caller.tenant.as_str()) {
        Some(caller.object_id.clone())
    } else {
        let ours = auxiliaries.iter().find(|c| Some(c.tenant.as_str()) == tenant && c.app_id == caller.app_id);
        ours.map(|c| c.object_id.clone())
    };
    let Some(principal) = principal else {
        let text = format!(
            "The client has permission to perform action '{PEER}' on scope '{peering}', however the current tenant \
             '{}' is not authorized to access linked subscription '{subscription}'.",
            caller.tenant
        );
        return Err(errors::error(403, "LinkedAuthorizationFailed", &text));
    };
    if world.allows(&principal, PEER, remote) {
        return Ok(());
    }
    let text = format!(
        "The client '{}' with object id '{}' has permission to perform action '{WRITE}' on scope '{peering}'; however, \
         it does not have permission to perform action(s) '{PEER}' on the linked scope(s) '{remote}' (respectively) or \
         the linked scope(s) are invalid.",
        caller.app_id, caller.object_id
    );
    Err(errors::error(403, "LinkedAuthorizationFailed", &text))
}

/// `Bearer x, Bearer y`: at most three, every one of them valid, or 401 for all.
fn auxiliaries(world: &World, request: &Request) -> Answer<Vec<Caller>> {
    let Some(header) = request.header("x-ms-authorization-auxiliary") else { return Ok(Vec::new()) };
    let tokens: Vec<&str> = header.split([',', ';']).map(str::trim).filter(|t| !t.is_empty()).collect();
    if tokens.len() > 3 {
        return Err(invalid("The number of auxiliary tokens exceeds the limit of 3."));
    }
    tokens
        .into_iter()
        .map(|token| {
            let token = token.strip_prefix("Bearer ").ok_or_else(|| {
                invalid(
                    "The auxiliary authorization header is not well-formed: each token must have the 'Bearer' scheme.",
                )
            })?;
            let claims = auth::valid(world, token)?;
            Ok(Caller {
                app_id: claims.app_id.clone(),
                object_id: claims.object_id.clone(),
                tenant: claims.tenant.clone(),
            })
        })
        .collect()
}

fn invalid(text: &str) -> Reply {
    errors::error(401, "InvalidAuthenticationToken", text)
}
