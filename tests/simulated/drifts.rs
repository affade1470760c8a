//! A drift from its sight to its end: one active peering, what somebody does behind its back, and what becomes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::clouds::{Call, Pair, Service, World};
use functions::peering::{Drift, Hand, Record, Status};
use functions::state::{Scope, Shared, Vpcs};
use serde_json::json;

use simulation::{Setup, Simulation};

/// A repair is over by then, and Aiven has looked at everything.
const A_WHILE: Duration = Duration::from_secs(50 * 60);

/// One active peering, and the ids of what belongs to it.
pub struct Scene {
    pub sim: Simulation,
    pub pair: Pair,
    pub vpc: String,
    pub vnet: String,
    pub remote: String,
    pub half: String,
    pub principal: String,
    pub aiven_principal: String,
    pub peering_role: String,
    pub aiven_role: String,
}

impl Scene {
    /// Active for half an hour, with `RECONCILE` as given.
    pub async fn active(mode: &str) -> Self {
        Self::active_as(mode, None).await
    }

    /// The same, peered by the installation's application, or by one of the sender's.
    pub async fn active_as(mode: &str, senders: Option<&str>) -> Self {
        let settings = BTreeMap::from([("RECONCILE".to_owned(), mode.to_owned())]);
        let setup = Setup { settings, ..Setup::default() };
        let (mut sim, (pairs, more)) = Simulation::start(setup, |world| {
            let home = world.home_tenant.clone();
            let application = senders.map(|name| world.add_application(&home, name, None, true));
            (world.standard(1, 1, false), application.map_or(json!({}), |id| json!({"application": id})))
        });
        let pair = pairs[0].clone();
        sim.request_with("create", &pair, &more).await;
        sim.settle().await;
        sim.run_for(Duration::from_secs(1800)).await;
        let record = sim.record(&pair).await.unwrap();
        assert_eq!(record.status, Status::Active, "{}", sim.shown().await);
        let facts = record.facts;
        let last = |id: Option<String>| id.unwrap().rsplit('/').next().unwrap().to_owned();
        Self {
            vpc: pair.vpc_id.clone(),
            vnet: pair.vnet.clone(),
            remote: facts.aiven_vnet.unwrap().to_string(),
            half: facts.peering.unwrap(),
            principal: facts.principal.unwrap().to_string(),
            aiven_principal: facts.aiven_principal.unwrap().to_string(),
            peering_role: last(facts.peering_role),
            aiven_role: last(facts.aiven_role),
            pair,
            sim,
        }
    }

    pub async fn record(&self) -> Record {
        self.sim.record(&self.pair).await.unwrap()
    }

    /// One pass, and a moment in which nothing is repaired yet. Returns how often tables were written.
    pub async fn pass(&mut self) -> u64 {
        self.sim.clouds.reset_calls();
        let before = self.sim.app().engine.storage.counts().writes;
        self.sim.ring("reconcile").await.unwrap();
        self.sim.run_for(Duration::from_secs(30)).await;
        self.sim.app().engine.storage.counts().writes - before
    }

    /// Calls of Graph, ARM and Aiven since the last pass began.
    pub fn calls(&self) -> (usize, usize, usize) {
        let counts = self.sim.clouds.calls_by_service();
        let of = |service| counts.get(&service).copied().unwrap_or_default();
        (of(Service::Graph), of(Service::Arm), of(Service::Aiven))
    }

    /// What was changed in the clouds since the last pass began.
    pub fn effects(&self) -> Vec<String> {
        self.sim.clouds.calls().iter().filter_map(effect).collect()
    }

    pub async fn installation_drift(&self) -> BTreeMap<String, Drift> {
        Shared::new(self.sim.storage.clone()).load(&Scope::Installation).await.unwrap().value.drift
    }

    pub async fn unknown(&self) -> Vec<String> {
        let vpc = self.record().await.key.vpc;
        Vpcs::new(self.sim.storage.clone()).load(&vpc).await.unwrap().value.unknown
    }

    /// All is as it should be, and nothing is left of what was not.
    pub async fn is_active_again(&self) {
        let record = self.record().await;
        let left = (record.drift.len(), record.fault.clone(), record.mending);
        assert_eq!((record.status, left), (Status::Active, (0, None, false)), "{}", self.sim.shown().await);
    }
}

/// A call that changed something, in words; asking Aiven to look sooner changes nothing.
fn effect(call: &Call) -> Option<String> {
    let is_cloud = matches!(call.service, Service::Aiven | Service::Arm | Service::Graph);
    let worked = call.status.is_some_and(|status| status < 300);
    if !is_cloud || !worked || call.method == "GET" || call.path.ends_with("/refresh") {
        return None;
    }
    let names = [
        ("virtualNetworkPeerings", "half"),
        ("peering-connection", "connection"),
        ("roleAssignments", "assignment"),
        ("roleDefinitions", "role"),
    ];
    let name = names.iter().find(|(part, _)| call.path.contains(part)).map_or(call.path.as_str(), |(_, name)| name);
    Some(format!("{} {name}", call.method))
}

