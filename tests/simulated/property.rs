//! Whatever several requesters ask for, in whatever order, with crashes between: nothing that was there before is ever deleted or
//! changed, what is `Active` is peered as asked for, and when all is deleted nothing of ours is left.
//!
//! Each sequence comes of a seed. A failure names it: `SEED=17 cargo test --test simulated property` plays it again.

use std::time::Duration;

use emulator::clouds::{Lags, Pair};
use functions::peering::{Options, Provenance, Record, Status, Wanted};
use serde_json::json;
use simulation::compare::{Kept, assert_as_before, stateless};
use simulation::{Setup, Simulation, existing, message, run_each};

const SEQUENCES: usize = 300;
const MOST_ACTIONS: usize = 10;

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A run of one seed: what was done so far, and what must stay.
struct Story {
    seed: usize,
    random: Random,
    simulation: Simulation,
    pairs: Vec<Pair>,
    /// An application of a requester's own.
    theirs: String,
    kept: Kept,
    told: Vec<String>,
    /// Requests that were sent, to come again late.
    sent: Vec<String>,
}

impl Story {
    fn begin(seed: usize) -> Self {
        let mut random = Random(u64::try_from(seed).unwrap());
        let lags = if random.chance(30) { Lags::documented() } else { Lags::none() };
        let project = random.chance(40);
        let mut told = Vec::new();
        let setup = Setup { lags, ..Setup::default() };
        let (simulation, (pairs, theirs, before)) = Simulation::start(setup, |world| {
            let pairs = match random.below(3) {
                0 => world.standard(1, 1, project),
                1 => world.standard(2, 1, project),
                _ => world.pairs(2, 2, 4, project),
            };
            let home = world.home_tenant.clone();
            let theirs = world.add_application(&home, "a requester's own", None, true);
            world.add_service_principal(&home, &theirs);
            world.add_federated_credential(&theirs, "by-hand").unwrap();
            for pair in &pairs {
                if random.chance(40) {
                    let last = *random.one(&existing::ALL);
                    told.push(format!("{} to {}: {last:?} and all before were there", pair.vpc_id, pair.vnet));
                    existing::up_to(world, pair, last);
                }
            }
            (pairs, theirs, world.snapshot())
        });
        Self { seed, random, simulation, pairs, theirs, kept: Kept::new(before), told, sent: Vec::new() }
    }

    async fn act(&mut self) {
        let at = self.random.below(self.pairs.len());
        let pair = self.pairs[at].clone();
        match self.random.below(100) {
            0..72 => self.ask(&pair).await,
            72..80 => self.comes_again().await,
            80..90 => self.reconcile(&pair).await,
            _ => self.by_hand(&pair).await,
        }
        if self.random.chance(30) {
            let n = 1 + self.random.below(60);
            self.tell(format!("it dies before call {n} from here"));
            self.simulation.moments.die_before(n);
        }
        match self.random.below(4) {
            // At once.
            0 => {}
            1 => self.run(Duration::from_secs(1)).await,
            2 => {
                let seconds = 1 + self.random.below(900);
                self.run(Duration::from_secs(seconds.try_into().unwrap())).await;
            }
            _ => {
                self.simulation.settle().await;
                self.simulation.moments.spare();
                self.tell("settled".to_owned());
                self.check().await;
            }
        }
    }

    async fn run(&mut self, nominal: Duration) {
        self.tell(format!("{nominal:?} go by"));
        self.simulation.run_for(nominal).await;
    }

    async fn ask(&mut self, pair: &Pair) {
        let action = *self
            .random
            .one(&["create", "create", "create", "delete", "delete", "update", "retry", "pause", "resume", "verify"]);
        let mut more = json!({"requested_by": format!("requester-{}", self.random.below(3))});
        if self.random.chance(30) {
            more["allow_forwarded_traffic"] = json!(true);
        }
        if self.random.chance(30) {
            more["user_peer_network_cidrs"] =
                self.random.one(&[json!(["10.77.0.0/16"]), json!(["10.77.0.0/16", "10.78.0.0/16"])]).clone();
        }
        if self.random.chance(15) {
            more["application"] = json!(self.theirs);
        }
        if self.random.chance(10) {
            more["peering_name"] = json!("to-aiven");
        }
        let text = message(action, pair, &more);
        self.tell(text.clone());
        self.sent.push(text.clone());
        self.simulation.send(&text).await;
    }

    /// The queue delivers a request of long ago once more.
    async fn comes_again(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        // Message ids count up from the first; one that never was a request's is new.
        let at = self.random.below(self.sent.len());
        let (text, id) = (self.sent[at].clone(), format!("redelivered-{at}"));
        self.tell(format!("{id}: {text}"));
        self.simulation.moments.spare();
        // A conflict with work in flight is put back by the host: here it is simply lost again.
        let _ = self.simulation.invoke("accept_request", &text, &id, 2).await;
    }

