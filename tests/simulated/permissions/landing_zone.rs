//! Roles and permission once, at a management group: as much, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use emulator::clouds::roles;
use functions::peering::Status;
use serde_json::json;

use super::granted::{AS_GIVEN, Departure, Granted, SPARE, Who, actions};
use super::grants::{self, Azure, Deployed};
use simulation::run;

const LANDING_ZONE: Departure<'_> = Departure { landing_zone: true, ..AS_GIVEN };
const AUTHORIZATION: &str = "providers/Microsoft.Authorization";

fn subscription(id: &str) -> String {
    format!("/subscriptions/{}", id.split('/').nth(2).unwrap())
}

/// The status of an assignment that the identity tries.
fn assign(arm: &Azure<'_>, scope: &str, role: &str, principal: &str) -> u16 {
    let properties = json!({
        "roleDefinitionId": format!("/{AUTHORIZATION}/roleDefinitions/{role}"),
        "principalId": principal, "principalType": "ServicePrincipal",
    });
    let path = format!("{scope}/{AUTHORIZATION}/roleAssignments/{}", uuid::Uuid::new_v4());
    arm.arm("PUT", &path, Some(&json!({"properties": properties}))).0
}

#[tokio::test(start_paused = true)]
async fn a_peering_comes_is_kept_and_goes() {
    for peering_role in ["minimal", "network-contributor"] {
        let mut granted = Granted::new(Departure { peering_role, ..LANDING_ZONE });
        assert!(granted.whole_life().await, "{peering_role}: {}", granted.simulation.shown().await);
        let ours = |principal: &str| granted.who(principal).is_some();
        let uses = granted.simulation.uses();
        let refused: Vec<_> = uses.iter().filter(|one| !one.check.allowed && ours(&one.check.principal)).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        let own = subscription(&granted.pairs[0].vnet);
        let world = granted.simulation.world();
        let there: Vec<_> = world.role_definitions.iter().flat_map(|role| &role.assignable_scopes).collect();
        assert!(!there.contains(&&own), "no role of the subscription is made: {there:?}");
    }
}

