//! ARM's error bodies: the code that says most may be in a detail, or in JSON inside the message.

use serde_json::Value;

use crate::cloud::http::{Reply, Said};

/// How deep errors are nested at most, as far as we follow them.
const DEEPEST: usize = 8;

/// Codes that say what is wrong (ARM, Microsoft.Network and Microsoft.Authorization); what wraps them, such as
/// `Conflict`, `BadRequest` or `DeploymentFailed`, does not.
const TELLING: &[&str] = &[
    "AnotherOperationInProgress",
    "AnotherPeeringAlreadyReferencesRemoteVnet",
    "AuthenticationFailed",
    "AuthorizationFailed",
    "Canceled",
    "CanceledAndSupersededDueToAnotherOperation",
    "DenyAssignmentAuthorizationFailed",
    "ExpiredAuthenticationToken",
    "InvalidAuthenticationToken",
    "InvalidAuthenticationTokenTenant",
    "InvalidPrincipalId",
    "InvalidResourceReference",
    "LinkedAuthorizationFailed",
    "MissingSubscriptionRegistration",
    "OperationPreempted",
    "ParentResourceNotFound",
    "PrincipalNotFound",
    "ReadOnlyDisabledSubscription",
    "ReferencedResourceNotProvisioned",
    "RemotePeeringIsDisconnected",
    "RequestDisallowedByPolicy",
    "ResourceGroupBeingDeleted",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "RetryableErrorDueToAnotherOperation",
    "RoleAssignmentExists",
    "RoleAssignmentLimitExceeded",
    "RoleAssignmentUpdateNotPermitted",
    "RoleDefinitionDoesNotExist",
    "RoleDefinitionHasAssignments",
    "RoleDefinitionLimitExceeded",
    "RoleDefinitionWithSameNameExists",
    "ScopeLocked",
    "SubscriptionNotFound",
    "TooManyRequests",
    "UnmatchedPrincipalType",
    "VirtualNetworkPeeringLimitReached",
    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
    "VnetAddressSpacesOverlap",
];

/// What an answer's error says.
pub(super) fn said(reply: &Reply) -> Said {
    said_of(&reply.value())
}

/// What a body's error says: the innermost telling code, else the outermost of all, with its message.
pub(super) fn said_of(body: &Value) -> Said {
    let mut found = Vec::new();
    collect(body, 0, &mut found);
    let telling = found.iter().rev().find(|(code, _)| TELLING.iter().any(|known| known.eq_ignore_ascii_case(code)));
    let (code, message) = telling.or_else(|| found.first()).cloned().unwrap_or_default();
    Said { code, message, ..Said::default() }
}

/// All codes and their messages, outer before inner.
fn collect(value: &Value, depth: usize, found: &mut Vec<(String, String)>) {
    if depth > DEEPEST {
        return;
    }
    let error = if value["error"].is_object() { &value["error"] } else { value };
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let (code, message) = (text("code"), text("message"));
    if !code.is_empty() {
        found.push((code.to_owned(), message.to_owned()));
    }
    for detail in error["details"].as_array().into_iter().flatten() {
        collect(detail, depth + 1, found);
    }
    // Resource providers put a JSON text into the message of a `Conflict` or `BadRequest`.
    let start = message.find('{').unwrap_or(message.len());
    if let Some(Ok(inner)) = serde_json::Deserializer::from_str(&message[start..]).into_iter::<Value>().next() {
        collect(&inner, depth + 1, found);
    }
}
