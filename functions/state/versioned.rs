//! A row with the version that a conditional write needs, and what looking a row up finds.

use crate::storage::{Entity, Etag, Storage, StoreError};

/// A row as it was last read or written.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The row.
    pub value: T,
    /// The version that a write may replace.
    pub version: Version,
}

/// The version of a row that a write may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// None: there is no such row yet, and the write inserts it.
    Unwritten,
    /// The one that was read.
    Read(Etag),
}

impl<T> Versioned<T> {
    /// A row that was read as `entity`.
    ///
    /// # Errors
    /// The service gave the row no `ETag`.
    pub(super) fn read(value: T, entity: &Entity) -> Result<Self, StoreError> {
        Ok(Self { value, version: Version::Read(entity.version()?) })
    }

    /// A row that does not exist yet.
    pub fn unwritten(value: T) -> Self {
        Self { value, version: Version::Unwritten }
    }

    /// Whether the row exists.
    pub fn is_written(&self) -> bool {
        self.version != Version::Unwritten
    }

    /// Writes `entity` in place of the version at hand, if that is still the current one, and keeps the new version.
    ///
    /// # Errors
    /// Another worker was quicker; storage failed.
    pub(super) async fn write(&mut self, storage: &Storage, table: &str, entity: &Entity) -> Result<(), StoreError> {
        let etag = match &self.version {
            Version::Unwritten => storage.tables.insert(table, entity).await?,
            Version::Read(etag) => storage.tables.replace(table, entity, etag).await?,
        };
        self.version = Version::Read(etag);
        Ok(())
    }
}

/// What looking a row up found.
#[derive(Debug, Clone)]
pub enum Lookup<T> {
    /// The row.
    Found(Box<Versioned<T>>),
    /// A row that a newer version of this program wrote and understands.
    NewerSchema,
    /// No row.
    Absent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_an_etag_is_an_error_and_never_written_unconditionally() {
        let mut entity = Entity::new("p", "r");
        let refused = Versioned::read((), &entity).unwrap_err();
        assert!(refused.to_string().contains("no ETag"), "{refused}");
        entity.etag = Some(Etag::new("W/\"1\""));
        assert_eq!(Versioned::read((), &entity).unwrap().version, Version::Read(Etag::new("W/\"1\"")));
    }
}