#[test]
fn without_any_one_action_it_is_as_it_is_with_roles_in_each_subscription() {
    let given = run(async {
        let granted = Granted::new(LANDING_ZONE);
        Who::ALL.map(|who| (who, granted.resources.iter().find(|made| made.symbol == who.role()).map(actions).unwrap()))
    });
    for (who, all) in given {
        for action in all {
            let is_spare = SPARE.iter().any(|(whose, spare, _)| *whose == who && *spare == action);
            let without = Some((who.role(), action.as_str()));
            let done = run(async { Granted::new(Departure { without, ..LANDING_ZONE }).whole_life().await });
            assert_eq!(done, is_spare, "{who:?} without {action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_identity_assigns_its_two_roles_to_its_two_principals_below_the_group_and_nothing_else() {
    let granted = Granted::new(LANDING_ZONE);
    let arm = grants::identity(&granted.simulation.clouds, "ARM_URL");
    let role = |symbol: &str| granted.resources.iter().find(|made| made.symbol == symbol).unwrap().name.clone();
    let (vnet, elsewhere) = (&granted.pairs[0].vnet, &granted.pairs[1].vnet);
    let identity = granted.simulation.world().identity_principal_id.clone();
    let principals = [&granted.directory.principal, &granted.directory.aiven_principal];
    for (own, role) in [
        (true, role("writerRole")),
        (true, role("peerOnlyRole")),
        (false, role("automationRole")),
        (false, roles::OWNER.to_owned()),
        (false, roles::NETWORK_CONTRIBUTOR.to_owned()),
    ] {
        for principal in principals.into_iter().chain([&identity]) {
            let wanted = if own && *principal != identity { 201 } else { 403 };
            assert_eq!(assign(&arm, vnet, &role, principal), wanted, "{role} to {principal}");
            assert_eq!(assign(&arm, elsewhere, &role, principal), 403, "{role} to {principal}, outside of the group");
        }
    }
    for made in granted.resources.iter().filter(|made| made.kind.ends_with("/roleDefinitions")) {
        let mut properties = made.properties.clone();
        properties["permissions"][0]["actions"].as_array_mut().unwrap().push("*".into());
        assert_eq!(arm.arm("PUT", &made.id(), Some(&json!({"properties": properties}))).0, 403);
        assert_eq!(arm.arm("DELETE", &made.id(), None).0, 403);
    }
    let automation = granted.resources.iter().find(|made| made.symbol == "automation").unwrap();
    assert_eq!(arm.arm("DELETE", &automation.id(), None).0, 403, "nor does it free itself");
}

#[tokio::test(start_paused = true)]
async fn an_installation_moves_there_while_its_peerings_stay_up() {
    let mut granted = Granted::new(AS_GIVEN);
    active(&mut granted).await;
    let group = [subscription_id(&granted)].into();
    granted.simulation.world().management_groups = [(grants::GROUP.to_owned(), group)].into();
    let (resources, settings) = grants::landing_zone(&granted.simulation.world(), &granted.directory, "minimal");
    moves(granted, resources, settings).await;
}

#[tokio::test(start_paused = true)]
async fn an_installation_moves_back_while_its_peerings_stay_up() {
    let mut granted = Granted::new(LANDING_ZONE);
    active(&mut granted).await;
    let subscription = subscription_id(&granted);
    let resources = grants::made(&granted.simulation.world(), &granted.directory, &[&subscription], "minimal");
    // The app is no longer told of the roles at the group.
    let (_, told) = grants::landing_zone(&granted.simulation.world(), &granted.directory, "minimal");
    moves(granted, resources, told.into_keys().map(|name| (name, String::new())).collect()).await;
}

fn subscription_id(granted: &Granted) -> String {
    subscription(&granted.pairs[0].vnet).trim_start_matches("/subscriptions/").to_owned()
}

async fn active(granted: &mut Granted) {
    let pair = granted.pairs[0].clone();
    granted.simulation.request("create", &pair).await;
    granted.simulation.settle().await;
    assert_eq!(granted.simulation.record(&pair).await.unwrap().status, Status::Active);
}

/// First the roles and the permission of the other form, then the app that knows them, then what the former form made goes.
async fn moves(mut granted: Granted, resources: Vec<Deployed>, settings: BTreeMap<String, String>) {
    let pair = granted.pairs[0].clone();
    let halves = |granted: &Granted| granted.simulation.world().vnet(&pair.vnet).unwrap().peerings.len();
    grants::deploy(&granted.simulation.clouds, &resources);
    for (name, value) in &settings {
        granted.simulation.restart_with(name, value);
    }
    granted.simulation.run_for(Duration::from_secs(2 * 3600)).await;
    assert_eq!(granted.simulation.record(&pair).await.unwrap().status, Status::Active);

    // With what the former form made, its roles on the VNet go.
    let former: Vec<String> = granted.resources.iter().map(|made| made.name.clone()).collect();
    let gone = |name: &String| former.contains(name);
    granted.simulation.world().role_assignments.retain(|one| !gone(&one.name) && !gone(&one.role));
    granted.simulation.world().role_definitions.retain(|one| !gone(&one.name));
    granted.simulation.run_for(Duration::from_secs(2 * 3600)).await;
    assert_eq!(granted.simulation.record(&pair).await.unwrap().status, Status::Drifted, "it is reported");
    granted.simulation.request("retry", &pair).await;
    granted.simulation.settle().await;
    granted.simulation.run_for(Duration::from_secs(2 * 3600)).await;
    let after = granted.simulation.record(&pair).await.unwrap();
    assert_eq!(after.status, Status::Active, "{}", granted.simulation.shown().await);
    let role = |symbol: &str| resources.iter().find(|made| made.symbol == symbol).unwrap().name.clone();
    let assigned: BTreeSet<String> =
        granted.simulation.world().assignments_at(&pair.vnet).iter().map(|one| one.role.clone()).collect();
    assert_eq!(assigned, [role("writerRole"), role("peerOnlyRole")].into(), "{}", granted.simulation.shown().await);
    assert_eq!(halves(&granted), 1);
    let calls = granted.simulation.clouds.calls();
    let gone: Vec<_> = calls.iter().filter(|call| call.method == "DELETE").collect();
    assert!(gone.is_empty(), "nothing was taken down: {gone:?}");
    granted.simulation.request("delete", &pair).await;
    granted.simulation.settle().await;
    assert_eq!(granted.simulation.record(&pair).await.unwrap().status, Status::Deleted);
    assert_eq!(granted.simulation.world().assignments_at(&pair.vnet).len(), 0);
}
