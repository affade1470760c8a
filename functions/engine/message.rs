//! The messages between steps: hints to look at a record, and nothing more.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::peering::{PeeringKey, Record, SCHEMA, TraceParent, VpcRef};
use crate::storage::StoreError;

/// A hint to run a step of a peering. Older than the record, it means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepMessage {
    /// Version of this format.
    pub schema: u32,
    /// Which peering.
    pub peering: PeeringKey,
    /// Which step.
    pub step: String,
    /// The record's `seq` when it was sent.
    pub seq: u64,
    /// The W3C trace context of the request that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl StepMessage {
    /// The message that belongs to a record as it stands.
    pub fn of(record: &Record) -> Self {
        let (peering, step, trace) = (record.key.clone(), record.step.clone(), record.trace.clone());
        Self { schema: SCHEMA, peering, step, seq: record.seq, trace }
    }
}

/// A hint to look at a row of requests for a VPC. Older than the row, it means nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcMessage {
    /// Version of this format.
    pub schema: u32,
    /// The row's key.
    pub request: String,
    /// Its `seq` when it was sent.
    pub seq: u64,
}

/// A hint to ask Aiven about a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PollMessage {
    /// Version of this format.
    pub schema: u32,
    /// Which VPC, as [`VpcRef::key`] writes it.
    pub vpc: String,
}

impl PollMessage {
    /// The message for a VPC.
    pub fn of(vpc: &VpcRef) -> Self {
        Self { schema: SCHEMA, vpc: vpc.key() }
    }
}

/// A hint to compare a VPC's peerings with what they should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcileMessage {
    /// Version of this format.
    pub schema: u32,
    /// Which VPC, as [`VpcRef::key`] writes it.
    pub vpc: String,
    /// The pass that it belongs to: when it began.
    pub pass: Timestamp,
    /// What drifted has been told of, and what may be is to be repaired now.
    #[serde(default)]
    pub repair: bool,
}

/// Only the version: what is newer than this program is not read any further.
#[derive(Debug, Deserialize)]
struct Versioned {
    schema: u32,
}

/// Whether a newer program wrote a message: it is put back as it is.
pub fn is_newer(text: &str) -> bool {
    serde_json::from_str::<Versioned>(text).is_ok_and(|message| message.schema > SCHEMA)
}

/// A message's text.
///
/// # Errors
/// It cannot be written as JSON: an empty message would be lost without a trace.
pub fn to_text(message: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(message).map_err(|error| StoreError::invalid("a message", error.to_string()))
}

/// How a message reached us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue's id of the message: the same at every delivery.
    pub message_id: String,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// The trace context in which the host delivered it, if it has one.
    pub trace: Option<TraceParent>,
}

/// The function that polls a VPC.
pub const POLL_VPC: &str = "poll_vpc";

/// The queue of a function: its name with hyphens.
pub fn queue_of(function: &str) -> String {
    function.replace('_', "-")
}
