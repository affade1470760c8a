//! What is worked on: a peering of one Azure VNet with one Aiven VPC. Pure data, no I/O.

mod drift;
mod facts;
mod ids;
mod journal;
mod key;
mod migrate;
mod owner;
mod progress;
mod record;
mod request;
mod trace;
mod vnet;
mod vpc;
mod vpc_request;

pub use drift::{Drift, Hand};
pub use facts::{Connectivity, Facts, Reach};
pub use ids::{AppId, InvalidId, ObjectId, SubscriptionId, TenantId, guid};
pub use journal::{Fault, JournalEntry, Party, Waiting};
pub use key::PeeringKey;
pub use migrate::migrate;
pub use owner::Owner;
pub use progress::{Phase, Progress};
pub use record::{Claim, Half, Halves, Opening, Options, Provenance, Record, SCHEMA, Status, Wanted};
pub use request::{Action, Request};
pub use trace::{NoTrace, TraceParent};
pub use vnet::VnetId;
pub use vpc::VpcRef;
pub use vpc_request::VpcRequest;
