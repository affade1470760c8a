//! What is worked on: a peering of one Azure VNet with one Aiven VPC. Pure data, no I/O.

mod ids;
mod key;
mod record;
mod request;

pub use ids::{AppId, InvalidId, ObjectId, SubscriptionId, TenantId, VnetId, VpcRef, guid};
pub use key::PeeringKey;
pub use record::{
    Claim, Facts, Fault, Half, Halves, JournalEntry, Opening, Options, Party, Provenance, Record, SCHEMA, Status,
    Waiting, Wanted,
};
pub use request::{Action, Request};
