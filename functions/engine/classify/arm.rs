//! Azure Resource Manager: role assignments, rights, the peering itself. Microsoft.Authorization's and Microsoft.Network's codes,
//! and what azurerm and az try again. A code may come in a refusal or inside the 200 that tells how an operation ended.

use super::write::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // ---- role assignments and definitions --------------------------------------------------------------------------
    row(&[], &["RoleAssignmentExists"], "", wait(Exists, 5 * MINUTE, FirstSeen, (2, 30), "the role assignment exists already",
        "list the role assignments of the principal on the VNet; one of another scope may be in the way")),
    row(&[], &["RoleDefinitionWithSameNameExists"], "", wait(Exists, 5 * MINUTE, FirstSeen, (2, 30), "a role of that name exists already",
        "delete or rename the role of the same name: role names are unique in a tenant")),
    row(&[], &["PrincipalNotFound"], "", wait(Propagating, 10 * MINUTE, PrincipalMade, (10, 60),
        "the service principal is not known to Resource Manager yet",
        "check that the service principal exists in the subscription's tenant: `az ad sp show --id <object id>`")),
    row(&[], &["RoleDefinitionDoesNotExist"], "", wait(Propagating, 5 * MINUTE, RoleMade, (10, 60),
        "the role definition is not visible everywhere yet", "check that the role exists: `az role definition list --custom-role-only`")),
    row(&[], &["UnmatchedPrincipalType", "InvalidPrincipalId"], "", permanent(
        "the id given as a service principal's is something else's", "correct the principal's object id in the settings")),
    row(&[], &["RoleAssignmentUpdateNotPermitted"], "", permanent(
        "our assignment's id belongs to a principal that was deleted and made again",
        "delete the stale role assignment of the VNet that has no principal any more")),
    row(&[], &["RoleAssignmentLimitExceeded"], "", permanent(
        "the subscription has no room for another role assignment", "remove role assignments that nobody needs (4000 a subscription)")),
    row(&[], &["RoleDefinitionLimitExceeded"], "", permanent(
        "the tenant has no room for another custom role", "remove custom roles that nobody needs (5000 a tenant)")),
    row(&[], &["RoleDefinitionHasAssignments"], "", wait(Busy, 10 * MINUTE, FirstSeen, (15, 60), "the role is still assigned somewhere",
        "remove the role's assignments: `az role assignment list --all --role <role>`")),
    // ---- rights ----------------------------------------------------------------------------------------------------
    row(&[], &["AuthorizationFailed"], "", wait(Propagating, 15 * MINUTE, OurAssignment, (30, 120),
        "a role assignment has not taken effect yet, or is missing", "assign the role that the message names, on the scope that it names")),
    row(&[], &["LinkedAuthorizationFailed"], "not authorized to access linked subscription", wait(Token, 3 * MINUTE, FirstSeen, (5, 30),
        "Azure did not take the token of Aiven's tenant that goes with the request",
        "check that the application is the one given to Aiven, and multi-tenant")),
    row(&[], &["LinkedAuthorizationFailed"], "", wait(Propagating, 30 * MINUTE, PendingPeer, (30, 120),
        "Aiven's grant to our application has not taken effect yet",
        "check the application id that the connection at Aiven shows; delete the connection if it is another")),
    row(&[], &["RequestDisallowedByPolicy"], "", permanent(
        "an Azure Policy forbids it", "ask whoever owns the policy that the message names for an exemption")),
    row(&[], &["DenyAssignmentAuthorizationFailed"], "", permanent(
        "a deny assignment forbids it", "ask whoever owns the deny assignment that the message names (a managed application, a deployment stack) for an exemption")),
    row(&[], &["InvalidAuthenticationTokenTenant"], "", wait(Token, 2 * MINUTE, FirstSeen, (5, 30),
        "the token is of another tenant than the subscription", "check AZURE_TENANT_ID: the message names the subscription's tenant")),
    row(&[401], &[], "", wait(Token, 5 * MINUTE, FirstSeen, (5, 60),
        "the token was refused", "check the app's managed identity and the application's federated credential")),
    // ---- the peering itself ----------------------------------------------------------------------------------------
    row(&[], &["ReferencedResourceNotProvisioned"], "", wait(Busy, 30 * MINUTE, FirstSeen, (15, 60),
        "the VNet is being changed by another operation", "see what keeps the VNet updating: `az network vnet show --query provisioningState`")),
    row(&[], &["AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation", "RetryableError"], "", wait(Busy, 30 * MINUTE, FirstSeen, (10, 30),
        "another operation on the VNet is in progress", "see the VNet's activity log for the operation that does not end")),
    row(&[], &["Canceled", "Cancelled", "OperationPreempted", "CanceledAndSupersededDueToAnotherOperation"], "", wait(Busy, 30 * MINUTE, FirstSeen, (10, 60),
        "another operation on the VNet superseded ours", "see the VNet's activity log for who keeps changing it")),
    row(&[], &["VnetAddressSpacesOverlap", "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"], "", permanent(
        "address spaces of the two networks overlap",
        "free the overlapping prefixes that the message names, or use an Aiven VPC of another range")),
    row(&[], &["AnotherPeeringAlreadyReferencesRemoteVnet"], "", wait(Exists, 5 * MINUTE, FirstSeen, (2, 30),
        "a peering to the same network exists already", "delete the other peering to the same network")),
    row(&[], &["InvalidResourceReference"], "", NO_NETWORK),
    // Microsoft.Network says it in words alone, too.
    row(&[400, 404], &[], "make sure that the referenced resource exists", NO_NETWORK),
    row(&[], &["RemotePeeringIsDisconnected"], "", permanent(
        "Aiven's half is left over from a peering that was deleted",
        "delete the connection at Aiven and our half on the VNet; both are made again")),
    row(&[], &["VirtualNetworkPeeringLimitReached"], "", permanent(
        "the VNet has 500 peerings and takes no more", "remove a peering that nobody needs")),
    row(&[], &["ScopeLocked"], "", permanent("a management lock forbids it",
        "remove the lock at the scope that the message names: `az lock list --resource-group <group>`, then `az lock delete --ids <lock id>`")),
    row(&[], &["ResourceGroupBeingDeleted"], "", wait(Busy, 30 * MINUTE, FirstSeen, (30, 120),
        "the resource group is being deleted", "see whether the deletion ends: `az group show --name <group> --query properties.provisioningState`")),
    row(&[], &["MissingSubscriptionRegistration"], "", permanent(
        "the subscription has not registered Microsoft.Network", "az provider register --namespace Microsoft.Network")),
    row(&[], &["ReadOnlyDisabledSubscription", "SubscriptionDisabled"], "", permanent("the subscription is disabled", "enable the subscription")),
    row(&[], &["SubscriptionNotFound"], "", wait(Propagating, 10 * MINUTE, FirstSeen, (15, 60), "the subscription is not visible to us (yet)",
        "give the app's managed identity a role on the subscription, or correct the subscription's id")),
    row(&[404], &[], "", permanent("Azure does not have it", "correct the VNet's resource id, or create the VNet")),
    row(&[429], &[], "", wait(Throttled, 60 * MINUTE, FirstSeen, (10, 60),
        "Azure asks for fewer requests", "see who else uses up the subscription's request limit")),
];

#[rustfmt::skip]
const NO_NETWORK: Rule = wait(Propagating, 10 * MINUTE, PendingPeer, (30, 60),
    "Azure does not find Aiven's network yet", "delete the connection at Aiven; it is made again with its new network");