/// What is to be shown of one drift.
#[derive(Clone)]
pub struct Case {
    kinds: &'static [&'static str],
    hand: Hand,
    repair: Option<&'static [&'static str]>,
    retry: Option<&'static [&'static str]>,
    never_mended: bool,
    /// Calls of ARM beyond the three for what is shared and the list of VNets.
    extra_arm: usize,
    says: &'static str,
    seen: &'static str,
}

impl Case {
    pub fn new(kinds: &'static [&'static str], hand: Hand) -> Self {
        Self { kinds, hand, repair: None, retry: None, never_mended: false, extra_arm: 0, says: "", seen: "" }
    }

    /// With `repair` it is repaired by these effects; so is it by `retry`.
    pub fn repaired_by(mut self, effects: &'static [&'static str]) -> Self {
        (self.repair, self.retry) = (Some(effects), Some(effects));
        self
    }

    /// Only `retry` puts it back, by these effects.
    pub fn retried_by(mut self, effects: &'static [&'static str]) -> Self {
        self.retry = Some(effects);
        self
    }

    /// Nothing that we do puts it right.
    pub fn never_mended(mut self) -> Self {
        self.never_mended = true;
        self
    }

    /// An absence: one GET confirms it.
    pub fn confirmed(self) -> Self {
        self.extra_arm(1)
    }

    pub fn extra_arm(mut self, calls: usize) -> Self {
        self.extra_arm += calls;
        self
    }

    /// Part of the command.
    pub fn says(mut self, part: &'static str) -> Self {
        self.says = part;
        self
    }

    /// Part of what is seen.
    pub fn seen(mut self, part: &'static str) -> Self {
        self.seen = part;
        self
    }

    /// Breaks it, with `repair` and with `report`, and follows what happens.
    pub async fn holds(self, mut breaks: impl FnMut(&mut World, &Scene)) {
        for mode in ["repair", "report"] {
            let mut scene = Scene::active(mode).await;
            breaks(&mut scene.sim.world(), &scene);
            // Until Aiven has seen it, and all that follows has.
            scene.sim.run_for(A_WHILE).await;
            self.is_seen(&mut scene, mode).await;
            match self.repair.filter(|_| mode == "repair") {
                Some(effects) => self.is_repaired(&mut scene, effects).await,
                None => self.is_reported(&mut scene).await,
            }
        }
    }

    async fn is_seen(&self, scene: &mut Scene, mode: &str) {
        scene.pass().await;
        assert_eq!(scene.calls(), (3, 4 + self.extra_arm, 1), "calls of Graph, ARM and Aiven, {mode}");
        assert_eq!(scene.effects(), [""; 0], "seen is not touched");
        let record = scene.record().await;
        let mut kinds: Vec<&str> = record.drift.iter().map(|drift| drift.kind.as_str()).collect();
        kinds.sort_unstable();
        assert_eq!((record.status, kinds.as_slice()), (Status::Drifted, self.kinds), "{}", scene.sim.shown().await);
        for drift in &record.drift {
            assert_eq!(drift.hand, self.hand, "{drift:?}");
            assert!(!drift.what.is_empty() && !drift.command.is_empty(), "{drift:?}");
        }
        let (said, seen) = (format!("{:?}", record.drift), self.seen);
        assert!(record.drift.iter().any(|drift| drift.command.contains(self.says)), "{} in {said}", self.says);
        assert!(record.drift.iter().any(|drift| drift.what.contains(seen)), "{seen} in {said}");
        let journal = scene.sim.journal().await;
        assert_eq!(journal.iter().filter(|line| line.contains("reconcile_vpc: drift")).count(), 1, "{journal:#?}");
    }

    async fn is_repaired(&self, scene: &mut Scene, effects: &[&str]) {
        scene.sim.run_for(A_WHILE).await;
        scene.is_active_again().await;
        assert_eq!(scene.effects(), effects, "what was done");
        let repaired: Vec<String> = scene.record().await.repaired.into_keys().collect();
        assert_eq!(repaired, self.kinds);
        self.is_quiet(scene).await;
    }

    /// Nothing is touched, a second pass writes nothing; then `retry`.
    async fn is_reported(&self, scene: &mut Scene) {
        let (record, clouds) = (scene.record().await, scene.sim.world().snapshot());
        scene.sim.run_for(A_WHILE).await;
        assert_eq!(scene.effects(), [""; 0], "reported is not touched");
        self.is_quiet(scene).await;
        assert_eq!(scene.record().await, record);
        assert_eq!(scene.sim.world().snapshot(), clouds);
        let Some(effects) = self.retry else { return };
        scene.sim.clouds.reset_calls();
        scene.sim.request("retry", &scene.pair).await;
        scene.sim.run_for(A_WHILE).await;
        scene.is_active_again().await;
        assert_eq!(scene.effects(), effects, "what `retry` did");
        scene.pass().await;
        self.is_quiet(scene).await;
        scene.is_active_again().await;
    }

    async fn is_quiet(&self, scene: &mut Scene) {
        let before = scene.record().await;
        assert_eq!(scene.pass().await, 0, "a second pass writes nothing");
        scene.sim.run_for(Duration::from_secs(600)).await;
        assert_eq!(scene.effects(), [""; 0], "nor does it touch anything");
        assert_eq!(scene.record().await, before);
    }
}
