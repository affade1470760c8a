//! The snapshot's directory and vault: no secret's text, but a hash that tells one from another.

use super::World;
use super::directory::{Application, Password};
use super::snapshot::sorted;
use super::vault::{Secret, SecretVersion};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

impl World {
    /// Applications with their credentials, service principals, and Graph permissions; not those of Aiven's tenant, nor
    /// what is deleted and still lingers.
    pub fn directory_snapshot(&self) -> Value {
        let applications = self.applications.iter().filter(|a| self.customers(&a.tenant)).map(application);
        let principals = self.service_principals.iter().filter(|p| self.customers(&p.tenant)).map(
            |p| json!({"id": p.id, "app_id": p.app_id, "tenant": p.tenant, "enabled": p.enabled, "owner": p.owner}),
        );
        json!({
            "applications": sorted(applications), "service_principals": sorted(principals),
            "graph_roles": self.graph_roles
        })
    }

    /// The vault's secrets and their versions, the oldest first, without deleted ones; null without a vault.
    pub fn vault_snapshot(&self) -> Value {
        let Some(vault) = &self.vault else { return Value::Null };
        let secrets = vault.secrets.values().filter(|s| s.deleted_at.is_none());
        json!({"id": vault.id, "secrets": sorted(secrets.map(secret))})
    }
}

fn application(app: &Application) -> Value {
    let federated = app.federated_credentials.iter().map(
        |c| json!({"id": c.id, "name": c.name, "issuer": c.issuer, "subject": c.subject, "audiences": c.audiences}),
    );
    json!({
        "id": app.id, "app_id": app.app_id, "tenant": app.tenant, "unique_name": app.unique_name,
        "display_name": app.display_name, "audience": app.sign_in_audience, "owner": app.owner,
        "federated_credentials": sorted(federated), "passwords": sorted(app.passwords.iter().map(password))
    })
}

fn password(password: &Password) -> Value {
    json!({
        "key_id": password.key_id, "display_name": password.display_name, "end": password.end,
        "hash": hash(&password.secret)
    })
}

fn secret(secret: &Secret) -> Value {
    json!({"name": secret.name, "versions": secret.versions.iter().map(version).collect::<Vec<_>>()})
}

fn version(version: &SecretVersion) -> Value {
    json!({
        "id": version.id, "content_type": version.content_type, "tags": version.tags, "enabled": version.enabled,
        "expires": version.expires, "not_before": version.not_before, "hash": hash(&version.value)
    })
}

/// Enough of SHA-256 to tell two of a test's secrets apart.
fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
