//! What is read, what is refused, and how that is told.

use std::collections::BTreeMap;

use super::*;
use crate::clock::TimeScale;
use crate::peering::Owner;

fn read(changes: &[(&str, &str)]) -> Result<Settings, String> {
    let id = "22222222-2222-4222-8222-222222222222";
    let mut all = BTreeMap::from([
        ("AZURE_TENANT_ID", id),
        ("AZURE_CLIENT_ID", id),
        ("AZURE_PRINCIPAL_ID", id),
        ("AIVEN_TOKEN", "canary"),
    ]);
    all.extend(changes.iter().copied());
    Settings::read(|name| all.get(name).map(|&value| value.to_owned()))
}

#[test]
fn the_defaults_are_the_public_clouds() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.endpoints.arm.as_str(), "https://management.azure.com/");
    assert_eq!(settings.aiven_application.to_string(), AIVEN_APPLICATION);
    assert_eq!((settings.installation.as_str(), settings.peering_role), ("default", PeeringRole::Minimal));
    assert!(!format!("{settings:?}").contains("canary"));
}

#[test]
fn everything_wrong_is_named_at_once() {
    let error = read(&[
        ("AZURE_TENANT_ID", ""),
        ("AZURE_CLIENT_ID", "me"),
        ("PEERING_ROLE", "owner"),
        ("RECONCILE", "undo"),
        ("INSTALLATION", "Ünique"),
        ("ALLOWED_SUBSCRIPTIONS", "a,b"),
        ("TIME_SCALE", "60"),
    ])
    .unwrap_err();
    for name in [
        "AZURE_TENANT_ID is missing",
        "AZURE_CLIENT_ID:",
        "PEERING_ROLE:",
        "RECONCILE:",
        "INSTALLATION:",
        "ALLOWED_SUBSCRIPTIONS:",
    ] {
        assert!(error.contains(name), "{name} in {error}");
    }
}

#[test]
fn vpcs_are_allowed_by_id_by_key_or_by_owner_and_made_only_for_an_owner() {
    let id = "66666666-6666-4666-8666-666666666666";
    let list = format!("{id}, project:p:{id}, org:org1a2b3c4d5e6");
    let settings = read(&[("ALLOWED_VPCS", &list)]).unwrap();
    let [organization, project]: [Owner; 2] = ["org:org1a2b3c4d5e6", "project:p"].map(|text| text.parse().unwrap());
    assert!(settings.admits_vpcs_of(&organization) && !settings.admits_vpcs_of(&project));
    assert!(settings.allowed_vpcs[2].admits(&organization.vpc(Uuid::nil())));
    assert!(!settings.allowed_vpcs[2].admits(&project.vpc(Uuid::nil())));
    assert!(read(&[]).unwrap().admits_vpcs_of(&project));
    assert!(read(&[("ALLOWED_VPCS", "orgs:x")]).unwrap_err().contains("ALLOWED_VPCS"));
}

#[test]
fn a_password_needs_a_vault() {
    assert_eq!(read(&[]).unwrap().credential, Credential::Federated);
    let vault = ("KEY_VAULT_URL", "https://peering.vault.azure.net");
    assert_eq!(read(&[("CREDENTIAL", "secret"), vault]).unwrap().credential, Credential::Secret);
    let error = read(&[("CREDENTIAL", "secret"), ("AZURE_TENANT_ID", "")]).unwrap_err();
    assert!(error.contains("KEY_VAULT_URL is missing") && error.contains("AZURE_TENANT_ID is missing"), "{error}");
    let error = read(&[("CREDENTIAL", "secret"), ("KEY_VAULT_URL", "vault")]).unwrap_err();
    assert_eq!(error.matches("KEY_VAULT_URL").count(), 1, "{error}");
    assert!(read(&[("CREDENTIAL", "password")]).unwrap_err().contains("CREDENTIAL"));
}

