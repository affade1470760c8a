//! The published variants of the runbook, each from one message to `Active` and a verdict on its services; the blog's from two.

use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::{AIVEN_APPLICATION, Admitted, Clouds, Pair, World};
use emulator::environment::{Environment, Setup};
use emulator::host::Duplicate;
use functions::peering::Status;
use serde_json::{Value, json};
use simulation::Simulation;

use crate::scene;

const LIMIT: Duration = Duration::from_secs(150);
/// Nominal time runs this much faster than the wall clock.
const SCALE: f64 = 120.0;
/// Managed Service for TimescaleDB has an application of its own.
const MST_APPLICATION: &str = "0f0f0f0f-1111-4222-8333-444444444444";
/// What a test does to the clouds.
type Upset = fn(&mut World);
const TIMESCALE_CLOUD: &str = "timescale-azure-westeurope";

/// A variant's scene: whose VPC, in which cloud, as which application Aiven peers.
struct Variant {
    project: Option<&'static str>,
    cloud: &'static str,
    application: &'static str,
}

impl Variant {
    fn set(&self, world: &mut World) -> Pair {
        if self.application != AIVEN_APPLICATION {
            world.set_aiven_application(self.application);
            world.app_settings.insert("AIVEN_APPLICATION_ID".to_owned(), self.application.to_owned());
        }
        let home = world.home_tenant.clone();
        let subscription = world.add_subscription(&home);
        let vnet = world.add_vnet(&subscription, "Network-RG", "User-VNet", &["10.1.0.0/16"]);
        let organization = world.add_organization();
        let (vpc_id, vpc) = match self.project {
            Some(project) => {
                world.add_project_in(&organization, project);
                let id = world.add_project_vpc(project, self.cloud, "10.200.0.0/24");
                (id.clone(), json!({"project": project, "id": id}))
            }
            None => {
                let id = world.add_organization_vpc(&organization, self.cloud, "10.200.0.0/24");
                (id.clone(), json!({"organization": organization, "id": id}))
            }
        };
        let project = world.add_project_in(&organization, self.project.unwrap_or("demo-project"));
        let described = Admitted::Described { network: "10.1.0.0/16".to_owned(), description: "the VNet".to_owned() };
        world.add_service(&project, "pg-1", Some(&vpc_id)).ip_filter = vec!["192.0.2.1".into(), described];
        Pair { vpc, vpc_id, vnet }
    }

    async fn runs(self) {
        let mut pair = None;
        let prepare = |clouds: &Clouds| pair = Some(self.set(&mut clouds.world()));
        let environment = scene::setup(SCALE).start(prepare).await.unwrap();
        let pair = pair.unwrap();
        environment.request(&pair).await.unwrap();
        let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
        assert_peered(&environment, &pair, self.application);
        let seen = connectivity(&records[0]);
        assert_eq!(
            (&seen["good"], &seen["services"][0]["addresses"]),
            (&json!(true), &json!(["10.200.0.4"])),
            "{seen}"
        );
        let of_project = format!("{}/pg-1", self.project.unwrap_or("demo-project"));
        assert_eq!(seen["services"][0]["service"], json!(of_project));
        environment.stop().await;
    }
}

fn connectivity(record: &Entity) -> Value {
    scene::json(record, "facts")["connectivity"].clone()
}

