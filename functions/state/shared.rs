//! Table `shared`: what several peerings have in common. A row for the installation, one a subscription, one a VNet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Versioned;
use super::columns::{self, Shape};
use crate::peering::{Claim, Drift, Provenance, SCHEMA, SubscriptionId, VnetId};
use crate::storage::{Filter, Query, Storage, StoreError};

const TABLE: &str = "shared";
/// More VNets than an installation has: a bound for memory, not for use.
const MOST: usize = 20_000;
const SHAPE: Shape = Shape { json: &["parts", "users", "cause", "outage", "drift", "brake"], instants: &[] };

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// What all peerings share: application, principals, credential; causes that stop them all.
    Installation,
    /// What a subscription's peerings share: role definitions.
    Subscription(SubscriptionId),
    /// What a VNet's peerings share: role assignments; and which peerings those are.
    Vnet(VnetId),
}

impl Scope {
    fn keys(&self) -> (&'static str, String) {
        match self {
            Self::Installation => ("installation", "installation".to_owned()),
            Self::Subscription(id) => ("subscription", id.to_string()),
            Self::Vnet(id) => ("vnet", id.key()),
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SharedRow {
    /// Version of this format.
    pub schema: u32,
    /// Name of the installation that owns the storage; only on the installation's row.
    #[serde(default)]
    pub installation: Option<String>,
    /// What is shared, by name.
    #[serde(default)]
    pub parts: BTreeMap<String, Part>,
    /// The peerings that use a VNet's parts, as [`crate::peering::Record::user`] names them.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// What stops every peering at this moment.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// When such a cause was last over: deadlines do not count that time.
    #[serde(default)]
    pub outage: Option<Outage>,
    /// What reconciliation last saw not to be as it should be, by the part that it is about.
    #[serde(default)]
    pub drift: BTreeMap<String, Drift>,
    /// Why nothing is repaired at this moment; only on the installation's row.
    #[serde(default)]
    pub brake: Option<Brake>,
}

/// One shared thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What was learned of it; `None` until it was seen.
    #[serde(default)]
    pub value: Option<serde_json::Value>,
    /// Who made it.
    #[serde(default)]
    pub provenance: Option<Provenance>,
    /// Who is making it.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// When it was made, if we made it: what depends on it counts from there.
    #[serde(default)]
    pub made_at: Option<Timestamp>,
    /// When it was last seen to be there.
    #[serde(default)]
    pub verified_at: Option<Timestamp>,
}

/// What stops every peering, told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The failure's code.
    pub code: String,
    /// What happened.
    pub what: String,
    /// What to do.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

/// A stretch of time in which a shared cause stopped every peering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When it began.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
}

/// So much drifted at once that repairing it would do more harm than good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// Since when.
    pub since: Timestamp,
    /// How many peerings had drifted then.
    pub drifted: usize,
    /// Of how many that are, or were, active.
    pub active: usize,
}

impl SharedRow {
    fn new() -> Self {
        Self {
            schema: SCHEMA,
            installation: None,
            parts: BTreeMap::new(),
            users: BTreeSet::new(),
            cause: None,
            outage: None,
            drift: BTreeMap::new(),
            brake: None,
        }
    }

    /// A part, empty if nothing is known of it.
    pub fn part(&mut self, name: &str) -> &mut Part {
        let empty = Part { value: None, provenance: None, claim: None, made_at: None, verified_at: None };
        self.parts.entry(name.to_owned()).or_insert(empty)
    }
}

impl SharedRow {
    /// What drifted, but for what was seen to be there again since.
    pub fn drifting(&self) -> impl Iterator<Item = (&str, &Drift)> {
        let seen_since = |part: &str, drift: &Drift| {
            self.parts.get(part).and_then(|part| part.verified_at).is_some_and(|at| at > drift.since)
        };
        let still = self.drift.iter().filter(move |(part, drift)| !seen_since(part, drift));
        still.map(|(part, drift)| (part.as_str(), drift))
    }
}

/// The shared rows in a storage account.
#[derive(Debug, Clone)]
pub struct Shared {
    storage: Storage,
}

impl Shared {
    /// The shared rows in a storage account.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Who owns the storage, whatever version wrote it down.
    pub async fn owner(&self) -> Result<Option<String>, StoreError> {
        let (partition, key) = Scope::Installation.keys();
        let entity = self.storage.tables.get(TABLE, partition, &key).await?;
        Ok(entity.and_then(|entity| entity.str("installation").map(str::to_owned)))
    }

    /// A row; an empty one if there is none yet.
    ///
    /// # Errors
    /// `Newer`, as of all that change it; storage failed.
    pub async fn load(&self, scope: &Scope) -> Result<Versioned<SharedRow>, StoreError> {
        let (partition, key) = scope.keys();
        let Some(entity) = self.storage.tables.get(TABLE, partition, &key).await? else {
            return Ok(Versioned::unwritten(SharedRow::new()));
        };
        Versioned::read(columns::read(&entity, SHAPE)?, &entity)
    }

    /// The rows of all VNets.
    pub async fn vnets(&self) -> Result<Vec<(VnetId, SharedRow)>, StoreError> {
        self.list("vnet", VnetId::from_key).await
    }

    /// The rows of all subscriptions.
    pub async fn subscriptions(&self) -> Result<Vec<(SubscriptionId, SharedRow)>, StoreError> {
        self.list("subscription", |key| key.parse().ok()).await
    }

    async fn list<T>(
        &self,
        partition: &str,
        id: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<(T, SharedRow)>, StoreError> {
        let rows = self.storage.tables.query(TABLE, &Query::filter(Filter::partition(partition)), MOST).await?;
        // A newer program's row is that program's to handle.
        let ours = rows.entities.iter().filter(|entity| !columns::is_newer(entity));
        let known = ours.filter_map(|entity| Some((id(&entity.row)?, entity)));
        known.map(|(id, entity)| Ok((id, columns::read(entity, SHAPE)?))).collect()
    }

    /// Writes a row if nobody else has since it was read, and keeps its new ETag.
    pub async fn write(&self, scope: &Scope, held: &mut Versioned<SharedRow>) -> Result<(), StoreError> {
        let (partition, key) = scope.keys();
        // Whatever it was before, it now has what this version keeps.
        held.value.schema = SCHEMA;
        let entity = columns::write(partition, &key, &held.value, SHAPE)?;
        held.write(&self.storage, TABLE, &entity).await
    }

    /// Changes a row whoever else does: `change` says whether there is anything to write, and is asked again of the row as it
    /// then is when another was quicker. Begins with the row `held`, if there is one, instead of reading it.
    pub async fn change(
        &self,
        scope: &Scope,
        mut held: Option<Versioned<SharedRow>>,
        change: impl Fn(&mut SharedRow) -> bool,
    ) -> Result<Versioned<SharedRow>, StoreError> {
        loop {
            let mut next = match held.take() {
                Some(held) => held,
                None => self.load(scope).await?,
            };
            if !change(&mut next.value) {
                return Ok(next);
            }
            match self.write(scope, &mut next).await {
                Err(error) if error.is_lost_race() => {}
                other => return other.map(|()| next),
            }
        }
    }
}
