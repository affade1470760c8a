//! The directory and the vault as JSON, to be compared with themselves later: no secret's text, but a hash that tells one
//! from another.

use super::World;
use super::deleted::DeletedObject;
use super::directory::{Application, Password, ServicePrincipal};
use super::vault::{Secret, SecretVersion};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

impl World {
    /// Applications with their credentials, service principals, deleted ones, and Graph permissions, of all tenants.
    pub fn directory_snapshot(&self) -> Value {
        let deleted = self.deleted.iter().map(|deleted| {
            let object = match &deleted.object {
                DeletedObject::Application(app) => application(app),
                DeletedObject::ServicePrincipal(principal) => service_principal(principal),
            };
            json!({"at": deleted.at, "object": object})
        });
        json!({
            "applications": self.applications.iter().map(application).collect::<Vec<_>>(),
            "service_principals": self.service_principals.iter().map(service_principal).collect::<Vec<_>>(),
            "deleted": deleted.collect::<Vec<_>>(),
            "graph_roles": self.graph_roles,
        })
    }

    /// The vault's secrets and their versions; null without a vault.
    pub fn vault_snapshot(&self) -> Value {
        let Some(vault) = &self.vault else { return Value::Null };
        json!({"id": vault.id, "secrets": vault.secrets.values().map(secret).collect::<Vec<_>>()})
    }
}

fn application(app: &Application) -> Value {
    let federated = app.federated_credentials.iter().map(|c| {
        json!({
            "id": c.id, "name": c.name, "issuer": c.issuer, "subject": c.subject, "audiences": c.audiences,
            "created_at": c.created_at,
        })
    });
    json!({
        "id": app.id, "app_id": app.app_id, "tenant": app.tenant, "unique_name": app.unique_name,
        "display_name": app.display_name, "audience": app.sign_in_audience, "owner": app.owner,
        "created_at": app.created_at, "passwords": app.passwords.iter().map(password).collect::<Vec<_>>(),
        "federated_credentials": federated.collect::<Vec<_>>(),
    })
}

fn password(password: &Password) -> Value {
    json!({
        "key_id": password.key_id, "display_name": password.display_name, "start": password.start,
        "end": password.end, "created_at": password.created_at, "hash": hash(&password.secret),
    })
}

fn service_principal(principal: &ServicePrincipal) -> Value {
    json!({
        "id": principal.id, "app_id": principal.app_id, "tenant": principal.tenant,
        "display_name": principal.display_name, "managed_identity": principal.managed_identity,
        "enabled": principal.enabled, "owner": principal.owner, "created_at": principal.created_at,
    })
}

fn secret(secret: &Secret) -> Value {
    json!({
        "name": secret.name, "deleted_at": secret.deleted_at,
        "versions": secret.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn version(version: &SecretVersion) -> Value {
    json!({
        "id": version.id, "content_type": version.content_type, "tags": version.tags, "enabled": version.enabled,
        "expires": version.expires, "not_before": version.not_before, "created_at": version.created_at,
        "updated_at": version.updated_at, "hash": hash(&version.value),
    })
}

/// Enough of SHA-256 to tell two of a test's secrets apart.
fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
