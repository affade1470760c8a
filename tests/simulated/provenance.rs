//! Who made it? A handler that dies right after an effect has still created what it made; what was there before is adopted, and stays.

use emulator::clouds::{AIVEN_APPLICATION, Fault, Service};
use functions::peering::{Provenance, Status};
use serde_json::Value;
use simulation::existing::ALL;
use simulation::existing::Thing::{
    self, AivenAssignment, AivenPrincipal, AivenRole, Application, Assignment, Connection, Credential, Half,
    PeeringRole, Principal,
};
use simulation::{Simulation, assert_exactly, existing, run_each, text};

/// Strikes the call that makes a thing, after it took effect.
fn made(thing: Thing, fault: Fault) -> Fault {
    match thing {
        Application => fault.on(Service::Graph).method("PATCH").path("/applications("),
        Principal => fault.on(Service::Graph).method("PATCH").path("/servicePrincipals(").without(AIVEN_APPLICATION),
        Credential => fault.on(Service::Graph).method("POST").path("/federatedIdentityCredentials"),
        PeeringRole => fault.on(Service::Arm).method("PUT").path("/roleDefinitions/"),
        Assignment => fault.on(Service::Arm).method("PUT").path("/roleAssignments/"),
        AivenPrincipal => fault.on(Service::Graph).method("PATCH").path("/servicePrincipals(").path(AIVEN_APPLICATION),
        AivenRole => fault.on(Service::Arm).method("PUT").path("/roleDefinitions/").after(1),
        AivenAssignment => fault.on(Service::Arm).method("PUT").path("/roleAssignments/").after(1),
        Connection => fault.on(Service::Aiven).method("POST").path("/peering-connections").without("refresh"),
        Half => fault.on(Service::Arm).method("PUT").path("/virtualNetworkPeerings/"),
    }
}

/// What the tables say of who made it.
async fn provenance(thing: Thing, simulation: &Simulation) -> String {
    let word = |half: Option<Provenance>| serde_json::to_value(half).unwrap().as_str().unwrap_or_default().to_owned();
    let (row, part) = match thing {
        Connection => return word(simulation.records().await[0].provenance.aiven),
        Half => return word(simulation.records().await[0].provenance.azure),
        Application => ("installation", "application"),
        Principal => ("installation", "principal:"),
        Credential => ("installation", "credential:"),
        AivenPrincipal => ("installation", "aiven_principal"),
        PeeringRole => ("subscription", "peering_role"),
        AivenRole => ("subscription", "aiven_role"),
        Assignment => ("vnet", "assignment"),
        AivenAssignment => ("vnet", "aiven_assignment"),
    };
    let rows = simulation.rows("shared").await;
    let row = rows.iter().find(|found| found.partition == row).unwrap();
    let parts: Value = serde_json::from_str(&text(row, "parts")).unwrap();
    let found = parts.as_object().unwrap().iter().find(|(name, _)| name.starts_with(part));
    found.unwrap_or_else(|| panic!("no {part} in {parts}")).1["provenance"].as_str().unwrap_or_default().to_owned()
}

/// `Active`, with everything there once, made by whom the tables say.
async fn assert_made(simulation: &Simulation, which: Thing, by: impl Fn(Thing) -> &'static str) {
    let records = simulation.records().await;
    assert!(records.iter().all(|r| r.status == Status::Active), "{which:?}: {}", simulation.shown().await);
    for thing in ALL {
        assert_eq!(provenance(thing, simulation).await, by(thing), "{thing:?}, when {which:?}");
    }
}

#[test]
fn crash_after_each_effect_is_still_created() {
    run_each(0..ALL.len(), |n| async move {
        let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
        let moments = simulation.moments.clone();
        simulation.clouds.fault(made(ALL[n], Fault::cut_after_then(move || moments.kill())));
        simulation.request("create", &pairs[0]).await;
        simulation.settle().await;
        assert_eq!((simulation.clouds.faults_left(), simulation.deaths()), (0, 1), "the handler died: {:?}", ALL[n]);
        assert_made(&simulation, ALL[n], |_| "created").await;
        assert_exactly(&simulation.world(), &pairs);
    });
}

#[test]
fn whatever_was_there_before_is_adopted() {
    run_each(0..ALL.len(), |n| async move {
        let last = ALL[n];
        let (mut simulation, pairs) = Simulation::new(|world| {
            let pairs = world.standard(1, 1, false);
            existing::up_to(world, &pairs[0], last);
            pairs
        });
        simulation.request("create", &pairs[0]).await;
        simulation.settle().await;
        assert_made(&simulation, last, |thing| if thing <= last { "adopted" } else { "created" }).await;
        assert_exactly(&simulation.world(), &pairs);
    });
}
