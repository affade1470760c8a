//! The settings, read once at start. All that are missing or malformed are named in one error.

mod aiven_token;
mod allowed;
mod endpoints;
pub mod names;
mod reader;
#[cfg(test)]
mod tests;
mod whole;

use uuid::Uuid;

use crate::clock::TimeScale;
use crate::peering::{AppId, ObjectId, SubscriptionId, VnetId};

pub use aiven_token::{AivenToken, SecretUrl};
pub use allowed::AllowedVpc;
pub use endpoints::{Credential, Endpoints};

/// Aiven's application, by which its platform peers to networks of its customers (its published runbooks).
const AIVEN_APPLICATION: &str = "55f300d4-fc50-4c5e-9222-e90a6e2187fb";

/// What the app was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of this installation: part of names and seeds of ids.
    pub installation: String,
    /// Where the services are, and who we are there.
    pub endpoints: Endpoints,
    /// Object id of the app's managed identity.
    pub identity: ObjectId,
    /// Client id of Aiven's application.
    pub aiven_application: AppId,
    /// What the deployment made already.
    pub made: Made,
    /// The role that our application gets on a VNet.
    pub peering_role: PeeringRole,
    /// What reconciliation does about what a vendor broke.
    pub reconcile: Reconcile,
    /// How the application proves itself.
    pub credential: Credential,
    /// Subscriptions that may be asked for; empty: all.
    pub allowed_subscriptions: Vec<SubscriptionId>,
    /// VPCs that may be asked for; empty: all.
    pub allowed_vpcs: Vec<AllowedVpc>,
    /// The VNet that the app itself is integrated with, if it is with any: only from there can it reach a peered VPC.
    pub app_vnet: Option<VnetId>,
    /// How fast nominal time runs.
    pub time_scale: TimeScale,
    /// What is set and not used, a sentence each: said once, at start.
    pub ignored: Vec<String>,
}

/// What the deployment made already: each one given needs no right of ours, each one absent is looked up or made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// `APPLICATION_ID`
    pub application: Option<AppId>,
    /// `APPLICATION_PRINCIPAL_ID`
    pub principal: Option<ObjectId>,
    /// `AIVEN_PRINCIPAL_ID`
    pub aiven_principal: Option<ObjectId>,
    /// `PEERING_ROLE_ID`
    pub peering_role: Option<Uuid>,
    /// `AIVEN_ROLE_ID`
    pub aiven_role: Option<Uuid>,
}

/// `PEERING_ROLE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeeringRole {
    /// Our custom role: peerings of the VNet, and nothing else.
    Minimal,
    /// The built-in role that the published runbooks use.
    NetworkContributor,
}

/// `RECONCILE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconcile {
    /// What a vendor broke of what we created is made again.
    Repair,
    /// Nothing is touched.
    Report,
}

impl Settings {
    /// Reads the settings from wherever `get` finds them.
    ///
    /// # Errors
    /// One text that names everything missing or malformed.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = reader::Reader::new(get);
        let settings = reader.settings();
        match settings {
            Some(settings) if reader.wrong.is_empty() => Ok(settings),
            _ => Err(format!("the settings need mending: {}", reader.wrong.join("; "))),
        }
    }
}
