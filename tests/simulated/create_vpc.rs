//! A VPC that is asked for is found or made, once, whoever asks and whatever dies; then its peerings are asked for.

use std::time::Duration;

use emulator::clouds::{AivenVpc, Fault, Service, World};
use functions::peering::{Provenance, SCHEMA, Status};
use functions::state::{Lookup, VpcRequestRow, VpcRequests};
use functions::storage::Entity;
use serde_json::{Value, json};
use simulation::{Setup, Simulation, run_each};

const QUEUE: &str = "vpc-requests";
const CLOUD: &str = "azure-westeurope";
const CIDR: &str = "10.250.0.0/24";

/// Two networks, and whose VPC is to be made.
struct Ground {
    organization: String,
    vnets: Vec<String>,
}

impl Ground {
    fn set(world: &mut World) -> Self {
        let home = world.home_tenant.clone();
        let (organization, subscription) = (world.add_organization(), world.add_subscription(&home));
        let vnet = |n: usize, world: &mut World| {
            world.add_vnet(&subscription, "Network-RG", &format!("Vnet-{n}"), &[&format!("10.{n}.0.0/16")])
        };
        Self { organization, vnets: vec![vnet(1, world), vnet(2, world)] }
    }

    fn request(&self, reference: &str, vnets: &[&str]) -> Value {
        let peerings: Vec<Value> = vnets.iter().map(|vnet| json!({"vnet": vnet})).collect();
        json!({"version": 1, "cloud": CLOUD, "cidr": CIDR, "organization": self.organization, "peerings": peerings,
            "reference": reference})
    }

    fn id(&self) -> String {
        format!("org:{}:{CLOUD}:10.250.0.0-24", self.organization)
    }

    /// For both networks.
    fn both(&self) -> Value {
        self.request("CHG-1", &[&self.vnets[0], &self.vnets[1]])
    }
}

async fn send(simulation: &Simulation, request: &Value) {
    simulation.send_to(QUEUE, &request.to_string()).await;
}

async fn row(simulation: &Simulation, ground: &Ground) -> VpcRequestRow {
    match VpcRequests::new(simulation.storage.clone()).load(&ground.id()).await.unwrap() {
        Lookup::Found(held) => held.value,
        other => panic!("{other:?}"),
    }
}

fn vpcs(simulation: &Simulation) -> Vec<AivenVpc> {
    simulation.world().aiven_vpcs.iter().filter(|vpc| vpc.cidr.to_string() == CIDR).cloned().collect()
}

async fn rejected(simulation: &Simulation) -> Vec<Entity> {
    simulation.rows("rejected").await
}

/// The VPC is there once, ready, and both networks are peered with it, and with nothing else.
async fn assert_made_once(simulation: &Simulation, ground: &Ground, provenance: Provenance) {
    let vpcs = vpcs(simulation);
    assert_eq!(vpcs.iter().map(|vpc| vpc.state.as_str()).collect::<Vec<_>>(), ["ACTIVE"]);
    let row = row(simulation, ground).await;
    assert_eq!((row.status, row.is_idle(), &row.fault), (Status::Active, true, &None), "{row:?}");
    assert_eq!((row.vpc.unwrap().to_string(), row.provenance), (vpcs[0].id.clone(), Some(provenance)));
    assert!(row.asks.is_empty());
    let records = simulation.records().await;
    assert_eq!(records.len(), ground.vnets.len(), "{}", simulation.shown().await);
    for record in &records {
        assert_eq!((record.status, record.is_idle()), (Status::Active, true), "{}", simulation.shown().await);
        assert_eq!(record.key.vpc.id().to_string(), vpcs[0].id);
    }
}

fn posts(simulation: &Simulation) -> usize {
    let made = |call: &&emulator::clouds::Call| call.method == "POST" && call.path.ends_with("/vpcs");
    simulation.clouds.calls().iter().filter(made).count()
}

