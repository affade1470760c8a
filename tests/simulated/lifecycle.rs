//! Update, adopt, pause, resume, retry: in virtual time, over the emulated clouds.

use std::time::Duration;

use emulator::clouds::{AIVEN_APPLICATION, Pair, Service};
use functions::clock::Clock;
use functions::peering::{Fault, Record, Status};
use serde_json::{Value, json};
use simulation::existing::{self, Thing};
use simulation::{Setup, Simulation, run, run_each};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One pair, peered.
async fn peered(project: bool) -> (Simulation, Pair) {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, project));
    simulation.request("create", &pairs[0]).await;
    simulation.settle().await;
    assert_status(&simulation, &pairs[0], Status::Active).await;
    (simulation, pairs[0].clone())
}

async fn assert_status(simulation: &Simulation, pair: &Pair, status: Status) -> Record {
    let record = simulation.record(pair).await.unwrap();
    assert_eq!(record.status, status, "{}", simulation.shown().await);
    record
}

/// The fault of a pair that needs attention.
async fn fault(simulation: &mut Simulation, pair: &Pair) -> Fault {
    simulation.settle().await;
    assert_status(simulation, pair, Status::NeedsAttention).await.progress.fault.unwrap()
}

fn assert_says(fault: &Fault, code: &str, words: &[&str]) {
    let all = format!("{} {} {}", fault.what, fault.why, fault.command);
    assert!(fault.code == code && words.iter().all(|word| all.contains(word)), "{words:?} in {fault:?}");
}

/// The ranges of a pair's connection, and whether its half lets forwarded traffic in.
fn options(simulation: &Simulation, pair: &Pair) -> (Vec<String>, bool) {
    let world = simulation.world();
    let mut ranges = world.connections(&pair.vpc_id, &pair.vnet)[0].cidrs.clone();
    ranges.sort();
    (ranges, world.vnet(&pair.vnet).unwrap().peerings[0].allow_forwarded)
}

fn both_options() -> Value {
    json!({"allow_forwarded_traffic": true, "user_peer_network_cidrs": ["10.77.0.0/16", "10.78.1.0/24"]})
}

/// Calls that a peering in use would feel.
fn disruptive_calls(simulation: &Simulation) -> usize {
    let calls = simulation.clouds.calls();
    let is = |method: &str, path: &str, service| {
        calls.iter().filter(|c| c.service == service && c.method == method && c.path.contains(path)).count()
    };
    is("DELETE", "", Service::Arm)
        + is("DELETE", "", Service::Aiven)
        + is("POST", "peering-connections", Service::Aiven)
        - is("POST", "refresh", Service::Aiven)
}

