//! Table `vpcs`, partition `vpc`: one row a VPC, so that no timer scans the records of all.

use jiff::Timestamp;

use super::Versioned;
use super::columns::{self, Shape};
use crate::peering::{SCHEMA, VpcRef};
use crate::storage::{Filter, Query, Storage, StoreError, Value};

/// More VPCs than an installation has: a bound for memory, not for use.
const MOST: usize = 10_000;

/// The VPC rows.
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