#[tokio::test(start_paused = true)]
async fn a_vpc_is_made_waited_for_and_peered() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    send(&simulation, &ground.both()).await;
    simulation.run_until("the VPC to be asked for", async |this| !vpcs(this).is_empty()).await;
    simulation.run_for(Duration::from_secs(5)).await;
    let waiting = row(&simulation, &ground).await;
    assert_eq!((waiting.status, waiting.reference.as_deref()), (Status::WaitingForAiven, Some("CHG-1")));
    assert!(waiting.progress.waiting.unwrap().reason.contains("not ACTIVE"));
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    let records = simulation.records().await;
    assert!(records.iter().all(|record| record.reference.as_deref() == Some("CHG-1")));
    assert_eq!(posts(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_there_is_used_and_called_adopted() {
    let set = |world: &mut World| {
        let ground = Ground::set(world);
        world.add_organization_vpc(&ground.organization, CLOUD, CIDR);
        ground
    };
    let (mut simulation, ground) = Simulation::new(set);
    send(&simulation, &ground.both()).await;
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Adopted).await;
    assert_eq!(posts(&simulation), 0);
}

#[tokio::test(start_paused = true)]
async fn the_same_range_in_another_cloud_is_another_vpc() {
    let set = |world: &mut World| {
        let ground = Ground::set(world);
        world.add_organization_vpc(&ground.organization, "azure-northeurope", CIDR);
        ground
    };
    let (mut simulation, ground) = Simulation::new(set);
    send(&simulation, &ground.request("CHG-1", &[])).await;
    simulation.drain().await;
    assert_eq!((vpcs(&simulation).len(), posts(&simulation)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_twin_that_is_being_deleted_is_waited_for() {
    let set = |world: &mut World| {
        let ground = Ground::set(world);
        let old = world.add_organization_vpc(&ground.organization, CLOUD, CIDR);
        world.aiven_vpc_mut(&old).unwrap().state = "DELETING".to_owned();
        world.after(Duration::from_secs(600), move |world| world.aiven_vpcs.retain(|vpc| vpc.id != old));
        ground
    };
    let (mut simulation, ground) = Simulation::new(set);
    send(&simulation, &ground.both()).await;
    simulation.run_for(Duration::from_secs(540)).await;
    assert_eq!(posts(&simulation), 0);
    let waiting = row(&simulation, &ground).await.progress.waiting.unwrap();
    assert_eq!(waiting.code, "vpc_deleting");
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
}

#[tokio::test(start_paused = true)]
async fn range_in_use_is_refused_by_reference() {
    let set = |world: &mut World| {
        let mut ground = Ground::set(world);
        let subscription = ground.vnets[0].split('/').nth(2).unwrap().to_owned();
        ground.vnets.push(world.add_vnet(&subscription, "Network-RG", "Overlaps", &["10.250.0.0/16"]));
        let hub = world.add_vnet(&subscription, "Network-RG", "Hub", &["10.250.0.0/20"]);
        world.peer_by_hand(&ground.vnets[1], "to-hub", &hub);
        world.peer_by_hand(&hub, "to-spoke", &ground.vnets[1]);
        ground
    };
    let (mut simulation, ground) = Simulation::new(set);
    send(&simulation, &ground.request("own", &[&ground.vnets[0], &ground.vnets[2]])).await;
    simulation.drain().await;
    send(&simulation, &ground.request("peered", &[&ground.vnets[1]])).await;
    simulation.drain().await;
    assert_eq!((posts(&simulation), simulation.records().await.len()), (0, 0));
    let rejected = rejected(&simulation).await;
    for (reference, reason) in [
        ("own", "VNet's 10.250.0.0/16 overlaps the Aiven VPC's 10.250.0.0/24"),
        ("peered", "10.250.0.0/20, peered already as to-hub, overlaps the Aiven VPC's 10.250.0.0/24"),
    ] {
        let row = rejected.iter().find(|row| row.str("reference") == Some(reference)).unwrap();
        assert!(row.str("reason").unwrap().contains(reason), "{row:?}");
    }
    let row = row(&simulation, &ground).await;
    assert_eq!((row.status, row.is_idle()), (Status::NeedsAttention, true));
    assert!(row.progress.fault.unwrap().given_up);
}

#[tokio::test(start_paused = true)]
async fn of_two_requests_the_one_that_fits_is_met() {
    let set = |world: &mut World| {
        let ground = Ground::set(world);
        let subscription = ground.vnets[0].split('/').nth(2).unwrap().to_owned();
        let overlaps = world.add_vnet(&subscription, "Network-RG", "Overlaps", &["10.250.0.0/16"]);
        (ground, overlaps)
    };
    let (mut simulation, (ground, overlaps)) = Simulation::new(set);
    send(&simulation, &ground.request("bad", &[&overlaps])).await;
    send(&simulation, &ground.both()).await;
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    let rejected = rejected(&simulation).await;
    assert_eq!(rejected.iter().map(|row| row.str("reference").unwrap()).collect::<Vec<_>>(), ["bad"]);
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_for_the_same_get_one_vpc() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    for n in 0..5 {
        let vnet = &ground.vnets[n % 2];
        send(&simulation, &ground.request(&format!("CHG-{n}"), &[vnet])).await;
    }
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    send(&simulation, &ground.both()).await;
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    assert_eq!(posts(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn one_deleted_since_is_made_again() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    send(&simulation, &ground.request("CHG-1", &[])).await;
    simulation.drain().await;
    simulation.world().aiven_vpcs.clear();
    send(&simulation, &ground.request("CHG-2", &[])).await;
    simulation.drain().await;
    assert_eq!((vpcs(&simulation).len(), posts(&simulation)), (1, 2));
    assert_eq!(row(&simulation, &ground).await.provenance, Some(Provenance::Created));
}

#[tokio::test(start_paused = true)]
async fn refusal_by_aiven_calls_a_person_and_goes_on() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    let refusal = Fault::refuse(Service::Aiven, 403, "", "VPC limit of the organization reached");
    let refusal = refusal.method("POST").path("/vpcs").times(3);
    simulation.clouds.fault(refusal);
    send(&simulation, &ground.both()).await;
    simulation.run_for(Duration::from_secs(300)).await;
    let told = row(&simulation, &ground).await;
    assert_eq!((told.status, told.provenance), (Status::NeedsAttention, None), "{told:?}");
    assert!(told.progress.fault.unwrap().command.contains("ask Aiven's support for more"));
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
}

#[tokio::test(start_paused = true)]
async fn unreadable_vnet_is_told_with_the_command() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    simulation.world().role_assignments.clear();
    send(&simulation, &ground.both()).await;
    simulation.run_for(Duration::from_secs(3 * 3600)).await;
    let told = row(&simulation, &ground).await;
    let command = told.progress.fault.unwrap().command;
    assert!(command.starts_with("az role assignment create") && command.contains("--role Reader"), "{command}");
    assert_eq!(posts(&simulation), 0);
}

#[tokio::test(start_paused = true)]
async fn the_allow_lists_bound_what_may_be_made_and_for_what() {
    for (setting, value, reason) in [
        ("ALLOWED_VPCS", "project:other", "is not among ALLOWED_VPCS"),
        ("ALLOWED_SUBSCRIPTIONS", "99999999-9999-4999-8999-999999999999", "is not among ALLOWED_SUBSCRIPTIONS"),
    ] {
        let setup = Setup { settings: [(setting.to_owned(), value.to_owned())].into(), ..Setup::default() };
        let (mut simulation, ground) = Simulation::start(setup, Ground::set);
        send(&simulation, &ground.both()).await;
        simulation.drain().await;
        let rows = rejected(&simulation).await;
        assert_eq!(rows[0].str("reference"), Some("CHG-1"));
        assert!(rows[0].str("reason").unwrap().contains(reason), "{rows:?}");
        assert_eq!(simulation.clouds.calls().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn owner_on_the_allow_list_may_ask() {
    let set = |world: &mut World| {
        let ground = Ground::set(world);
        world.app_settings.insert("ALLOWED_VPCS".to_owned(), format!("org:{}", ground.organization));
        ground
    };
    let (mut simulation, ground) = Simulation::new(set);
    send(&simulation, &ground.both()).await;
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
}

/// Each death is before another call: of storage, of Aiven, of ARM. So every pair of neighbouring lines has one in between.
#[test]
fn death_before_any_call_makes_one_vpc() {
    let moments = simulation::run(async {
        let (mut simulation, ground) = Simulation::new(Ground::set);
        let before = simulation.moments.count();
        send(&simulation, &ground.both()).await;
        simulation.run_until("the VPC to be ready", async |this| row_is_done(this, &ground).await).await;
        simulation.moments.count() - before
    });
    assert!(moments > 15, "{moments}");
    run_each(1..=moments + 2, |n| async move {
        let (mut simulation, ground) = Simulation::new(Ground::set);
        simulation.moments.die_before(n);
        send(&simulation, &ground.both()).await;
        simulation.drain().await;
        assert_eq!(simulation.deaths(), 1, "moment {n}");
        assert_made_once(&simulation, &ground, Provenance::Created).await;
        assert_eq!(posts(&simulation), 1, "moment {n}");
    });
}

async fn row_is_done(simulation: &Simulation, ground: &Ground) -> bool {
    let found = VpcRequests::new(simulation.storage.clone()).load(&ground.id()).await;
    matches!(found, Ok(Lookup::Found(held)) if held.value.status == Status::Active)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_makes_no_second_vpc() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    simulation.clouds.fault(Fault::cut_after().on(Service::Aiven).method("POST").path("/vpcs"));
    send(&simulation, &ground.both()).await;
    simulation.drain().await;
    assert_eq!(simulation.clouds.faults_left(), 0);
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    assert_eq!(posts(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn redelivered_request_and_old_hints_are_absorbed() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    let text = ground.both().to_string();
    simulation.app().prepare().await.unwrap();
    simulation.invoke("create_vpc", &text, "one", 1).await.unwrap();
    simulation.invoke("create_vpc", &text, "one", 2).await.unwrap();
    assert_eq!(row(&simulation, &ground).await.seq, 1);
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    let before = row(&simulation, &ground).await;
    simulation.invoke("create_vpc", &text, "one", 3).await.unwrap();
    let hint = json!({"schema": SCHEMA, "request": before.id, "seq": 1}).to_string();
    simulation.invoke("await_vpc", &hint, "two", 1).await.unwrap();
    simulation.drain().await;
    assert_eq!(row(&simulation, &ground).await, before);
    assert_eq!(posts(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_is_sent_again() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    simulation.app().prepare().await.unwrap();
    simulation.invoke("create_vpc", &ground.both().to_string(), "one", 1).await.unwrap();
    let queues = simulation.storage.queues.clone();
    let lost = queues.receive("await-vpc", 1, Duration::from_secs(60)).await.unwrap();
    queues.delete("await-vpc", &lost[0]).await.unwrap();
    simulation.run_for(Duration::from_secs(600)).await;
    assert_eq!(posts(&simulation), 0);
    simulation.run_for(Duration::from_secs(20 * 60)).await;
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
}

#[tokio::test(start_paused = true)]
async fn two_workers_with_a_copy_each_make_one_vpc() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    simulation.app().prepare().await.unwrap();
    let text = ground.both().to_string();
    let asked = futures::join!(
        simulation.invoke("create_vpc", &text, "one", 1),
        simulation.invoke("create_vpc", &text, "one", 1)
    );
    assert_eq!(asked, (Ok(()), Ok(())));
    let row_before = row(&simulation, &ground).await;
    let hint = json!({"schema": SCHEMA, "request": row_before.id, "seq": row_before.seq}).to_string();
    let copies = futures::join!(
        simulation.invoke("await_vpc", &hint, "two", 1),
        simulation.invoke("await_vpc", &hint, "three", 1),
        simulation.invoke("await_vpc", &hint, "two", 1),
    );
    assert_eq!(copies, (Ok(()), Ok(()), Ok(())));
    assert_eq!(posts(&simulation), 1);
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    assert_eq!(posts(&simulation), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_rejected_with_its_reference() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    let mut request = ground.both();
    request["cidr"] = json!("10.250.0.0/25");
    send(&simulation, &request).await;
    simulation.send_to("await-vpc", "{}").await;
    simulation.drain().await;
    let rows = rejected(&simulation).await;
    let refused = rows.iter().find(|row| row.str("reference") == Some("CHG-1")).unwrap();
    assert!(refused.str("reason").unwrap().contains("/20 to /24"), "{refused:?}");
    assert_eq!(rows.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn third_poison_message_calls_a_person() {
    let (mut simulation, ground) = Simulation::new(Ground::set);
    send(&simulation, &ground.both()).await;
    simulation.run_until("the VPC to be asked for", async |this| !vpcs(this).is_empty()).await;
    simulation.run_for(Duration::from_secs(1)).await;
    for time in 1..=3 {
        let row = row(&simulation, &ground).await;
        assert_eq!((row.poisoned, &row.fault), (time - 1, &None));
        for seq in [row.seq - 1, row.seq] {
            let message = json!({"schema": SCHEMA, "request": row.id, "seq": seq}).to_string();
            simulation.send_to("await-vpc-poison", &message).await;
        }
        simulation.ring("sweep").await.unwrap();
    }
    let told = row(&simulation, &ground).await;
    assert_eq!((told.status, told.is_idle()), (Status::NeedsAttention, false));
    assert!(
        told.progress.fault.unwrap().what.contains("await_vpc was sent 3 times over and never done"),
        "{}",
        simulation.shown().await
    );
    simulation.drain().await;
    assert_made_once(&simulation, &ground, Provenance::Created).await;
    assert_eq!(row(&simulation, &ground).await.poisoned, 0);
}
