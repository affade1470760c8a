//! Rows: the operations on Table Storage that the engine uses, as a trait.
//!
//! **Why a client of the project's own, and when it goes.** No official crate for tables exists on azure_core 1.x (November 2026).
//! `azure_data_tables` 0.21.0 is the last of a retired line: its quick-xml 0.31 has two advisories without a fix there (RUSTSEC-2026-0194
//! and RUSTSEC-2026-0195), it reports a transaction that failed as a success, and it puts keys into addresses and filters unescaped.
//! Everything above talks to [`Tables`] only, so an official crate on azure_core 1.x with conditional writes, entity group transactions and a
//! transport of the caller's takes the client's place on the day that it passes `storage/conformance`.

mod batch;
mod client;
mod entity;
mod filter;
mod wire;

use async_trait::async_trait;

pub(super) use client::AzureTables;
#[cfg(any(test, feature = "emulation"))]
pub(super) use entity::to_ticks;
pub use entity::{Entity, Etag, Value};
pub use filter::Filter;

use super::StoreError;

/// The tables of one storage account.
///
/// Writes that carry a condition (`insert`, `replace`, `delete` with an ETag, `transact`) are tried **once**: tried again after
/// they landed unseen, they would be answered 409 or 412 and look like a lost race. They fail as
/// [`StoreError::Unavailable`] with `maybe_landed` instead, and the caller reads. The others are tried up to three times.
#[async_trait]
pub trait Tables: Send + Sync + std::fmt::Debug {
    /// Makes a table unless it is there. Tried up to three times.
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError>;

    /// One row; `None` if the table has no such row.
    ///
    /// # Errors
    /// `NotFound` if the table itself is missing.
    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError>;

    /// Writes a row that must not exist; its ETag is returned. Tried once.
    ///
    /// # Errors
    /// `Conflict` if it exists.
    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError>;

    /// Replaces a row whole if its ETag is still `etag`; the new ETag is returned. Tried once.
    /// `entity.etag` is not looked at.
    ///
    /// # Errors
    /// `PreconditionFailed` if the row moved on, `NotFound` if it is gone.
    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError>;

    /// Writes a row whole, whether it exists or not; its new ETag is returned. Tried up to three times.
    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError>;

    /// Deletes a row; with an ETag, only if it is still that one (then tried once).
    ///
    /// # Errors
    /// `NotFound` if it is gone (without an ETag it may have been an earlier try of this very call that removed it),
    /// `PreconditionFailed` if it moved on.
    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError>;

    /// Does 1 to 100 operations on rows of one partition, all or nothing (an entity group transaction). The new ETags, in
    /// order, `None` for deletes. Tried once.
    ///
    /// # Errors
    /// Those of the operation that failed, with its index in `op`.
    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError>;

    /// One page of a query: up to 1000 rows, in order of partition and row. A page may be empty and still have a `next`.
    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError>;

    /// Collects pages until the end, or until `most` rows are there.
    async fn query(&self, table: &str, query: &Query, most: usize) -> Result<Rows, StoreError> {
        let mut rows = Rows::default();
        loop {
            let page = self.page(table, query, rows.next.as_ref()).await?;
            rows.entities.extend(page.entities);
            rows.next = page.next;
            if rows.entities.len() > most {
                rows.entities.truncate(most);
                rows.cut = true;
            }
            if rows.next.is_none() || rows.entities.len() >= most {
                rows.cut |= rows.next.is_some();
                return Ok(rows);
            }
        }
    }
}

/// One operation of a transaction. All of one transaction have the same partition, and no two the same row.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The row must not exist.
    Insert(Entity),
    /// The row must have this ETag.
    Replace(Entity, Etag),
    /// Whether the row exists or not.
    Upsert(Entity),
    /// The row must exist; with an ETag, be that one.
    Delete {
        /// `PartitionKey`
        partition: String,
        /// `RowKey`
        row: String,
        /// `If-Match`
        etag: Option<Etag>,
    },
}

impl Op {
    /// `PartitionKey` and `RowKey`.
    pub fn keys(&self) -> (&str, &str) {
        match self {
            Self::Insert(entity) | Self::Replace(entity, _) | Self::Upsert(entity) => (&entity.partition, &entity.row),
            Self::Delete { partition, row, .. } => (partition, row),
        }
    }
}

/// Which rows, and which of their properties.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Which rows; all without one (a full scan).
    pub filter: Option<Filter>,
    /// Names of the properties to return; all if empty. Keys are always returned, ETags too.
    pub select: Vec<String>,
}

impl Query {
    /// Rows that a filter admits, with all their properties.
    pub fn filter(filter: Filter) -> Self {
        Self { filter: Some(filter), select: Vec::new() }
    }

    /// Only these properties.
    pub fn select(mut self, names: &[&str]) -> Self {
        self.select = names.iter().map(|&name| name.to_owned()).collect();
        self
    }
}

/// Where the next page starts (`x-ms-continuation-Next…` headers); opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    pub(super) partition: String,
    pub(super) row: Option<String>,
}

/// One page of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The rows.
    pub entities: Vec<Entity>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<Continuation>,
}

/// The rows of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The rows, in order of partition and row.
    pub entities: Vec<Entity>,
    /// Whether there may be more than the cap let through.
    pub cut: bool,
    next: Option<Continuation>,
}
