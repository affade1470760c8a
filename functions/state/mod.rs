//! This project's rows, on [`storage`](crate::storage): records of peerings, requests for VPCs, what peerings share, rejected messages.

mod columns;
mod records;
mod rejected;
mod rows;
mod shared;
mod versioned;
mod vpc_requests;
mod vpcs;

pub use records::Records;
pub use rejected::{reject, reject_message, was_rejected};
pub use rows::{Row, Rows};
pub use shared::{Brake, Cause, Outage, Part, Scope, Shared, SharedRow};
pub use versioned::{Lookup, Version, Versioned};
pub use vpc_requests::{AWAIT_VPC, VpcRequestRow, VpcRequests};
pub use vpcs::{Flag, VpcRow, Vpcs};
