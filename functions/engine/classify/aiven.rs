//! Aiven's API: no code of its own for peerings, so statuses and texts decide.

use super::write::*;

macro_rules! set_token {
    () => {
        "`az keyvault secret set --vault-name <vault> --name <secret> --value \"$AIVEN_TOKEN\" --output none` (on your own machine: AIVEN_TOKEN, and start again)"
    };
}

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(&[], &["client_ip_address_policy_violation", "api_client_ip_allowlist_blocks_caller"], "", wait(Shared, 14 * DAY, FirstSeen, (30, 120),
        "Aiven's allow-list does not admit the app's address", "add the app's egress address to the allow-list that the message names")),
    row(&[], &["user_personal_token_not_allowed", "mfa_required_by_organization"], "", wait(Shared, 14 * DAY, FirstSeen, TOKEN_PACE,
        "Aiven's organization does not allow tokens of this kind", concat!("create a token of an application user at Aiven, and set it: ", set_token!()))),
    row(&[401], &[], "", wait(Shared, 14 * DAY, FirstSeen, TOKEN_PACE, "Aiven refuses the token: it was revoked or has expired",
        concat!("create a new token at Aiven, and set it: ", set_token!()))),
    // Of these two the reference gives no status.
    row(&[], &["action_forbidden_for_timescale_users"], "", permanent(
        "Managed Service for TimescaleDB does not let its users do this", "ask Timescale's support to make the peering")),
    row(&[], &["tenant_mismatch"], "", permanent(
        "the token belongs to another of Aiven's brands", "use a token of the brand that owns the project")),
    // A VPC that cannot be made. No text of these is documented, so words decide that any wording of them has.
    row(&[400, 409], &[], "overlap", permanent("address ranges overlap",
        "choose a range that neither another VPC nor a network peered to it has; the message names the one in the way")),
    row(&[400, 403, 409], &[], "limit", permanent("a limit of Aiven's is reached",
        "delete what nobody uses of what the message names, or ask Aiven's support for more")),
    row(&[400], &[], "network_cidr", permanent("Aiven does not take the VPC's address range",
        "choose a private IPv4 range with a prefix from /20 to /24")),
    // For a while after something was made, both may be wrong: Aiven's own provider tries them again.
    row(&[403], &[], "", wait(Propagating, 2 * MINUTE, FirstSeen, (15, 60), "Aiven's token may not do this",
        "give the token's user a role on the organization or project that includes what the call needs: networking read and write, and for the connectivity check services read")),
    row(&[404], &[], "", wait(Propagating, MINUTE, FirstSeen, (15, 30), "Aiven does not have it",
        "correct the VPC's id and its organization or project")),
    row(&[400], &[], "does not refer to a valid application object", wait(Propagating, 10 * MINUTE, PrincipalMade, (30, 60),
        "Aiven does not see the new application yet", "check the application's id and that it is multi-tenant")),
    row(&[409], &[], "", wait(Busy, 15 * MINUTE, FirstSeen, (15, 60), "Aiven is busy with the same VPC", "see the VPC's state at Aiven")),
    row(&[429], &[], "", wait(Throttled, 60 * MINUTE, FirstSeen, (15, 60), "Aiven asks for fewer requests",
        "see who else uses the same Aiven user's request limit")),
];
