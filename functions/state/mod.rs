//! This project's rows, on [`storage`](crate::storage): records of peerings, requests for VPCs, what peerings share, rejected messages.

mod columns;
mod records;
mod rejected;
mod shared;
mod versioned;
mod vpc_requests;

pub use records::{Flag, Records, VpcRow, Vpcs};
pub use rejected::{reject, reject_message, was_rejected};
pub use shared::{Brake, Cause, Outage, Part, Scope, Shared, SharedRow};
pub use versioned::{Lookup, Version, Versioned};
pub use vpc_requests::{VpcRequestRow, VpcRequests};
