//! What is there before anybody comes: a VPC, a network, somebody who may log in, and on demand the Azure side's objects.

use emulator::clouds::roles::NETWORK_CONTRIBUTOR;
use emulator::clouds::{AIVEN_APPLICATION, Admitted, Clouds, Pair, World};
use serde_json::{Value, json};

use crate::arguments::{Arguments, Owner};

/// The scene's ids and secrets, all of them of these clouds only.
pub struct Scene {
    pair: Pair,
    second: Option<Pair>,
    administrator: (String, String),
    prepared: Option<Prepared>,
}

/// What the runbook has made when it comes to Aiven's half.
struct Prepared {
    app_id: String,
}

impl Scene {
    /// Sets it up.
    pub fn set(arguments: &Arguments, clouds: &Clouds) -> Self {
        let mut world = clouds.world();
        let mut pairs = world.pairs(1, 1, 1, arguments.vpc == Owner::Project);
        let pair = pairs.remove(0);
        let second = (arguments.vpc == Owner::Both).then(|| world.pairs(1, 1, 1, true).remove(0));
        if let (Owner::Project, Some(project)) = (arguments.vpc, pair.vpc["project"].as_str()) {
            let description = "office".to_owned();
            world.add_service(project, "pg-1", Some(&pair.vpc_id)).ip_filter =
                vec![Admitted::Described { network: "192.0.2.1/32".to_owned(), description }];
        }
        let home = world.home_tenant.clone();
        let administrator = world.add_administrator(&home);
        let prepared = arguments.prepared.then(|| prepare(&mut world, &pair));
        Self { pair, second, administrator, prepared }
    }

    /// Where everything is, and who may do what.
    pub fn told(&self, clouds: &Clouds, time_scale: f64) -> Value {
        let settings = clouds.settings();
        let world = clouds.world();
        let remote = world.aiven_vpc(&self.pair.vpc_id).map(|vpc| vpc.azure_vnet.clone());
        let (client, secret) = &self.administrator;
        json!({
            "arm": world.urls.arm, "entra": world.urls.entra, "graph": world.urls.graph, "aiven": world.urls.aiven,
            "key_vault": world.urls.key_vault,
            "certificate": settings.get("SSL_CERT_FILE"), "aiven_token": settings.get("AIVEN_TOKEN"),
            "tenant": world.home_tenant, "aiven_tenant": world.aiven_tenant, "time_scale": time_scale,
            "administrator": {"app_id": client, "secret": secret},
            "vpc": self.pair.vpc, "vnet": self.pair.vnet, "aiven_vnet": remote,
            "second": self.second.as_ref().map(|pair| json!({"vpc": pair.vpc, "vnet": pair.vnet})),
            "app_id": self.prepared.as_ref().map(|prepared| &prepared.app_id),
        })
    }

    /// Makes the network's own half at once, as a person would by hand.
    pub fn peer_network(&self, clouds: &Clouds) {
        let mut world = clouds.world();
        if let Some(remote) = world.aiven_vpc(&self.pair.vpc_id).map(|vpc| vpc.azure_vnet.clone()) {
            world.peer_by_hand(&self.pair.vnet, "to-aiven", &remote);
        }
    }

    /// Id of the VPC.
    pub fn vpc_id(&self) -> &str {
        &self.pair.vpc_id
    }

    /// Resource id of the network.
    pub fn vnet(&self) -> &str {
        &self.pair.vnet
    }
}

/// Steps 1 to 9 of the published runbook, long done.
fn prepare(world: &mut World, pair: &Pair) -> Prepared {
    let home = world.home_tenant.clone();
    let app_id = world.add_application(&home, "peering", None, true);
    let ours = world.add_service_principal(&home, &app_id);
    let aiven = world.add_service_principal(&home, AIVEN_APPLICATION);
    let subscription = pair.vnet.split('/').nth(2).unwrap_or_default().to_owned();
    let peer = ["Microsoft.Network/virtualNetworks/peer/action"];
    let role = world.add_role_definition(&subscription, None, "peer only", &peer);
    world.assign_role(&pair.vnet, NETWORK_CONTRIBUTOR, &ours);
    world.assign_role(&pair.vnet, &role, &aiven);
    Prepared { app_id }
}
