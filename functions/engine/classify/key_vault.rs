//! Key Vault: the application's password. Its error codes are those of its REST reference; the inner code, where there is one.

use super::write::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(&[401], &[], "", wait(Token, 5 * MINUTE, FirstSeen, (5, 60),
        "the vault refused the token", "check the app's managed identity, and that the vault of KEY_VAULT_URL is of the same tenant")),
    row(&[], &["ForbiddenByFirewall", "ForbiddenByConnection"], "", permanent("the vault's firewall does not let the app in",
        "`az keyvault network-rule add --name <vault> --subnet <the app's subnet>`, or give the vault a private endpoint in the app's network")),
    row(&[], &["SecretDisabled"], "", permanent("the newest version of the secret is disabled",
        "`az keyvault secret set-attributes --vault-name <vault> --name <secret> --enabled true`")),
    row(&[403], &[], "", wait(Propagating, 10 * MINUTE, FirstSeen, (15, 60),
        "the app's managed identity may not use the vault's secrets (yet)",
        "`az role assignment create --role \"Key Vault Secrets Officer\" --assignee <the app's identity> --scope <vault>`")),
    row(&[404], &[], "", wait(Propagating, 5 * MINUTE, SecretMade, (5, 30), "the vault has no such secret",
        "`az ad app credential reset --id <application id> --append`, and put its password into the vault under the name in the message: `az keyvault secret set`")),
    row(&[], &["ObjectIsDeletedButRecoverable"], "", permanent("a deleted secret keeps the name",
        "`az keyvault secret recover --vault-name <vault> --name <secret>`")),
    row(&[409], &[], "", wait(Busy, 10 * MINUTE, FirstSeen, (5, 30),
        "the vault is changing the same secret", "see the secret's state: `az keyvault secret show-deleted --vault-name <vault> --name <secret>`")),
    row(&[429], &[], "", wait(Throttled, 60 * MINUTE, FirstSeen, (10, 60),
        "Key Vault asks for fewer requests", "see who else uses up the vault's limit (4000 transactions in 10 s)")),
];