/// Both clouds say so: both halves connected, traffic allowed both ways; Aiven's principal has the role that may peer, and no other.
fn assert_peered(environment: &Environment, pair: &Pair, application: &str) {
    let world = environment.clouds.world();
    let states: Vec<String> = world.connections(&pair.vpc_id, &pair.vnet).iter().map(|c| c.state.clone()).collect();
    assert_eq!(states, ["ACTIVE"]);
    assert!(world.traffic_flows(&pair.vnet, &pair.vpc_id));
    let principal = world.service_principal(&world.home_tenant, application).unwrap();
    let roles: Vec<&str> = world
        .assignments_at(&pair.vnet)
        .iter()
        .filter(|assignment| assignment.principal_id == principal.id)
        .map(|assignment| assignment.role.as_str())
        .collect();
    let subscription = pair.vnet.split('/').nth(2).unwrap();
    let definitions = world.role_definitions_in(subscription);
    let actions: Vec<_> = definitions.iter().filter(|role| roles.contains(&role.name.as_str())).collect();
    assert_eq!(
        (roles.len(), &actions[0].actions),
        (1, &vec!["Microsoft.Network/virtualNetworks/peer/action".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organization_vpc_of_aivens_runbook() {
    Variant { project: None, cloud: "azure-westeurope", application: AIVEN_APPLICATION }.runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_vpc_of_aivens_runbook() {
    Variant { project: Some("demo-project"), cloud: "azure-westeurope", application: AIVEN_APPLICATION }.runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managed_service_for_timescaledb_with_an_application_of_its_own() {
    Variant { project: Some("mst-project"), cloud: TIMESCALE_CLOUD, application: MST_APPLICATION }.runs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timescale_article_with_aivens_application() {
    Variant { project: Some("timescale-project"), cloud: TIMESCALE_CLOUD, application: AIVEN_APPLICATION }.runs().await;
}

/// Only addresses of 127.0.0.0/8 are this machine's, and only Linux has all of them: so that a connection is really made, the VPC is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_blogs_vpc_is_made_then_peered_then_looked_up_and_connected_to() {
    let mut ground = None;
    let prepare = |clouds: &Clouds| {
        let mut world = clouds.world();
        let home = world.home_tenant.clone();
        let (organization, subscription) = (world.add_organization(), world.add_subscription(&home));
        let vnet = world.add_vnet(&subscription, "aiven-test", "aiven-test-nw", &["10.1.0.0/16"]);
        world.app_settings.insert("APP_VNET".to_owned(), vnet.clone());
        ground = Some((world.add_project_in(&organization, "blog"), vnet));
    };
    // Every message comes twice, and still one VPC is made.
    let setup = Setup { duplicate: Duplicate::Each, ..scene::setup(SCALE) };
    let environment = setup.start(prepare).await.unwrap();
    let (project, vnet) = ground.unwrap();

    let cidr = if cfg!(target_os = "linux") { "127.77.0.0/24" } else { "10.200.0.0/24" };
    let request =
        json!({"version": 1, "cloud": "azure-japaneast", "cidr": cidr, "project": project, "reference": "blog-1"});
    environment.account.enqueue("vpc-requests", &request.to_string()).await.unwrap();
    let vpc_id = made(&environment).await;
    assert_eq!(environment.clouds.world().aiven_vpc(&vpc_id).unwrap().state, "ACTIVE");

    let host = environment.clouds.world().add_service(&project, "doi-test", Some(&vpc_id)).components[0].host.clone();
    let open = if cfg!(target_os = "linux") { environment.clouds.open_service(&host).await.ok() } else { None };
    let pair = Pair { vpc: json!({"project": project, "id": vpc_id}), vpc_id, vnet };
    environment.request(&pair).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.world().aiven_vpcs.len(), 1);
    assert_peered(&environment, &pair, AIVEN_APPLICATION);
    let seen = connectivity(&records[0]);
    let reach = &seen["services"][0];
    assert_eq!(reach["host"], json!(host));
    if cfg!(target_os = "linux") {
        assert_eq!((&reach["addresses"], &reach["connected"]), (&json!(["127.77.0.4"]), &json!(true)), "{seen}");
        assert_eq!(seen["good"], json!(true), "{seen}");
        assert!(open.unwrap().accepted() >= 1, "the app itself opened the connection");
    }
    environment.stop().await;
}

/// Waits until a VPC that was asked for is there, and its peerings are asked for; returns its id.
async fn made(environment: &Environment) -> String {
    let began = std::time::Instant::now();
    loop {
        let rows = environment.rows("vpcs").await.unwrap();
        let row = rows.iter().find(|row| scene::text(row, "PartitionKey") == "request");
        if let Some(row) = row.filter(|row| scene::text(row, "status") == "Active") {
            assert_eq!((scene::text(row, "reference"), scene::text(row, "provenance")), ("blog-1", "created"));
            return scene::text(row, "vpc").to_owned();
        }
        assert!(began.elapsed() < LIMIT, "no VPC was made: {rows:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_timescale_does_not_let_its_users_do_is_explained() {
    let upsets: [(Upset, &str); 2] = [
        (World::refuse_timescale_user, "ask Timescale's support to make the peering"),
        (World::refuse_tenant, "use a token of the brand that owns the project"),
    ];
    for (upset, command) in upsets {
        let variant = Variant { project: Some("mst-project"), cloud: TIMESCALE_CLOUD, application: MST_APPLICATION };
        let set = |world: &mut World| {
            upset(world);
            variant.set(world)
        };
        let (mut simulation, pair) = Simulation::new(set);
        simulation.request("create", &pair).await;
        simulation.settle().await;
        let record = simulation.record(&pair).await.unwrap();
        let fault = record.fault.clone().unwrap();
        assert_eq!(record.status, Status::NeedsAttention);
        assert!(fault.command.contains(command), "{fault:?}");
    }
}