async fn an_update_is_in_place(project: bool) {
    let (mut simulation, pair) = peered(project).await;
    let connection = simulation.world().connections(&pair.vpc_id, &pair.vnet)[0].id.clone();
    simulation.clouds.reset_calls();
    simulation.request_with("update", &pair, &both_options()).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
    assert_eq!(options(&simulation, &pair), (vec!["10.77.0.0/16".to_owned(), "10.78.1.0/24".to_owned()], true));
    // A person adds a range of their own: an update takes back only what was asked for before.
    let add = |w: &mut emulator::clouds::World| {
        let vpc = w.aiven_vpc_mut(&pair.vpc_id).unwrap();
        vpc.connections[0].cidrs.push("10.99.0.0/16".to_owned());
    };
    add(&mut simulation.world());
    simulation.request_with("update", &pair, &json!({"user_peer_network_cidrs": ["10.78.1.0/24"]})).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
    assert_eq!(options(&simulation, &pair), (vec!["10.78.1.0/24".to_owned(), "10.99.0.0/16".to_owned()], false));
    assert_eq!(simulation.world().connections(&pair.vpc_id, &pair.vnet)[0].id, connection);
    assert_eq!(disruptive_calls(&simulation), 0, "{:#?}", simulation.clouds.calls());
    simulation.clouds.reset_calls();
    simulation.request_with("update", &pair, &json!({"user_peer_network_cidrs": ["10.78.1.0/24"]})).await;
    simulation.settle().await;
    assert_eq!(simulation.clouds.calls().len(), 0, "nothing is to be updated");
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_an_organizations_peering_in_place() {
    an_update_is_in_place(false).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_a_projects_peering_in_place() {
    an_update_is_in_place(true).await;
}

#[test]
fn update_survives_death_before_any_call() {
    let update = async |die: Option<usize>| {
        let (mut simulation, pair) = peered(false).await;
        let before = simulation.moments.count();
        simulation.request_with("update", &pair, &both_options()).await;
        if let Some(n) = die {
            simulation.moments.die_before(n);
        }
        simulation.settle().await;
        assert_eq!(simulation.deaths(), usize::from(die.is_some()));
        assert_status(&simulation, &pair, Status::Active).await;
        assert_eq!(options(&simulation, &pair), (vec!["10.77.0.0/16".to_owned(), "10.78.1.0/24".to_owned()], true));
        simulation.moments.count() - before
    };
    let count = run(update(None));
    assert!(count > 40, "{count}");
    run_each(1..=count, async |n| {
        update(Some(n)).await;
    });
}

#[tokio::test(start_paused = true)]
async fn update_leaves_off_what_a_person_switched_off() {
    let (mut simulation, pair) = peered(false).await;
    let remote = simulation.world().aiven_vpc(&pair.vpc_id).unwrap().azure_vnet.clone();
    simulation.world().allow_access(&pair.vnet, &remote, false);
    simulation.request_with("update", &pair, &json!({"allow_forwarded_traffic": true})).await;
    let fault = fault(&mut simulation, &pair).await;
    assert_says(&fault, "access_off", &["retry", "allowVirtualNetworkAccess=true"]);
    assert!(!simulation.world().vnet(&pair.vnet).unwrap().peerings[0].allow_access);
    simulation.request("retry", &pair).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
    let half = simulation.world().vnet(&pair.vnet).unwrap().peerings[0].clone();
    assert!(half.allow_access && half.allow_forwarded);
}

/// A pair for which things were there before, asked for with options.
async fn asked_over(last: Thing, project: bool, more: &Value) -> (Simulation, Pair) {
    let (simulation, pairs) = Simulation::new(|world| {
        let pairs = world.standard(1, 1, project);
        existing::up_to(world, &pairs[0], last);
        pairs
    });
    simulation.request_with("create", &pairs[0], more).await;
    (simulation, pairs[0].clone())
}

#[tokio::test(start_paused = true)]
async fn adopted_connection_without_a_range_calls_a_person() {
    for project in [false, true] {
        let ranges = json!({"user_peer_network_cidrs": ["10.77.0.0/16"]});
        let (mut simulation, pair) = asked_over(Thing::Connection, project, &ranges).await;
        let fault = fault(&mut simulation, &pair).await;
        let command = if project { "avn vpc user-peer-network-cidr add" } else { "user-peer-network-cidrs add" };
        assert_says(&fault, "ranges_differ", &["10.77.0.0/16", "no range beyond", command]);
        assert_eq!(options_of_connection(&simulation, &pair), Vec::<String>::new());
        simulation.world().aiven_vpc_mut(&pair.vpc_id).unwrap().connections[0].cidrs = vec!["10.77.0.0/16".to_owned()];
        goes_on(&mut simulation, &pair).await;
    }
}

fn options_of_connection(simulation: &Simulation, pair: &Pair) -> Vec<String> {
    simulation.world().connections(&pair.vpc_id, &pair.vnet)[0].cidrs.clone()
}

/// A person has run the command: the peering goes on by itself.
async fn goes_on(simulation: &mut Simulation, pair: &Pair) {
    simulation.run_for(Duration::from_secs(2 * 3600)).await;
    assert_status(simulation, pair, Status::Active).await;
}

#[tokio::test(start_paused = true)]
async fn adopted_half_without_forwarding_calls_a_person() {
    let (mut simulation, pair) = asked_over(Thing::Half, false, &json!({"allow_forwarded_traffic": true})).await;
    let fault = fault(&mut simulation, &pair).await;
    assert_says(&fault, "forwarding_differs", &["by-hand-", "az network vnet peering update", "true was asked for"]);
    assert!(!simulation.world().vnet(&pair.vnet).unwrap().peerings[0].allow_forwarded);
    simulation.world().vnet_mut(&pair.vnet).unwrap().peerings[0].allow_forwarded = true;
    goes_on(&mut simulation, &pair).await;
}

#[tokio::test(start_paused = true)]
async fn adopted_half_of_another_name_is_refused() {
    let (mut simulation, pair) = asked_over(Thing::Half, false, &json!({"peering_name": "to-aiven"})).await;
    let fault = fault(&mut simulation, &pair).await;
    assert_says(&fault, "peering_name_differs", &["by-hand-", "to-aiven", "az network vnet peering delete"]);
    simulation.request("delete", &pair).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Deleted).await;
    simulation.request("create", &pair).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
}

#[tokio::test(start_paused = true)]
async fn adopted_half_with_more_than_asked_is_kept() {
    let (mut simulation, pair) = asked_over(Thing::Half, false, &json!({})).await;
    simulation.world().vnet_mut(&pair.vnet).unwrap().peerings[0].allow_forwarded = true;
    simulation.world().aiven_vpc_mut(&pair.vpc_id).unwrap().connections[0].cidrs = vec!["10.77.0.0/16".to_owned()];
    let before = simulation.world().snapshot();
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
    assert_eq!(simulation.world().snapshot()["networks"], before["networks"]);
    assert_eq!(simulation.world().snapshot()["aiven"], before["aiven"]);
}

#[tokio::test(start_paused = true)]
async fn connection_for_another_application_is_refused() {
    let (mut simulation, (pairs, theirs)) = Simulation::new(|world| {
        let pairs = world.standard(1, 1, false);
        let home = world.home_tenant.clone();
        let theirs = world.add_application(&home, "theirs", None, true);
        world.add_connection(&pairs[0].vpc_id, &pairs[0].vnet, &theirs, "PENDING_PEER").unwrap();
        (pairs, theirs)
    });
    simulation.request("create", &pairs[0]).await;
    let fault = fault(&mut simulation, &pairs[0]).await;
    let ours = simulation.record(&pairs[0]).await.unwrap().facts.application.unwrap().to_string();
    assert_says(&fault, "connection_differs", &[&theirs, &ours, "avn organization vpc peering-connection delete"]);
}

#[tokio::test(start_paused = true)]
async fn connection_from_another_tenant_is_refused() {
    let (mut simulation, pair) = asked_over(Thing::Connection, false, &json!({})).await;
    let other = "12121212-1212-4212-8212-121212121212";
    simulation.world().aiven_vpc_mut(&pair.vpc_id).unwrap().connections[0].tenant = other.to_owned();
    let home = simulation.world().home_tenant.clone();
    let fault = fault(&mut simulation, &pair).await;
    assert_says(&fault, "connection_differs", &[other, &home]);
}

#[tokio::test(start_paused = true)]
async fn half_of_our_name_that_leads_elsewhere_is_refused() {
    let (mut simulation, (pairs, elsewhere)) = Simulation::new(|world| {
        let pairs = world.standard(1, 2, false);
        let elsewhere = pairs[1].vnet.clone();
        world.peer_by_hand(&pairs[0].vnet, "to-aiven", &elsewhere);
        (pairs, elsewhere)
    });
    simulation.request_with("create", &pairs[0], &json!({"peering_name": "to-aiven"})).await;
    let fault = fault(&mut simulation, &pairs[0]).await;
    let aivens = simulation.world().aiven_vpc(&pairs[0].vpc_id).unwrap().azure_vnet.clone();
    let name = |id: &str| id.rsplit('/').next().unwrap().to_owned();
    assert_says(&fault, "peering_name_taken", &["to-aiven", &name(&elsewhere), &name(&aivens)]);
    assert_eq!(simulation.world().vnet(&pairs[0].vnet).unwrap().peerings.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_application_for_one_tenant_is_not_taken() {
    let (mut simulation, pairs) = Simulation::new(|world| {
        let home = world.home_tenant.clone();
        world.add_application(&home, "by hand", Some("aiven-azure-peering-default"), false);
        world.standard(1, 1, false)
    });
    simulation.request("create", &pairs[0]).await;
    let fault = fault(&mut simulation, &pairs[0]).await;
    assert_says(&fault, "single_tenant_application", &["AzureADMyOrg", "AzureADMultipleOrgs", "az ad app update"]);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_principal_of_aivens_is_not_taken() {
    let (mut simulation, pairs) = Simulation::new(|world| {
        let home = world.home_tenant.clone();
        world.add_service_principal(&home, AIVEN_APPLICATION);
        world
            .service_principals
            .iter_mut()
            .filter(|p| p.tenant == home && p.app_id == AIVEN_APPLICATION)
            .for_each(|principal| principal.enabled = false);
        world.standard(1, 1, false)
    });
    simulation.request("create", &pairs[0]).await;
    let fault = fault(&mut simulation, &pairs[0]).await;
    assert_says(&fault, "principal_disabled", &[AIVEN_APPLICATION, "accountEnabled=true"]);
}

#[tokio::test(start_paused = true)]
async fn role_of_our_name_that_allows_more_is_refused() {
    let (mut simulation, pairs) = Simulation::new(|world| {
        let pairs = world.standard(1, 1, false);
        let subscription = pairs[0].vnet.split('/').nth(2).unwrap().to_owned();
        let name = format!("Aiven peering default: peer only ({subscription})");
        world.add_role_definition(&subscription, None, &name, &["Microsoft.Network/*"]);
        pairs
    });
    simulation.request("create", &pairs[0]).await;
    let fault = fault(&mut simulation, &pairs[0]).await;
    assert_says(&fault, "role_differs", &["allows Microsoft.Network/*, not", "virtualNetworks/peer/action"]);
    let (_, json) = fault.command.split_once("az role definition update --role-definition '").unwrap();
    let json = json.split_once("'; or").unwrap().0.replace("'\\''", "'");
    let role: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(role["actions"], json!(["Microsoft.Network/virtualNetworks/peer/action"]));
    let id = role["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert!(simulation.world().role_definitions.iter().any(|found| found.name == id), "{role}");
}

#[tokio::test(start_paused = true)]
async fn assignment_of_another_role_is_not_ours() {
    let (mut simulation, (pairs, theirs)) = Simulation::new(|world| {
        let pairs = world.standard(1, 1, false);
        let home = world.home_tenant.clone();
        let aiven = world.add_service_principal(&home, AIVEN_APPLICATION);
        let reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
        let theirs = world.assign_role(&pairs[0].vnet, reader, &aiven);
        (pairs, theirs)
    });
    simulation.request("create", &pairs[0]).await;
    simulation.settle().await;
    assert_status(&simulation, &pairs[0], Status::Active).await;
    assert_eq!(simulation.world().assignments_at(&pairs[0].vnet).len(), 3);
    simulation.request("delete", &pairs[0]).await;
    simulation.settle().await;
    let left: Vec<_> = simulation.world().assignments_at(&pairs[0].vnet).iter().map(|a| a.name.clone()).collect();
    assert_eq!(left, [theirs]);
}

#[test]
fn pause_before_any_call_holds_until_resume() {
    let paused = async |n: usize| {
        let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
        simulation.request("create", &pairs[0]).await;
        simulation.send_before(n, simulation::message("pause", &pairs[0], &json!({})));
        simulation.settle().await;
        let record = simulation.record(&pairs[0]).await.unwrap();
        if record.status == Status::Active {
            // It came before there was a record, and says so.
            assert_eq!(simulation.rows("rejected").await.len(), 1, "{n}: {}", simulation.shown().await);
            return;
        }
        assert_eq!((record.status, record.is_idle()), (Status::Paused, true), "{n}: {}", simulation.shown().await);
        // What was in flight ends; then no step runs, and no call is made.
        simulation.run_for(Duration::from_secs(1800)).await;
        simulation.clouds.reset_calls();
        simulation.run_for(Duration::from_secs(3 * 3600)).await;
        assert_eq!(simulation.clouds.calls().len(), 0, "{n}: {:#?}", simulation.clouds.calls());
        assert_eq!(simulation.record(&pairs[0]).await.unwrap().seq, record.seq, "{n}");
        simulation.request("resume", &pairs[0]).await;
        simulation.settle().await;
        assert_status(&simulation, &pairs[0], Status::Active).await;
    };
    let count = run(async { peered(false).await.0.moments.count() });
    run_each((1..count).step_by(3), paused);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_what_rests_goes_back_to_where_it_rested() {
    let (mut simulation, pair) = peered(false).await;
    let seq = simulation.record(&pair).await.unwrap().seq;
    simulation.request("pause", &pair).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Paused).await;
    simulation.clouds.reset_calls();
    for action in ["update", "retry", "verify"] {
        simulation.request_with(action, &pair, &json!({"reference": action})).await;
    }
    simulation.settle().await;
    assert_eq!(simulation.rows("rejected").await.len(), 3);
    simulation.request("resume", &pair).await;
    simulation.settle().await;
    let record = assert_status(&simulation, &pair, Status::Active).await;
    assert!(record.is_idle() && record.seq == seq + 2 && simulation.clouds.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn retry_of_a_vpc_resumes_all_but_the_paused() {
    let setup = Setup { lags: emulator::clouds::Lags::none(), ..Setup::default() };
    let (mut simulation, pairs) = Simulation::start(setup, |world| {
        let pairs = world.pairs(1, 3, 3, false);
        let identity = world.identity_principal_id.clone();
        world.role_assignments.retain(|a| a.principal_id != identity);
        pairs
    });
    for pair in &pairs {
        simulation.request("create", pair).await;
    }
    simulation.settle().await;
    for pair in &pairs {
        assert_status(&simulation, pair, Status::NeedsAttention).await;
    }
    simulation.request("pause", &pairs[2]).await;
    simulation.settle().await;
    {
        let mut world = simulation.world();
        let identity = world.identity_principal_id.clone();
        let subscriptions: Vec<_> = world.subscriptions.iter().map(|s| s.id.clone()).collect();
        for subscription in subscriptions {
            world.assign_role(&format!("/subscriptions/{subscription}"), OWNER, &identity);
        }
    }
    let began = simulation.clock.now();
    let retry = json!({"version": 1, "action": "retry", "vpc": pairs[0].vpc});
    simulation.send(&retry.to_string()).await;
    simulation.settle().await;
    for pair in &pairs[..2] {
        assert_status(&simulation, pair, Status::Active).await;
    }
    assert_status(&simulation, &pairs[2], Status::Paused).await;
    let journal = simulation.journal().await.join("\n");
    assert_eq!(journal.matches("asked to retry").count(), 2, "{journal}");
    assert!(simulation.clock.since(began) < Duration::from_secs(1800), "{journal}");
}

/// Built-in role Owner.
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

#[tokio::test(start_paused = true)]
async fn fault_given_up_is_looked_at_again_by_retry() {
    let (mut simulation, pair) = asked_over(Thing::Half, false, &json!({"allow_forwarded_traffic": true})).await;
    assert!(!fault(&mut simulation, &pair).await.given_up);
    simulation.run_for(8 * DAY).await;
    let record = assert_status(&simulation, &pair, Status::NeedsAttention).await;
    assert!(record.is_idle() && record.progress.fault.unwrap().given_up);
    simulation.world().vnet_mut(&pair.vnet).unwrap().peerings[0].allow_forwarded = true;
    simulation.clouds.reset_calls();
    simulation.run_for(DAY).await;
    assert!(simulation.clouds.calls().is_empty(), "it has given up");
    simulation.request("retry", &pair).await;
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
}

#[tokio::test(start_paused = true)]
async fn redelivery_weeks_later_moves_nothing() {
    let (mut simulation, pair) = peered(false).await;
    let delete = simulation::message("delete", &pair, &json!({}));
    simulation.invoke("accept_request", &delete, "late", 1).await.unwrap();
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Deleted).await;
    simulation.request("create", &pair).await;
    simulation.settle().await;
    let before = assert_status(&simulation, &pair, Status::Active).await;
    simulation.run_for(14 * DAY).await;
    simulation.invoke("accept_request", &delete, "late", 2).await.unwrap();
    simulation.settle().await;
    assert_eq!(simulation.record(&pair).await.unwrap(), before);
}

/// A request that was answered, whose worker died before the message was removed, comes again when the world is another.
#[tokio::test(start_paused = true)]
async fn redelivery_of_a_noted_request_moves_nothing() {
    let (mut simulation, pair) = peered(false).await;
    let [create, update] = ["create", "update"].map(|action| simulation::message(action, &pair, &json!({})));
    let other = simulation::message("create", &pair, &json!({"peering_name": "other"}));
    for (text, id) in [(&create, "noted"), (&update, "noted too"), (&other, "refused")] {
        simulation.invoke("accept_request", text, id, 1).await.unwrap();
    }
    simulation.request("delete", &pair).await;
    simulation.settle().await;
    let deleted = assert_status(&simulation, &pair, Status::Deleted).await;
    for (text, id) in [(&create, "noted"), (&update, "noted too"), (&other, "refused")] {
        simulation.invoke("accept_request", text, id, 2).await.unwrap();
    }
    simulation.settle().await;
    assert_eq!(simulation.record(&pair).await.unwrap(), deleted);
    assert_eq!(simulation.rows("rejected").await.len(), 1);
    // The same words in another message are another request.
    simulation.invoke("accept_request", &other, "new", 1).await.unwrap();
    simulation.settle().await;
    assert_status(&simulation, &pair, Status::Active).await;
}
