//! The requests for VPCs, as rows of table `vpcs`: one for each owner, cloud and range.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::columns::{self, Shape};
use super::{Lookup, Versioned};
use crate::peering::{Claim, Fault, Provenance, SCHEMA, Status, Waiting};
use crate::storage::{Entity, Filter, Query, Storage, StoreError, Value};

const TABLE: &str = "vpcs";
const PARTITION: &str = "request";
const SHAPE: Shape = Shape { json: &["claim", "waiting", "fault", "times", "heard"], instants: &["due", "made_at"] };
/// The messages that are waiting: binary, which holds twice as much as a string.
const ASKS: &str = "asks";
/// More than anybody makes: a bound for memory, not for use.
const MOST: usize = 10_000;

/// A VPC that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VpcRequestRow {
    /// Version of this format.
    pub schema: u32,
    /// Owner, cloud and range: [`crate::peering::VpcRequest::key`].
    pub id: String,
    /// Who asked last.
    pub requested_by: Option<String>,
    /// The last sender's reference.
    pub reference: Option<String>,
    /// `Requested`, `WaitingForAiven`, `NeedsAttention`; `Active` once it is there and its peerings are asked for.
    pub status: Status,
    /// Something is under way.
    pub open: bool,
    /// Grows by one with each commit; a message that carries another is stale.
    pub seq: u64,
    /// When its message becomes visible.
    pub due: Timestamp,
    /// Who is asking Aiven for it.
    pub claim: Option<Claim>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// What a person has to do, or why it was refused.
    pub fault: Option<Fault>,
    /// The VPC's id, once it is known.
    pub vpc: Option<Uuid>,
    /// Who made it.
    pub provenance: Option<Provenance>,
    /// When Aiven was asked for it: what is new may not be listed at once.
    pub made_at: Option<Timestamp>,
    /// When it was `requested`, and when it was `active`.
    pub times: BTreeMap<String, Timestamp>,
    /// The queue message whose worker made the last commit, and owes its send.
    pub committed_by: Option<String>,
    /// The messages of the last requests.
    pub heard: Vec<String>,
    /// How many poison messages came back since the last answer.
    #[serde(default)]
    pub poisoned: u32,
    /// The requests, as they came, whose peerings have yet to be asked for.
    #[serde(skip)]
    pub asks: Vec<Json>,
}

/// The rows in a storage account.
#[derive(Debug, Clone)]
pub struct VpcRequests {
    storage: Storage,
}

impl VpcRequests {
    /// The rows in a storage account.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// One row.
    pub async fn load(&self, id: &str) -> Result<Lookup<VpcRequestRow>, StoreError> {
        self.storage.tables.get(TABLE, PARTITION, id).await?.map_or(Ok(Lookup::Absent), read)
    }

    /// Writes a row if nobody else has since it was read, and keeps its new ETag.
    pub async fn write(&self, held: &mut Versioned<VpcRequestRow>) -> Result<(), StoreError> {
        held.value.schema = SCHEMA;
        let mut entity = columns::write(PARTITION, &held.value.id, &held.value, SHAPE)?;
        if !held.value.asks.is_empty() {
            entity = entity.with(ASKS, Value::Binary(Json::from(held.value.asks.clone()).to_string().into_bytes()));
        }
        held.write(&self.storage, TABLE, &entity).await
    }

    /// The rows on which something is under way.
    pub async fn open(&self) -> Result<Vec<Versioned<VpcRequestRow>>, StoreError> {
        let open = Filter::partition(PARTITION).and(Filter::eq("open", Value::Bool(true)));
        let rows = self.storage.tables.query(TABLE, &Query::filter(open), MOST).await?;
        let mut found = Vec::new();
        for entity in rows.entities {
            if let Lookup::Found(held) = read(entity)? {
                found.push(*held);
            }
        }
        Ok(found)
    }
}

fn read(entity: Entity) -> Result<Lookup<VpcRequestRow>, StoreError> {
    if columns::is_newer(&entity) {
        return Ok(Lookup::NewerSchema);
    }
    let mut row: VpcRequestRow = columns::read(&entity, SHAPE)?;
    if let Some(Value::Binary(asks)) = entity.get(ASKS) {
        row.asks = serde_json::from_slice(asks).map_err(|e| StoreError::Other {
            what: format!("row {} of partition {PARTITION} in table {TABLE}", row.id),
            status: None,
            code: "Unreadable".to_owned(),
            message: format!("column {ASKS}: {e}; a person changed it"),
            op: None,
        })?;
    }
    Ok(Lookup::Found(Box::new(Versioned::read(row, &entity)?)))
}
