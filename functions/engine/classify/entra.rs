//! Tokens: Entra's token service (its error-code reference), and the platform's managed-identity endpoint.

use super::write::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row(&[], &["AADSTS700016", "AADSTS7000229"], "", wait(Propagating, 30 * MINUTE, PendingPeer, (15, 60),
        "our application has no service principal in that tenant yet",
        "check the application id that the connection at Aiven shows, and that the application is multi-tenant")),
    row(&[], &["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002131"], "", wait(Propagating, 10 * MINUTE, CredentialMade, (10, 60),
        "the application's federated credential is not known everywhere yet",
        "compare issuer, subject and audience in the message with the application's federated credential")),
    row(&[], &["AADSTS7000215"], "", wait(Propagating, 5 * MINUTE, SecretMade, (10, 60),
        "the application's password is not known everywhere yet, or is wrong", NEW_PASSWORD)),
    row(&[], &["AADSTS7000222"], "", permanent("the application's password has expired", NEW_PASSWORD)),
    row(&[], &["AADSTS700024"], "", wait(Token, 5 * MINUTE, FirstSeen, (2, 30), "the assertion had run out", "check the machine's clock")),
    row(&[], &["AADSTS50196", "AADSTS90055", "AADSTS90024", "AADSTS90033", "AADSTS90012", "AADSTS50033"], "", LATER),
    row(&[], &["AADSTS7000112"], "", permanent("the application is disabled", "enable the application's service principal")),
    row(&[], &["AADSTS53003", "AADSTS530032", "AADSTS530035"], "", permanent("Conditional Access blocks the application",
        "let an administrator exempt the application, or the app's egress address")),
    row(&[], &["AADSTS500212", "AADSTS500213"], "", permanent("a cross-tenant access policy blocks it",
        "let an administrator allow Aiven's tenant in the cross-tenant access settings")),
    row(&[], &["AADSTS90002", "AADSTS500011", "AADSTS900382", "AADSTS900432"], "", permanent(
        "the tenant or the resource is not known in this cloud", "check AZURE_TENANT_ID and the endpoint settings")),
    row(&[429], &[], "", LATER),
    row(&[400, 401, 403], &[], "", permanent("Entra refused the application", "check the application and its federated credential")),
];

const NEW_PASSWORD: &str = "`az ad app credential reset --id <application id> --append`, and put its password into the vault as a \
    new version of `application-<application id>`: `az keyvault secret set`";

#[rustfmt::skip]
const LATER: Rule = wait(Throttled, 60 * MINUTE, FirstSeen, (15, 60),
    "Entra asks to come back later", "see who else asks for tokens of the same application");

#[rustfmt::skip]
pub(super) const MANAGED_IDENTITY: &[Row] = &[
    row(&[], &[], "", wait(Shared, DAY, FirstSeen, (15, 120), "the app has no managed identity to act as",
        "check AZURE_CLIENT_ID and that the identity is assigned to the function app")),
];
