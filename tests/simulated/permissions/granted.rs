//! What the app may do: given as the templates give it, used in a whole life of a peering, and written down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::clouds::{Directory, Pair};
use functions::peering::Status;

use super::grants::{self, Deployed};
use simulation::{Setup, Simulation, Use};

/// An installation that has been given its rights, and nothing has been asked of it yet.
pub struct Granted {
    pub simulation: Simulation,
    /// The first is in the one subscription with grants, the second in another of the same tenant.
    pub pairs: Vec<Pair>,
    pub directory: Directory,
    /// What `grants.bicep` made.
    pub resources: Vec<Deployed>,
    keeps: bool,
}

/// How a test departs from what the templates give.
#[derive(Clone, Copy)]
pub struct Departure<'a> {
    pub project: bool,
    pub peering_role: &'a str,
    /// An action that a role has been robbed of: what the template calls the role, and the action.
    pub without: Option<(&'a str, &'a str)>,
    /// A setting that the app is not given.
    pub unset: Option<&'a str>,
    /// A right in the directory that the identity is given besides.
    pub graph: Option<&'a str>,
    /// Whether roles and permission are at a management group, instead of in the subscription.
    pub landing_zone: bool,
}

/// As the templates have it.
pub const AS_GIVEN: Departure<'_> =
    Departure { project: false, peering_role: "minimal", without: None, unset: None, graph: None, landing_zone: false };

impl Granted {
    pub fn new(departure: Departure<'_>) -> Self {
        let mut settings = BTreeMap::from([("PEERING_ROLE".to_owned(), departure.peering_role.to_owned())]);
        settings.extend(departure.unset.map(|name| (name.to_owned(), String::new())));
        // A role that the app gives away and that was changed is what reconcile looks for: it would stop there.
        let keeps = departure.without.is_none_or(|(role, _)| role == Who::Identity.role());
        let setup = Setup { settings, reconcile: keeps, ..Setup::default() };
        let (simulation, (pairs, directory, resources)) = Simulation::start(setup, |world| {
            let pairs = world.standard(2, 2, departure.project);
            let directory = world.prepare_directory("default");
            if let Some(right) = departure.graph {
                let identity = world.identity_principal_id.clone();
                world.grant_graph(&identity, right);
            }
            let subscription = pairs[0].vnet.split('/').nth(2).unwrap();
            let mut resources = if departure.landing_zone {
                world.management_groups = [(grants::GROUP.to_owned(), [subscription.to_owned()].into())].into();
                let (resources, settings) = grants::landing_zone(world, &directory, departure.peering_role);
                world.app_settings.extend(settings);
                resources
            } else {
                grants::made(world, &directory, &[subscription], departure.peering_role)
            };
            if let Some((role, action)) = departure.without {
                // Told of a role, the app does not look whether it is as it should be: it tries.
                let told = [("PEERING_ROLE_ID", "writerRole"), ("AIVEN_ROLE_ID", "peerOnlyRole")];
                let told = told.iter().find(|(_, symbol)| *symbol == role);
                let name = rob(&mut resources, role, action);
                world.app_settings.extend(told.map(|(setting, _)| ((*setting).to_owned(), name)));
            }
            (pairs, directory, resources)
        });
        grants::deploy(&simulation.clouds, &resources);
        simulation.clouds.reset_calls();
        Self { simulation, pairs, directory, resources, keeps }
    }

    /// Asks for a peering and takes it back, with hours between in which what is lost is made again; `false`: it did not get there.
    pub async fn whole_life(&mut self) -> bool {
        let (sim, pair) = (&mut self.simulation, &self.pairs[0]);
        sim.request("create", pair).await;
        sim.settle().await;
        if sim.record(pair).await.is_none_or(|record| record.status != Status::Active) {
            return false;
        }
        if self.keeps && !is_kept(sim, pair).await {
            return false;
        }
        sim.request("delete", pair).await;
        sim.settle().await;
        sim.run_for(Duration::from_secs(600)).await;
        sim.record(pair).await.is_some_and(|record| record.status == Status::Deleted)
            && sim.world().assignments_at(&pair.vnet).is_empty()
    }

    /// Actions of a role, by what the template calls it.
    pub fn actions(&self, role: &str) -> BTreeSet<String> {
        let role = self.resources.iter().find(|made| made.symbol == role).unwrap();
        actions(role).into_iter().collect()
    }

