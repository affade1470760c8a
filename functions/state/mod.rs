//! This project's rows, on [`storage`](crate::storage): records of peerings, requests for VPCs, what peerings share, rejected messages.

mod columns;
mod records;
mod rejected;
mod shared;
mod vpc_requests;

pub use records::{Flag, Loaded, Records, Stored, VpcRow, Vpcs};
pub use rejected::{reject, reject_message, was_rejected};
pub use shared::{Brake, Cause, HeldRow, Outage, Part, Scope, Shared, SharedRow};
pub use vpc_requests::{FoundRequest, HeldRequest, VpcRequestRow, VpcRequests};
