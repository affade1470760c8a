//! What an application proves itself with, made and unmade from outside; and the scene in which that is a password.

use super::World;
use super::directory::Password;
use super::vault::Vault;
use crate::clouds::arm::roles::{SECRETS_OFFICER, SECRETS_USER};
use crate::clouds::clock;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Name of the secret that holds Aiven's token.
pub const AIVEN_TOKEN_SECRET: &str = "aiven-token";

impl World {
    /// A key vault without secrets, and without a right of anybody's, in a subscription; returns its resource id.
    pub fn add_key_vault(&mut self, subscription: &str, resource_group: &str, name: &str) -> String {
        let id = format!(
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/vaults/{name}"
        );
        for found in self.subscriptions.iter_mut().filter(|s| s.id.eq_ignore_ascii_case(subscription)) {
            found.resource_groups.insert(resource_group.to_owned());
        }
        self.vault = Some(Vault { id: id.clone(), secrets: BTreeMap::new() });
        id
    }

    /// The scene of an app that keeps the application's password in a vault (`CREDENTIAL=secret`): a subscription of its
    /// own with the vault, of which its identity is Key Vault Secrets Officer. Returns the vault's resource id.
    pub fn secret_mode(&mut self) -> String {
        let home = self.home_tenant.clone();
        let subscription = self.add_bare_subscription(&home, "The app");
        let vault = self.add_key_vault(&subscription, "App-RG", "peering-vault");
        let identity = self.identity_principal_id.clone();
        self.assign_role(&vault, SECRETS_OFFICER, &identity);
        self.app_settings.insert("CREDENTIAL".to_owned(), "secret".to_owned());
        vault
    }

    /// The scene of an app that reads Aiven's token from a vault (`AIVEN_TOKEN_SECRET`): a subscription of its own with the
    /// vault, whose secrets its identity may read; no secret is there yet. Returns the vault's resource id.
    pub fn token_in_vault(&mut self) -> String {
        let home = self.home_tenant.clone();
        let subscription = self.add_bare_subscription(&home, "The app");
        let vault = self.add_key_vault(&subscription, "App-RG", "peering-vault");
        let identity = self.identity_principal_id.clone();
        self.assign_role(&vault, SECRETS_USER, &identity);
        let url = format!("{}/secrets/{AIVEN_TOKEN_SECRET}", self.urls.key_vault);
        self.app_settings.insert("AIVEN_TOKEN_SECRET".to_owned(), url);
        self.app_settings.insert("AIVEN_TOKEN".to_owned(), String::new());
        vault
    }

    /// A password of an application, long known and good for a year; returns its id and its text.
    pub fn add_password(&mut self, app_id: &str, display_name: Option<&str>) -> Option<(String, String)> {
        let (key_id, secret, now) = (clock::uuid(), clock::random_text(), self.now());
        let password = Password {
            key_id: key_id.clone(),
            display_name: display_name.map(str::to_owned),
            created_at: clock::days_before(now, 1),
            start: clock::days_before(now, 1),
            end: later(now, SignedDuration::from_hours(365 * 24)),
            secret: secret.clone(),
        };
        self.application_mut(app_id)?.passwords.push(password);
        self.secrets_made.push(secret.clone());
        Some((key_id, secret))
    }

    /// Removes a password as an administrator would.
    pub fn remove_password(&mut self, app_id: &str, key_id: &str) {
        if let Some(app) = self.application_mut(app_id) {
            app.passwords.retain(|p| p.key_id != key_id);
        }
    }

    /// The passwords of an application end now.
    pub fn expire_passwords(&mut self, app_id: &str) {
        let now = self.now();
        for password in self.application_mut(app_id).into_iter().flat_map(|app| &mut app.passwords) {
            password.end = now;
        }
    }

    /// Removes federated credentials as an administrator would: the one of this name, or all.
    pub fn remove_federated_credentials(&mut self, app_id: &str, name: Option<&str>) {
        if let Some(app) = self.application_mut(app_id) {
            app.federated_credentials.retain(|c| name.is_some_and(|name| c.name != name));
        }
    }

    /// Lets a service principal (object id) sign in, or forbids it. Tokens that it has keep their time.
    pub fn enable_principal(&mut self, principal: &str, enabled: bool) {
        for found in self.service_principals.iter_mut().filter(|p| p.id.eq_ignore_ascii_case(principal)) {
            found.enabled = enabled;
        }
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
