//! What to make of a failed call: one total function from (service, status, code, text) to a rule, and from a rule and
//! an age to a verdict. The rows are the tables of the vendors' documentation and of their own clients' retry lists.

use std::time::Duration;

use crate::engine::{Failure, Service};
use crate::peering::Party;

use Service::{Aiven, Arm, Entra, Graph, ManagedIdentity};

/// What the window of a rule is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The first time this failure was seen in this step.
    FirstSeen,
    /// Our application's role assignment on the VNet.
    OurAssignment,
    /// The service principal made last.
    PrincipalMade,
    /// The federated credential.
    CredentialMade,
    /// The role definition made last.
    RoleMade,
    /// Aiven's PENDING_PEER: from then on its side grants us what we need.
    PendingPeer,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is there already: look again.
    Exists,
    /// Something we depend on is not visible everywhere yet.
    Propagating,
    /// Another operation is in the way.
    Busy,
    /// Too many requests.
    Throttled,
    /// Network, or the service itself.
    Transient,
    /// The token was refused: the next try takes a fresh one.
    Token,
    /// The same cause hits every peering: it is recorded and told once.
    Shared,
    /// Only a person can mend it.
    Permanent,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What kind of thing it is.
    pub class: Class,
    /// Nominal seconds in which it may pass by itself; 0 if it never does.
    pub window: u64,
    /// From when they are counted.
    pub since: Since,
    /// Nominal seconds to the next look; they double, up to `slowest`.
    pub pace: u64,
    /// The slowest pace, nominal seconds.
    pub slowest: u64,
    /// What it means, in a clause: shown while waiting, and as the reason of the fix.
    pub why: &'static str,
    /// What a person does when it does not pass.
    pub fix: &'static str,
}

/// What a failure means at a certain age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass: look again.
    Wait {
        /// Who has to move.
        party: Party,
        /// Until the next look, nominal.
        delay: Duration,
    },
    /// It will not pass by itself, or has not within its window.
    Fix,
}

impl Rule {
    /// The verdict, given the nominal age of what the rule counts from and how often it was looked at already.
    pub fn at(&self, failure: &Failure, age: Duration, attempts: u32) -> Verdict {
        if age >= Duration::from_secs(self.window) {
            return Verdict::Fix;
        }
        let grown = self.pace.saturating_mul(1 << attempts.min(10)).min(self.slowest);
        let delay = failure.retry_after.unwrap_or_default().max(Duration::from_secs(grown));
        let party = match (self.class, failure.service) {
            (Class::Shared, _) => Party::Operator,
            (_, Aiven) => Party::Aiven,
            _ => Party::Azure,
        };
        Verdict::Wait { party, delay }
    }
}

/// One row: what it matches, and the rule. `codes` empty: any; `text` empty: any; statuses empty: any, also none.
struct Row {
    service: Option<Service>,
    statuses: &'static [u16],
    codes: &'static [&'static str],
    text: &'static str,
    rule: Rule,
}

const MINUTE: u64 = 60;

const fn rule(class: Class, window: u64, since: Since, pace: (u64, u64), why: &'static str, fix: &'static str) -> Rule {
    Rule { class, window, since, pace: pace.0, slowest: pace.1, why, fix }
}

const fn permanent(why: &'static str, fix: &'static str) -> Rule {
    rule(Class::Permanent, 0, Since::FirstSeen, (0, 0), why, fix)
}

const fn row(
    service: Service,
    statuses: &'static [u16],
    codes: &'static [&'static str],
    text: &'static str,
    rule: Rule,
) -> Row {
    Row { service: Some(service), statuses, codes, text, rule }
}

