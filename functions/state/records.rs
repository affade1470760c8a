//! The records of peerings and their journal, as rows of table `peerings`: one partition a VPC.

use jiff::Timestamp;

use super::columns::{self, Shape};
use super::{Lookup, Version, Versioned};
use crate::peering::{JournalEntry, PeeringKey, Record, SCHEMA, VpcRef, migrate};
use crate::storage::{Entity, Filter, Op, Query, Storage, StoreError, Value};

const TABLE: &str = "peerings";
const RECORD: Shape = Shape {
    json: &["options", "claim", "waiting", "fault", "facts", "provenance", "times", "drift", "repaired", "heard"],
    instants: &["due"],
};
const ENTRY: Shape = Shape { json: &[], instants: &["at"] };
/// More peerings than an Aiven VPC can have: a bound for memory, not for use.
const MOST: usize = 10_000;

/// The records of peerings.
#[derive(Debug, Clone)]
pub struct Records {
    storage: Storage,
}

impl Records {
    /// The records in a storage account.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Reads one record.
    pub async fn load(&self, key: &PeeringKey) -> Result<Lookup<Record>, StoreError> {
        match self.storage.tables.get(TABLE, &key.vpc.key(), &row_of(key)).await? {
            None => Ok(Lookup::Absent),
            Some(entity) => read(&entity),
        }
    }

    /// Writes a new record and its first journal entry.
    ///
    /// # Errors
    /// `Conflict` if there is one already.
    pub async fn open(&self, record: &Record, entry: &JournalEntry) -> Result<(), StoreError> {
        let ops = vec![Op::Insert(entity_of(record)?), Op::Insert(journal_of(record, entry)?)];
        self.storage.tables.transact(TABLE, ops).await.map(drop)
    }

    /// Replaces a record if nobody else has since it was read, and keeps the new ETag. For claims: `seq` stays, nothing is journalled.
    pub async fn claim(&self, stored: &mut Versioned<Record>) -> Result<(), StoreError> {
        let entity = entity_of(&stored.value)?;
        stored.write(&self.storage, TABLE, &entity).await
    }

    /// Replaces a record if nobody else has since it was read, and adds a journal entry: both or neither.
    pub async fn commit(&self, stored: &Versioned<Record>, entry: &JournalEntry) -> Result<(), StoreError> {
        let entity = entity_of(&stored.value)?;
        let write = match &stored.version {
            Version::Unwritten => Op::Insert(entity),
            Version::Read(etag) => Op::Replace(entity, etag.clone()),
        };
        let ops = vec![write, Op::Insert(journal_of(&stored.value, entry)?)];
        self.storage.tables.transact(TABLE, ops).await.map(drop)
    }

    /// Adds a journal entry that belongs to no commit, under the record's `seq` and the request's message, so that it is there once.
    pub async fn note(&self, record: &Record, entry: &JournalEntry, message_id: &str) -> Result<(), StoreError> {
        let mut entity = journal_of(record, entry)?.with("message", message_id);
        entity.row = format!("{}|{message_id}", entity.row);
        self.storage.tables.upsert(TABLE, &entity).await.map(drop)
    }

    /// Whether a request's message was answered with no more than a note. Reads the peering's journal: for redeliveries only.
    pub async fn has_noted(&self, key: &PeeringKey, message_id: &str) -> Result<bool, StoreError> {
        let journal = Filter::partition(&key.vpc.key()).and(Filter::row_prefix(&format!("journal|{}|", key.vnet)));
        let its = journal.and(Filter::eq("message", message_id));
        let rows = self.storage.tables.query(TABLE, &Query::filter(its).select(&["message"]), 1).await?;
        Ok(!rows.entities.is_empty())
    }

    /// The records of a VPC that wait for its poll.
    pub async fn parked(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.list(vpc, Filter::eq("parked", Value::Bool(true))).await
    }

    /// The records of a VPC that are not as they were wanted, whether anything is under way or not.
    pub async fn unfinished(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.list(vpc, unfinished()).await
    }

    /// The records of a VPC on which something is under way. Rows of schema 1 have no such column, and tell it by their status.
    pub async fn under_way(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        let older = Filter::Lt("schema".to_owned(), Value::Long(2)).and(unfinished());
        let mut found = self.list(vpc, Filter::eq("resting", Value::Bool(false)).or(older)).await?;
        found.retain(|stored| !stored.value.resting);
        Ok(found)
    }

    /// The records of a VPC that are or were to be peered: all but the deleted.
    pub async fn living(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.list(vpc, Filter::Ne("status".to_owned(), "Deleted".into())).await
    }

    /// Whether a newer program keeps records of a VPC: something may be under way there that this version cannot see.
    pub async fn has_newer(&self, vpc: &VpcRef) -> Result<bool, StoreError> {
        let newer = Filter::Gt("schema".to_owned(), Value::Long(SCHEMA.into()));
        let mine = Filter::partition(&vpc.key()).and(Filter::row_prefix("peering|")).and(newer);
        Ok(!self.storage.tables.query(TABLE, &Query::filter(mine).select(&["schema"]), MOST).await?.entities.is_empty())
    }

