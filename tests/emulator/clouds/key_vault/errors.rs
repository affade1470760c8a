//! Error bodies as Key Vault writes them: a code for all clients, and the finer one in `innererror`.

use super::Caller;
use crate::clouds::http::Reply;
use crate::clouds::world::{Vault, World};
use serde_json::json;

pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status, json!({"error": {"code": code, "message": message}}))
}

pub(super) fn inner(status: u16, code: &str, inner: &str, message: &str) -> Reply {
    Reply::new(status, json!({"error": {"code": code, "message": message, "innererror": {"code": inner}}}))
}

pub(super) fn bad(message: &str) -> Reply {
    error(400, "BadParameter", message)
}

/// Every 401 carries the challenge: that is how Key Vault's clients learn tenant and resource.
pub(super) fn unauthorized(world: &World, tenant: &str, message: &str) -> Reply {
    let challenge =
        format!("Bearer authorization=\"{}/{tenant}\", resource=\"https://vault.azure.net\"", world.urls.entra);
    error(401, "Unauthorized", message).with("WWW-Authenticate", challenge)
}

/// `DeniedWithNoValidRBAC`, in full as reports quote it (piyushsachdeva/Terraform_AKS 2).
pub(super) fn forbidden(caller: &Caller, vault: &Vault, action: &str, resource: &str) -> Reply {
    let text = format!(
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role \
         definitions were changed recently, please observe propagation time.\r\nCaller: \
         appid={};oid={};iss=https://sts.windows.net/{}/\r\nAction: '{action}'\r\nResource: '{}'\r\nAssignment: (not \
         found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: \
         {};location=westeurope\r\n",
        caller.app_id,
        caller.object_id,
        caller.tenant,
        resource.to_ascii_lowercase(),
        vault.name()
    );
    inner(403, "Forbidden", "ForbiddenByRbac", &text)
}

pub(super) fn not_found(name: &str) -> Reply {
    let text = format!(
        "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be \
         able to recover it using the correct recovery command. For help resolving this issue, please see \
         https://go.microsoft.com/fwlink/?linkid=2125182"
    );
    error(404, "SecretNotFound", &text)
}

pub(super) fn deleted(name: &str) -> Reply {
    let text = format!(
        "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, \
         the secret can only be recovered or purged."
    );
    inner(409, "Conflict", "ObjectIsDeletedButRecoverable", &text)
}

pub(super) fn disabled() -> Reply {
    inner(403, "Forbidden", "SecretDisabled", "Operation get is not allowed on a disabled secret.")
}
