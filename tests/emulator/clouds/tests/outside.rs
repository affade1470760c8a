//! What people do behind the automation's back, and how it shows in both clouds.

use super::aiven::{organization, ready, state};
use super::life::connected;
use super::runbook::put_peering;
use super::{Answer, Scene};
use crate::clouds::{Lags, Pair, Service, differences, roles};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

/// A connection that is ACTIVE, its network at Aiven, and an administrator's token.
struct Active {
    scene: Scene,
    pair: Pair,
    remote: String,
    vpc: String,
    token: String,
}

async fn active() -> Active {
    let scene = Scene::with(1.0, Lags::none()).await;
    let (pair, _) = ready(&scene, false);
    let remote = connected(&scene, &pair);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    let home = scene.clouds.world().home_tenant.clone();
    let administrator = scene.clouds.world().add_administrator(&home);
    let arm = scene.url(Service::Arm);
    let answer = scene.by_secret(&home, &administrator.0, &administrator.1, &arm).await;
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    Active { scene, pair, remote, vpc, token }
}

impl Active {
    async fn get(&self, path: &str) -> Answer {
        self.scene.arm(&self.token, "GET", path, None).await
    }

    async fn half(&self, vnet: &str, name: &str) -> Value {
        self.get(&format!("{vnet}/virtualNetworkPeerings/{name}")).await.body["properties"].clone()
    }

    fn our_half(&self) -> crate::clouds::Peering {
        self.scene.clouds.world().half(&self.pair.vnet, &self.remote).unwrap().clone()
    }

    fn aivens_half(&self) -> crate::clouds::Peering {
        self.scene.clouds.world().half(&self.remote, &self.pair.vnet).unwrap().clone()
    }
}

#[tokio::test]
async fn a_connection_deleted_in_the_console_leaves_our_half_disconnected() {
    let a = active().await;
    a.scene.clouds.world().lags.aiven_deleting = Duration::from_secs(3600);
    a.scene.clouds.world().delete_connection_outside(&a.pair.vpc_id, &a.pair.vnet);
    assert_eq!(state(&a.scene, &a.vpc).await, "DELETING");
    assert_eq!(a.our_half().state, "Connected", "it takes its time");
    let hours = |n| SignedDuration::from_hours(n);
    let now = a.scene.clouds.world().now();
    a.scene.clouds.world().lags.aiven_deleted_lingers = Duration::from_secs(3600);
    a.scene.clouds.world().hold_time(now + hours(2));
    assert_eq!(state(&a.scene, &a.vpc).await, "DELETED");
    assert_eq!(a.our_half().state, "Disconnected");
    a.scene.clouds.world().hold_time(now + hours(4));
    assert_eq!(state(&a.scene, &a.vpc).await, "", "and then it is gone from the list");
}

#[tokio::test]
async fn an_active_connection_can_fail_in_every_documented_way_and_stays_so() {
    for failed in ["REJECTED_BY_PEER", "INVALID_SPECIFICATION", "ERROR", "DELETED_BY_PEER"] {
        let a = active().await;
        a.scene.clouds.world().fail_connection(&a.pair.vpc_id, &a.pair.vnet, failed);
        a.scene.aiven("POST", &format!("{}/peering-connections/refresh", a.vpc), None).await;
        assert_eq!(state(&a.scene, &a.vpc).await, failed);
    }
}

#[tokio::test]
async fn our_half_deleted_from_outside_shows_at_aiven_when_it_looks() {
    let a = active().await;
    let now = {
        let mut world = a.scene.clouds.world();
        // A second on, so that Aiven looks once more now and not again for three minutes.
        let now = world.now() + SignedDuration::from_secs(1);
        world.hold_time(now);
        world.lags.aiven_poll = Duration::from_secs(180);
        now
    };
    assert_eq!(state(&a.scene, &a.vpc).await, "ACTIVE", "it has just looked");
    a.scene.clouds.world().remove_peering(&a.pair.vnet, "to-aiven");
    assert_eq!(a.aivens_half().state, "Disconnected", "Azure knows at once");
    a.scene.clouds.world().hold_time(now + SignedDuration::from_secs(179));
    assert_eq!(state(&a.scene, &a.vpc).await, "ACTIVE");
    a.scene.clouds.world().hold_time(now + SignedDuration::from_secs(181));
    assert_eq!(state(&a.scene, &a.vpc).await, "DELETED_BY_PEER");
}

