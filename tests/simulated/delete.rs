//! Delete after create leaves the clouds exactly as they were, but for what belongs to the installation; whatever interrupts it.

use std::time::Duration;

use emulator::clouds::{Fault, Pair, Service, World};
use functions::peering::{Provenance, Status};
use serde_json::json;
use simulation::compare::{assert_as_before, stateless};
use simulation::{Simulation, existing, message, run, run_each};

/// What lingers at Aiven and in Azure is gone by then.
const AFTERMATH: Duration = Duration::from_secs(600);

async fn assert_all(simulation: &Simulation, pairs: &[Pair], status: Status) {
    for pair in pairs {
        let record = simulation.record(pair).await.unwrap();
        assert!(record.status == status && record.is_idle(), "{}", simulation.shown().await);
    }
}

async fn create(simulation: &mut Simulation, pairs: &[Pair]) {
    for pair in pairs {
        simulation.request("create", pair).await;
    }
    simulation.settle().await;
    assert_all(simulation, pairs, Status::Active).await;
}

async fn delete(simulation: &mut Simulation, pairs: &[Pair]) {
    for pair in pairs {
        simulation.request("delete", pair).await;
    }
    finish(simulation, pairs).await;
}

async fn finish(simulation: &mut Simulation, pairs: &[Pair]) {
    simulation.settle().await;
    assert_all(simulation, pairs, Status::Deleted).await;
    simulation.run_for(AFTERMATH).await;
    assert_all(simulation, pairs, Status::Deleted).await;
}

/// Creates and deletes, and compares the clouds.
async fn comes_and_goes(prepare: impl FnOnce(&mut World) -> Vec<Pair>) {
    let (mut simulation, pairs) = Simulation::new(prepare);
    let before = simulation.world().snapshot();
    create(&mut simulation, &pairs).await;
    assert_ne!(simulation.world().snapshot(), before);
    delete(&mut simulation, &pairs).await;
    let shown = simulation.shown().await;
    assert_as_before(&before, &simulation.world().snapshot(), &shown);
}

