//! The record of one peering: where it stands, what is known, what we made.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AppId, Drift, Facts, PeeringKey, Progress, VnetId};

/// The version of records and messages that this program writes. What an older one wrote is migrated when it is read: see [`super::migrate`].
pub const SCHEMA: u32 = 2;

/// The record of one peering. It changes only by commits, each of which moves `seq`, or by a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format: [`SCHEMA`].
    pub schema: u32,
    /// For people: twelve hex digits.
    pub id: String,
    /// VPC and VNet.
    pub key: PeeringKey,
    /// The VNet as it was given, in its own case.
    pub vnet: VnetId,
    /// What was asked for beside the pair.
    pub options: Options,
    /// Who asked first.
    pub requested_by: Option<String>,
    /// The first sender's reference.
    pub reference: Option<String>,
    /// What is to be.
    pub wanted: Wanted,
    /// How far it has come.
    #[serde(flatten)]
    pub progress: Progress,
    /// What was learned on the way.
    pub facts: Facts,
    /// Who made the two halves.
    pub provenance: Halves,
    /// A person, or the repair of what a vendor broke, has allowed steps to put what we created back as it should be.
    #[serde(default)]
    pub mending: bool,
    /// What is not as it should be, as reconciliation last saw it.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// When each kind of drift was last repaired.
    #[serde(default)]
    pub repaired: BTreeMap<String, Timestamp>,
}

impl std::ops::Deref for Record {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl std::ops::DerefMut for Record {
    fn deref_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

/// What was asked for beside the pair of VPC and VNet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// An application of the sender's.
    pub application: Option<AppId>,
    /// The peering's name on the VNet.
    pub peering_name: Option<String>,
    /// Accept forwarded traffic.
    pub allow_forwarded_traffic: bool,
    /// Ranges that Aiven shall route to the VNet, too.
    pub user_peer_network_cidrs: Vec<Ipv4Net>,
}

/// What is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Peered.
    Active,
    /// Gone.
    Deleted,
}

/// Where a peering stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Accepted; nothing was made yet.
    Requested,
    /// Directory objects, roles and assignments are being made.
    Authorizing,
    /// Aiven builds its half.
    WaitingForAiven,
    /// We make ours.
    Peering,
    /// Both halves are there; Aiven has not noticed yet.
    WaitingForActive,
    /// Peered.
    Active,
    /// Was active; something is no longer as it should be.
    Drifted,
    /// A person has to act: the fault says what to run.
    NeedsAttention,
    /// Stands still because somebody asked for it.
    Paused,
    /// On the way back.
    Deleting,
    /// Gone.
    Deleted,
}

impl Status {
    /// As it was wanted: peered, or gone.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Active | Self::Deleted)
    }
}

/// Who acts, and until when no other may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The step that acts.
    pub step: String,
    /// The queue message that made it act.
    pub by: String,
    /// From then on the holder is gone, and another may look.
    pub until: Timestamp,
}

impl Claim {
    /// Whether its holder may be at work at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// Who made something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// We meant to make it; whether it happened has not been seen. Found now, it is ours.
    Claimed,
    /// We made it, and may delete it.
    Created,
    /// It was there before us, and stays.
    Adopted,
}

impl Provenance {
    /// What to call a thing that was found, given what was recorded of it before.
    pub fn found(before: Option<Self>) -> Self {
        match before {
            None => Self::Adopted,
            Some(Self::Claimed | Self::Created) => Self::Created,
            Some(Self::Adopted) => Self::Adopted,
        }
    }
}

/// One of the two halves of a peering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The peering connection at Aiven.
    Aiven,
    /// The peering on the VNet.
    Azure,
}

/// Who made the two halves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Halves {
    /// The peering connection at Aiven.
    pub aiven: Option<Provenance>,
    /// The peering on the VNet.
    pub azure: Option<Provenance>,
}

impl Halves {
    /// The entry of one half.
    pub fn of(&mut self, half: Half) -> &mut Option<Provenance> {
        match half {
            Half::Aiven => &mut self.aiven,
            Half::Azure => &mut self.azure,
        }
    }
}

/// What a first look at a request makes of it.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Which peering.
    pub key: PeeringKey,
    /// The VNet, in its own case.
    pub vnet: VnetId,
    /// What else was asked for.
    pub options: Options,
    /// Who asks.
    pub requested_by: Option<String>,
    /// The sender's reference.
    pub reference: Option<String>,
}

impl Record {
    /// A new record, before its first commit.
    pub fn open(opening: Opening, first_step: &str, now: Timestamp) -> Self {
        let Opening { key, vnet, options, requested_by, reference } = opening;
        Self {
            schema: SCHEMA,
            id: key.id(),
            key,
            vnet,
            options,
            requested_by,
            reference,
            wanted: Wanted::Active,
            progress: Progress::new(first_step, now),
            facts: Facts::default(),
            provenance: Halves::default(),
            mending: false,
            drift: Vec::new(),
            repaired: BTreeMap::new(),
        }
    }

    /// Under which name it is among the users of what a VNet's peerings share: an application of the sender's is shared with its like only.
    pub fn user(&self) -> String {
        self.options.application.map_or_else(|| self.id.clone(), |application| format!("{}:{application}", self.id))
    }

    /// The name of our half: the one it has; while there is none, the one it gets.
    pub fn peering_name(&self) -> String {
        self.facts.peering.clone().unwrap_or_else(|| self.given_name())
    }

    /// The name under which a half is made, as asked for or from the id: one with another name was made by somebody else.
    pub fn given_name(&self) -> String {
        self.options.peering_name.clone().unwrap_or_else(|| format!("aiven-{}", self.id))
    }
}
