//! The records of peerings and their journal, as rows of table `peerings`: one partition a VPC.

use super::columns::{self, Shape};
use super::{Row, Rows, Versioned};
use crate::peering::{PeeringKey, Record, SCHEMA, VpcRef, migrate};
use crate::storage::{Entity, Filter, Query, StoreError, Value};

const RECORD: Shape = Shape {
    json: &["options", "claim", "waiting", "fault", "facts", "provenance", "times", "drift", "repaired", "heard"],
    instants: &["due"],
};
/// More peerings than an Aiven VPC can have: a bound for memory, not for use.
const MOST: usize = 10_000;

impl Row for Record {
    type Key = PeeringKey;

    const TABLE: &'static str = "peerings";

    fn key(&self) -> PeeringKey {
        self.key.clone()
    }

    fn place(key: &PeeringKey) -> (String, String) {
        (key.vpc.key(), format!("peering|{}", key.vnet))
    }

    fn journal(key: &PeeringKey) -> String {
        format!("journal|{}|", key.vnet)
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn to_entity(&self) -> Result<Entity, StoreError> {
        let (partition, row) = Self::place(&self.key);
        columns::write(&partition, &row, self, RECORD)
    }

    fn from_entity(entity: &Entity) -> Result<Self, StoreError> {
        let mut record: Self = columns::read(entity, RECORD)?;
        migrate(&mut record);
        Ok(record)
    }
}

/// The records of peerings.
pub type Records = Rows<Record>;

impl Records {
    /// The records of a VPC that wait for its poll.
    pub async fn parked(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.of(vpc, Filter::eq("parked", Value::Bool(true))).await
    }

    /// The records of a VPC that are not as they were wanted, whether anything is under way or not.
    pub async fn unfinished(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.of(vpc, unfinished()).await
    }

    /// The records of a VPC on which something is under way. Rows of schema 1 have no such column, and tell it by their status.
    pub async fn under_way(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        let older = Filter::Lt("schema".to_owned(), Value::Long(2)).and(unfinished());
        let mut found = self.of(vpc, Filter::eq("resting", Value::Bool(false)).or(older)).await?;
        found.retain(|stored| !stored.value.is_idle());
        Ok(found)
    }

    /// The records of a VPC that are or were to be peered: all but the deleted.
    pub async fn living(&self, vpc: &VpcRef) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.of(vpc, Filter::Ne("status".to_owned(), "Deleted".into())).await
    }

    /// Whether a newer program keeps records of a VPC: something may be under way there that this version cannot see.
    pub async fn has_newer(&self, vpc: &VpcRef) -> Result<bool, StoreError> {
        let newer = records_of(vpc).and(Filter::Gt("schema".to_owned(), Value::Long(SCHEMA.into())));
        let rows = self.storage.tables.query(Record::TABLE, &Query::filter(newer).select(&["schema"]), MOST).await?;
        Ok(!rows.entities.is_empty())
    }

    async fn of(&self, vpc: &VpcRef, filter: Filter) -> Result<Vec<Versioned<Record>>, StoreError> {
        self.list(records_of(vpc).and(filter), MOST).await
    }
}

fn records_of(vpc: &VpcRef) -> Filter {
    Filter::partition(&vpc.key()).and(Filter::row_prefix("peering|"))
}

fn unfinished() -> Filter {
    Filter::Ne("status".to_owned(), "Active".into()).and(Filter::Ne("status".to_owned(), "Deleted".into()))
}