#[tokio::test]
async fn a_vpc_deleted_in_the_console_takes_its_connections_along() {
    let a = active().await;
    a.scene.clouds.world().delete_vpc_outside(&a.pair.vpc_id);
    assert_eq!(a.scene.aiven("GET", &a.vpc, None).await.status, 404);
    assert_eq!(a.our_half().state, "Disconnected");
    assert!(a.scene.clouds.world().vnet(&a.remote).is_none());
}

#[tokio::test]
async fn a_snapshot_sees_a_connection_that_ends_and_not_one_that_lingers() {
    let a = active().await;
    let hours = |n| SignedDuration::from_hours(n);
    let hour = Duration::from_secs(3600);
    let connections = || a.scene.clouds.world().snapshot()["aiven"]["vpcs"][0]["connections"].clone();
    let now = a.scene.clouds.world().now();
    {
        let mut world = a.scene.clouds.world();
        world.hold_time(now);
        (world.lags.aiven_deleting, world.lags.aiven_deleted_lingers) = (hour, hour);
        world.delete_connection_outside(&a.pair.vpc_id, &a.pair.vnet);
    }
    assert_eq!(connections()[0]["state"], "DELETING");
    a.scene.clouds.world().hold_time(now + hours(1));
    assert_eq!(state(&a.scene, &a.vpc).await, "DELETED", "it lingers");
    assert_eq!(connections(), json!([]));
}