    /// A pass of reconciliation, before which a vendor may have broken what we made.
    async fn reconcile(&mut self, pair: &Pair) {
        self.simulation.settle().await;
        self.simulation.moments.spare();
        let created = Some(Provenance::Created);
        let record = self.simulation.record(pair).await.filter(|record| {
            let ours = (record.provenance.aiven, record.provenance.azure) == (created, created);
            ours && record.status == Status::Active && record.is_idle()
        });
        if record.is_some() && self.random.chance(60) {
            let state = *self.random.one(&["ERROR", "REJECTED_BY_PEER", "DELETED_BY_PEER"]);
            self.tell(format!("{} to {} ends {state}", pair.vpc_id, pair.vnet));
            self.simulation.world().fail_connection(&pair.vpc_id, &pair.vnet, state);
        }
        self.tell("reconcile".to_owned());
        self.simulation.ring("reconcile").await.unwrap();
        let seconds = 60 + self.random.below(600);
        self.run(Duration::from_secs(seconds.try_into().unwrap())).await;
    }

    /// Somebody makes both halves by hand where nothing of ours is, nor under way.
    async fn by_hand(&mut self, pair: &Pair) {
        self.simulation.settle().await;
        self.simulation.moments.spare();
        self.simulation.run_for(Duration::from_secs(900)).await;
        let all_gone = self.simulation.records().await.iter().all(|record| record.status == Status::Deleted);
        let is_free = {
            let world = self.simulation.world();
            world.connections(&pair.vpc_id, &pair.vnet).is_empty()
                && world.applications.iter().any(|a| a.unique_name.is_some())
        };
        if !all_gone || !is_free {
            return;
        }
        let last = *self.random.one(&[existing::Thing::Connection, existing::Thing::Half]);
        self.tell(format!("{} to {}: somebody makes all up to {last:?}", pair.vpc_id, pair.vnet));
        let mut world = self.simulation.world();
        let before = world.snapshot();
        existing::up_to(&mut world, pair, last);
        self.kept.add(&before, &world.snapshot());
    }

    /// A story that is played again tells itself as it goes: it may not come to an end.
    fn tell(&mut self, what: String) {
        if std::env::var("SEED").is_ok() {
            println!("{what}");
        }
        self.told.push(what);
    }

    async fn told(&self) -> String {
        format!("SEED={}\n{}\n{}", self.seed, self.told.join("\n"), self.simulation.shown().await)
    }

    /// What was there is as it was, and what is Active is peered.
    async fn check(&self) {
        let told = self.told().await;
        self.kept.assert_in(&self.simulation.world().snapshot(), &told);
        for record in self.simulation.records().await {
            if record.status == Status::Active && record.is_idle() {
                self.assert_peered(&record, &told);
            }
        }
    }

    fn assert_peered(&self, record: &Record, told: &str) {
        let world = self.simulation.world();
        let (vpc, vnet) = (record.key.vpc.id().to_string(), record.vnet.to_string());
        let connections = world.connections(&vpc, &vnet);
        assert!(connections.len() == 1 && connections[0].state == "ACTIVE", "{connections:?}\n{told}");
        let remote = &world.aiven_vpc(&vpc).unwrap().azure_vnet;
        let halves = &world.vnet(&vnet).unwrap().peerings;
        let half = halves.iter().find(|half| half.remote.eq_ignore_ascii_case(remote));
        let half = half.unwrap_or_else(|| panic!("no half\n{told}"));
        assert_eq!(half.state, "Connected", "{told}");
        let Options { allow_forwarded_traffic, user_peer_network_cidrs, .. } = &record.options;
        let wanted: Vec<_> = user_peer_network_cidrs.iter().map(ToString::to_string).collect();
        let has_all = wanted.iter().all(|range| connections[0].cidrs.contains(range));
        let is_exact = connections[0].cidrs.len() == wanted.len();
        let created = Some(Provenance::Created);
        assert!(has_all && (is_exact || record.provenance.aiven != created), "{:?}\n{told}", connections[0]);
        let same = half.allow_forwarded == *allow_forwarded_traffic;
        assert!(same || (record.provenance.azure != created && half.allow_forwarded), "{half:?}\n{told}");
    }

    /// Everything is deleted: only what was there before is there, and what belongs to the installation.
    async fn end(mut self) {
        self.simulation.settle().await;
        self.simulation.moments.spare();
        self.check().await;
        for pair in self.pairs.clone() {
            if let Some(record) = self.simulation.record(&pair).await {
                let action = if record.wanted == Wanted::Deleted { "resume" } else { "delete" };
                self.tell(format!("finally: {action} {} to {}", pair.vpc_id, pair.vnet));
                self.simulation.request(action, &pair).await;
            }
        }
        self.simulation.settle().await;
        self.simulation.run_for(Duration::from_secs(900)).await;
        let told = self.told().await;
        for record in self.simulation.records().await {
            assert_eq!(record.status, Status::Deleted, "{told}");
        }
        let after = self.simulation.world().snapshot();
        self.kept.assert_in(&after, &told);
        assert_as_before(&stateless(&self.kept.whole), &stateless(&after), &told);
    }
}

#[test]
fn nothing_adopted_is_ever_deleted_or_changed() {
    let only: Option<usize> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..SEQUENCES, |seed| seed..seed + 1);
    run_each(seeds, async |seed| {
        let mut story = Story::begin(seed);
        for _ in 0..3 + story.random.below(MOST_ACTIONS - 2) {
            story.act().await;
        }
        story.end().await;
    });
}
