//! Azure Resource Manager: preflight, role assignments and definitions, the peering of runbook step 13.

use super::*;
use Class::*;
use Since::*;

const NO_ROLE: &str = "The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write' over scope '/subscriptions/s' or the scope is invalid. If access was recently granted, please refresh your credentials.";
const NO_AUXILIARY: &str = "The client has permission to perform action 'Microsoft.Network/virtualNetworks/peer/action' on scope '/subscriptions/s', however the current tenant 't' is not authorized to access linked subscription 'u'.";
const NO_GRANT: &str = "The client 'x' with object id 'y' has permission to perform action 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write' on scope '/subscriptions/s'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/peer/action' on the linked scope(s) '/subscriptions/u' (respectively) or the linked scope(s) are invalid.";
const NO_REMOTE: &str = "Resource /subscriptions/u referenced by resource /subscriptions/s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.";

#[test]
#[rustfmt::skip]
fn a_network_that_is_not_there_is_a_persons_and_a_subscription_may_yet_show_up() {
    hold(Service::Arm, &[
        (404, "ResourceNotFound", "The Resource 'Microsoft.Network/virtualNetworks/x' under resource group 'y' was not found.", Permanent, 0, FirstSeen),
        (404, "ResourceGroupNotFound", "Resource group 'y' could not be found.", Permanent, 0, FirstSeen),
        (404, "ParentResourceNotFound", "Can not perform requested operation on nested resource.", Permanent, 0, FirstSeen),
        (404, "NotFound", "", Permanent, 0, FirstSeen),
        (404, "SubscriptionNotFound", "The subscription 's' could not be found.", Propagating, 10 * MINUTES, FirstSeen),
        (403, "AuthorizationFailed", NO_ROLE, Propagating, 15 * MINUTES, OurAssignment),
    ]);
}

