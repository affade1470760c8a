//! The VNets of a VPC's peerings: one list a subscription; what is missing from it is asked for by itself before it counts as gone.

use std::collections::HashMap;

use crate::cloud::arm::{Vnet, is_absent};
use crate::context::Context;
use crate::engine::{Engine, RunError};
use crate::peering::{Record, SubscriptionId, VnetId};

/// What was read so far in one look.
pub struct Azure<'a> {
    engine: &'a Engine,
    context: &'a Context,
    /// `None`: there was no answer.
    lists: HashMap<SubscriptionId, Option<HashMap<String, Vnet>>>,
    /// Those that were asked for by themselves.
    confirmed: HashMap<String, Option<Vnet>>,
}

impl<'a> Azure<'a> {
    /// Nothing read yet.
    pub fn new(engine: &'a Engine, context: &'a Context) -> Self {
        Self { engine, context, lists: HashMap::new(), confirmed: HashMap::new() }
    }

    /// The VNet of a peering; `Some(None)`: it is certain that it is gone; `None`: nobody can tell.
    pub async fn vnet(&mut self, record: &Record) -> Result<Option<Option<&Vnet>>, RunError> {
        let (id, key) = (&record.vnet, record.vnet.key());
        self.list(id.subscription).await?;
        let Some(Some(list)) = self.lists.get(&id.subscription) else { return Ok(None) };
        if list.get(&key).is_some_and(|vnet| has_half(record, vnet)) {
            return Ok(self.lists.get(&id.subscription).and_then(|list| list.as_ref()?.get(&key)).map(Some));
        }
        if !self.confirmed.contains_key(&key) {
            let Some(answer) = self.ask(id).await? else { return Ok(None) };
            self.confirmed.insert(key.clone(), answer);
        }
        Ok(self.confirmed.get(&key).map(Option::as_ref))
    }

    async fn list(&mut self, subscription: SubscriptionId) -> Result<(), RunError> {
        if self.lists.contains_key(&subscription) {
            return Ok(());
        }
        let list = match self.context.clouds.arm.vnets(subscription).await {
            Ok(vnets) => {
                let keyed = vnets.into_iter().filter_map(|vnet| Some((vnet.id.parse::<VnetId>().ok()?.key(), vnet)));
                Some(keyed.collect())
            }
            Err(failure) => {
                self.engine.unanswered(&failure).await?;
                None
            }
        };
        self.lists.insert(subscription, list);
        Ok(())
    }

    async fn ask(&self, id: &VnetId) -> Result<Option<Option<Vnet>>, RunError> {
        match self.context.clouds.arm.vnet(id).await {
            Ok(vnet) => Ok(Some(Some(vnet))),
            Err(failure) if is_absent(&failure) => Ok(Some(None)),
            Err(failure) => {
                self.engine.unanswered(&failure).await?;
                Ok(None)
            }
        }
    }
}

fn has_half(record: &Record, vnet: &Vnet) -> bool {
    super::judge::half(record, vnet).is_some()
}
