//! Microsoft Graph: the application, service principals, the federated credential.

use super::*;
use Class::*;
use Since::*;

#[test]
#[rustfmt::skip]
fn replicas_that_lag_are_waited_for() {
    hold(Service::Graph, &[
        (400, "NoBackingApplicationObject", "The appId 'a' of the service principal does not reference a valid application object.", Propagating, 3 * MINUTES, FirstSeen),
        (400, "Request_BadRequest", "The appId 'a' of the service principal does not reference a valid application object.", Propagating, 3 * MINUTES, FirstSeen),
        (403, "Authorization_RequestDenied", "When using this permission, the backing application of the service principal being created must in the local tenant", Propagating, 3 * MINUTES, FirstSeen),
        (404, "Request_ResourceNotFound", "Resource 'r' does not exist or one of its queried reference-property objects are not present.", Propagating, 3 * MINUTES, FirstSeen),
        (404, "Directory_ObjectNotFound", "", Propagating, 3 * MINUTES, FirstSeen),
        (409, "Request_MultipleObjectsWithSameKeyValue", "the service principal name a is already in use.", Exists, 5 * MINUTES, FirstSeen),
        (409, "", "", Busy, 5 * MINUTES, FirstSeen),
    ]);
}

#[test]
#[rustfmt::skip]
fn rights_policies_and_quotas_are_an_administrators() {
    hold(Service::Graph, &[
        (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", Permanent, 0, FirstSeen),
        (400, "Request_BadRequest", "A tenant policy forbids multi-tenant applications.", Permanent, 0, FirstSeen),
        (400, "Directory_QuotaExceeded", "", Permanent, 0, FirstSeen),
        (403, "Directory_QuotaExceeded", "", Permanent, 0, FirstSeen),
        (400, "CredentialTypeNotAllowedAsPerAppPolicy", "Credential type not allowed as per assigned policy 'p'.", Permanent, 0, FirstSeen),
        (403, "CredentialTypeNotAllowedAsPerAppPolicy", "", Permanent, 0, FirstSeen),
        (400, "CredentialInvalidLifetimeAsPerAppPolicy", "Credential lifetime exceeds the max value allowed as per assigned policy 'p'.", Permanent, 0, FirstSeen),
        (400, "InvalidKeyEndDate", "Credential lifetime exceeds the max value allowed as per assigned policy 'p'.", Permanent, 0, FirstSeen),
        (400, "TooManyAppPasswords", "Not allowed to add 3 passwords. You can only add a maximum of 2 passwords.", Permanent, 0, FirstSeen),
        (401, "InvalidAuthenticationToken", "", Token, 5 * MINUTES, FirstSeen),
    ]);
    let quota = classify(&failure(Service::Graph, 403, "Directory_QuotaExceeded", ""));
    assert!(quota.why.contains("quota"), "not the missing right that a 403 is otherwise");
    let forbidden = classify(&failure(Service::Graph, 403, "CredentialTypeNotAllowedAsPerAppPolicy", ""));
    assert!(forbidden.fix.contains("CREDENTIAL=federated"), "nor is a policy against passwords");
}

#[test]
#[rustfmt::skip]
fn graphs_own_trouble_passes() {
    hold(Service::Graph, &[
        (429, "TooManyRequests", "", Throttled, 60 * MINUTES, FirstSeen),
        (500, "Service_InternalServerError", "", Transient, 30 * MINUTES, FirstSeen),
        (503, "ServiceUnavailable", "", Transient, 30 * MINUTES, FirstSeen),
        (504, "UnknownError", "", Transient, 30 * MINUTES, FirstSeen),
    ]);
}