    /// Who a principal is to the templates.
    pub fn who(&self, principal: &str) -> Option<Who> {
        let identity = self.simulation.world().identity_principal_id.clone();
        let all = [
            (&identity, Who::Identity),
            (&self.directory.principal, Who::Application),
            (&self.directory.aiven_principal, Who::Aiven),
        ];
        all.into_iter().find(|(id, _)| **id == principal).map(|(_, who)| who)
    }

    /// The functions that used each action of somebody, where.
    pub fn used_by(&self, who: Who) -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut used: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for Use { function, check } in self.simulation.uses() {
            if self.who(&check.principal) == Some(who) {
                used.entry(check.action).or_default().insert(function);
            }
        }
        used
    }
}

/// What is lost of it is seen, and made again.
async fn is_kept(sim: &mut Simulation, pair: &Pair) -> bool {
    sim.run_for(Duration::from_secs(2 * 3600)).await;
    let vnet = pair.vnet.to_lowercase();
    sim.world().role_assignments.retain(|a| a.scope.to_lowercase() != vnet);
    sim.world().vnet_mut(&pair.vnet).unwrap().peerings.clear();
    sim.run_for(Duration::from_secs(2 * 3600)).await;
    if sim.record(pair).await.is_none_or(|record| record.status != Status::Drifted) {
        return false;
    }
    // Somebody took it away: it comes again when somebody asks for it.
    sim.request("retry", pair).await;
    sim.settle().await;
    sim.run_for(Duration::from_secs(2 * 3600)).await;
    let assigned = sim.world().assignments_at(&pair.vnet).len();
    let halves = sim.world().vnet(&pair.vnet).unwrap().peerings.len();
    (assigned, halves) == (2, 1) && sim.record(pair).await.is_some_and(|record| record.status == Status::Active)
}

/// Who has rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The function app's identity.
    Identity,
    /// Our application, in our tenant.
    Application,
    /// Aiven's application, in our tenant.
    Aiven,
}

impl Who {
    pub const ALL: [Self; 3] = [Self::Identity, Self::Application, Self::Aiven];

    /// The role that the templates define for it.
    pub fn role(self) -> &'static str {
        match self {
            Self::Identity => "automationRole",
            Self::Application => "writerRole",
            Self::Aiven => "peerOnlyRole",
        }
    }
}

/// What a role allows.
pub fn actions(role: &Deployed) -> Vec<String> {
    let permissions = role.properties["permissions"].as_array().unwrap();
    assert!(permissions.iter().all(|one| one["notActions"].as_array().is_some_and(Vec::is_empty)));
    let all = permissions.iter().flat_map(|one| one["actions"].as_array().unwrap());
    all.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// Takes an action from a role; returns the role's GUID.
fn rob(resources: &mut [Deployed], role: &str, action: &str) -> String {
    let role = resources.iter_mut().find(|made| made.symbol == role).unwrap();
    let actions = role.properties["permissions"][0]["actions"].as_array_mut().unwrap();
    let before = actions.len();
    actions.retain(|one| one != action);
    assert_eq!(actions.len() + 1, before, "{action}");
    if actions.is_empty() {
        // No role is empty.
        actions.push("Microsoft.Support/supportTickets/read".into());
    }
    role.name.clone()
}

/// Actions that a role has though nothing in the emulated clouds fails without them, and why it has them all the same.
pub const SPARE: &[(Who, &str, &str)] = &[
    (
        Who::Identity,
        "Microsoft.Resources/subscriptions/read",
        "tells whether the subscription is of our tenant and enabled; Azure lets whoever has any role there read it, and this says so",
    ),
    (
        Who::Application,
        "Microsoft.Network/virtualNetworks/read",
        "Azure's own clients read the VNet before they write a peering",
    ),
    (
        Who::Application,
        "Microsoft.Network/virtualNetworks/peer/action",
        "Azure checks it on the remote VNet, where Aiven gives it; some report that it is needed on the local one, too",
    ),
    (
        Who::Application,
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/read",
        "Azure's own clients read the peering that they have written",
    ),
    (
        Who::Application,
        "Microsoft.Network/locations/operations/read",
        "why Azure failed to make our half; without it only that there is none",
    ),
    (
        Who::Application,
        "Microsoft.Network/locations/operationResults/read",
        "the same, where Azure announces an operation by its result alone",
    ),
];

/// Settings with an id that may be left out; the step that then looks it up; the right in the directory that it takes.
pub const LOOKED_UP: &[(&str, &str, &str)] = &[
    ("APPLICATION_ID", "register_application", "Application.Read.All"),
    ("APPLICATION_PRINCIPAL_ID", "create_service_principal", "Application.Read.All"),
    ("AIVEN_PRINCIPAL_ID", "admit_aiven", "Application.Read.All"),
];