/// The first row that matches counts. The order within a service: codes, then bare statuses.
const TABLE: &[Row] = &[
    // ---- Azure Resource Manager: role assignments and definitions --------------------------------------------------
    row(
        Arm,
        &[],
        &["RoleAssignmentExists"],
        "",
        rule(
            Class::Exists,
            5 * MINUTE,
            Since::FirstSeen,
            (2, 30),
            "the role assignment exists already",
            "list the role assignments of the principal on the VNet; one of another scope may be in the way",
        ),
    ),
    row(
        Arm,
        &[],
        &["RoleDefinitionWithSameNameExists"],
        "",
        rule(
            Class::Exists,
            5 * MINUTE,
            Since::FirstSeen,
            (2, 30),
            "a role of that name exists already",
            "delete or rename the role of the same name: role names are unique in a tenant",
        ),
    ),
    row(
        Arm,
        &[],
        &["PrincipalNotFound"],
        "",
        rule(
            Class::Propagating,
            10 * MINUTE,
            Since::PrincipalMade,
            (10, 60),
            "the service principal is not known to Resource Manager yet",
            "check that the service principal exists in the subscription's tenant: `az ad sp show --id <object id>`",
        ),
    ),
    row(
        Arm,
        &[],
        &["RoleDefinitionDoesNotExist"],
        "",
        rule(
            Class::Propagating,
            5 * MINUTE,
            Since::RoleMade,
            (10, 60),
            "the role definition is not visible everywhere yet",
            "check that the role exists: `az role definition list --custom-role-only`",
        ),
    ),
    row(
        Arm,
        &[],
        &["UnmatchedPrincipalType", "InvalidPrincipalId"],
        "",
        permanent(
            "the id given as a service principal's is something else's",
            "correct the principal's object id in the settings",
        ),
    ),
    row(
        Arm,
        &[],
        &["RoleAssignmentUpdateNotPermitted"],
        "",
        permanent(
            "our assignment's id belongs to a principal that was deleted and made again",
            "delete the stale role assignment of the VNet that has no principal any more",
        ),
    ),
    row(
        Arm,
        &[],
        &["RoleAssignmentLimitExceeded"],
        "",
        permanent(
            "the subscription has no room for another role assignment",
            "remove role assignments that nobody needs (4000 a subscription)",
        ),
    ),
    // ---- Azure Resource Manager: rights ----------------------------------------------------------------------------
    row(
        Arm,
        &[403],
        &["AuthorizationFailed"],
        "",
        rule(
            Class::Propagating,
            15 * MINUTE,
            Since::OurAssignment,
            (30, 120),
            "a role assignment has not taken effect yet, or is missing",
            "assign the role that the message names, on the scope that it names",
        ),
    ),
    row(
        Arm,
        &[403],
        &["LinkedAuthorizationFailed"],
        "not authorized to access linked subscription",
        rule(
            Class::Token,
            3 * MINUTE,
            Since::FirstSeen,
            (5, 30),
            "Azure did not take the token of Aiven's tenant that goes with the request",
            "check that the application is the one given to Aiven, and multi-tenant",
        ),
    ),
    row(
        Arm,
        &[403],
        &["LinkedAuthorizationFailed"],
        "",
        rule(
            Class::Propagating,
            30 * MINUTE,
            Since::PendingPeer,
            (30, 120),
            "Aiven's grant to our application has not taken effect yet",
            "check the application id that the connection at Aiven shows; delete the connection if it is another",
        ),
    ),
    row(
        Arm,
        &[403],
        &["RequestDisallowedByPolicy"],
        "",
        permanent("an Azure Policy forbids it", "ask whoever owns the policy that the message names for an exemption"),
    ),
    row(
        Arm,
        &[401],
        &["InvalidAuthenticationTokenTenant"],
        "",
        rule(
            Class::Token,
            2 * MINUTE,
            Since::FirstSeen,
            (5, 30),
            "the token is of another tenant than the subscription",
            "check AZURE_TENANT_ID: the message names the subscription's tenant",
        ),
    ),
    row(
        Arm,
        &[401],
        &[],
        "",
        rule(
            Class::Token,
            5 * MINUTE,
            Since::FirstSeen,
            (5, 60),
            "the token was refused",
            "check the app's managed identity and the application's federated credential",
        ),
    ),
    // ---- Azure Resource Manager: the peering itself ----------------------------------------------------------------
    row(
        Arm,
        &[],
        &["ReferencedResourceNotProvisioned"],
        "",
        rule(
            Class::Busy,
            30 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "the VNet is being changed by another operation",
            "see what keeps the VNet updating: `az network vnet show --query provisioningState`",
        ),
    ),
    row(
        Arm,
        &[],
        &["AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation", "RetryableError"],
        "",
        rule(
            Class::Busy,
            30 * MINUTE,
            Since::FirstSeen,
            (10, 30),
            "another operation on the VNet is in progress",
            "see the VNet's activity log for the operation that does not end",
        ),
    ),
    row(
        Arm,
        &[],
        &["Canceled", "OperationPreempted", "CanceledAndSupersededDueToAnotherOperation"],
        "",
        rule(
            Class::Busy,
            30 * MINUTE,
            Since::FirstSeen,
            (10, 60),
            "another operation on the VNet superseded ours",
            "see the VNet's activity log for who keeps changing it",
        ),
    ),
    row(
        Arm,
        &[],
        &["VnetAddressSpacesOverlap", "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"],
        "",
        permanent(
            "address spaces of the two networks overlap",
            "free the overlapping prefixes that the message names, or use an Aiven VPC of another range",
        ),
    ),
    row(
        Arm,
        &[],
        &["AnotherPeeringAlreadyReferencesRemoteVnet"],
        "",
        rule(
            Class::Exists,
            5 * MINUTE,
            Since::FirstSeen,
            (2, 30),
            "a peering to the same network exists already",
            "delete the other peering to the same network",
        ),
    ),
    row(
        Arm,
        &[],
        &["InvalidResourceReference"],
        "",
        rule(
            Class::Propagating,
            10 * MINUTE,
            Since::PendingPeer,
            (30, 60),
            "Azure does not find Aiven's network yet",
            "delete the connection at Aiven; it is made again with its new network",
        ),
    ),
    row(
        Arm,
        &[],
        &["RemotePeeringIsDisconnected"],
        "",
        permanent(
            "Aiven's half is left over from a peering that was deleted",
            "delete the connection at Aiven and our half on the VNet; both are made again",
        ),
    ),
    row(
        Arm,
        &[],
        &["VirtualNetworkPeeringLimitReached"],
        "",
        permanent("the VNet has 500 peerings and takes no more", "remove a peering that nobody needs"),
    ),
    row(
        Arm,
        &[],
        &["ScopeLocked"],
        "",
        permanent("a management lock forbids it", "remove the lock that the message names"),
    ),
    row(
        Arm,
        &[],
        &["MissingSubscriptionRegistration"],
        "",
        permanent(
            "the subscription has not registered Microsoft.Network",
            "az provider register --namespace Microsoft.Network",
        ),
    ),
    row(
        Arm,
        &[],
        &["ReadOnlyDisabledSubscription", "SubscriptionDisabled"],
        "",
        permanent("the subscription is disabled", "enable the subscription"),
    ),
    row(
        Arm,
        &[404],
        &["SubscriptionNotFound"],
        "",
        rule(
            Class::Propagating,
            10 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "the subscription is not visible to us (yet)",
            "give the app's managed identity a role on the subscription, or correct the subscription's id",
        ),
    ),
    row(
        Arm,
        &[404],
        &["ResourceGroupNotFound", "ResourceNotFound", "ParentResourceNotFound", "NotFound"],
        "",
        permanent("Azure does not have it", "correct the VNet's resource id, or create the VNet"),
    ),
    row(
        Arm,
        &[429],
        &[],
        "",
        rule(
            Class::Throttled,
            60 * MINUTE,
            Since::FirstSeen,
            (10, 60),
            "Azure asks for fewer requests",
            "see who else uses up the subscription's request limit",
        ),
    ),
    // ---- Microsoft Graph -------------------------------------------------------------------------------------------
    row(
        Graph,
        &[],
        &["NoBackingApplicationObject"],
        "",
        rule(
            Class::Propagating,
            3 * MINUTE,
            Since::FirstSeen,
            (5, 20),
            "the new application is not visible everywhere yet",
            "check the application's id",
        ),
    ),
    row(
        Graph,
        &[400],
        &[],
        "does not reference a valid application object",
        rule(
            Class::Propagating,
            3 * MINUTE,
            Since::FirstSeen,
            (5, 20),
            "the new application is not visible everywhere yet",
            "check the application's id",
        ),
    ),
    row(
        Graph,
        &[403],
        &[],
        "must in the local tenant",
        rule(
            Class::Propagating,
            3 * MINUTE,
            Since::FirstSeen,
            (5, 20),
            "the new application is not visible everywhere yet",
            "let an administrator make the service principal: `az ad sp create --id <application id>`",
        ),
    ),
    row(
        Graph,
        &[403],
        &[],
        "",
        permanent(
            "the app's managed identity lacks the directory right",
            "let an administrator make the object and put its id into the settings, or grant the managed identity the Graph right",
        ),
    ),
    row(
        Graph,
        &[401],
        &[],
        "",
        rule(
            Class::Token,
            5 * MINUTE,
            Since::FirstSeen,
            (5, 60),
            "the token was refused",
            "check the app's managed identity",
        ),
    ),
    row(
        Graph,
        &[],
        &["Request_MultipleObjectsWithSameKeyValue", "ObjectConflict"],
        "",
        rule(
            Class::Exists,
            5 * MINUTE,
            Since::FirstSeen,
            (2, 20),
            "it exists already",
            "it may be soft-deleted: restore it, or delete it for good",
        ),
    ),
    row(
        Graph,
        &[404],
        &[],
        "",
        rule(
            Class::Propagating,
            3 * MINUTE,
            Since::FirstSeen,
            (5, 20),
            "the new object is not visible everywhere yet",
            "check that the object was not deleted",
        ),
    ),
    row(
        Graph,
        &[],
        &["Directory_QuotaExceeded"],
        "",
        permanent("the directory's object quota is used up", "let an administrator make the object"),
    ),
    row(
        Graph,
        &[409],
        &[],
        "",
        rule(
            Class::Busy,
            5 * MINUTE,
            Since::FirstSeen,
            (5, 30),
            "the directory is changing the same object",
            "check the object in the directory",
        ),
    ),
    row(
        Graph,
        &[429],
        &[],
        "",
        rule(
            Class::Throttled,
            60 * MINUTE,
            Since::FirstSeen,
            (10, 60),
            "Graph asks for fewer requests",
            "see who else uses up the tenant's Graph limit",
        ),
    ),
    // ---- Entra tokens ----------------------------------------------------------------------------------------------
    row(
        Entra,
        &[],
        &["AADSTS700016", "AADSTS7000229"],
        "",
        rule(
            Class::Propagating,
            30 * MINUTE,
            Since::PendingPeer,
            (15, 60),
            "our application has no service principal in that tenant yet",
            "check the application id that the connection at Aiven shows, and that the application is multi-tenant",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002131"],
        "",
        rule(
            Class::Propagating,
            10 * MINUTE,
            Since::CredentialMade,
            (10, 60),
            "the application's federated credential is not known everywhere yet",
            "compare issuer, subject and audience in the message with the application's federated credential",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS700024"],
        "",
        rule(
            Class::Token,
            5 * MINUTE,
            Since::FirstSeen,
            (2, 30),
            "the assertion had run out",
            "check the machine's clock",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS50196", "AADSTS90055", "AADSTS90024", "AADSTS90033", "AADSTS90012", "AADSTS50033"],
        "",
        rule(
            Class::Throttled,
            60 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "Entra asks to come back later",
            "see who else asks for tokens of the same application",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS7000112"],
        "",
        permanent("the application is disabled", "enable the application's service principal"),
    ),
    row(
        Entra,
        &[],
        &["AADSTS53003", "AADSTS530032", "AADSTS530035"],
        "",
        permanent(
            "Conditional Access blocks the application",
            "let an administrator exempt the application, or the app's egress address",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS500212", "AADSTS500213"],
        "",
        permanent(
            "a cross-tenant access policy blocks it",
            "let an administrator allow Aiven's tenant in the cross-tenant access settings",
        ),
    ),
    row(
        Entra,
        &[],
        &["AADSTS90002", "AADSTS500011", "AADSTS900382", "AADSTS900432"],
        "",
        permanent(
            "the tenant or the resource is not known in this cloud",
            "check AZURE_TENANT_ID and the endpoint settings",
        ),
    ),
    row(
        Entra,
        &[429],
        &[],
        "",
        rule(
            Class::Throttled,
            60 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "Entra asks to come back later",
            "see who else asks for tokens of the same application",
        ),
    ),
    row(
        Entra,
        &[400, 401, 403],
        &[],
        "",
        permanent("Entra refused the application", "check the application and its federated credential"),
    ),
    row(
        ManagedIdentity,
        &[],
        &[],
        "",
        rule(
            Class::Shared,
            24 * 60 * MINUTE,
            Since::FirstSeen,
            (15, 120),
            "the app has no managed identity to act as",
            "check AZURE_CLIENT_ID and that the identity is assigned to the function app",
        ),
    ),
    // ---- Aiven -----------------------------------------------------------------------------------------------------
    row(
        Aiven,
        &[401],
        &[],
        "",
        rule(
            Class::Shared,
            14 * 24 * 60 * MINUTE,
            Since::FirstSeen,
            (30, 120),
            "Aiven does not take our token",
            "make a new token at Aiven and put it into AIVEN_TOKEN (in Azure: a new version of the Key Vault secret)",
        ),
    ),
    row(
        Aiven,
        &[403],
        &["action_forbidden_for_timescale_users"],
        "",
        permanent(
            "Managed Service for TimescaleDB does not let its users do this",
            "ask Timescale's support to make the peering",
        ),
    ),
    row(
        Aiven,
        &[403],
        &["tenant_mismatch"],
        "",
        permanent("the token belongs to another of Aiven's brands", "use a token of the brand that owns the project"),
    ),
    row(
        Aiven,
        &[403],
        &[],
        "",
        rule(
            Class::Propagating,
            2 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "Aiven's token may not do this",
            "give the token's user the role that includes networking write on the organization or project",
        ),
    ),
    row(
        Aiven,
        &[404],
        &[],
        "",
        rule(
            Class::Propagating,
            MINUTE,
            Since::FirstSeen,
            (15, 30),
            "Aiven does not have it",
            "correct the VPC's id and its organization or project",
        ),
    ),
    row(
        Aiven,
        &[400],
        &[],
        "does not refer to a valid application object",
        rule(
            Class::Propagating,
            10 * MINUTE,
            Since::PrincipalMade,
            (30, 60),
            "Aiven does not see the new application yet",
            "check the application's id and that it is multi-tenant",
        ),
    ),
    row(
        Aiven,
        &[409],
        &[],
        "",
        rule(
            Class::Busy,
            15 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "Aiven is busy with the same VPC",
            "see the VPC's state at Aiven",
        ),
    ),
    row(
        Aiven,
        &[429],
        &[],
        "",
        rule(
            Class::Throttled,
            60 * MINUTE,
            Since::FirstSeen,
            (15, 60),
            "Aiven asks for fewer requests",
            "see who else uses the same Aiven user's request limit",
        ),
    ),
    // ---- any service -----------------------------------------------------------------------------------------------
    Row {
        service: None,
        statuses: &[400, 403, 404, 405, 409, 410, 412, 422],
        codes: &[],
        text: "",
        rule: permanent("the service refused the request", "see the message; `retry` tries again"),
    },
    Row {
        service: None,
        statuses: &[],
        codes: &[],
        text: "",
        rule: rule(
            Class::Transient,
            30 * MINUTE,
            Since::FirstSeen,
            (5, 60),
            "the service did not answer as it should",
            "see the service's status page; `retry` tries again",
        ),
    },
];

/// The rule for a failure. Total: the last row matches everything.
pub fn classify(failure: &Failure) -> &'static Rule {
    let found = TABLE.iter().find(|row| {
        row.service.is_none_or(|service| service == failure.service)
            && (row.statuses.is_empty() || failure.status.is_some_and(|status| row.statuses.contains(&status)))
            && (row.codes.is_empty() || row.codes.iter().any(|code| code.eq_ignore_ascii_case(&failure.code)))
            && (row.text.is_empty() || failure.message.contains(row.text))
    });
    &found.unwrap_or(&TABLE[TABLE.len() - 1]).rule
}

/// Whether a failed effect may have happened all the same: no answer, an answer that cannot be read, or a service that
/// broke while it worked.
pub fn may_have_landed(failure: &Failure) -> bool {
    match failure.status {
        None => failure.code != NOT_SENT,
        Some(status) => !(300..500).contains(&status) || status == 408,
    }
}

/// The code of a call that was refused on our side: nothing was sent.
pub const NOT_SENT: &str = "ForeignAddress";
