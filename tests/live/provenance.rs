//! Who made it? A crash right after the effect, at each step that makes something, still ends as `created`;
//! what was there before ends as `adopted`, and stays as it was.

use std::time::Duration;

use emulator::clouds::{AIVEN_APPLICATION, Clouds, Fault, Service};
use emulator::environment::Environment;
use simulation::existing::ALL;
use simulation::existing::Thing::{
    self, AivenAssignment, AivenPrincipal, AivenRole, Application, Assignment, Connection, Credential, Half,
    PeeringRole, Principal,
};

use crate::scene;

const LIMIT: Duration = Duration::from_secs(90);
/// Nominal time runs this much faster than the wall clock.
const SCALE: f64 = 120.0;

trait Made {
    fn made(self, fault: Fault) -> Fault;
    async fn provenance(self, environment: &Environment) -> String;
}

impl Made for Thing {
    /// Strikes the call that makes it, after it took effect.
    fn made(self, fault: Fault) -> Fault {
        match self {
            Application => fault.on(Service::Graph).method("PATCH").path("/applications("),
            Principal => {
                fault.on(Service::Graph).method("PATCH").path("/servicePrincipals(").without(AIVEN_APPLICATION)
            }
            Credential => fault.on(Service::Graph).method("POST").path("/federatedIdentityCredentials"),
            PeeringRole => fault.on(Service::Arm).method("PUT").path("/roleDefinitions/"),
            Assignment => fault.on(Service::Arm).method("PUT").path("/roleAssignments/"),
            AivenPrincipal => {
                fault.on(Service::Graph).method("PATCH").path("/servicePrincipals(").path(AIVEN_APPLICATION)
            }
            AivenRole => fault.on(Service::Arm).method("PUT").path("/roleDefinitions/").after(1),
            AivenAssignment => fault.on(Service::Arm).method("PUT").path("/roleAssignments/").after(1),
            Connection => fault.on(Service::Aiven).method("POST").path("/peering-connections").without("refresh"),
            Half => fault.on(Service::Arm).method("PUT").path("/virtualNetworkPeerings/"),
        }
    }

    /// What the tables say of who made it.
    async fn provenance(self, environment: &Environment) -> String {
        let of_record = |half: &str, records: Vec<_>| {
            scene::json(&records[0], "provenance")[half].as_str().unwrap_or_default().to_owned()
        };
        let (row, part) = match self {
            Connection => return of_record("aiven", environment.records().await.unwrap()),
            Half => return of_record("azure", environment.records().await.unwrap()),
            Application => ("installation", "application"),
            Principal => ("installation", "principal:"),
            Credential => ("installation", "credential:"),
            AivenPrincipal => ("installation", "aiven_principal"),
            PeeringRole => ("subscription", "peering_role"),
            AivenRole => ("subscription", "aiven_role"),
            Assignment => ("vnet", "assignment"),
            AivenAssignment => ("vnet", "aiven_assignment"),
        };
        let rows = environment.rows("shared").await.unwrap();
        let row = rows.iter().find(|r| scene::text(r, "PartitionKey") == row).unwrap();
        let parts = scene::json(row, "parts");
        let found = parts.as_object().unwrap().iter().find(|(name, _)| name.starts_with(part));
        found.unwrap_or_else(|| panic!("no {part} in {parts}")).1["provenance"].as_str().unwrap_or_default().to_owned()
    }
}

/// The handler dies in the moment in which the thing has been made, and nobody has heard of it.
async fn a_crash_after(thing: Thing) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| pairs = clouds.world().standard(1, 1, false);
    let environment = scene::setup(SCALE).start(prepare).await.unwrap();
    let control = environment.supervisor.control();
    environment.clouds.fault(thing.made(Fault::cut_after_then(move || control.kill_handler())));
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.faults_left(), 0, "the fault struck");
    assert!(environment.supervisor.counts().launches >= 2, "the handler died");
    for thing in ALL {
        assert_eq!(thing.provenance(&environment).await, "created", "{thing:?}");
    }
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

/// Whoever did the first steps of the runbook by hand finds them used, and not called ours.
async fn what_was_there_up_to(last: Thing) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| {
        let mut world = clouds.world();
        pairs = world.standard(1, 1, false);
        simulation::existing::up_to(&mut world, &pairs[0], last);
    };
    let environment = scene::setup(SCALE).start(prepare).await.unwrap();
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    for thing in ALL {
        let expected = if thing <= last { "adopted" } else { "created" };
        assert_eq!(thing.provenance(&environment).await, expected, "{thing:?}");
    }
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

macro_rules! each {
    ($($thing:ident: $crash:ident, $before:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $crash() {
            a_crash_after($thing).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn $before() {
            what_was_there_up_to($thing).await;
        }
    )*};
}

each! {
    Application: a_crash_after_the_application_was_made, an_application_of_before_is_adopted;
    Principal: a_crash_after_the_principal_was_made, a_principal_of_before_is_adopted;
    Credential: a_crash_after_the_credential_was_made, a_credential_of_before_is_adopted;
    PeeringRole: a_crash_after_the_peering_role_was_made, a_peering_role_of_before_is_adopted;
    Assignment: a_crash_after_the_assignment_was_made, an_assignment_of_before_is_adopted;
    AivenPrincipal: a_crash_after_aivens_principal_was_made, aivens_principal_of_before_is_adopted;
    AivenRole: a_crash_after_aivens_role_was_made, aivens_role_of_before_is_adopted;
    AivenAssignment: a_crash_after_aivens_assignment_was_made, aivens_assignment_of_before_is_adopted;
    Connection: a_crash_after_the_connection_was_made, a_connection_of_before_is_adopted;
    Half: a_crash_after_the_half_was_made, a_half_of_before_is_adopted;
}
