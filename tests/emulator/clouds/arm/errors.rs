//! Error bodies and texts as Azure Resource Manager writes them.

use super::Caller;
use crate::clouds::http::Reply;
use serde_json::json;

pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status, json!({"error": {"code": code, "message": message}}))
}

pub(super) fn forbidden(caller: &Caller, action: &str, scope: &str) -> Reply {
    let text = format!(
        "The client '{}' with object id '{}' does not have authorization to perform action '{action}' over scope \
         '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        caller.app_id, caller.object_id
    );
    error(403, "AuthorizationFailed", &text)
}

/// The same for role assignments, where the reason may be a condition.
pub(super) fn forbidden_or_unmet(caller: &Caller, action: &str, scope: &str) -> Reply {
    let text = format!(
        "The client '{}' with object id '{}' does not have authorization or an ABAC condition not fulfilled to perform \
         action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh \
         your credentials.",
        caller.app_id, caller.object_id
    );
    error(403, "AuthorizationFailed", &text)
}

pub(super) fn subscription_not_found(subscription: &str) -> Reply {
    error(404, "SubscriptionNotFound", &format!("The subscription '{subscription}' could not be found."))
}

pub(super) fn resource_not_found(kind: &str, name: &str, group: &str) -> Reply {
    let text = format!(
        "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to \
         https://aka.ms/ARMResourceNotFoundFix"
    );
    error(404, "ResourceNotFound", &text)
}

pub(super) fn group_not_found(group: &str) -> Reply {
    error(404, "ResourceGroupNotFound", &format!("Resource group '{group}' could not be found."))
}

pub(super) fn read_only(subscription: &str, state: &str) -> Reply {
    let text = format!(
        "The subscription '{subscription}' is disabled and therefore marked as read only ({state}). You cannot perform \
         any write actions on this subscription until it is re-enabled."
    );
    error(409, "ReadOnlyDisabledSubscription", &text)
}

pub(super) fn bad_content(message: &str) -> Reply {
    error(400, "InvalidRequestContent", message)
}

pub(super) fn no_route(path: &str) -> Reply {
    let text = format!(
        "The resource type could not be found in the namespace for the request path '{path}', or the method is not \
         supported."
    );
    error(404, "InvalidResourceType", &text)
}

/// The poll URL that real texts carry after "use uri:" is left to the header.
pub(super) fn busy() -> Reply {
    let text = "Another operation on this or dependent resource is in progress. To retrieve status of the operation \
                use uri: the Azure-AsyncOperation header of the operation under way.";
    error(429, "AnotherOperationInProgress", text).with("Retry-After", "10")
}
