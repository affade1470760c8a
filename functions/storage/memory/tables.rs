//! Table Storage in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::admits::admits;
use super::lock;
use crate::clock::Clock;
use crate::storage::limits::{check_entity, check_keys, check_transaction, row_name, table_name};
use crate::storage::tables::to_ticks;
use crate::storage::{Continuation, Entity, Etag, Op, Page, Query, StoreError, Tables, Value};

/// Rows a page, as the service has it.
const PAGE: usize = 1000;

/// Rows by partition and row key.
type Table = BTreeMap<(String, String), Entity>;

/// All tables of an account.
#[derive(Debug)]
pub struct MemoryTables {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tables: HashMap<String, Table>,
    writes: u64,
}

impl MemoryTables {
    /// No table yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Does operations on a copy of the table, and keeps the copy only if all went well.
    fn write(&self, table: &str, ops: &[Op]) -> Result<Vec<Option<Etag>>, (usize, StoreError)> {
        let state = &mut *lock(&self.state);
        let rows = state.tables.get_mut(table).ok_or_else(|| (0, missing_table(table)))?;
        let mut changes = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            check_condition(table, rows, op).map_err(|error| (index, error))?;
            state.writes += 1;
            changes.push(self.change(op, state.writes));
        }
        let mut etags = Vec::new();
        for (key, row) in changes {
            etags.push(row.as_ref().and_then(|row| row.etag.clone()));
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        Ok(etags)
    }

    /// The row as it will be kept; `None` for a deletion.
    fn change(&self, op: &Op, version: u64) -> ((String, String), Option<Entity>) {
        let (partition, row) = op.keys();
        let key = (partition.to_owned(), row.to_owned());
        let entity = match op {
            Op::Insert(entity) | Op::Replace(entity, _) | Op::Upsert(entity) => entity,
            Op::Delete { .. } => return (key, None),
        };
        let mut kept = entity.clone();
        kept.etag = Some(Etag::new(format!("W/\"{version}\"")));
        kept.timestamp = Some(to_ticks(self.clock.now()));
        for value in kept.properties.values_mut() {
            if let Value::DateTime(instant) = value {
                *instant = to_ticks(*instant);
            }
        }
        (key, Some(kept))
    }

    fn put(&self, table: &str, op: Op) -> Result<Etag, StoreError> {
        self.write_one(table, op)?.ok_or_else(|| StoreError::invalid(table, "a write left no row"))
    }

    fn write_one(&self, table: &str, op: Op) -> Result<Option<Etag>, StoreError> {
        self.write(table, &[op]).map(|mut etags| etags.pop().flatten()).map_err(|(_, error)| error)
    }
}

fn missing_table(table: &str) -> StoreError {
    StoreError::NotFound { what: table_name(table), op: None }
}

/// Whether a row is as an operation wants it.
fn check_condition(table: &str, rows: &Table, op: &Op) -> Result<(), StoreError> {
    let (partition, row) = op.keys();
    let what = row_name(table, partition, row);
    let current = rows.get(&(partition.to_owned(), row.to_owned()));
    let wanted = match op {
        Op::Upsert(_) => return Ok(()),
        Op::Insert(_) if current.is_none() => return Ok(()),
        Op::Insert(_) => return Err(StoreError::Conflict { what, op: None }),
        Op::Replace(_, etag) => etag.as_str(),
        Op::Delete { etag, .. } => etag.as_ref().map_or("*", Etag::as_str),
    };
    match current {
        None => Err(StoreError::NotFound { what, op: None }),
        Some(current) if wanted == "*" || current.etag.as_ref().map(Etag::as_str) == Some(wanted) => Ok(()),
        Some(_) => Err(StoreError::PreconditionFailed { what, op: None }),
    }
}

#[async_trait]
impl Tables for MemoryTables {
    async fn create_table_if_missing(&self, table: &str) -> Result<(), StoreError> {
        lock(&self.state).tables.entry(table.to_owned()).or_default();
        Ok(())
    }

    async fn get(&self, table: &str, partition: &str, row: &str) -> Result<Option<Entity>, StoreError> {
        check_keys(table, partition, row)?;
        let state = lock(&self.state);
        let rows = state.tables.get(table).ok_or_else(|| missing_table(table))?;
        Ok(rows.get(&(partition.to_owned(), row.to_owned())).cloned())
    }

    async fn insert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        check_entity(table, entity)?;
        self.put(table, Op::Insert(entity.clone()))
    }

    async fn replace(&self, table: &str, entity: &Entity, etag: &Etag) -> Result<Etag, StoreError> {
        check_entity(table, entity)?;
        self.put(table, Op::Replace(entity.clone(), etag.clone()))
    }

    async fn upsert(&self, table: &str, entity: &Entity) -> Result<Etag, StoreError> {
        check_entity(table, entity)?;
        self.put(table, Op::Upsert(entity.clone()))
    }

    async fn delete(&self, table: &str, partition: &str, row: &str, etag: Option<&Etag>) -> Result<(), StoreError> {
        check_keys(table, partition, row)?;
        let (partition, row, etag) = (partition.to_owned(), row.to_owned(), etag.cloned());
        self.write_one(table, Op::Delete { partition, row, etag }).map(drop)
    }

    async fn transact(&self, table: &str, ops: Vec<Op>) -> Result<Vec<Option<Etag>>, StoreError> {
        check_transaction(table, &ops)?;
        self.write(table, &ops).map_err(|(index, error)| error.of_op(index))
    }

    async fn page(&self, table: &str, query: &Query, from: Option<&Continuation>) -> Result<Page, StoreError> {
        let state = lock(&self.state);
        let rows = state.tables.get(table).ok_or_else(|| missing_table(table))?;
        let start = from.map(|from| (from.partition.clone(), from.row.clone().unwrap_or_default())).unwrap_or_default();
        let mut page = Page::default();
        for ((partition, row), entity) in rows.range(start..) {
            if query.filter.as_ref().is_some_and(|filter| !admits(filter, entity)) {
                continue;
            }
            if page.entities.len() == PAGE {
                page.next = Some(Continuation { partition: partition.clone(), row: Some(row.clone()) });
                break;
            }
            let mut entity = entity.clone();
            entity.properties.retain(|name, _| query.select.is_empty() || query.select.contains(name));
            page.entities.push(entity);
        }
        Ok(page)
    }
}