#[tokio::test]
async fn our_network_deleted_from_outside_shows_at_aiven_too() {
    let a = active().await;
    a.scene.clouds.world().delete_network(&a.pair.vnet);
    assert_eq!(state(&a.scene, &a.vpc).await, "DELETED_BY_PEER");
    let gone = a.get(&a.pair.vnet).await;
    assert_eq!((gone.status, gone.code()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn a_changed_address_space_is_out_of_sync_until_each_side_synchronises() {
    let a = active().await;
    let vnet = a.pair.vnet.clone();
    let before = a.scene.clouds.world().vnet(&vnet).unwrap().prefixes[0].to_string();
    assert_eq!(a.half(&vnet, "to-aiven").await["peeringSyncLevel"], "FullyInSync");

    a.scene.clouds.world().change_address_space(&vnet, &[&before, "10.50.0.0/24"]);
    let half = a.half(&vnet, "to-aiven").await;
    assert_eq!((&half["peeringSyncLevel"], &half["peeringState"]), (&json!("RemoteNotInSync"), &json!("Connected")));
    assert_eq!(half["localVirtualNetworkAddressSpace"]["addressPrefixes"], json!([before, "10.50.0.0/24"]));
    assert_eq!(half["localAddressSpace"]["addressPrefixes"], json!([before]), "what is peered");

    let old = a.scene.clouds.world().aiven_vpc(&a.pair.vpc_id).unwrap().cidr.to_string();
    a.scene.clouds.world().change_vpc_range(&a.pair.vpc_id, "10.60.0.0/24");
    let half = a.half(&vnet, "to-aiven").await;
    assert_eq!(half["peeringSyncLevel"], "LocalAndRemoteNotInSync");
    assert_eq!(half["remoteAddressSpace"]["addressPrefixes"], json!([old]));
    assert_eq!(half["remoteVirtualNetworkAddressSpace"]["addressPrefixes"], json!(["10.60.0.0/24"]));

    a.scene.clouds.world().sync_aiven_half(&a.pair.vpc_id, &vnet);
    assert_eq!(a.half(&vnet, "to-aiven").await["peeringSyncLevel"], "LocalNotInSync");
}

#[tokio::test]
async fn only_a_put_that_asks_for_it_synchronises_and_only_its_own_half() {
    let a = active().await;
    let other = {
        let mut world = a.scene.clouds.world();
        let subscription = a.pair.vnet.split('/').nth(2).unwrap().to_owned();
        world.add_vnet(&subscription, "Rg", "Other", &["10.70.0.0/24"])
    };
    let vnet = &a.pair.vnet;
    a.scene.clouds.world().peer_by_hand(vnet, "to-other", &other);
    a.scene.clouds.world().peer_by_hand(&other, "back", vnet);
    let level = async |vnet: &str, name: &str| a.half(vnet, name).await["peeringSyncLevel"].clone();
    assert_eq!(level(vnet, "to-other").await, "FullyInSync");
    a.scene.clouds.world().change_address_space(&other, &["10.70.0.0/24", "10.71.0.0/24"]);
    assert_eq!(
        (level(vnet, "to-other").await, level(&other, "back").await),
        (json!("LocalNotInSync"), json!("RemoteNotInSync"))
    );

    let body = json!({"properties": {"remoteVirtualNetwork": {"id": other}}});
    let path = format!("{vnet}/virtualNetworkPeerings/to-other");
    assert_eq!(a.scene.arm(&a.token, "PUT", &path, Some(body)).await.status, 200);
    assert_eq!(level(vnet, "to-other").await, "LocalNotInSync", "a plain update leaves it");
    assert_eq!(put_peering(&a.scene, vnet, "to-other", &other, &a.token, None).await.status, 200);
    assert_eq!(level(vnet, "to-other").await, "FullyInSync");

    let more = a.scene.clouds.world().vnet(vnet).unwrap().prefixes[0].to_string();
    a.scene.clouds.world().change_address_space(vnet, &[&more, "10.50.0.0/24"]);
    assert_eq!(put_peering(&a.scene, vnet, "to-other", &other, &a.token, None).await.status, 200);
    assert_eq!(level(vnet, "to-other").await, "RemoteNotInSync", "the other half is its owner's to synchronise");
}

#[tokio::test]
async fn access_switched_off_shows_in_the_half_and_stops_the_traffic() {
    let a = active().await;
    let flows = || a.scene.clouds.world().traffic_flows(&a.pair.vnet, &a.pair.vpc_id);
    assert!(flows());
    a.scene.clouds.world().allow_access(&a.pair.vnet, &a.remote, false);
    let half = a.half(&a.pair.vnet, "to-aiven").await;
    assert_eq!((&half["peeringState"], &half["allowVirtualNetworkAccess"]), (&json!("Connected"), &json!(false)));
    assert!(!flows());
    a.scene.clouds.world().allow_access(&a.pair.vnet, &a.remote, true);
    a.scene.clouds.world().put_half_in_state(&a.remote, &a.pair.vnet, "Disconnected");
    assert!(!flows());
}

#[tokio::test]
async fn a_stale_half_comes_back_only_when_the_other_is_made_anew() {
    let a = active().await;
    a.scene.clouds.world().delete_connection_outside(&a.pair.vpc_id, &a.pair.vnet);
    assert_eq!(state(&a.scene, &a.vpc).await, "");
    assert_eq!(a.our_half().state, "Disconnected");
    let deleted =
        a.scene.arm(&a.token, "DELETE", &format!("{}/virtualNetworkPeerings/to-aiven", a.pair.vnet), None).await;
    assert_eq!(deleted.status, 202);
    assert_eq!(connected(&a.scene, &a.pair), a.remote);
    assert!(a.scene.clouds.world().traffic_flows(&a.pair.vnet, &a.pair.vpc_id));
}

#[tokio::test]
async fn a_subscriptions_networks_come_in_pages_with_their_halves() {
    let a = active().await;
    let subscription = a.pair.vnet.split('/').nth(2).unwrap().to_owned();
    {
        let mut world = a.scene.clouds.world();
        world.arm_page_size = 2;
        for n in 0..4 {
            world.add_vnet(&subscription, "Zeta", &format!("Net-{n}"), &[&format!("10.8{n}.0.0/24")]);
        }
    }
    let walk = async |first: String| {
        let (mut seen, mut next) = (Vec::new(), Some(first));
        let mut pages = 0;
        while let Some(url) = next {
            let page = a.scene.send(a.scene.request("GET", &url, &a.token, None)).await;
            assert_eq!(page.status, 200, "{}", page.body);
            seen.extend(page.body["value"].as_array().unwrap().clone());
            next = page.body["nextLink"].as_str().map(str::to_owned);
            pages += 1;
        }
        (seen, pages)
    };
    let list = "providers/Microsoft.Network/virtualNetworks?api-version=2024-05-01";
    let arm = a.scene.url(Service::Arm);
    let (all, pages) = walk(format!("{arm}/subscriptions/{subscription}/{list}")).await;
    assert_eq!((all.len(), pages), (5, 3));
    let ours = all.iter().find(|v| v["id"] == json!(a.pair.vnet)).unwrap();
    assert_eq!(ours["properties"]["virtualNetworkPeerings"][0]["properties"]["peeringState"], "Connected");
    let (group, pages) = walk(format!("{arm}/subscriptions/{subscription}/resourceGroups/zeta/{list}")).await;
    assert_eq!((group.len(), pages), (4, 2), "an even number ends without an empty page");
}

#[tokio::test]
async fn roles_are_found_by_type_and_name_and_assignments_by_principal_below() {
    let a = active().await;
    let subscription = a.pair.vnet.split('/').nth(2).unwrap().to_owned();
    let (role, principal) = {
        let mut world = a.scene.clouds.world();
        let role = world.add_role_definition(
            &subscription,
            None,
            "peer only",
            &["Microsoft.Network/virtualNetworks/peer/action"],
        );
        let home = world.home_tenant.clone();
        let app = world.add_application(&home, "another", None, true);
        let principal = world.add_service_principal(&home, &app);
        world.assign_role(&a.pair.vnet, &role, &principal);
        world.assign_role(&a.pair.vnet, roles::READER, &principal);
        (role, principal)
    };
    let scope = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization");
    let list = async |path: String| a.get(&format!("{scope}/{path}")).await.body["value"].as_array().unwrap().clone();
    let custom = list("roleDefinitions?$filter=type%20eq%20'CustomRole'".to_owned()).await;
    assert_eq!((custom.len(), custom[0]["name"].as_str()), (1, Some(role.as_str())));
    let all = "atScopeAndBelow() and type eq 'CustomRole' and roleName eq 'Peer Only'".replace(' ', "%20");
    assert_eq!(list(format!("roleDefinitions?$filter={all}")).await.len(), 1);
    let assigned = list(format!("roleAssignments?$filter=principalId%20eq%20'{principal}'")).await;
    assert_eq!(assigned.len(), 2, "those at the network are below the subscription");

    a.scene.clouds.world().widen_role(&role, "Microsoft.Network/*");
    let custom = list("roleDefinitions?$filter=roleName%20eq%20'peer%20only'".to_owned()).await;
    let actions = &custom[0]["properties"]["permissions"][0]["actions"];
    assert_eq!(actions[1], "Microsoft.Network/*");
    let assignment = assigned[0]["id"].as_str().unwrap();
    let deleted = a.scene.arm(&a.token, "DELETE", assignment, None).await;
    assert_eq!((deleted.status, &deleted.body["name"]), (200, &assigned[0]["name"]));
    assert_eq!(a.scene.arm(&a.token, "DELETE", assignment, None).await.status, 204);
    a.scene.clouds.world().unassign_role(&a.pair.vnet, &principal);
    assert!(list(format!("roleAssignments?$filter=principalId%20eq%20'{principal}'")).await.is_empty());
    a.scene.clouds.world().remove_role(&role);
    assert!(list("roleDefinitions?$filter=type%20eq%20'CustomRole'".to_owned()).await.is_empty());
}

#[tokio::test]
async fn a_snapshot_is_the_same_after_a_peering_has_come_and_gone_and_differs_in_between() {
    let scene = Scene::instant().await;
    let (pair, _) = ready(&scene, false);
    let before = scene.clouds.world().snapshot();
    connected(&scene, &pair);
    let between = scene.clouds.world().snapshot();
    assert_ne!(before["networks"], between["networks"]);
    assert_ne!(before["aiven"], between["aiven"]);
    let lines = differences(&before["networks"], &between["networks"]);
    assert_eq!(lines.len(), 4, "two networks as they were and as they are: {lines:#?}");
    scene.clouds.world().delete_connection_outside(&pair.vpc_id, &pair.vnet);
    scene.clouds.world().remove_peering(&pair.vnet, "to-aiven");
    assert_eq!(differences(&before, &scene.clouds.world().snapshot()), Vec::<String>::new());
}

#[tokio::test]
async fn a_snapshot_notices_every_change_that_lasts() {
    let a = active().await;
    let (subscription, home) = {
        let world = a.scene.clouds.world();
        (a.pair.vnet.split('/').nth(2).unwrap().to_owned(), world.home_tenant.clone())
    };
    let mut last = a.scene.clouds.world().snapshot();
    assert_eq!(a.scene.clouds.world().snapshot(), last, "time alone changes nothing");
    let mut differs = |what: &str, change: &dyn Fn(&mut crate::clouds::World)| {
        let mut world = a.scene.clouds.world();
        change(&mut world);
        let now = world.snapshot();
        assert!(!differences(&last, &now).is_empty(), "{what}");
        assert!(!now.to_string().contains("value-that-is-secret"));
        last = now;
    };
    let (vnet, vpc, remote) = (a.pair.vnet.as_str(), a.pair.vpc_id.as_str(), a.remote.as_str());
    differs("an application", &|w| drop(w.add_application(&home, "x", None, false)));
    let app = a.scene.clouds.world().connections(&a.pair.vpc_id, &a.pair.vnet)[0].app_id.clone();
    differs("a password", &|w| drop(w.add_password(&app, None).unwrap()));
    differs("a vault", &|w| drop(w.add_key_vault(&subscription, "Rg", "vault")));
    differs("a secret", &|w| w.write_secret("name", "value-that-is-secret"));
    differs("its next version", &|w| w.write_secret("name", "value-that-is-secret"));
    differs("its end", &|w| w.delete_secret("name"));
    differs("a principal", &|w| drop(w.add_service_principal(&home, "y")));
    differs("a right", &|w| w.grant_graph("z", "Application.Read.All"));
    differs("a role", &|w| drop(w.add_role_definition(&subscription, Some("r"), "r", &["a"])));
    differs("its actions", &|w| w.widen_role("r", "b"));
    differs("an assignment", &|w| drop(w.assign_role(vnet, "r", "z")));
    differs("access", &|w| w.allow_access(vnet, remote, false));
    differs("a state", &|w| w.put_half_in_state(vnet, remote, "Disconnected"));
    differs("Aiven's half", &|w| w.put_half_in_state(remote, vnet, "Disconnected"));
    differs("a range", &|w| w.change_address_space(vnet, &["10.99.0.0/24"]));
    differs("a synchronisation", &|w| w.sync_aiven_half(vpc, vnet));
    differs("a user network", &|w| w.aiven_vpc_mut(vpc).unwrap().connections[0].cidrs.push("10.1.0.0/24".to_owned()));
    differs("a connection's state", &|w| w.fail_connection(vpc, vnet, "ERROR"));
    differs("a VPC's range", &|w| w.change_vpc_range(vpc, "10.98.0.0/24"));
    differs("a service", &|w| drop(w.add_service("demo", "pg", Some(vpc)).name.clone()));
    differs("a network's end", &|w| w.delete_network(vnet));
    differs("a group's end", &|w| w.delete_resource_group(&subscription, "network-rg-1"));
}

#[tokio::test]
async fn a_failed_connection_that_is_requested_again_is_built_with_the_present_address_space() {
    let scene = Scene::instant().await;
    let (pair, body) = ready(&scene, false);
    let remote = connected(&scene, &pair);
    let vpc = format!("/organization/{}/vpc/{}", organization(&pair), pair.vpc_id);
    let before = scene.clouds.world().vnet(&pair.vnet).unwrap().prefixes[0].to_string();
    scene.clouds.world().change_address_space(&pair.vnet, &[&before, "10.50.0.0/24"]);
    scene.clouds.world().fail_connection(&pair.vpc_id, &pair.vnet, "ERROR");
    let again = scene.aiven("POST", &format!("{vpc}/peering-connections"), Some(body)).await;
    assert_eq!(again.body["state"], "APPROVED");
    // Our half is still there.
    super::eventually("ACTIVE", async || state(&scene, &vpc).await == "ACTIVE").await;
    assert_eq!(scene.clouds.world().half(&remote, &pair.vnet).unwrap().remote_prefixes.len(), 2);
}
