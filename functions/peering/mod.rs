//! What is worked on: a peering of one Azure VNet with one Aiven VPC. Pure data, no I/O.

mod ids;

pub use ids::{AppId, InvalidId, ObjectId, SubscriptionId, TenantId, VnetId, VpcRef, guid};
