//! Key Vault: the secret that holds the application's password.

use super::*;
use Class::*;
use Since::*;

#[test]
#[rustfmt::skip]
fn a_right_or_a_secret_may_come_late() {
    hold(Service::KeyVault, &[
        (401, "Unauthorized", "AKV10032: Invalid issuer.", Token, 5 * MINUTES, FirstSeen),
        (403, "ForbiddenByRbac", "Caller is not authorized to perform action on resource.", Propagating, 10 * MINUTES, FirstSeen),
        (403, "ForbiddenByPolicy", "The user, group or application does not have secrets get permission on key vault.", Propagating, 10 * MINUTES, FirstSeen),
        (403, "Forbidden", "", Propagating, 10 * MINUTES, FirstSeen),
        (404, "SecretNotFound", "A secret with (name/id) s was not found in this key vault.", Propagating, 5 * MINUTES, SecretMade),
        (409, "ObjectIsBeingDeleted", "Secret s is currently being deleted.", Busy, 10 * MINUTES, FirstSeen),
        (409, "Conflict", "", Busy, 10 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_an_owner_of_the_vault_has_set_does_not_pass() {
    hold(Service::KeyVault, &[
        (403, "ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.", Permanent, 0, FirstSeen),
        (403, "ForbiddenByConnection", "Public network access is disabled and request is not from a trusted service nor via an approved private link.", Permanent, 0, FirstSeen),
        (403, "SecretDisabled", "Operation get is not allowed on a disabled secret.", Permanent, 0, FirstSeen),
        (409, "ObjectIsDeletedButRecoverable", "Secret s is currently in a deleted but recoverable state.", Permanent, 0, FirstSeen),
        (400, "BadParameter", "The request URI contains an invalid name.", Permanent, 0, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn key_vaults_own_trouble_passes() {
    hold(Service::KeyVault, &[
        (429, "Throttled", "", Throttled, 60 * MINUTES, FirstSeen),
        (500, "InternalServerError", "", Transient, 30 * MINUTES, FirstSeen),
        (503, "", "", Transient, 30 * MINUTES, FirstSeen),
    ]);
}
