//! The record of one peering: where it stands, what it waits for, what is known, what we made.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AppId, ObjectId, PeeringKey, TenantId, VnetId};

/// The version of records and messages that this program writes.
pub const SCHEMA: u32 = 1;

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
    /// Where it stands, in a word.
    pub status: Status,
    /// The step that runs next, or runs now.
    pub step: String,
    /// Grows by one with each commit and is never reset; a message that carries another is stale.
    pub seq: u64,
    /// When the record's message becomes visible, or, parked, when its wait ends: sweep looks at it.
    pub due: Timestamp,
    /// No message is under way: the poll of its VPC moves it on.
    pub parked: bool,
    /// Who is acting, and until when no other may.
    pub claim: Option<Claim>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// What a person has to do.
    pub fault: Option<Fault>,
    /// What was learned on the way.
    pub facts: Facts,
    /// Who made the two halves.
    pub provenance: Halves,
    /// When it was `requested`, when each step was done, and when it `started` afresh after something that was not its own doing.
    pub times: BTreeMap<String, Timestamp>,
    /// The queue message whose worker made the last commit, and owes its send.
    pub committed_by: Option<String>,
    /// How many poison messages of the current step came back.
    pub poisoned: u32,
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
    /// Nothing is under way.
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

/// Who is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// Aiven's platform.
    Aiven,
    /// Azure: Resource Manager, Graph, Entra.
    Azure,
    /// A person.
    Operator,
    /// Another worker of ours.
    Ourselves,
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Aiven => "Aiven",
            Self::Azure => "Azure",
            Self::Operator => "you",
            Self::Ourselves => "another peering of ours",
        })
    }
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who has to move.
    pub party: Party,
    /// Why, in a sentence.
    pub reason: String,
    /// What the wait is about, for machines: a failure's code, or a step's own word. A wait with the same one goes on from `since`.
    pub code: String,
    /// Since when.
    pub since: Timestamp,
    /// From when on it is a fault.
    pub deadline: Timestamp,
    /// How often it was looked again.
    pub attempts: u32,
}

/// What a person has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happened, in a sentence.
    pub what: String,
    /// Why, and what it means, in a sentence.
    pub why: String,
    /// What to run or do; the peering goes on by itself afterwards.
    pub command: String,
    /// For machines: the failure's code, or our own word.
    pub code: String,
    /// What the vendor's support asks for.
    pub correlation: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// How often it was looked again since.
    pub attempts: u32,
    /// Seven days have passed: only `retry` looks again.
    pub given_up: bool,
}

/// What was learned on the way. Everything is optional: a record is read at any point of its life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Tenant of the VNet's subscription.
    pub tenant: Option<TenantId>,
    /// The VNet's id as ARM writes it.
    pub location: Option<String>,
    /// Address space of the VNet.
    pub prefixes: Vec<IpNet>,
    /// Address space of the Aiven VPC.
    pub vpc_cidrs: Vec<IpNet>,
    /// The application that makes our half.
    pub application: Option<AppId>,
    /// Its service principal in the home tenant.
    pub principal: Option<ObjectId>,
    /// When that principal was made, if we made it: replication starts there.
    pub principal_at: Option<Timestamp>,
    /// When the federated credential was made, if we made it.
    pub credential_at: Option<Timestamp>,
    /// When the application's newest password was made, if we made it.
    pub secret_at: Option<Timestamp>,
    /// Full id of the role that lets our application peer.
    pub peering_role: Option<String>,
    /// When our application got it on the VNet.
    pub assigned_at: Option<Timestamp>,
    /// Service principal of Aiven's application in the home tenant.
    pub aiven_principal: Option<ObjectId>,
    /// Full id of the role that lets Aiven peer to the VNet.
    pub aiven_role: Option<String>,
    /// When Aiven's principal got it on the VNet.
    pub aiven_assigned_at: Option<Timestamp>,
    /// When the role definition last made for this VNet's subscription was made.
    pub role_at: Option<Timestamp>,
    /// Id of the connection at Aiven; project VPCs do not show one.
    pub connection: Option<String>,
    /// When the connection was asked for.
    pub requested_at: Option<Timestamp>,
    /// How often a refused connection was deleted and asked for again.
    pub recreated: u32,
    /// The connection is to be replaced although Aiven has not given it up: its half is left over from a former peering.
    pub replace: bool,
    /// `to-tenant-id`: Aiven's tenant, kept because it vanishes from `state_info` later.
    pub aiven_tenant: Option<TenantId>,
    /// `to-network-id`: Aiven's VNet.
    pub aiven_vnet: Option<VnetId>,
    /// When PENDING_PEER was first seen.
    pub pending_peer_at: Option<Timestamp>,
    /// Name of the peering on the VNet, ours or the adopted one's.
    pub peering: Option<String>,
    /// The running operation on our half, to be asked for its end.
    pub operation: Option<String>,
    /// Aiven's state of the connection, last seen.
    pub aiven_state: Option<String>,
    /// Azure's state of our half, last seen.
    pub azure_state: Option<String>,
}

/// One entry of the journal: what a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// The step, or the action, that made the commit.
    pub step: String,
    /// `advance`, `wait`, `fix`, `requested`, …
    pub outcome: String,
    /// What it says, in a sentence.
    pub note: String,
    /// Who is waited for, if anyone.
    pub party: Option<Party>,
    /// What the vendor's support asks for.
    pub correlation: Option<String>,
    /// Wall-clock length of the step, in milliseconds.
    pub duration_ms: u64,
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
            status: Status::Requested,
            step: first_step.to_owned(),
            seq: 1,
            due: now,
            parked: false,
            claim: None,
            waiting: None,
            fault: None,
            facts: Facts::default(),
            provenance: Halves::default(),
            times: BTreeMap::from([("requested".to_owned(), now)]),
            committed_by: None,
            poisoned: 0,
        }
    }

    /// The name our half gets: as asked for, or one made from the id.
    pub fn peering_name(&self) -> String {
        let given = self.options.peering_name.clone().or_else(|| self.facts.peering.clone());
        given.unwrap_or_else(|| format!("aiven-{}", self.id))
    }
}
