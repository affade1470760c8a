//! What goes wrong in the clouds, and how each ends: by itself, or with the exact thing that a person has to do.

use std::time::Duration;

use emulator::azurite::Entity;
use emulator::clouds::{AIVEN_APPLICATION, Clouds, Fault, Pair, Service, World};
use emulator::environment::{Environment, Setup};

use crate::scene;

/// Nominal time runs this much faster than the wall clock: 15 minutes are 9 seconds.
const SCALE: f64 = 100.0;
const LIMIT: Duration = Duration::from_secs(120);

/// A scene of one VPC and one VNet, with whatever `trouble` adds to it.
async fn scene_with(setup: Setup, trouble: impl FnOnce(&Clouds, &Pair)) -> (Environment, Vec<Pair>) {
    let mut pairs = Vec::new();
    let prepare = |clouds: &Clouds| {
        pairs = clouds.world().standard(1, 1, false);
        trouble(clouds, &pairs[0]);
    };
    let environment = setup.start(prepare).await.unwrap();
    (environment, pairs)
}

/// The trouble passes: the peering becomes ACTIVE by itself, and nothing was made twice.
async fn passes(trouble: impl FnOnce(&Clouds, &Pair)) {
    passes_in(scene::setup(SCALE), trouble).await;
}

async fn passes_in(setup: Setup, trouble: impl FnOnce(&Clouds, &Pair)) {
    let (environment, pairs) = scene_with(setup, trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.faults_left(), 0, "every fault struck");
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

/// The peering needs a person; returns its record's fault.
async fn needs_attention(environment: &Environment) -> serde_json::Value {
    let records = scene::all_are(environment, 1, "NeedsAttention", LIMIT).await;
    let fault = scene::json(&records[0], "fault");
    println!("{fault:#}");
    fault
}

fn says(fault: &serde_json::Value, field: &str, part: &str) {
    let text = fault[field].as_str().unwrap_or_default();
    assert!(text.contains(part), "{field} should say {part:?}: {text}");
}

/// Waits until the clouds are so.
async fn until(environment: &Environment, what: &str, wish: impl Fn(&World) -> bool) {
    let began = std::time::Instant::now();
    while !wish(&environment.clouds.world()) {
        assert!(began.elapsed() < LIMIT, "waiting until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Object id of our application's service principal at home, once there is one.
fn our_principal(world: &World) -> Option<String> {
    let app = world.applications.iter().find(|a| a.unique_name.is_some())?;
    Some(world.service_principal(&world.home_tenant, &app.app_id)?.id.clone())
}

async fn with_a_principal_that_never_propagates() -> (Environment, Vec<Pair>, String) {
    let (environment, pairs) = scene_with(scene::setup(SCALE), |_, _| {}).await;
    environment.request(&pairs[0]).await.unwrap();
    until(&environment, "our principal exists", |world| our_principal(world).is_some()).await;
    let principal = our_principal(&environment.clouds.world()).unwrap();
    environment.clouds.world().never_propagate(&principal);
    (environment, pairs, principal)
}

// ---- rights that come late ------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_propagates_within_its_window_is_waited_for() {
    let (environment, pairs, principal) = with_a_principal_that_never_propagates().await;
    scene::waits_for(&environment, "AuthorizationFailed", LIMIT).await;
    environment.clouds.world().propagate_now(&principal);
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_never_propagates_is_named_and_once_it_does_the_peering_goes_on() {
    let (environment, pairs, principal) = with_a_principal_that_never_propagates().await;
    let fault = needs_attention(&environment).await;
    says(&fault, "what", "AuthorizationFailed");
    says(&fault, "command", &format!("az role assignment create --assignee-object-id {principal}"));
    says(&fault, "command", &pairs[0].vnet);
    environment.clouds.world().propagate_now(&principal);
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_replicates_slowly_is_waited_for() {
    let mut setup = scene::setup(SCALE);
    setup.lags.graph_replication = Duration::from_secs(90);
    setup.lags.federated_credential = Duration::from_secs(400);
    passes_in(setup, |_, _| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_that_resource_manager_does_not_know_yet_is_waited_for() {
    let message = "Principal 11111111111141118111111111111111 does not exist in the directory.";
    passes(|clouds, _| {
        clouds.fault(
            Fault::refuse(Service::Arm, 400, "PrincipalNotFound", message)
                .method("PUT")
                .path("/roleAssignments/")
                .times(3),
        );
    })
    .await;
}

// ---- answers that look like failures --------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_that_mean_success_are_looked_at_again() {
    passes(|clouds, _| {
        let exists = |service, code, method, path: &str| {
            clouds.fault(Fault::refuse(service, 409, code, "exists").method(method).path(path))
        };
        exists(Service::Arm, "RoleAssignmentExists", "PUT", "/roleAssignments/");
        exists(Service::Arm, "RoleDefinitionWithSameNameExists", "PUT", "/roleDefinitions/");
        exists(Service::Graph, "Request_MultipleObjectsWithSameKeyValue", "PATCH", "/servicePrincipals(");
        exists(Service::Arm, "AnotherPeeringAlreadyReferencesRemoteVnet", "PUT", "/virtualNetworkPeerings/");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_inside_a_200_is_judged_by_its_body_and_tried_again() {
    passes(|clouds, _| {
        clouds
            .world()
            .fail_next_operation("AnotherOperationInProgress", "Another operation on this resource is in progress.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_for_good_inside_a_200_needs_a_person() {
    let trouble = |clouds: &Clouds, _: &Pair| {
        clouds.world().fail_next_operation("ScopeLocked", "The scope is locked by the lock do-not-touch.");
    };
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let fault = needs_attention(&environment).await;
    says(&fault, "what", "do-not-touch");
    says(&fault, "command", "remove the lock");
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_may_not_be_asked_about_is_read_off_the_resource() {
    passes(|clouds, _| clouds.world().upsets.forbid_polls = 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_operation_on_the_vnet_is_waited_for() {
    passes(|clouds, _| {
        let busy = |status, code| {
            clouds
                .fault(Fault::refuse(Service::Arm, status, code, "busy").method("PUT").path("/virtualNetworkPeerings/"))
        };
        busy(429, "AnotherOperationInProgress");
        busy(429, "RetryableErrorDueToAnotherOperation");
        busy(409, "CanceledAndSupersededDueToAnotherOperation");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vnet_that_is_being_changed_is_waited_for() {
    passes(|clouds, pair| {
        clouds.world().keep_updating(&pair.vnet, Duration::from_secs(120));
        let fault =
            Fault::refuse(Service::Arm, 400, "ReferencedResourceNotProvisioned", "Resource is in Updating state.");
        clouds.fault(fault.method("PUT").path("/virtualNetworkPeerings/").times(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_of_aivens_that_is_left_over_is_replaced_once() {
    let trouble = |clouds: &Clouds, _: &Pair| {
        let stale = "because remote peering B referencing parent virtual network V is in Disconnected state.";
        clouds.fault(
            Fault::refuse(Service::Arm, 400, "RemotePeeringIsDisconnected", stale)
                .method("PUT")
                .path("/virtualNetworkPeerings/"),
        );
    };
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(scene::json(&records[0], "facts")["recreated"], 1, "Aiven's half was made anew");
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_obeyed_with_and_without_the_header_on_every_service() {
    passes(|clouds, _| {
        for service in [Service::Aiven, Service::Arm, Service::Graph, Service::Entra, Service::Identity] {
            clouds.fault(Fault::throttle(service, Some(20)));
            clouds.fault(Fault::throttle(service, None).after(1));
        }
        clouds.fault(Fault::throttle(Service::Aiven, None).method("POST").path("/peering-connections"));
        clouds.fault(Fault::throttle(Service::Arm, Some(30)).method("PUT").path("/virtualNetworkPeerings/"));
        clouds.fault(Fault::throttle(Service::Graph, None).method("PATCH"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_reset_after_the_effect_makes_nothing_twice() {
    let trouble = |clouds: &Clouds, _: &Pair| {
        let cut = || Fault::cut_after();
        clouds.fault(cut().making_application());
        clouds.fault(cut().making_principal().times(2));
        clouds.fault(cut().making_credential());
        clouds.fault(cut().making_definition().times(2));
        clouds.fault(cut().making_assignment().times(2));
        clouds.fault(cut().making_connection());
        clouds.fault(cut().making_peering());
    };
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(environment.clouds.faults_left(), 0, "every fault struck");
    scene::assert_exactly(&environment, &pairs);
    assert_eq!(scene::json(&records[0], "provenance"), serde_json::json!({"aiven": "created", "azure": "created"}));
    let rows = environment.rows("shared").await.unwrap();
    for parts in rows.iter().map(|row| scene::json(row, "parts")) {
        for (name, part) in parts.as_object().unwrap() {
            assert_eq!(part["provenance"], "created", "{name}");
        }
    }
    environment.stop().await;
}

// ---- Aiven's own doings ---------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_rejected_once_is_deleted_and_made_again() {
    let trouble = |clouds: &Clouds, _: &Pair| clouds.world().refuse_connections(1, "REJECTED_BY_PEER");
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    assert_eq!(scene::json(&records[0], "facts")["recreated"], 1);
    let deletes =
        environment.clouds.calls().iter().filter(|c| c.service == Service::Aiven && c.method == "DELETE").count();
    assert_eq!(deletes, 1, "the refused connection was deleted, once");
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_rejected_twice_needs_a_person_and_goes_on_when_the_person_deleted_it() {
    let trouble = |clouds: &Clouds, _: &Pair| clouds.world().refuse_connections(2, "INVALID_SPECIFICATION");
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let fault = needs_attention(&environment).await;
    says(&fault, "what", "INVALID_SPECIFICATION");
    says(&fault, "command", "avn organization vpc peering-connection delete");
    let told =
        environment.journal().await.unwrap().iter().filter(|entry| scene::text(entry, "outcome") == "fix").count();
    assert_eq!(told, 1, "told once");
    environment.clouds.world().aiven_vpc_mut(&pairs[0].vpc_id).unwrap().connections.clear();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_vpc_can_be_told_to_retry() {
    let trouble = |clouds: &Clouds, _: &Pair| clouds.world().refuse_connections(2, "REJECTED_BY_PEER");
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    needs_attention(&environment).await;
    let request = serde_json::json!({"version": 1, "action": "retry", "vpc": pairs[0].vpc, "reference": "CHG-9"});
    environment.send(&request.to_string()).await.unwrap();
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    let journal = environment.journal().await.unwrap();
    assert!(journal.iter().any(|entry| scene::text(entry, "note").contains("CHG-9")), "who asked is journalled");
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_aiven_forgets_after_pending_peer_were_kept() {
    passes(|clouds, _| clouds.world().upsets.forget_state_info_after = Some(Duration::from_secs(150))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_aivens_that_nobody_knows_is_waited_out() {
    passes(|clouds, _| {
        clouds.world().upsets.unknown_state = Some(("PENDING_MAGIC".to_owned(), Duration::from_secs(240)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_with_twenty_peerings_waiting_is_one_cause_told_once() {
    let mut pairs = Vec::new();
    let mut setup = scene::setup(40.0);
    setup.lags.aiven_build = Duration::from_secs(900);
    let prepare = |clouds: &Clouds| pairs = clouds.world().pairs(2, 20, 20, false);
    let environment = setup.start(prepare).await.unwrap();
    let told = scene::lines(&environment, "every peering waits");
    for pair in &pairs {
        environment.request(pair).await.unwrap();
    }
    let parked =
        |rows: &[Entity]| rows.len() == 20 && rows.iter().all(|row| scene::text(row, "step") == "await_pending_peer");
    environment.wait_until(LIMIT, parked).await.unwrap();
    environment.clouds.world().expire_aiven_token();
    let cause = scene::shared_cause(&environment, LIMIT).await;
    assert!(cause["command"].as_str().unwrap_or_default().contains("AIVEN_TOKEN"), "{cause}");
    // Three nominal deadlines of 30 minutes: none of them counts while the token is what is waited for.
    tokio::time::sleep(Duration::from_secs_f64(60.0 * 60.0 / 40.0)).await;
    assert!(environment.records().await.unwrap().iter().all(|row| scene::text(row, "status") == "WaitingForAiven"));
    environment.clouds.world().restore_aiven_token();
    scene::all_are(&environment, 20, "Active", LIMIT).await;
    assert_eq!(told.count(), 1, "told once");
    environment.stop().await;
}

// ---- what could never work ------------------------------------------------------------------------------------------

/// Refused within a nominal minute, and before anything was made anywhere.
async fn refused_before_anything_was_made(
    setup: Setup,
    trouble: impl FnOnce(&Clouds, &Pair),
    vnet: impl FnOnce(&mut Pair, &Environment),
) -> (Environment, Pair) {
    let (environment, pairs) = scene_with(setup, trouble).await;
    let mut pair = pairs[0].clone();
    vnet(&mut pair, &environment);
    environment.request(&pair).await.unwrap();
    (environment, pair)
}

/// Slow enough that a nominal minute is longer than this machine needs for its hops.
const SLOW: f64 = 10.0;

/// The record says what is wrong less than a nominal minute after the request.
async fn in_the_first_minute(environment: &Environment) {
    let row = environment.records().await.unwrap().remove(0);
    let at = |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (requested, since) = (at(&scene::json(&row, "times")["requested"]), at(&scene::json(&row, "fault")["since"]));
    let nominal = since.duration_since(requested).as_secs_f64() * SLOW;
    assert!(nominal < 60.0, "told after {nominal} nominal seconds");
}

fn nothing_was_made(environment: &Environment) {
    let effects: Vec<_> =
        environment.clouds.calls().into_iter().filter(|c| c.method != "GET" && c.service != Service::Entra).collect();
    assert!(effects.is_empty(), "{effects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn address_spaces_that_overlap_are_refused_before_anything_is_made() {
    let trouble = |clouds: &Clouds, pair: &Pair| {
        let cidr = clouds.world().aiven_vpc(&pair.vpc_id).unwrap().cidr;
        clouds.world().vnet_mut(&pair.vnet).unwrap().prefixes.push(cidr);
    };
    let (environment, _) = refused_before_anything_was_made(scene::setup(SLOW), trouble, |_, _| {}).await;
    let fault = needs_attention(&environment).await;
    says(&fault, "what", "overlaps");
    in_the_first_minute(&environment).await;
    nothing_was_made(&environment);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vnet_of_another_tenant_is_refused_before_anything_is_made() {
    let elsewhere = |pair: &mut Pair, environment: &Environment| {
        let mut world = environment.clouds.world();
        let tenant = world.another_tenant();
        let subscription = world.add_subscription(&tenant);
        pair.vnet = world.add_vnet(&subscription, "g", "elsewhere", &["10.77.0.0/24"]);
    };
    let (environment, _) = refused_before_anything_was_made(scene::setup(SLOW), |_, _| {}, elsewhere).await;
    let fault = needs_attention(&environment).await;
    says(&fault, "what", "belongs to tenant");
    in_the_first_minute(&environment).await;
    nothing_was_made(&environment);
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_not_allowed_is_rejected_at_the_door() {
    let mut setup = scene::setup(SCALE);
    setup.settings.insert("ALLOWED_SUBSCRIPTIONS".to_owned(), "99999999-9999-4999-8999-999999999999".to_owned());
    let (environment, _) = refused_before_anything_was_made(setup, |_, _| {}, |_, _| {}).await;
    let row = scene::rejected(&environment, 1, LIMIT).await.remove(0);
    assert!(scene::text(&row, "reason").contains("ALLOWED_SUBSCRIPTIONS"), "{row:?}");
    assert!(environment.clouds.calls().is_empty(), "nothing reached a cloud");
    assert!(environment.records().await.unwrap().is_empty());
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_to_admit_aiven_is_told_with_the_command_and_who_may_run_it() {
    let trouble = |clouds: &Clouds, _: &Pair| {
        let mut world = clouds.world();
        let identity = world.identity_principal_id.clone();
        world.revoke_graph(&identity, "Application.ReadWrite.All");
        world.grant_graph(&identity, "Application.ReadWrite.OwnedBy");
        world.grant_graph(&identity, "Application.Read.All");
    };
    let (environment, pairs) = scene_with(scene::setup(SCALE), trouble).await;
    environment.request(&pairs[0]).await.unwrap();
    let fault = needs_attention(&environment).await;
    says(&fault, "command", &format!("az ad sp create --id {}", AIVEN_APPLICATION));
    says(&fault, "command", "Application Administrator");
    let home = environment.clouds.world().home_tenant.clone();
    environment.clouds.world().add_service_principal(&home, AIVEN_APPLICATION);
    scene::all_are(&environment, 1, "Active", LIMIT).await;
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
}