#[test]
fn fast_time_is_only_for_clouds_on_this_machine() {
    assert!(read(&[("TIME_SCALE", "60")]).unwrap_err().contains("TIME_SCALE"));
    let local = ["ENTRA_URL", "GRAPH_URL", "ARM_URL", "AIVEN_API_URL"].map(|name| (name, "https://localhost:8443"));
    let fast = [&local[..], &[("TIME_SCALE", "60")]].concat();
    assert_eq!(read(&fast).unwrap().time_scale, TimeScale::new(60.0).unwrap());
    assert!(read(&[("DNS_SERVER", "127.0.0.1:53")]).unwrap_err().contains("DNS_SERVER"));
    let named = [&local[..], &[("DNS_SERVER", "127.0.0.1:53")]].concat();
    assert_eq!(read(&named).unwrap().endpoints.name_server, "127.0.0.1:53".parse().ok());
}

const SECRET: (&str, &str) = ("AIVEN_TOKEN_SECRET", "https://peering-kv.vault.azure.net/secrets/aiven-token");

#[test]
fn without_a_token_the_app_starts_all_the_same() {
    let settings = read(&[("AIVEN_TOKEN", " ")]).unwrap();
    assert!(matches!(settings.endpoints.aiven_token, AivenToken::NotSet) && settings.ignored.is_empty());
}

#[test]
fn an_unresolved_key_vault_reference_counts_as_no_token_and_that_is_said() {
    for reference in
        ["@Microsoft.KeyVault(SecretUri=https://v/secrets/x)", "@microsoft.keyvault(VaultName=v;SecretName=x)"]
    {
        let settings = read(&[("AIVEN_TOKEN", reference)]).unwrap();
        assert!(matches!(settings.endpoints.aiven_token, AivenToken::NotSet));
        let [said] = &settings.ignored[..] else { panic!("{:?}", settings.ignored) };
        assert!(said.contains("Key Vault reference") && said.contains("AIVEN_TOKEN_SECRET"), "{said}");
    }
}

#[test]
fn the_secret_of_the_vault_comes_before_a_token_in_a_setting_and_that_is_said() {
    let settings = read(&[SECRET]).unwrap();
    let AivenToken::Secret(secret) = &settings.endpoints.aiven_token else { panic!("{settings:?}") };
    assert_eq!((secret.vault.as_str(), secret.name.as_str()), ("https://peering-kv.vault.azure.net/", "aiven-token"));
    let [said] = &settings.ignored[..] else { panic!("{:?}", settings.ignored) };
    assert!(said.contains("AIVEN_TOKEN is not used") && !said.contains("canary"), "{said}");
    assert!(read(&[SECRET, ("AIVEN_TOKEN", "")]).unwrap().ignored.is_empty());
}

#[test]
fn a_malformed_address_of_the_secret_is_told_with_what_else_is_wrong() {
    let error = read(&[("AIVEN_TOKEN_SECRET", "AVNS_canary"), ("AZURE_CLIENT_ID", "")]).unwrap_err();
    assert!(error.contains("AIVEN_TOKEN_SECRET: it is not a URL") && error.contains("AZURE_CLIENT_ID"), "{error}");
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn a_vault_on_this_machine_is_only_for_clouds_on_this_machine() {
    let here = ("AIVEN_TOKEN_SECRET", "https://127.0.0.1:8443/secrets/t");
    assert!(read(&[here]).unwrap_err().contains("AIVEN_TOKEN_SECRET names a vault on this machine"));
    let local = ["ENTRA_URL", "GRAPH_URL", "ARM_URL", "AIVEN_API_URL"].map(|name| (name, "https://localhost:8443"));
    assert!(read(&[&local[..], &[here]].concat()).is_ok());
    let error = read(&[&local[..], &[SECRET, ("TIME_SCALE", "60")]].concat()).unwrap_err();
    assert!(error.contains("TIME_SCALE"), "{error}");
}
