//! The key vault: secrets with their versions, deleted ones included.

use super::World;
use crate::clouds::clock;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a deleted secret can be recovered (nominal; Key Vault's default retention).
pub(crate) const RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A key vault with RBAC, soft delete and purge protection.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Resource id: role assignments at it, above it and at its secrets count.
    pub id: String,
    /// Its secrets by name; names are case-insensitive, keys here are lower case.
    pub secrets: BTreeMap<String, Secret>,
}

/// A secret of a vault.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its name as it was first written.
    pub name: String,
    /// Its versions, the oldest first; the last one is the current one.
    pub versions: Vec<SecretVersion>,
    /// When it was deleted, if it was; it can be recovered for 90 days.
    pub deleted_at: Option<Timestamp>,
}

/// One version of a secret.
#[derive(Clone)]
pub struct SecretVersion {
    /// 32 hexadecimal digits.
    pub id: String,
    /// `contentType`
    pub content_type: Option<String>,
    /// Tags: not secret.
    pub tags: BTreeMap<String, String>,
    /// Whether it may be read.
    pub enabled: bool,
    /// `exp`, in Unix seconds; it informs, and forbids nothing.
    pub expires: Option<i64>,
    /// `nbf`, in Unix seconds; it informs, and forbids nothing.
    pub not_before: Option<i64>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When its attributes last changed.
    pub updated_at: Timestamp,
    pub(crate) value: String,
}

impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion").field("id", &self.id).field("tags", &self.tags).finish_non_exhaustive()
    }
}

impl SecretVersion {
    /// Whether its value is `text`.
    pub fn is(&self, text: &str) -> bool {
        self.value == text
    }
}

impl Vault {
    /// Its name.
    pub fn name(&self) -> &str {
        crate::clouds::arm::ids::name(&self.id)
    }

    /// A secret that is not deleted, by name.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(&name.to_ascii_lowercase()).filter(|s| s.deleted_at.is_none())
    }

    /// The same, to change it.
    pub fn secret_mut(&mut self, name: &str) -> Option<&mut Secret> {
        self.secrets.get_mut(&name.to_ascii_lowercase()).filter(|s| s.deleted_at.is_none())
    }
}

impl Secret {
    /// A version by id; none: the current one.
    pub fn version(&self, id: Option<&str>) -> Option<&SecretVersion> {
        match id {
            Some(id) => self.versions.iter().find(|v| v.id.eq_ignore_ascii_case(id)),
            None => self.versions.last(),
        }
    }

    /// The same, to change it.
    pub fn version_mut(&mut self, id: Option<&str>) -> Option<&mut SecretVersion> {
        match id {
            Some(id) => self.versions.iter_mut().find(|v| v.id.eq_ignore_ascii_case(id)),
            None => self.versions.last_mut(),
        }
    }
}

impl World {
    /// Writes a secret as somebody else would, by hand: a new version. Without a vault nothing happens.
    pub fn write_secret(&mut self, name: &str, value: &str) {
        let version = self.new_secret_version(value);
        if let Some(vault) = &mut self.vault {
            vault.push(name, version);
        }
    }

    /// Enables or disables the current version of a secret, as somebody else would.
    pub fn enable_secret(&mut self, name: &str, enabled: bool) {
        let found =
            self.vault.as_mut().and_then(|vault| vault.secret_mut(name)).and_then(|secret| secret.version_mut(None));
        if let Some(version) = found {
            version.enabled = enabled;
        }
    }

    /// Recovers a deleted secret, as somebody else would.
    pub fn recover_secret(&mut self, name: &str) {
        if let Some(secret) = self.vault.as_mut().and_then(|vault| vault.secrets.get_mut(&name.to_ascii_lowercase())) {
            secret.deleted_at = None;
        }
    }

    /// Deletes a secret as somebody else would; it can be recovered.
    pub fn delete_secret(&mut self, name: &str) {
        let now = self.now();
        if let Some(secret) = self.vault.as_mut().and_then(|vault| vault.secret_mut(name)) {
            secret.deleted_at = Some(now);
        }
    }

    pub(crate) fn new_secret_version(&self, value: &str) -> SecretVersion {
        SecretVersion {
            id: clock::uuid().replace('-', ""),
            content_type: None,
            tags: BTreeMap::new(),
            enabled: true,
            expires: None,
            not_before: None,
            created_at: self.now(),
            updated_at: self.now(),
            value: value.to_owned(),
        }
    }

    /// Deleted secrets go for good when their time is over.
    pub(crate) fn purge_secrets(&mut self) {
        let clock = self.clock;
        if let Some(vault) = &mut self.vault {
            vault.secrets.retain(|_, s| !s.deleted_at.is_some_and(|at| clock.over(at, RETENTION)));
        }
    }
}

impl Vault {
    pub(crate) fn push(&mut self, name: &str, version: SecretVersion) {
        let fresh = || Secret { name: name.to_owned(), versions: Vec::new(), deleted_at: None };
        self.secrets.entry(name.to_ascii_lowercase()).or_insert_with(fresh).versions.push(version);
    }
}
