//! The commands with which a person mends what the app may not.

use super::{AppId, secret_name};
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::engine::Remedy;
use crate::peering::Record;

/// What Entra says of a password that is wrong or too new, and of one at its end.
const REFUSED: [&str; 2] = ["AADSTS7000215", "AADSTS7000222"];

/// The command that adds a password and puts it into the vault without showing it, and who may run it. `--value=`, as az (2.91.0) takes a
/// value that begins with a hyphen for an option, and Entra's passwords can.
pub fn by_hand(context: &Context, app: AppId) -> String {
    format!(
        "az keyvault secret set --vault-name {} --name {} --value=\"$(az ad app credential reset --id {app} --append --years 1 --query password --output tsv)\" --output none (run by an owner of the application, or an Application Administrator, who is Key Vault Secrets Officer of the vault, too)",
        vault_name(context),
        secret_name(app)
    )
}

/// Out of what stops the making of a password.
pub fn remedy(context: &Context, app: AppId, failure: &Failure) -> Option<Remedy> {
    let (vault, secret) = (vault_name(context), secret_name(app));
    let (why, command) = match (failure.service, failure.status, failure.code.as_str()) {
        (Service::Graph, Some(403), _) => {
            let why = format!(
                "the app's managed identity has no right to the application's passwords, and vault {vault} has no secret {secret}"
            );
            (why, by_hand(context, app))
        }
        (Service::KeyVault, _, "SecretDisabled") => (
            format!("the newest version of secret {secret} is disabled"),
            format!("az keyvault secret set-attributes --vault-name {vault} --name {secret} --enabled true"),
        ),
        (Service::KeyVault, _, "ObjectIsDeletedButRecoverable") => (
            format!("a deleted secret keeps the name {secret}"),
            format!("az keyvault secret recover --vault-name {vault} --name {secret}"),
        ),
        (Service::KeyVault, _, "ForbiddenByFirewall" | "ForbiddenByConnection") => return None,
        (Service::KeyVault, Some(403), _) => (
            format!("the app's managed identity may not read and write the secrets of vault {vault}"),
            format!(
                "az role assignment create --role \"Key Vault Secrets Officer\" --assignee-object-id {} --assignee-principal-type ServicePrincipal --scope \"$(az keyvault show --name {vault} --query id --output tsv)\"",
                context.settings.identity
            ),
        ),
        _ => return None,
    };
    Some(Remedy { why, command })
}

/// Out of a sign-in that fails for the password: any step that acts as the application may meet it.
pub fn refused_password(context: &Context, record: &Record, failure: &Failure) -> Option<Remedy> {
    let app = record.facts.application?;
    let (vault, secret) = (vault_name(context), secret_name(app));
    let why = match (failure.service, failure.code.as_str()) {
        (Service::Entra, code) if REFUSED.contains(&code) => {
            format!("Entra does not take the application's password that secret {secret} of vault {vault} holds")
        }
        (Service::KeyVault, "SecretNotFound") => {
            format!("vault {vault} has no secret {secret} with the application's password")
        }
        _ => return remedy(context, app, failure).filter(|_| failure.service == Service::KeyVault),
    };
    Some(Remedy { why, command: by_hand(context, app) })
}

/// The first label of `https://<name>.vault.azure.net`.
fn vault_name(context: &Context) -> String {
    let host = context.settings.endpoints.key_vault.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    host.split('.').next().unwrap_or_default().to_owned()
}
