//! The requests for VPCs, as rows of table `vpcs`: one for each owner, cloud and range.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::columns::{self, Shape};
use super::{Row, Rows, Versioned};
use crate::peering::{Claim, Fault, Phase, Progress, Provenance, SCHEMA, Status, TraceParent, Waiting};
use crate::storage::{Entity, Filter, StoreError, Value};

const PARTITION: &str = "request";
const SHAPE: Shape = Shape { json: &["claim", "waiting", "fault", "times", "heard"], instants: &["due", "made_at"] };
/// The messages that are waiting: binary, which holds twice as much as a string.
const ASKS: &str = "asks";
/// More than anybody makes: a bound for memory, not for use.
const MOST: usize = 10_000;
/// The only step of its runbook.
pub const AWAIT_VPC: &str = "await_vpc";

/// A VPC that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Columns", into = "Columns")]
pub struct VpcRequestRow {
    /// Owner, cloud and range: [`crate::peering::VpcRequest::key`].
    pub id: String,
    /// Who asked last.
    pub requested_by: Option<String>,
    /// The last sender's reference.
    pub reference: Option<String>,
    /// How far it has come. Status is `Requested`, `WaitingForAiven`, `NeedsAttention`; `Active` once the VPC is there and its
    /// peerings are asked for.
    pub progress: Progress,
    /// The VPC's id, once it is known.
    pub vpc: Option<Uuid>,
    /// Who made it.
    pub provenance: Option<Provenance>,
    /// When Aiven was asked for it: what is new may not be listed at once.
    pub made_at: Option<Timestamp>,
    /// The requests, as they came, whose peerings have yet to be asked for.
    pub asks: Vec<Json>,
}

impl VpcRequestRow {
    /// A row before its first commit; its first request makes it `seq` 1.
    pub fn new(id: String, now: Timestamp) -> Self {
        let progress = Progress { seq: 0, phase: Phase::IDLE, ..Progress::new(AWAIT_VPC, now) };
        let (requested_by, reference, vpc, provenance, made_at) = (None, None, None, None, None);
        Self { id, requested_by, reference, progress, vpc, provenance, made_at, asks: Vec::new() }
    }
}

impl std::ops::Deref for VpcRequestRow {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl std::ops::DerefMut for VpcRequestRow {
    fn deref_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

/// The columns of a row. Its only step and its trace are no columns: the one is known, the other follows from the last request.
#[derive(Clone, Serialize, Deserialize)]
struct Columns {
    schema: u32,
    id: String,
    requested_by: Option<String>,
    reference: Option<String>,
    status: Status,
    open: bool,
    seq: u64,
    due: Timestamp,
    claim: Option<Claim>,
    waiting: Option<Waiting>,
    fault: Option<Fault>,
    vpc: Option<Uuid>,
    provenance: Option<Provenance>,
    made_at: Option<Timestamp>,
    times: BTreeMap<String, Timestamp>,
    committed_by: Option<String>,
    heard: Vec<String>,
    #[serde(default)]
    poisoned: u32,
}

impl From<VpcRequestRow> for Columns {
    fn from(row: VpcRequestRow) -> Self {
        let VpcRequestRow { id, requested_by, reference, progress, vpc, provenance, made_at, .. } = row;
        let open = !progress.is_idle();
        let Progress { status, seq, due, claim, waiting, fault, times, committed_by, poisoned, heard, .. } = progress;
        let schema = SCHEMA;
        Self {
            schema,
            id,
            requested_by,
            reference,
            status,
            open,
            seq,
            due,
            claim,
            waiting,
            fault,
            vpc,
            provenance,
            made_at,
            times,
            committed_by,
            heard,
            poisoned,
        }
    }
}

impl From<Columns> for VpcRequestRow {
    fn from(columns: Columns) -> Self {
        let Columns { id, requested_by, reference, status, open, seq, due, claim, waiting, fault, .. } = columns;
        let Columns { vpc, provenance, made_at, times, committed_by, heard, poisoned, .. } = columns;
        let phase = if open { Phase::Scheduled } else { Phase::IDLE };
        let trace = heard.last().map(|message| TraceParent::root(message).child("requested").to_string());
        let step = AWAIT_VPC.to_owned();
        let progress = Progress {
            status,
            step,
            seq,
            due,
            phase,
            claim,
            waiting,
            fault,
            times,
            committed_by,
            poisoned,
            heard,
            trace,
        };
        Self { id, requested_by, reference, progress, vpc, provenance, made_at, asks: Vec::new() }
    }
}

impl Row for VpcRequestRow {
    type Key = String;

    const TABLE: &'static str = "vpcs";

    fn key(&self) -> String {
        self.id.clone()
    }

    fn place(key: &String) -> (String, String) {
        (PARTITION.to_owned(), key.clone())
    }

    fn journal(key: &String) -> String {
        format!("journal|{key}|")
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn to_entity(&self) -> Result<Entity, StoreError> {
        let entity = columns::write(PARTITION, &self.id, self, SHAPE)?;
        if self.asks.is_empty() {
            return Ok(entity);
        }
        Ok(entity.with(ASKS, Value::Binary(Json::from(self.asks.clone()).to_string().into_bytes())))
    }

    fn from_entity(entity: &Entity) -> Result<Self, StoreError> {
        let mut row: Self = columns::read(entity, SHAPE)?;
        if let Some(Value::Binary(asks)) = entity.get(ASKS) {
            row.asks = serde_json::from_slice(asks).map_err(|e| StoreError::Other {
                what: format!("row {} of partition {PARTITION} in table {}", row.id, Self::TABLE),
                status: None,
                code: "Unreadable".to_owned(),
                message: format!("column {ASKS}: {e}; a person changed it"),
                op: None,
            })?;
        }
        Ok(row)
    }
}

/// The requests for VPCs in a storage account.
pub type VpcRequests = Rows<VpcRequestRow>;

impl VpcRequests {
    /// The rows on which something is under way.
    pub async fn under_way(&self) -> Result<Vec<Versioned<VpcRequestRow>>, StoreError> {
        let open = Filter::partition(PARTITION).and(Filter::eq("open", Value::Bool(true)));
        self.list(open, MOST).await
    }
}
