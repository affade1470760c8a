//! Rows that the engine moves, with their journal: one read, one conditional write, one commit for every kind of row.

use std::marker::PhantomData;

use super::columns::{self, Shape};
use super::{Lookup, Version, Versioned};
use crate::peering::JournalEntry;
use crate::storage::{Entity, Filter, Op, Query, Storage, StoreError};

const ENTRY: Shape = Shape { json: &[], instants: &["at"] };

/// A row with a journal beside it, in the same partition, so that both are written in one transaction.
pub trait Row: Clone + Send + Sync + 'static {
    /// What tells one row from another.
    type Key: Clone + Send + Sync + std::fmt::Display;

    /// The table.
    const TABLE: &'static str;

    /// Its key.
    fn key(&self) -> Self::Key;

    /// `PartitionKey` and `RowKey` of a key.
    fn place(key: &Self::Key) -> (String, String);

    /// What the `RowKey`s of its journal begin with; the `seq` of the commit comes next.
    fn journal(key: &Self::Key) -> String;

    /// How often it was committed.
    fn seq(&self) -> u64;

    /// As columns.
    fn to_entity(&self) -> Result<Entity, StoreError>;

    /// From the columns of a row of this schema, or an older one.
    fn from_entity(entity: &Entity) -> Result<Self, StoreError>;
}

/// The rows of one kind in a storage account.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    pub(super) storage: Storage,
    kind: PhantomData<fn() -> T>,
}

impl<T: Row> Rows<T> {
    /// The rows in a storage account.
    pub fn new(storage: Storage) -> Self {
        Self { storage, kind: PhantomData }
    }

    /// Reads one row.
    pub async fn load(&self, key: &T::Key) -> Result<Lookup<T>, StoreError> {
        let (partition, row) = T::place(key);
        match self.storage.tables.get(T::TABLE, &partition, &row).await? {
            None => Ok(Lookup::Absent),
            Some(entity) => read(&entity),
        }
    }

    /// Writes a new row and its first journal entry.
    ///
    /// # Errors
    /// `Conflict` if there is one already.
    pub async fn open(&self, row: &T, entry: &JournalEntry) -> Result<(), StoreError> {
        self.commit(&Versioned::unwritten(row.clone()), entry).await
    }

    /// Writes a row if nobody else has since it was read, and keeps the new version. For claims: `seq` stays, nothing is journalled.
    pub async fn claim(&self, stored: &mut Versioned<T>) -> Result<(), StoreError> {
        let entity = stored.value.to_entity()?;
        stored.write(&self.storage, T::TABLE, &entity).await
    }

    /// Writes a row if nobody else has since it was read, and adds a journal entry: both or neither.
    pub async fn commit(&self, stored: &Versioned<T>, entry: &JournalEntry) -> Result<(), StoreError> {
        let entity = stored.value.to_entity()?;
        let write = match &stored.version {
            Version::Unwritten => Op::Insert(entity),
            Version::Read(etag) => Op::Replace(entity, etag.clone()),
        };
        let ops = vec![write, Op::Insert(journal_of(&stored.value, entry)?)];
        self.storage.tables.transact(T::TABLE, ops).await.map(drop)
    }

    /// Adds a journal entry that belongs to no commit, under the row's `seq` and the request's message, so that it is there once.
    pub async fn note(&self, row: &T, entry: &JournalEntry, message_id: &str) -> Result<(), StoreError> {
        let mut entity = journal_of(row, entry)?.with("message", message_id);
        entity.row = format!("{}|{message_id}", entity.row);
        self.storage.tables.upsert(T::TABLE, &entity).await.map(drop)
    }

    /// Whether a request's message was answered with no more than a note. Reads the row's journal: for redeliveries only.
    pub async fn has_noted(&self, key: &T::Key, message_id: &str) -> Result<bool, StoreError> {
        let (partition, _) = T::place(key);
        let journal = Filter::partition(&partition).and(Filter::row_prefix(&T::journal(key)));
        let its = journal.and(Filter::eq("message", message_id));
        let rows = self.storage.tables.query(T::TABLE, &Query::filter(its).select(&["message"]), 1).await?;
        Ok(!rows.entities.is_empty())
    }

    /// The rows that a filter admits, at most `most`. A newer program's row is that program's to handle.
    pub(super) async fn list(&self, filter: Filter, most: usize) -> Result<Vec<Versioned<T>>, StoreError> {
        let rows = self.storage.tables.query(T::TABLE, &Query::filter(filter), most).await?;
        let mut found = Vec::new();
        for entity in &rows.entities {
            if let Lookup::Found(stored) = read(entity)? {
                found.push(*stored);
            }
        }
        Ok(found)
    }
}

fn journal_of<T: Row>(row: &T, entry: &JournalEntry) -> Result<Entity, StoreError> {
    let key = row.key();
    columns::write(&T::place(&key).0, &format!("{}{:010}", T::journal(&key), row.seq()), entry, ENTRY)
}

fn read<T: Row>(entity: &Entity) -> Result<Lookup<T>, StoreError> {
    if columns::is_newer(entity) {
        return Ok(Lookup::NewerSchema);
    }
    Ok(Lookup::Found(Box::new(Versioned::read(T::from_entity(entity)?, entity)?)))
}
