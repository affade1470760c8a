//! Microsoft Graph: what follows from its replicas, and rights. The texts are those that az's create-for-rbac and azuread try again.

use super::write::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(&[], &["Directory_QuotaExceeded"], "", permanent("the directory's object quota is used up", "let an administrator make the object")),
    row(&[], &["CredentialTypeNotAllowedAsPerAppPolicy"], "", permanent("a policy of the tenant forbids passwords of applications",
        "set CREDENTIAL=federated, which needs none, or ask whoever owns the policy for an exemption")),
    row(&[], &["CredentialInvalidLifetimeAsPerAppPolicy", "InvalidKeyEndDate"], "", permanent(
        "a policy of the tenant wants the application's password to expire sooner",
        "set CREDENTIAL=federated, which needs no password, or ask whoever owns the policy that the message names for an exemption")),
    row(&[], &["TooManyAppPasswords"], "", permanent("the application has as many passwords as it may",
        "remove one that nobody uses: `az ad app credential list --id <application id>`, then `az ad app credential delete --id <application id> --key-id <key id>`")),
    row(&[], &["NoBackingApplicationObject"], "", NEW_APPLICATION),
    row(&[400], &[], "does not reference a valid application object", NEW_APPLICATION),
    row(&[403], &[], "must in the local tenant", wait(Propagating, 3 * MINUTE, FirstSeen, (5, 20),
        "the new application is not visible everywhere yet",
        "let an administrator make the service principal: `az ad sp create --id <application id>`")),
    row(&[403], &[], "", permanent("the app's managed identity lacks the directory right",
        "let an administrator make the object and put its id into the settings, or grant the managed identity the Graph right")),
    row(&[401], &[], "", wait(Token, 5 * MINUTE, FirstSeen, (5, 60), "the token was refused", "check the app's managed identity")),
    row(&[], &["Request_MultipleObjectsWithSameKeyValue", "ObjectConflict"], "", wait(Exists, 5 * MINUTE, FirstSeen, (2, 20),
        "it exists already", "it may be soft-deleted: restore it, or delete it for good")),
    row(&[404], &[], "", wait(Propagating, 3 * MINUTE, FirstSeen, (5, 20),
        "the new object is not visible everywhere yet", "check that the object was not deleted")),
    row(&[409], &[], "", wait(Busy, 5 * MINUTE, FirstSeen, (5, 30),
        "the directory is changing the same object", "check the object in the directory")),
    row(&[429], &[], "", wait(Throttled, 60 * MINUTE, FirstSeen, (10, 60),
        "Graph asks for fewer requests", "see who else uses up the tenant's Graph limit")),
    row(&[400], &[], "", permanent("the directory does not allow it, by its policies or as it was asked",
        "ask whoever owns the tenant's application policies about what the message says; `retry` tries again")),
];

#[rustfmt::skip]
const NEW_APPLICATION: Rule = wait(Propagating, 3 * MINUTE, FirstSeen, (5, 20),
    "the new application is not visible everywhere yet", "check the application's id");
