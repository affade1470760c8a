//! The record of one peering: where it stands, what is known, what we made.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AppId, Drift, Facts, Fault, PeeringKey, VnetId, Waiting};

/// The version of records and messages that this program writes. What an older one wrote is migrated when it is read: see [`super::migrate`].
pub const SCHEMA: u32 = 2;

/// How many requests' messages are remembered.
const MOST_HEARD: usize = 20;

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
    /// Nothing is under way: only a request, or the reconciliation, moves it on.
    #[serde(default)]
    pub resting: bool,
    /// What it was when it was paused.
    #[serde(default)]
    pub paused_from: Option<Status>,
    /// A person, or the repair of what a vendor broke, has allowed steps to put what we created back as it should be.
    #[serde(default)]
    pub mending: bool,
    /// What is not as it should be, as reconciliation last saw it.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// When each kind of drift was last repaired.
    #[serde(default)]
    pub repaired: BTreeMap<String, Timestamp>,
    /// The queue messages of the last requests that moved it: one that comes again, however late, has been heard.
    #[serde(default)]
    pub heard: Vec<String>,
    /// The W3C trace context (`traceparent`) of the request: one trace a peering, across hours.
    #[serde(default)]
    pub trace: Option<String>,
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
            resting: false,
            paused_from: None,
            mending: false,
            drift: Vec::new(),
            repaired: BTreeMap::new(),
            heard: Vec::new(),
            trace: None,
        }
    }

    /// Whether this queue message has moved the record before.
    pub fn has_heard(&self, message_id: &str) -> bool {
        self.heard.iter().any(|heard| heard == message_id)
    }

    /// Remembers that a request's queue message moved the record; only the last few can come again.
    pub fn hear(&mut self, message_id: &str) {
        if self.heard.len() >= MOST_HEARD {
            self.heard.remove(0);
        }
        self.heard.push(message_id.to_owned());
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
