//! Every drift: what is seen of it, what is done about it with `repair` and with `report`, in how many calls; and that a second
//! pass does nothing.

use std::time::Duration;

use crate::drifts::{Case, Scene};
use functions::peering::Hand::{Person, Vendor};
use functions::peering::Status;

/// What makes both halves again when Aiven's is still there.
const BOTH: &[&str] = &["DELETE connection", "DELETE half", "POST connection", "PUT half"];

#[tokio::test(start_paused = true)]
async fn connection_gone_at_aiven_is_made_again() {
    let again = &["DELETE half", "POST connection", "PUT half"];
    let case = Case::new(&["connection_gone"], Vendor).repaired_by(again);
    case.holds(|world, scene| world.delete_connection_outside(&scene.vpc, &scene.vnet)).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_deleted_by_peer_is_replaced() {
    fails("DELETED_BY_PEER", &["connection_deleted_by_peer"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_rejected_connection_is_replaced() {
    fails("REJECTED_BY_PEER", &["connection_rejected"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_invalid_connection_is_replaced() {
    fails("INVALID_SPECIFICATION", &["connection_invalid"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_in_error_is_replaced() {
    fails("ERROR", &["connection_error"]).await;
}

async fn fails(state: &str, kinds: &'static [&'static str]) {
    let case = Case::new(kinds, Vendor).repaired_by(BOTH);
    case.holds(|world, scene| world.fail_connection(&scene.vpc, &scene.vnet, state)).await;
}

#[tokio::test(start_paused = true)]
async fn disconnected_half_is_made_again_with_aivens() {
    let case = Case::new(&["half_disconnected"], Vendor);
    let case = case.repaired_by(&["DELETE half", "DELETE connection", "POST connection", "PUT half"]);
    case.holds(|world, scene| world.put_half_in_state(&scene.vnet, &scene.remote, "Disconnected")).await;
}

#[tokio::test(start_paused = true)]
async fn initiated_half_is_made_again_with_aivens() {
    let case = Case::new(&["half_initiated"], Vendor);
    let case = case.repaired_by(&["DELETE half", "DELETE connection", "POST connection", "PUT half"]);
    case.holds(|world, scene| world.put_half_in_state(&scene.vnet, &scene.remote, "Initiated")).await;
}

#[tokio::test(start_paused = true)]
async fn half_with_an_old_range_is_synchronised() {
    let case = Case::new(&["not_in_sync"], Vendor).repaired_by(&["PUT half"]);
    case.holds(|world, scene| world.change_vpc_range(&scene.vpc, "10.249.0.0/24")).await;
}

#[tokio::test(start_paused = true)]
async fn range_unknown_to_aiven_is_only_reported() {
    let case = Case::new(&["remote_not_in_sync"], Vendor).says("ask Aiven's support");
    case.holds(|world, scene| world.change_address_space(&scene.vnet, &["10.0.0.0/24", "10.99.0.0/24"])).await;
}

#[tokio::test(start_paused = true)]
async fn half_removed_by_a_person_comes_back_only_by_retry() {
    let case =
        Case::new(&["half_gone"], Person).confirmed().retried_by(&["DELETE connection", "POST connection", "PUT half"]);
    case.holds(|world, scene| world.remove_peering(&scene.vnet, &scene.half)).await;
}

#[tokio::test(start_paused = true)]
async fn access_switched_off_is_switched_on_only_by_retry() {
    let case =
        Case::new(&["access_off"], Person).retried_by(&["PUT half"]).says("--set allowVirtualNetworkAccess=true");
    case.holds(|world, scene| world.allow_access(&scene.vnet, &scene.remote, false)).await;
}

#[tokio::test(start_paused = true)]
async fn unwanted_forwarding_goes_only_by_retry() {
    let case = Case::new(&["forwarding_changed"], Person).retried_by(&["PUT half"]);
    case.holds(|world, scene| {
        world.vnet_mut(&scene.vnet).unwrap().peerings[0].allow_forwarded = true;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn role_taken_from_ours_comes_back_only_by_retry() {
    let case = Case::new(&["application_assignment_gone"], Person).retried_by(&["PUT assignment"]);
    case.says("az role assignment create")
        .holds(|world, scene| world.unassign_role(&scene.vnet, &scene.principal))
        .await;
}

#[tokio::test(start_paused = true)]
async fn role_of_a_senders_application_is_watched_too() {
    let mut scene = Scene::active_as("repair", Some("theirs")).await;
    scene.pass().await;
    assert_eq!(
        (scene.calls().1, scene.record().await.status),
        (4, Status::Active),
        "one list for its principal, none for ours"
    );
    let (vnet, principal) = (scene.vnet.clone(), scene.principal.clone());
    scene.sim.world().unassign_role(&vnet, &principal);
    scene.pass().await;
    let drift = scene.record().await.drift;
    assert_eq!((drift.len(), drift[0].kind.as_str(), drift[0].hand), (1, "application_assignment_gone", Person));
    assert!(drift[0].command.contains("az role assignment create"), "{drift:?}");
    assert_eq!(scene.pass().await, 0);
    scene.sim.request("retry", &scene.pair).await;
    scene.sim.run_for(Duration::from_secs(1800)).await;
    scene.is_active_again().await;
    assert_eq!(scene.effects(), ["PUT assignment"]);
}

#[tokio::test(start_paused = true)]
async fn shared_drift_is_told_to_each_peering() {
    let mut scene = Scene::active("repair").await;
    let (vnet, principal) = (scene.vnet.clone(), scene.principal.clone());
    scene.sim.world().unassign_role(&vnet, &principal);
    scene.pass().await;
    let command = scene.record().await.drift[0].command.clone();
    let (_, message) = command.rsplit_once("for the peering: ").unwrap();
    let message = message.strip_suffix(" to queue peering-requests").unwrap();
    scene.sim.send(message).await;
    scene.sim.run_for(Duration::from_secs(1800)).await;
    scene.is_active_again().await;
}

/// ARM goes on listing the assignments of the one before, with nobody behind them.
#[tokio::test(start_paused = true)]
async fn new_principal_gets_its_roles_by_retry() {
    for aivens in [false, true] {
        let mut scene = Scene::active("repair").await;
        let old = if aivens { scene.aiven_principal.clone() } else { scene.principal.clone() };
        let new = {
            let mut world = scene.sim.world();
            let gone = world.service_principals.iter().find(|p| p.id == old).unwrap().clone();
            world.delete_principal(&old);
            world.add_service_principal(&gone.tenant, &gone.app_id)
        };
        scene.pass().await;
        let kinds: Vec<String> = scene.installation_drift().await.into_values().map(|drift| drift.kind).collect();
        assert_eq!(kinds, ["principal_replaced"]);
        let record = scene.record().await;
        assert_eq!((record.status, record.drift.len()), (Status::Drifted, 1), "{}", scene.sim.shown().await);
        assert!(record.drift[0].command.contains(&new), "the command names the new one: {:?}", record.drift);
        assert_eq!(scene.pass().await, 0, "a second pass writes nothing");
        scene.sim.request("retry", &scene.pair).await;
        scene.sim.run_for(Duration::from_secs(3600)).await;
        scene.is_active_again().await;
        assert_eq!(scene.effects(), ["PUT assignment"]);
        let given = scene.sim.world().assignments_at(&scene.vnet).iter().filter(|a| a.principal_id == new).count();
        assert_eq!(given, 1);
        scene.pass().await;
        assert_eq!(scene.installation_drift().await.len(), 0);
        scene.is_active_again().await;
    }
}

#[tokio::test(start_paused = true)]
async fn role_taken_from_aiven_comes_back_only_by_retry() {
    let case = Case::new(&["aiven_assignment_gone"], Person).retried_by(&["PUT assignment"]);
    case.holds(|world, scene| world.unassign_role(&scene.vnet, &scene.aiven_principal)).await;
}

#[tokio::test(start_paused = true)]
async fn removed_role_comes_back_only_by_retry() {
    let kinds = &["application_assignment_gone", "peering_role_gone"];
    let case = Case::new(kinds, Person).extra_arm(1).retried_by(&["PUT role", "PUT assignment"]);
    case.holds(|world, scene| world.remove_role(&scene.peering_role)).await;
    let case = Case::new(&["aiven_assignment_gone", "aiven_role_gone"], Person);
    let case = case.extra_arm(1).retried_by(&["PUT role", "PUT assignment"]);
    case.holds(|world, scene| world.remove_role(&scene.aiven_role)).await;
}

#[tokio::test(start_paused = true)]
async fn a_widened_role_is_made_narrow_again_only_by_retry() {
    let case = Case::new(&["peering_role_changed"], Person).retried_by(&["PUT role"]).seen("Microsoft.Network/*");
    case.holds(|world, scene| world.widen_role(&scene.peering_role, "Microsoft.Network/*")).await;
    let case = Case::new(&["aiven_role_changed"], Person).retried_by(&["PUT role"]);
    case.holds(|world, scene| world.widen_role(&scene.aiven_role, "*/read")).await;
}

#[tokio::test(start_paused = true)]
async fn a_vnet_that_is_gone_is_reported() {
    let case = Case::new(&["aiven_assignment_gone", "application_assignment_gone", "vnet_gone"], Person);
    case.confirmed()
        .never_mended()
        .says("\"action\":\"delete\"")
        .holds(|world, scene| {
            world.delete_network(&scene.vnet);
            let vnet = scene.vnet.to_lowercase();
            world.role_assignments.retain(|assignment| assignment.scope.to_lowercase() != vnet);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_vpc_on_its_way_out_is_reported() {
    let case = Case::new(&["vpc_gone"], Person).never_mended();
    case.holds(|world, _| "DELETING".clone_into(&mut world.aiven_vpcs[0].state)).await;
}

#[tokio::test(start_paused = true)]
async fn drift_of_the_installation_is_told_once() {
    let mut scene = Scene::active("repair").await;
    let home = scene.sim.world().home_tenant.clone();
    {
        let mut world = scene.sim.world();
        world.applications.iter_mut().for_each(|application| application.federated_credentials.clear());
        for principal in world.service_principals.iter_mut().filter(|p| p.tenant == home && !p.managed_identity) {
            principal.enabled = false;
        }
    }
    let writes = scene.pass().await;
    assert_eq!((scene.calls(), writes), ((3, 4, 1), 1), "three calls of Graph, one write");
    let told = scene.installation_drift().await;
    let kinds: Vec<&str> = told.values().map(|drift| drift.kind.as_str()).collect();
    assert_eq!(kinds, ["principal_disabled", "credential_gone", "principal_disabled"], "{told:?}");
    let commands: Vec<&str> = told.values().map(|drift| drift.command.as_str()).collect();
    assert!(commands[0].starts_with("az ad sp update --id 55f300d4"), "{commands:?}");
    assert!(commands[1].starts_with("az ad app federated-credential create"), "{commands:?}");
    assert_eq!(scene.record().await.status, Status::Active, "it is not each peering's");
    assert_eq!(scene.pass().await, 0, "a second pass writes nothing");
    assert!(scene.effects().is_empty());
    for principal in &mut scene.sim.world().service_principals {
        principal.enabled = true;
    }
    assert_eq!(scene.pass().await, 1);
    assert_eq!(scene.installation_drift().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_repaired_before_what_is_shared() {
    let mut scene = Scene::active("repair").await;
    scene.sim.world().applications.iter_mut().for_each(|application| application.federated_credentials.clear());
    scene.sim.world().fail_connection(&scene.vpc, &scene.vnet, "ERROR");
    scene.pass().await;
    scene.sim.run_for(Duration::from_secs(1800)).await;
    assert_eq!(scene.record().await.status, Status::Drifted);
    assert!(scene.effects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn unknown_connection_is_reported_once() {
    for mode in ["repair", "report"] {
        let mut scene = Scene::active(mode).await;
        let other = {
            let mut world = scene.sim.world();
            let subscription = scene.vnet.split('/').nth(2).unwrap().to_owned();
            let other = world.add_vnet(&subscription, "Other", "Unasked", &["10.77.0.0/24"]);
            let application = world.applications.last().unwrap().app_id.clone();
            world.add_connection(&scene.vpc, &other, &application, "ACTIVE").unwrap();
            other
        };
        assert_eq!(scene.pass().await, 1, "the VPC's row");
        let unknown = scene.unknown().await;
        assert_eq!(unknown.len(), 1);
        assert!(unknown[0].ends_with(":other:unasked") && other.contains(unknown[0].split(':').next().unwrap()));
        assert_eq!(scene.record().await.status, Status::Active);
        assert_eq!(scene.pass().await, 0);
        assert!(scene.effects().is_empty());
    }
}
