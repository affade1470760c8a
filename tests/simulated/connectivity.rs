//! Whether the services in the VPC can be reached is shown on `Active`, and undoes nothing.

use emulator::clouds::{Fault, Pair, Service, World};
use functions::peering::{Connectivity, Status};
use simulation::Simulation;

const PROJECT: &str = "demo-project";

/// A peering of an organization VPC with one PostgreSQL service in it, whose filter is as Aiven's default.
fn with_a_service(world: &mut World) -> Pair {
    let pair = world.standard(1, 1, false).remove(0);
    world.add_service(PROJECT, "pg-1", Some(&pair.vpc_id));
    pair
}

async fn active(simulation: &mut Simulation, pair: &Pair) -> Connectivity {
    simulation.request("create", pair).await;
    simulation.settle().await;
    verified(simulation, pair).await
}

async fn verified(simulation: &Simulation, pair: &Pair) -> Connectivity {
    let record = simulation.record(pair).await.unwrap();
    assert_eq!((record.status, record.is_idle()), (Status::Active, true), "{}", simulation.shown().await);
    assert!(record.fault.is_none() && record.waiting.is_none(), "{}", simulation.shown().await);
    record.facts.connectivity.unwrap()
}

async fn verify(simulation: &mut Simulation, pair: &Pair) -> Connectivity {
    simulation.request("verify", pair).await;
    simulation.settle().await;
    verified(simulation, pair).await
}