    async fn list(&self, vpc: &VpcRef, filter: Filter) -> Result<Vec<Versioned<Record>>, StoreError> {
        let mine = Filter::partition(&vpc.key()).and(Filter::row_prefix("peering|"));
        let rows = self.storage.tables.query(TABLE, &Query::filter(mine.and(filter)), MOST).await?;
        let mut found = Vec::new();
        for entity in &rows.entities {
            // A newer program's record is that program's to handle.
            if let Lookup::Found(stored) = read(entity)? {
                found.push(*stored);
            }
        }
        Ok(found)
    }
}

fn unfinished() -> Filter {
    Filter::Ne("status".to_owned(), "Active".into()).and(Filter::Ne("status".to_owned(), "Deleted".into()))
}

fn row_of(key: &PeeringKey) -> String {
    format!("peering|{}", key.vnet)
}

fn entity_of(record: &Record) -> Result<Entity, StoreError> {
    columns::write(&record.key.vpc.key(), &row_of(&record.key), record, RECORD)
}

fn journal_of(record: &Record, entry: &JournalEntry) -> Result<Entity, StoreError> {
    let row = format!("journal|{}|{:010}", record.key.vnet, record.seq);
    columns::write(&record.key.vpc.key(), &row, entry, ENTRY)
}

fn read(entity: &Entity) -> Result<Lookup<Record>, StoreError> {
    if columns::is_newer(entity) {
        return Ok(Lookup::NewerSchema);
    }
    let mut record: Record = columns::read(entity, RECORD)?;
    migrate(&mut record);
    Ok(Lookup::Found(Box::new(Versioned::read(record, entity)?)))
}

/// The rows of table `vpcs`: one a VPC, so that no timer scans the records of all.
#[derive(Debug, Clone)]
pub struct Vpcs {
    storage: Storage,
}

/// What is known of a VPC as a whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VpcRow {
    /// Version of this format.
    pub schema: u32,
    /// The VPC's key.
    pub vpc: String,
    /// Some peering of it is not finished: sweep looks at it.
    pub open: bool,
    /// Some peering of it is parked: the timer polls it.
    pub waiting: bool,
    /// When Aiven was last asked about it.
    pub polled_at: Option<Timestamp>,
    /// Connections of it that nobody asked for, as reconciliation last saw them: `subscription:group:network`.
    #[serde(default)]
    pub unknown: Vec<String>,
}

impl VpcRow {
    fn new(vpc: &VpcRef) -> Self {
        Self { schema: SCHEMA, vpc: vpc.key(), open: false, waiting: false, polled_at: None, unknown: Vec::new() }
    }
}

/// What a VPC's row says of its peerings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// Some peering is not finished: sweep looks at the VPC.
    Open,
    /// Some peering is parked: the timer polls the VPC.
    Waiting,
}

impl Flag {
    fn column(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
        }
    }
}

const VPC: Shape = Shape { json: &["unknown"], instants: &["polled_at"] };
const VPCS: &str = "vpcs";
const PARTITION: &str = "vpc";

impl Vpcs {
    /// The VPC rows in a storage account.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// One row; one that is not written yet if there is none.
    ///
    /// # Errors
    /// `Newer`, as of all that change it; storage failed.
    pub async fn load(&self, vpc: &VpcRef) -> Result<Versioned<VpcRow>, StoreError> {
        match self.storage.tables.get(VPCS, PARTITION, &vpc.key()).await? {
            Some(entity) => Versioned::read(columns::read(&entity, VPC)?, &entity),
            None => Ok(Versioned::unwritten(VpcRow::new(vpc))),
        }
    }

    /// Sets a flag of a VPC, whoever else changes the row; makes the row if there is none. Writes nothing where it is set already.
    pub async fn set(&self, vpc: &VpcRef, flag: Flag, value: bool) -> Result<(), StoreError> {
        loop {
            let mut held = self.load(vpc).await?;
            let set = match flag {
                Flag::Open => &mut held.value.open,
                Flag::Waiting => &mut held.value.waiting,
            };
            if std::mem::replace(set, value) == value {
                return Ok(());
            }
            match self.write(&mut held).await {
                Err(error) if error.is_lost_race() => {}
                other => return other,
            }
        }
    }

    /// Writes a row if nobody else has since it was read.
    pub async fn write(&self, held: &mut Versioned<VpcRow>) -> Result<(), StoreError> {
        // Whatever it was before, it now has what this version keeps.
        held.value.schema = SCHEMA;
        let entity = columns::write(PARTITION, &held.value.vpc, &held.value, VPC)?;
        held.write(&self.storage, VPCS, &entity).await
    }

    /// The VPCs whose flag is set.
    pub async fn flagged(&self, flag: Flag) -> Result<Vec<VpcRef>, StoreError> {
        self.list(Filter::partition(PARTITION).and(Filter::eq(flag.column(), Value::Bool(true)))).await
    }

    /// All VPCs that were ever asked for.
    pub async fn all(&self) -> Result<Vec<VpcRef>, StoreError> {
        self.list(Filter::partition(PARTITION)).await
    }

    async fn list(&self, set: Filter) -> Result<Vec<VpcRef>, StoreError> {
        let rows = self.storage.tables.query(VPCS, &Query::filter(set).select(&["vpc"]), MOST).await?;
        Ok(rows.entities.iter().filter_map(|entity| entity.str("vpc")?.parse().ok()).collect())
    }
}