#[tokio::test(start_paused = true)]
async fn what_was_created_for_an_organization_vpc_goes() {
    comes_and_goes(|world| world.standard(1, 1, false)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_created_for_a_project_vpc_goes() {
    comes_and_goes(|world| world.standard(1, 1, true)).await;
}

#[tokio::test(start_paused = true)]
async fn what_many_share_goes_with_the_last_of_them() {
    comes_and_goes(|world| world.pairs(3, 2, 6, false)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_adopted_stays_thing_by_thing() {
    for last in existing::ALL {
        let (mut simulation, (pairs, before)) = Simulation::new(|world| {
            let pairs = world.standard(1, 1, false);
            existing::up_to(world, &pairs[0], last);
            (pairs, world.snapshot())
        });
        create(&mut simulation, &pairs).await;
        delete(&mut simulation, &pairs).await;
        let journal = simulation.journal().await.join("\n");
        let after = simulation.world().snapshot();
        let told = format!("{last:?}\n{journal}");
        if last == existing::Thing::Connection {
            // Our half went: the connection of before stays, and sees it.
            assert_as_before(&stateless(&before), &stateless(&after), &told);
            assert!(journal.contains("it sees DELETED_BY_PEER"), "{journal}");
        } else {
            assert_as_before(&before, &after, &told);
        }
        assert_eq!(
            journal.contains("Aiven's connection stays"),
            last >= existing::Thing::Connection,
            "{last:?} {journal}"
        );
        assert_eq!(journal.contains("the peering on the VNet stays"), last >= existing::Thing::Half, "{journal}");
    }
}

#[tokio::test(start_paused = true)]
async fn assignments_go_with_the_last_peering_of_a_vnet() {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(2, 1, false));
    let before = simulation.world().snapshot();
    create(&mut simulation, &pairs).await;
    let assigned = simulation.world().snapshot()["roles"].clone();
    delete(&mut simulation, &pairs[..1]).await;
    assert_eq!(simulation.world().snapshot()["roles"], assigned, "the second still needs them");
    assert_all(&simulation, &pairs[1..], Status::Active).await;
    let journal = simulation.journal().await.join("\n");
    assert!(journal.contains("the role assignments stay: another peering of the VNet uses them"), "{journal}");
    delete(&mut simulation, &pairs[1..]).await;
    let shown = simulation.shown().await;
    assert_as_before(&before, &simulation.world().snapshot(), &shown);
}

/// Deletes, and dies before the n-th call of it. `false`: it has fewer.
async fn delete_and_die(n: usize, prepare: impl FnOnce(&mut World) -> Vec<Pair>) -> bool {
    let (mut simulation, (pairs, before)) = Simulation::new(|world| {
        let pairs = prepare(world);
        (pairs, world.snapshot())
    });
    create(&mut simulation, &pairs).await;
    for pair in &pairs {
        simulation.request("delete", pair).await;
    }
    simulation.moments.die_before(n);
    simulation.settle().await;
    let died = !simulation.moments.is_planned();
    simulation.moments.spare();
    finish(&mut simulation, &pairs).await;
    let shown = simulation.shown().await;
    assert_as_before(&before, &simulation.world().snapshot(), &format!("{n}\n{shown}"));
    died
}

/// Created, adopted and shared at once, and the handler dies right after each kind of call that a delete makes.
#[tokio::test(start_paused = true)]
async fn death_after_each_effect_leaves_nothing_behind() {
    let (mut simulation, (pairs, before)) = Simulation::new(|world| {
        // Two of them share a VNet; all of one was there before.
        let pairs = world.pairs(2, 3, 4, false);
        existing::up_to(world, &pairs[1], existing::Thing::Half);
        (pairs, world.snapshot())
    });
    create(&mut simulation, &pairs).await;
    let effects: [fn(Fault) -> Fault; 4] = [
        |fault| fault.on(Service::Aiven).method("DELETE").path("/peering-connection"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/virtualNetworkPeerings/"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/roleAssignments/"),
        |fault| fault.on(Service::Arm).method("DELETE").path("/roleAssignments/").after(1),
    ];
    for effect in effects {
        let moments = simulation.moments.clone();
        simulation.clouds.fault(effect(Fault::cut_after_then(move || moments.kill())));
    }
    delete(&mut simulation, &pairs).await;
    assert_eq!(simulation.clouds.faults_left(), 0, "each death struck");
    assert!(simulation.deaths() >= 3, "{}", simulation.deaths());
    simulation.drain().await;
    assert_eq!(simulation.next_visible(), None, "no message is left, poison queues included");
    let shown = simulation.shown().await;
    assert_as_before(&before, &simulation.world().snapshot(), &shown);
}

/// How many calls something makes.
fn calls(work: impl AsyncFn(&mut Simulation, &[Pair]), prepare: impl FnOnce(&mut World) -> Vec<Pair>) -> usize {
    run(async {
        let (mut simulation, pairs) = Simulation::new(prepare);
        create(&mut simulation, &pairs).await;
        let before = simulation.moments.count();
        work(&mut simulation, &pairs).await;
        simulation.moments.count() - before
    })
}

async fn delete_and_settle(simulation: &mut Simulation, pairs: &[Pair]) {
    for pair in pairs {
        simulation.request("delete", pair).await;
    }
    simulation.settle().await;
}

#[test]
fn organization_vpc_survives_death_before_any_call() {
    let organization = |world: &mut World| world.standard(1, 1, false);
    let count = calls(delete_and_settle, organization);
    assert!(count > 60, "{count}");
    run_each(1..=count, async |n| assert!(delete_and_die(n, organization).await, "{n} of {count}"));
}

#[test]
fn project_vpc_survives_death_before_any_call() {
    let project = |world: &mut World| world.standard(1, 1, true);
    let count = calls(delete_and_settle, project);
    run_each(1..=count, async |n| assert!(delete_and_die(n, project).await, "{n} of {count}"));
}

#[test]
fn two_of_one_vnet_survive_death_before_any_call() {
    let shared = |world: &mut World| world.standard(2, 1, false);
    let count = calls(delete_and_settle, shared);
    // Two side by side: their order, and so the number of calls, is not the same each time.
    run_each(1..count, async |n| {
        delete_and_die(n, shared).await;
    });
}

/// A create in which the delete arrives before the n-th call.
async fn delete_at(n: usize, prepare: impl FnOnce(&mut World) -> Vec<Pair>) {
    let (mut simulation, (pairs, before)) = Simulation::new(|world| {
        let pairs = prepare(world);
        (pairs, world.snapshot())
    });
    simulation.request("create", &pairs[0]).await;
    simulation.send_before(n, message("delete", &pairs[0], &json!({})));
    simulation.settle().await;
    assert!(!simulation.moments.is_planned(), "{n}");
    // Before there is a record there is nothing to delete.
    if simulation.record(&pairs[0]).await.unwrap().status == Status::Active {
        assert_eq!(simulation.rows("rejected").await.len(), 1, "{n}: {}", simulation.shown().await);
        simulation.request("delete", &pairs[0]).await;
    }
    finish(&mut simulation, &pairs).await;
    let shown = simulation.shown().await;
    assert_as_before(&before, &simulation.world().snapshot(), &format!("{n}\n{shown}"));
}

#[test]
fn arrival_before_any_call_of_a_create() {
    let organization = |world: &mut World| world.standard(1, 1, false);
    let count = run(async {
        let (mut simulation, pairs) = Simulation::new(organization);
        create(&mut simulation, &pairs).await;
        simulation.moments.count()
    });
    assert!(count > 200, "{count}");
    run_each(1..=count, async |n| delete_at(n, organization).await);
}

#[tokio::test(start_paused = true)]
async fn what_went_can_come_again() {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
    let before = simulation.world().snapshot();
    for _ in 0..3 {
        create(&mut simulation, &pairs).await;
        let provenance = simulation.record(&pairs[0]).await.unwrap().provenance;
        assert_eq!((provenance.aiven, provenance.azure), (Some(Provenance::Created), Some(Provenance::Created)));
        delete(&mut simulation, &pairs).await;
        let shown = simulation.shown().await;
        assert_as_before(&before, &simulation.world().snapshot(), &shown);
    }
}

/// Somebody removed our half and made one of their own, or did so with the connection at Aiven: it has another name, or id.
#[tokio::test(start_paused = true)]
async fn half_made_by_others_in_place_of_ours_stays() {
    type Replace = fn(&mut World, &Pair);
    let half: Replace = |world, pair| "theirs".clone_into(&mut world.vnet_mut(&pair.vnet).unwrap().peerings[0].name);
    let connection: Replace =
        |world, pair| "theirs".clone_into(&mut world.aiven_vpc_mut(&pair.vpc_id).unwrap().connections[0].id);
    for (replace, theirs) in [(half, "virtualNetworkPeerings"), (connection, "peering-connections/")] {
        let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
        create(&mut simulation, &pairs).await;
        replace(&mut simulation.world(), &pairs[0]);
        simulation.clouds.reset_calls();
        let more = json!({"allow_forwarded_traffic": true, "user_peer_network_cidrs": ["10.77.0.0/16"]});
        simulation.request_with("update", &pairs[0], &more).await;
        simulation.settle().await;
        let record = simulation.record(&pairs[0]).await.unwrap();
        assert_eq!(record.status, Status::NeedsAttention, "{}", simulation.shown().await);
        assert!(record.progress.fault.unwrap().why.contains("not ours to change"));
        delete(&mut simulation, &pairs).await;
        let calls = simulation.clouds.calls();
        let effects = calls.iter().filter(|call| call.method != "GET" && call.path.contains(theirs));
        assert_eq!(effects.count(), 0, "{theirs}: {}", simulation.shown().await);
    }
}
