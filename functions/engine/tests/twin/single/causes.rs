//! What stops every peering: recorded once, over when the service that it came from answers again.

use super::*;
use crate::cloud::Service;
use crate::engine::{Class, classify};
use crate::state::{Scope, SharedRow};

/// Fails as often as it is told to, then is done.
struct Fails(std::sync::Mutex<Vec<Failure>>);

#[async_trait]
impl Step for Fails {
    async fn look(&self, _: &mut Job) -> Result<Look, Stop> {
        match self.0.lock().unwrap().pop() {
            Some(failure) => Err(failure.into()),
            None => Ok(Look::Done),
        }
    }
}

fn failure(service: Service) -> Failure {
    let failure = crate::engine::tests::failure(service, 401, "");
    assert_eq!(classify(&failure).class, Class::Shared);
    failure
}

fn installation(world: &World) -> SharedRow {
    now(crate::state::Shared::new(world.plain.clone()).load(&Scope::Installation)).unwrap().value
}

#[test]
fn a_cause_is_recorded_at_its_first_sight_and_over_when_the_step_goes_on() {
    let failures = vec![failure(Service::ManagedIdentity); 2];
    let world = world_of(Arc::new(Fails(failures.into())));
    let record = world.open("net");
    let begun = world.clock.now();
    run(&world, &record, &delivery("one")).unwrap();
    let cause = installation(&world).cause.unwrap();
    assert_eq!(cause.since, begun);
    world.clock.forward(60);
    run(&world, &record, &delivery("two")).unwrap();
    assert_eq!(installation(&world).cause, Some(cause));
    world.clock.forward(60);
    run(&world, &record, &delivery("three")).unwrap();
    let row = installation(&world);
    let outage = row.outage.unwrap();
    assert_eq!((row.cause, outage.from, outage.to), (None, begun, world.clock.now()));
}

#[test]
fn one_services_answer_does_not_end_anothers_cause() {
    let world = world_of(Arc::new(Fails(vec![failure(Service::ManagedIdentity)].into())));
    let record = world.open("net");
    run(&world, &record, &delivery("one")).unwrap();
    drive(world.engine.close_cause()).unwrap();
    assert!(installation(&world).cause.is_some());
    drive(world.engine.open_cause(&failure(Service::Aiven))).unwrap();
    assert!(installation(&world).cause.unwrap().code.starts_with("ManagedIdentity"), "the first is told");
}

#[test]
fn aivens_cause_is_over_when_aiven_answers() {
    let world = world_of(Arc::new(Pass));
    drive(world.engine.open_cause(&failure(Service::Aiven))).unwrap();
    drive(world.engine.close_cause()).unwrap();
    let row = installation(&world);
    assert!(row.cause.is_none() && row.outage.is_some());
}
