//! The published variants of the runbook, each from one message to `Active` and a verdict on its services.

use emulator::clouds::{AIVEN_APPLICATION, Admitted, Pair, World};
use functions::peering::Status;
use serde_json::json;
use simulation::Simulation;

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
        let (mut simulation, pair) = Simulation::new(|world| self.set(world));
        simulation.request("create", &pair).await;
        simulation.settle().await;
        let record = simulation.record(&pair).await.unwrap();
        assert!(record.status == Status::Active && record.is_idle(), "{}", simulation.shown().await);
        assert_peered(&simulation.world(), &pair, self.application);
        let seen = record.facts.connectivity.unwrap();
        assert!(seen.good, "{seen:?}");
        assert_eq!(seen.services[0].addresses, ["10.200.0.4".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(seen.services[0].service, format!("{}/pg-1", self.project.unwrap_or("demo-project")));
    }
}

/// Both clouds say so: both halves connected, traffic allowed both ways; Aiven's principal has the role that may peer, and no other.
fn assert_peered(world: &World, pair: &Pair, application: &str) {
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

#[tokio::test(start_paused = true)]
async fn organization_vpc() {
    Variant { project: None, cloud: "azure-westeurope", application: AIVEN_APPLICATION }.runs().await;
}

#[tokio::test(start_paused = true)]
async fn project_vpc() {
    Variant { project: Some("demo-project"), cloud: "azure-westeurope", application: AIVEN_APPLICATION }.runs().await;
}

#[tokio::test(start_paused = true)]
async fn timescale_with_an_application_of_its_own() {
    Variant { project: Some("mst-project"), cloud: TIMESCALE_CLOUD, application: MST_APPLICATION }.runs().await;
}

#[tokio::test(start_paused = true)]
async fn timescale_with_aivens_application() {
    Variant { project: Some("timescale-project"), cloud: TIMESCALE_CLOUD, application: AIVEN_APPLICATION }.runs().await;
}

#[tokio::test(start_paused = true)]
async fn what_timescale_does_not_allow_is_explained() {
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
