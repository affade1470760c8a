//! Aiven's API.

use super::*;
use Class::*;
use Since::*;

/// What stands for Aiven's own end.
const FORTNIGHT: u64 = 14 * 24 * 60 * MINUTES;

#[test]
#[rustfmt::skip]
fn a_token_that_aiven_does_not_take_stops_all() {
    hold(Service::Aiven, &[
        (401, "authentication_failed", "Authentication failed", Shared, FORTNIGHT, FirstSeen),
        (401, "", "Invalid token", Shared, FORTNIGHT, FirstSeen),
        (401, "user_personal_token_not_allowed", "", Shared, FORTNIGHT, FirstSeen),
        (403, "user_personal_token_not_allowed", "", Shared, FORTNIGHT, FirstSeen),
        (403, "mfa_required_by_organization", "", Shared, FORTNIGHT, FirstSeen),
        (403, "client_ip_address_policy_violation", "", Shared, FORTNIGHT, FirstSeen),
        (403, "api_client_ip_allowlist_blocks_caller", "", Shared, FORTNIGHT, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_right_or_an_object_of_aivens_may_come_late_but_not_for_long() {
    hold(Service::Aiven, &[
        (403, "permission_denied", "Not a project member", Propagating, 2 * MINUTES, FirstSeen),
        (403, "", "", Propagating, 2 * MINUTES, FirstSeen),
        (404, "project_does_not_exist", "Project does not exist", Propagating, MINUTES, FirstSeen),
        (404, "", "VPC not found", Propagating, MINUTES, FirstSeen),
        (400, "", "peer_azure_app_id 'a' does not refer to a valid application object", Propagating, 10 * MINUTES, PrincipalMade),
        (403, "action_forbidden_for_timescale_users", "", Permanent, 0, FirstSeen),
        (400, "action_forbidden_for_timescale_users", "", Permanent, 0, FirstSeen),
        (403, "tenant_mismatch", "", Permanent, 0, FirstSeen),
        (404, "tenant_mismatch", "", Permanent, 0, FirstSeen),
        // The services of a project, for the connectivity check.
        (403, "", "Forbidden: project:services:read is missing", Propagating, 2 * MINUTES, FirstSeen),
        (404, "project_not_found", "Project not found", Propagating, MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_vpc_that_cannot_be_made_is_a_persons() {
    hold(Service::Aiven, &[
        (400, "", "network_cidr 10.0.0.0/24 overlaps with the VPC v", Permanent, 0, FirstSeen),
        (409, "", "Overlapping networks: 10.0.0.0/24 overlaps 10.0.0.0/20", Permanent, 0, FirstSeen),
        (400, "bad_request", "network_cidr: prefix length must be from 20 to 24", Permanent, 0, FirstSeen),
        (403, "", "VPC limit reached for the project", Permanent, 0, FirstSeen),
        (409, "", "VPC limit reached for the project", Permanent, 0, FirstSeen),
        (409, "", "VPC is being rebuilt", Busy, 15 * MINUTES, FirstSeen),
    ]);
    let why = |text| classify(&failure(Service::Aiven, 400, "", text)).why;
    assert!(why("network_cidr 10.0.0.0/24 overlaps with the VPC v").contains("overlap"));
    assert!(why("network_cidr: prefix length must be from 20 to 24").contains("address range"));
}

#[test]
#[rustfmt::skip]
fn the_rest_is_wrong_busy_or_too_much() {
    hold(Service::Aiven, &[
        (400, "", "peer_resource_group must be a valid Azure Resource Group name for cloud azure-westeurope. Got None instead", Permanent, 0, FirstSeen),
        (400, "bad_request", "", Permanent, 0, FirstSeen),
        (405, "", "", Permanent, 0, FirstSeen),
        (409, "", "VPC has services", Busy, 15 * MINUTES, FirstSeen),
        (429, "", "The user has sent too many requests in a given amount of time: Rate limit 120 exceeded - try again in 28s", Throttled, 60 * MINUTES, FirstSeen),
        (500, "internal_server_error", "", Transient, 30 * MINUTES, FirstSeen),
        (501, "", "", Transient, 30 * MINUTES, FirstSeen),
        (408, "", "", Transient, 30 * MINUTES, FirstSeen),
        (502, "", "<html>", Transient, 30 * MINUTES, FirstSeen),
    ]);
}
