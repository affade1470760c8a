//! Aiven's token, before any call: that it is missing, or cannot be read, stops every peering. The codes are Key Vault's, and the app's own.

use super::write::*;

/// Whatever it is: a person acts, and everything goes on less than a minute later.
const fn stop(why: &'static str, fix: &'static str) -> Rule {
    wait(Shared, 14 * DAY, FirstSeen, TOKEN_PACE, why, fix)
}

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(&[], &["TokenNotSet"], "", stop("no Aiven token is set",
        "set AIVEN_TOKEN_SECRET to https://<vault>.vault.azure.net/secrets/<secret>, and put the token there: \
         `az keyvault secret set --vault-name <vault> --name <secret> --value \"$AIVEN_TOKEN\" --output none`")),
    row(&[], &["SecretNotFound"], "", stop("Aiven's token is not in the vault",
        "`az keyvault secret set --vault-name <vault> --name <secret> --value \"$AIVEN_TOKEN\" --output none`; \
         if the secret was deleted: `az keyvault secret recover --vault-name <vault> --name <secret>`")),
    row(&[], &["SecretEmpty", "SecretUnusable"], "", stop("the vault's secret holds no Aiven token",
        "`az keyvault secret set --vault-name <vault> --name <secret> --value \"$AIVEN_TOKEN\" --output none`")),
    row(&[], &["SecretDisabled"], "", stop("the secret with Aiven's token is disabled",
        "`az keyvault secret set-attributes --vault-name <vault> --name <secret> --enabled true`")),
    row(&[], &["ForbiddenByFirewall", "ForbiddenByConnection"], "", stop("the vault's firewall does not admit the app",
        "`az keyvault network-rule add --name <vault> --subnet <the app's subnet>`, or give the vault a private endpoint in the app's network")),
    row(&[403], &[], "", stop("the app's managed identity may not read Aiven's token",
        "`az role assignment create --role \"Key Vault Secrets User\" --assignee <the app's identity> --scope <the vault's resource id>`")),
    row(&[], &["ManagedIdentity"], "", stop("the app has no managed identity with which to read Aiven's token",
        "check AZURE_CLIENT_ID, and that the identity is assigned to the function app")),
    row(&[401], &[], "", stop("the vault refuses the token of the app's managed identity",
        "check that vault <vault> and the managed identity are of the same tenant")),
    row(&[], &[], "", stop("the vault with Aiven's token does not answer",
        "check that AIVEN_TOKEN_SECRET names the vault, that the app's network reaches it, and Azure's status page: `az keyvault show --name <vault>`")),
];