/// The VNet's prefix, in which the standard scene has it.
fn prefix(simulation: &Simulation, pair: &Pair) -> String {
    simulation.world().vnet(&pair.vnet).unwrap().prefixes[0].to_string()
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_in_the_record_and_in_the_journal() {
    let (mut simulation, pair) = Simulation::new(with_a_service);
    let seen = active(&mut simulation, &pair).await;
    assert!(seen.good, "{seen:?}");
    let reach = &seen.services[0];
    let service = simulation.world().service(PROJECT, "pg-1").unwrap().clone();
    assert_eq!((reach.service.as_str(), reach.component.as_str()), ("demo-project/pg-1", "pg"));
    assert_eq!((&reach.host, reach.port), (&service.components[0].host, service.components[0].port));
    assert_eq!(reach.addresses, [std::net::IpAddr::V4(service.address)]);
    assert_eq!(reach.connected, None);
    let journal = simulation.journal().await;
    let line = journal.iter().find(|line| line.contains("verify_connectivity: advance")).unwrap();
    assert!(line.contains("TCP was not tried: the app is not integrated with the VNet"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn printed_command_opens_the_filter() {
    let set = |world: &mut World| {
        let pair = with_a_service(world);
        world.service_mut(PROJECT, "pg-1").unwrap().ip_filter = vec!["192.0.2.1".into()];
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    let prefix = prefix(&simulation, &pair);
    let command = format!("avn service update pg-1 --project {PROJECT} -c ip_filter=192.0.2.1/32,{prefix}");
    assert!(!seen.good && seen.summary.contains(&command), "{}", seen.summary);
    let filter: Vec<&str> = command.rsplit('=').next().unwrap().split(',').collect();
    simulation.world().service_mut(PROJECT, "pg-1").unwrap().ip_filter = filter.into_iter().map(Into::into).collect();
    assert!(verify(&mut simulation, &pair).await.good);
}

#[tokio::test(start_paused = true)]
async fn prefixes_that_the_vnet_got_since_are_looked_at_too() {
    let set = |world: &mut World| {
        let pair = with_a_service(world);
        let prefix = world.vnet(&pair.vnet).unwrap().prefixes[0].to_string();
        world.service_mut(PROJECT, "pg-1").unwrap().ip_filter = vec![prefix.as_str().into()];
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    assert!(active(&mut simulation, &pair).await.good);
    simulation.world().vnet_mut(&pair.vnet).unwrap().prefixes.push("10.99.0.0/24".parse().unwrap());
    let seen = verify(&mut simulation, &pair).await;
    assert!(!seen.good && seen.summary.contains("10.99.0.0/24"), "{}", seen.summary);
}

#[tokio::test(start_paused = true)]
async fn only_running_services_of_this_vpc_count() {
    let set = |world: &mut World| {
        let pair = world.standard(1, 1, false).remove(0);
        world.add_service(PROJECT, "public", None);
        world.add_service(PROJECT, "off", Some(&pair.vpc_id)).state = "POWEROFF".to_owned();
        let service = world.add_service(PROJECT, "pg-1", Some(&pair.vpc_id));
        service.add_component("pg", "public", "primary");
        service.add_component("pg", "dynamic", "replica");
        service.add_component("pgbouncer", "private", "primary");
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    let found: Vec<_> = seen.services.iter().map(|reach| (reach.service.as_str(), reach.component.as_str())).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(service, _)| *service == "demo-project/pg-1"));
    assert!(seen.good && found.iter().any(|(_, component)| *component == "pgbouncer"));
}

#[tokio::test(start_paused = true)]
async fn host_outside_the_vpc_is_no_service_of_it() {
    let set = |world: &mut World| {
        let pair = with_a_service(world);
        world.service_mut(PROJECT, "pg-1").unwrap().components[0].address = "203.0.113.9".parse().unwrap();
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    assert!(!seen.good && seen.summary.contains("203.0.113.9, which is not in the VPC's range"), "{}", seen.summary);
}

#[tokio::test(start_paused = true)]
async fn an_app_inside_the_vnet_tries_and_tells_what_it_got() {
    let set = |world: &mut World| {
        let pair = with_a_service(world);
        world
            .app_settings
            .insert("APP_VNET".to_owned(), pair.vnet.to_uppercase().replace("SUBSCRIPTIONS", "subscriptions"));
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    assert_eq!((seen.good, seen.services[0].connected), (true, Some(true)), "{seen:?}");
    simulation.world().service_mut(PROJECT, "pg-1").unwrap().ip_filter.clear();
    let seen = verify(&mut simulation, &pair).await;
    assert_eq!((seen.good, seen.services[0].connected), (false, Some(false)), "{seen:?}");
    assert!(seen.services[0].verdict.contains("nothing answers on port"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn an_app_in_another_vnet_does_not_try() {
    let set = |world: &mut World| {
        let mut pairs = world.standard(1, 2, false);
        world.add_service(PROJECT, "pg-1", Some(&pairs[0].vpc_id));
        world.app_settings.insert("APP_VNET".to_owned(), pairs[1].vnet.clone());
        pairs.remove(0)
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    assert!(seen.good && seen.summary.contains("peerings are not transitive"), "{}", seen.summary);
}

#[tokio::test(start_paused = true)]
async fn forbidden_services_are_told_as_not_checked() {
    for (status, words) in [(403, "services read"), (503, "did not answer as it should")] {
        let (mut simulation, pair) = Simulation::new(with_a_service);
        simulation
            .clouds
            .fault(Fault::refuse(Service::Aiven, status, "", "no").method("GET").path("/service").always());
        simulation.request("create", &pair).await;
        simulation
            .run_until("rest", async |this| this.record(&pair).await.is_some_and(|record| record.is_idle()))
            .await;
        let seen = verified(&simulation, &pair).await;
        assert!(!seen.good && seen.summary.starts_with("not checked: "), "{}", seen.summary);
        assert!(seen.summary.contains(words), "{}", seen.summary);
        assert!(!simulation.journal().await.iter().any(|line| line.contains(": fix ")));
        simulation.clouds.clear_faults();
        assert!(verify(&mut simulation, &pair).await.good);
    }
}

#[tokio::test(start_paused = true)]
async fn one_project_that_may_not_be_seen_hides_no_other() {
    let set = |world: &mut World| {
        let pair = with_a_service(world);
        world.add_project("secret-project");
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    simulation
        .clouds
        .fault(Fault::refuse(Service::Aiven, 403, "", "no").path("/project/secret-project/service").always());
    simulation.request("create", &pair).await;
    simulation.run_until("rest", async |this| this.record(&pair).await.is_some_and(|record| record.is_idle())).await;
    let seen = verified(&simulation, &pair).await;
    assert!(seen.good && seen.services.len() == 1, "{seen:?}");
    assert!(seen.summary.contains("1 of 2 projects could not be looked at"), "{}", seen.summary);
}

#[tokio::test(start_paused = true)]
async fn aiven_away_for_a_moment_is_waited_for() {
    let (mut simulation, pair) = Simulation::new(with_a_service);
    simulation.clouds.fault(Fault::unavailable(Service::Aiven).path("/service").times(6));
    simulation.request("create", &pair).await;
    simulation.run_until("rest", async |this| this.record(&pair).await.is_some_and(|record| record.is_idle())).await;
    assert!(verified(&simulation, &pair).await.good);
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_services_fit_in_row_and_budget() {
    let set = |world: &mut World| {
        let pair = world.standard(1, 1, false).remove(0);
        for n in 0..200 {
            let service = world.add_service(&format!("project-{}", n % 40), &format!("pg-{n}"), Some(&pair.vpc_id));
            service.ip_filter.clear();
        }
        pair
    };
    let (mut simulation, pair) = Simulation::new(set);
    let seen = active(&mut simulation, &pair).await;
    assert!(!seen.good && seen.summary.starts_with("200 of 200"), "{}", seen.summary);
    assert!(seen.left_out > 0 && seen.services.len() + seen.left_out == 200);
}

#[tokio::test(start_paused = true)]
async fn peerings_active_together_list_services_once() {
    let set = |world: &mut World| {
        let pairs = world.pairs(1, 10, 10, false);
        world.add_service(PROJECT, "pg-1", Some(&pairs[0].vpc_id));
        pairs
    };
    let (mut simulation, pairs) = Simulation::new(set);
    for pair in &pairs {
        simulation.request("create", pair).await;
    }
    simulation.settle().await;
    for pair in &pairs {
        assert!(verified(&simulation, pair).await.good);
    }
    let lists = simulation.clouds.calls().iter().filter(|call| call.path.ends_with("/service")).count();
    assert!(lists < 10, "{lists}");
}