#[test]
#[rustfmt::skip]
fn role_assignments_follow_the_directory_and_meet_their_equals() {
    hold(Service::Arm, &[
        (409, "RoleAssignmentExists", "The role assignment already exists. The ID of the existing role assignment is 0123.", Exists, 5 * MINUTES, FirstSeen),
        (400, "PrincipalNotFound", "Principal 0123 does not exist in the directory t. Check that you have the correct principal ID.", Propagating, 10 * MINUTES, PrincipalMade),
        (400, "UnmatchedPrincipalType", "", Permanent, 0, FirstSeen),
        (400, "InvalidPrincipalId", "", Permanent, 0, FirstSeen),
        (400, "RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.", Permanent, 0, FirstSeen),
        (404, "RoleDefinitionDoesNotExist", "The specified role definition with ID '0123' does not exist.", Propagating, 5 * MINUTES, RoleMade),
        (400, "RoleAssignmentLimitExceeded", "", Permanent, 0, FirstSeen),
        (403, "AuthorizationFailed", "The client 'x' does not have authorization or an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/write'", Propagating, 15 * MINUTES, OurAssignment),
        (409, "RoleDefinitionWithSameNameExists", "A custom role with the same name already exists in this directory. Use a different name.", Exists, 5 * MINUTES, FirstSeen),
        (400, "RoleDefinitionLimitExceeded", "", Permanent, 0, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn rights_for_the_peering_come_late_from_our_side_or_from_aivens() {
    hold(Service::Arm, &[
        (403, "AuthorizationFailed", NO_ROLE, Propagating, 15 * MINUTES, OurAssignment),
        (403, "LinkedAuthorizationFailed", NO_AUXILIARY, Token, 3 * MINUTES, FirstSeen),
        (403, "LinkedAuthorizationFailed", NO_GRANT, Propagating, 30 * MINUTES, PendingPeer),
        (401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer 'https://sts.windows.net/x/'.", Token, 2 * MINUTES, FirstSeen),
        (401, "ExpiredAuthenticationToken", "The access token expiry UTC time '1' is earlier than current UTC time '2'.", Token, 5 * MINUTES, FirstSeen),
        (401, "InvalidAuthenticationToken", "", Token, 5 * MINUTES, FirstSeen),
        (401, "AuthenticationFailed", "", Token, 5 * MINUTES, FirstSeen),
        (403, "RequestDisallowedByPolicy", "Resource 'p' was disallowed by policy.", Permanent, 0, FirstSeen),
        (409, "ScopeLocked", "", Permanent, 0, FirstSeen),
        (409, "MissingSubscriptionRegistration", "", Permanent, 0, FirstSeen),
        (409, "ReadOnlyDisabledSubscription", "", Permanent, 0, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_busy_network_is_waited_for_wherever_it_says_so() {
    hold(Service::Arm, &[
        (400, "ReferencedResourceNotProvisioned", "Cannot proceed with operation because resource v used by resource p is not in Succeeded state.", Busy, 30 * MINUTES, FirstSeen),
        (429, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress.", Busy, 30 * MINUTES, FirstSeen),
        (409, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress.", Busy, 30 * MINUTES, FirstSeen),
        // Inside the 200 of a poll.
        (200, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress.", Busy, 30 * MINUTES, FirstSeen),
        (200, "ReferencedResourceNotProvisioned", "", Busy, 30 * MINUTES, FirstSeen),
        (200, "AuthorizationFailed", NO_ROLE, Propagating, 15 * MINUTES, OurAssignment),
        (200, "Failed", "", Transient, 30 * MINUTES, FirstSeen),
        (429, "RetryableErrorDueToAnotherOperation", "", Busy, 30 * MINUTES, FirstSeen),
        (409, "Canceled", "", Busy, 30 * MINUTES, FirstSeen),
        (409, "OperationPreempted", "", Busy, 30 * MINUTES, FirstSeen),
        (409, "CanceledAndSupersededDueToAnotherOperation", "", Busy, 30 * MINUTES, FirstSeen),
        (429, "TooManyRequests", "", Throttled, 60 * MINUTES, FirstSeen),
        (429, "", "", Throttled, 60 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_wrong_with_the_peering_itself_is_a_persons() {
    hold(Service::Arm, &[
        (400, "VnetAddressSpacesOverlap", "Virtual networks A and B cannot be peered because their address spaces overlap.", Permanent, 0, FirstSeen),
        (400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", "", Permanent, 0, FirstSeen),
        (400, "RemotePeeringIsDisconnected", "Cannot create or update peering A because remote peering B is in Disconnected state.", Permanent, 0, FirstSeen),
        (400, "AnotherPeeringAlreadyReferencesRemoteVnet", "", Exists, 5 * MINUTES, FirstSeen),
        (400, "InvalidResourceReference", NO_REMOTE, Propagating, 10 * MINUTES, PendingPeer),
        (400, "", NO_REMOTE, Propagating, 10 * MINUTES, PendingPeer),
        (400, "PeeringGatewayTransitNotAllowed", "", Permanent, 0, FirstSeen),
        (400, "RemoteVnetHasNoGateways", "", Permanent, 0, FirstSeen),
        (400, "InvalidRequestFormat", "", Permanent, 0, FirstSeen),
        (400, "InvalidResourceName", "", Permanent, 0, FirstSeen),
        (400, "VirtualNetworkPeeringLimitReached", "", Permanent, 0, FirstSeen),
        (500, "InternalServerError", "", Transient, 30 * MINUTES, FirstSeen),
        (503, "ServerTimeout", "", Transient, 30 * MINUTES, FirstSeen),
        (504, "GatewayTimeout", "", Transient, 30 * MINUTES, FirstSeen),
        (502, "", "<html>Bad Gateway</html>", Transient, 30 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_delete_waits_for_who_is_in_the_way_and_stops_at_who_forbids_it() {
    hold(Service::Arm, &[
        (409, "ScopeLocked", "The scope '/subscriptions/s' cannot perform delete operation because following scope(s) are locked: '/subscriptions/s'. Please remove the lock and try again.", Permanent, 0, FirstSeen),
        (403, "DenyAssignmentAuthorizationFailed", "The client 'x' has permission to perform action 'Microsoft.Authorization/roleAssignments/delete' on scope '/subscriptions/s'; however, the access is denied because of the deny assignment with name 'd'.", Permanent, 0, FirstSeen),
        (403, "AuthorizationFailed", "The client 'x' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/delete' over scope '/subscriptions/s'", Propagating, 15 * MINUTES, OurAssignment),
        (429, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress.", Busy, 30 * MINUTES, FirstSeen),
        (400, "ReferencedResourceNotProvisioned", "Cannot proceed with operation because resource v used by resource p is not in Succeeded state.", Busy, 30 * MINUTES, FirstSeen),
        (409, "ResourceGroupBeingDeleted", "The resource group 'y' is in deprovisioning state and cannot perform this operation.", Busy, 30 * MINUTES, FirstSeen),
        (400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).", Busy, 10 * MINUTES, FirstSeen),
        (200, "ScopeLocked", "", Permanent, 0, FirstSeen),
    ]);
}
