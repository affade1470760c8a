//! Entra's token service and the managed-identity endpoint: the reference of AADSTS codes.

use super::*;
use Class::*;
use Since::*;

#[test]
#[rustfmt::skip]
fn tokens_come_once_principals_and_credentials_are_known_everywhere() {
    hold(Service::Entra, &[
        (400, "AADSTS700016", "Application with identifier 'a' was not found in the directory 't'.", Propagating, 30 * MINUTES, PendingPeer),
        (400, "AADSTS7000229", "The client application a is missing service principal in the tenant t.", Propagating, 30 * MINUTES, PendingPeer),
        (401, "AADSTS70021", "No matching federated identity record found for presented assertion.", Propagating, 10 * MINUTES, CredentialMade),
        (401, "AADSTS700211", "", Propagating, 10 * MINUTES, CredentialMade),
        (401, "AADSTS700212", "", Propagating, 10 * MINUTES, CredentialMade),
        (401, "AADSTS700213", "", Propagating, 10 * MINUTES, CredentialMade),
        (401, "AADSTS7002131", "", Propagating, 10 * MINUTES, CredentialMade),
        (401, "AADSTS7000215", "Invalid client secret provided.", Propagating, 5 * MINUTES, SecretMade),
        (401, "AADSTS700024", "Client assertion is not within its valid time range.", Token, 5 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_an_administrator_has_set_does_not_pass() {
    hold(Service::Entra, &[
        (401, "AADSTS7000222", "The provided client secret keys are expired.", Permanent, 0, FirstSeen),
        (401, "AADSTS50013", "Assertion failed signature validation.", Permanent, 0, FirstSeen),
        (401, "AADSTS700027", "", Permanent, 0, FirstSeen),
        (401, "AADSTS700030", "", Permanent, 0, FirstSeen),
        (400, "AADSTS500011", "The resource principal named r was not found in the tenant.", Permanent, 0, FirstSeen),
        (400, "AADSTS90002", "Tenant 't' not found.", Permanent, 0, FirstSeen),
        (400, "AADSTS900382", "", Permanent, 0, FirstSeen),
        (400, "AADSTS900432", "", Permanent, 0, FirstSeen),
        (400, "AADSTS53003", "Access has been blocked by Conditional Access policies.", Permanent, 0, FirstSeen),
        (400, "AADSTS530032", "", Permanent, 0, FirstSeen),
        (400, "AADSTS530035", "", Permanent, 0, FirstSeen),
        (400, "AADSTS500213", "", Permanent, 0, FirstSeen),
        (400, "AADSTS500212", "", Permanent, 0, FirstSeen),
        (401, "AADSTS7000112", "Application 'a' is disabled.", Permanent, 0, FirstSeen),
        (400, "AADSTS7000218", "The request body must contain client_assertion or client_secret.", Permanent, 0, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn entra_may_ask_to_come_back_later() {
    let later = |status, code| (status, code, "", Throttled, 60 * MINUTES, FirstSeen);
    hold(Service::Entra, &[
        later(400, "AADSTS50196"), later(503, "AADSTS90055"), later(400, "AADSTS90024"), later(503, "AADSTS90033"),
        later(400, "AADSTS90012"), later(500, "AADSTS50033"), later(429, ""),
        (503, "", "", Transient, 30 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn without_a_managed_identity_every_peering_stands_still() {
    let shared = |status, code| (status, code, "", Shared, 24 * 60 * MINUTES, FirstSeen);
    hold(Service::ManagedIdentity, &[shared(400, "invalid_request"), shared(404, ""), shared(410, ""), shared(429, ""), shared(500, "")]);
}
