//! The app's identity, with exactly what the templates give it, can do all that its work takes, and nothing else: shown by trying.

mod granted;
mod grants;
mod landing_zone;
mod page;

use std::collections::BTreeSet;

use emulator::clouds::{RoleDefinition, Service, World, roles};
use granted::{AS_GIVEN, Departure, Granted, SPARE, Who, actions};
use grants::Azure;
use serde_json::{Value, json};
use simulation::{Simulation, run};

#[tokio::test(start_paused = true)]
async fn templates_suffice_for_a_whole_life() {
    let ways = [
        AS_GIVEN,
        Departure { project: true, ..AS_GIVEN },
        Departure { peering_role: "network-contributor", ..AS_GIVEN },
    ];
    for way in ways {
        let mut granted = Granted::new(way);
        let done = granted.whole_life().await;
        let sim = &granted.simulation;
        assert!(done, "{} {}\n{}", way.project, way.peering_role, sim.shown().await);
        // What Aiven gives in its own tenant comes late.
        let ours = |one: &simulation::Use| granted.who(&one.check.principal).is_some();
        let refused: Vec<_> = sim.uses().into_iter().filter(|one| !one.check.allowed && ours(one)).collect();
        assert!(refused.is_empty(), "nothing was tried that is not given: {refused:#?}");
        let calls = sim.clouds.calls();
        let writes = calls.iter().filter(|call| call.service == Service::Graph && call.method != "GET");
        assert_eq!(writes.count(), 0, "the directory is not written to");
    }
}

#[tokio::test(start_paused = true)]
async fn templates_and_app_make_the_same_roles() {
    let granted = Granted::new(AS_GIVEN);
    let given = roles_of(&granted.simulation.world(), &granted.pairs[0].vnet);
    let (mut sim, pairs) = Simulation::new(|world| world.standard(1, 1, false));
    sim.request("create", &pairs[0]).await;
    sim.settle().await;
    let made = roles_of(&sim.world(), &pairs[0].vnet);
    assert_eq!(made.len(), 2, "{}", sim.shown().await);
    let (own, other) = (subscription(&granted.pairs[0].vnet), subscription(&pairs[0].vnet));
    for role in &made {
        let name = role.role_name.replace(other, own);
        let same = given.iter().find(|given| given.role_name == name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!((&same.actions, &same.not_actions), (&role.actions, &role.not_actions), "{name}");
        assert_eq!((&same.data_actions, &same.description), (&role.data_actions, &role.description), "{name}");
        assert_eq!(same.assignable_scopes, [format!("/subscriptions/{own}")], "{name}");
    }
}

fn subscription(id: &str) -> &str {
    id.split('/').nth(2).unwrap()
}

fn roles_of(world: &World, vnet: &str) -> Vec<RoleDefinition> {
    world.role_definitions_in(subscription(vnet)).into_iter().cloned().collect()
}

/// The identity, and what it tries to lay its hands on.
struct Attempt<'a> {
    granted: &'a Granted,
    arm: Azure<'a>,
}

impl<'a> Attempt<'a> {
    fn by_identity(granted: &'a Granted) -> Self {
        Self { granted, arm: grants::identity(&granted.simulation.clouds, "ARM_URL") }
    }

    fn scope(&self) -> String {
        format!("/subscriptions/{}", subscription(&self.granted.pairs[0].vnet))
    }

    fn role(&self, symbol: &str) -> String {
        self.granted.resources.iter().find(|made| made.symbol == symbol).unwrap().name.clone()
    }

    fn assign(&self, scope: &str, role: &str, principal: &str) -> (u16, Value) {
        let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{role}", self.scope());
        let properties =
            json!({"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"});
        let name = uuid::Uuid::new_v4();
        let path = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
        self.arm.arm("PUT", &path, Some(&json!({"properties": properties})))
    }

    fn refused(&self, what: &str, (status, answer): (u16, Value)) {
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("AuthorizationFailed")), "{what}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn identity_assigns_only_its_two_roles() {
    let granted = Granted::new(AS_GIVEN);
    let attempt = Attempt::by_identity(&granted);
    let (vnet, directory) = (&granted.pairs[0].vnet, &granted.directory);
    let identity = granted.simulation.world().identity_principal_id.clone();
    let stranger = granted.simulation.world().add_service_principal(&uuid::Uuid::new_v4().to_string(), "stranger");
    let own = ["writerRole", "peerOnlyRole"].map(|symbol| attempt.role(symbol));
    let others = [
        attempt.role("automationRole"),
        roles::OWNER.to_owned(),
        roles::CONTRIBUTOR.to_owned(),
        roles::USER_ACCESS_ADMINISTRATOR.to_owned(),
        roles::NETWORK_CONTRIBUTOR.to_owned(),
        roles::READER.to_owned(),
    ];
    for role in own.iter().chain(&others) {
        for principal in [&directory.principal, &directory.aiven_principal, &identity, &stranger] {
            let answer = attempt.assign(vnet, role, principal);
            if own.contains(role) && ![&identity, &stranger].contains(&principal) {
                assert_eq!(answer.0, 201, "{role} to {principal}: {}", answer.1);
            } else {
                attempt.refused(&format!("{role} to {principal}"), answer);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_identity_assigns_nothing_elsewhere() {
    let granted = Granted::new(AS_GIVEN);
    let attempt = Attempt::by_identity(&granted);
    let (role, principal) = (attempt.role("writerRole"), &granted.directory.principal);
    let elsewhere = &granted.pairs[1].vnet;
    let other = format!("/subscriptions/{}", subscription(elsewhere));
    assert_ne!(other, attempt.scope());
    for scope in [elsewhere.as_str(), &other, ""] {
        attempt.refused(scope, attempt.assign(scope, &role, principal));
    }
    attempt.refused("reading there", attempt.arm.arm("GET", elsewhere, None));
    // No condition knows scopes: within the subscription it may assign them anywhere. The page of permissions says so.
    assert_eq!(attempt.assign(&attempt.scope(), &role, principal).0, 201);
}

#[tokio::test(start_paused = true)]
async fn identity_takes_back_only_what_it_may_assign() {
    let granted = Granted::new(AS_GIVEN);
    let attempt = Attempt::by_identity(&granted);
    let vnet = &granted.pairs[0].vnet;
    let identity = granted.simulation.world().identity_principal_id.clone();
    let assignment = granted.resources.iter().find(|made| made.symbol == "automation").unwrap();
    let others = granted.simulation.world().assign_role(vnet, roles::READER, &granted.directory.principal);
    let others = format!("{vnet}/providers/Microsoft.Authorization/roleAssignments/{others}");
    for id in [&others, &assignment.id()] {
        attempt.refused(id, attempt.arm.arm("DELETE", id, None));
    }
    // Nor does it free itself of its condition.
    let mut properties = assignment.properties.clone();
    properties.as_object_mut().unwrap().retain(|name, _| !name.starts_with("condition"));
    let freed = attempt.arm.arm("PUT", &assignment.id(), Some(&json!({"properties": properties})));
    attempt.refused("its own condition", freed);
    let made = attempt.assign(vnet, &attempt.role("peerOnlyRole"), &granted.directory.aiven_principal);
    let id = made.1["id"].as_str().unwrap();
    assert_eq!(attempt.arm.arm("DELETE", id, None).0, 200);
    assert!(granted.simulation.world().allows(&identity, "Microsoft.Network/virtualNetworks/read", vnet));
}

#[tokio::test(start_paused = true)]
async fn identity_defines_changes_and_deletes_no_role() {
    let granted = Granted::new(AS_GIVEN);
    let attempt = Attempt::by_identity(&granted);
    let scope = attempt.scope();
    let path = |name: &str| format!("{scope}/providers/Microsoft.Authorization/roleDefinitions/{name}");
    for role in granted.resources.iter().filter(|made| made.kind.ends_with("/roleDefinitions")) {
        let mut properties = role.properties.clone();
        properties["permissions"][0]["actions"].as_array_mut().unwrap().push("*".into());
        let (id, body) = (path(&role.name), json!({"properties": properties}));
        assert_eq!(attempt.arm.arm("GET", &id, None).0, 200);
        attempt.refused("another action", attempt.arm.arm("PUT", &id, Some(&body)));
        attempt.refused("another role", attempt.arm.arm("PUT", &path(&uuid::Uuid::new_v4().to_string()), Some(&body)));
        attempt.refused("no role", attempt.arm.arm("DELETE", &id, None));
    }
}

#[tokio::test(start_paused = true)]
async fn the_identity_changes_no_network() {
    let granted = Granted::new(AS_GIVEN);
    let attempt = Attempt::by_identity(&granted);
    let vnet = &granted.pairs[0].vnet;
    let half = format!("{vnet}/virtualNetworkPeerings/mine");
    let remote = json!({"properties": {"remoteVirtualNetwork": {"id": granted.pairs[1].vnet}}});
    let space = json!({"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}});
    attempt.refused("a peering", attempt.arm.arm("PUT", &half, Some(&remote)));
    attempt.refused("a peering's end", attempt.arm.arm("DELETE", &half, None));
    attempt.refused("the network", attempt.arm.arm("PUT", vnet, Some(&space)));
    attempt.refused("the network's end", attempt.arm.arm("DELETE", vnet, None));
}

#[tokio::test(start_paused = true)]
async fn the_identity_writes_nothing_to_the_directory() {
    let granted = Granted::new(AS_GIVEN);
    let graph = grants::identity(&granted.simulation.clouds, "GRAPH_URL");
    let app = format!("/applications(appId='{}')", granted.directory.application);
    let stranger =
        json!({"name": "x", "issuer": "https://x", "subject": "x", "audiences": ["api://AzureADTokenExchange"]});
    let attempts = [
        ("POST", "/applications".to_owned(), json!({"displayName": "mine"})),
        ("PATCH", app.clone(), json!({"displayName": "mine"})),
        ("DELETE", app.clone(), Value::Null),
        ("POST", format!("{app}/federatedIdentityCredentials"), stranger),
        ("POST", format!("{app}/addPassword"), json!({"passwordCredential": {"displayName": "x"}})),
        ("POST", "/servicePrincipals".to_owned(), json!({"appId": granted.directory.application})),
        (
            "PATCH",
            format!("/servicePrincipals/{}", granted.directory.aiven_principal),
            json!({"accountEnabled": false}),
        ),
        ("DELETE", format!("/servicePrincipals/{}", granted.directory.principal), Value::Null),
    ];
    let before = granted.simulation.world().snapshot();
    for (method, path, body) in attempts {
        let (status, answer) = graph.graph(method, &path, Some(&body).filter(|body| !body.is_null()));
        assert_eq!(status, 403, "{method} {path}: {answer}");
    }
    assert_eq!(granted.simulation.world().snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn every_action_is_used_or_has_its_reason() {
    let mut granted = Granted::new(AS_GIVEN);
    assert!(granted.whole_life().await);
    for who in Who::ALL {
        let (given, used) = (granted.actions(who.role()), granted.used_by(who));
        let used: BTreeSet<String> = used.into_keys().collect();
        let spare = SPARE.iter().filter(|(whose, ..)| *whose == who).map(|(_, action, _)| (*action).to_owned());
        let spare: BTreeSet<String> = spare.collect();
        assert!(used.is_subset(&given), "{who:?} does what it is not given: {:?}", used.difference(&given));
        assert!(spare.is_subset(&given), "{who:?} has not even got: {:?}", spare.difference(&given));
        let idle: BTreeSet<_> = given.difference(&used).collect();
        assert!(
            idle.iter().all(|action| spare.contains(*action)),
            "{who:?} never uses {idle:?}, and no reason is written"
        );
    }
}

#[test]
fn no_action_can_be_left_out_but_the_spare() {
    let given = run(async {
        let granted = Granted::new(AS_GIVEN);
        Who::ALL.map(|who| (who, granted.resources.iter().find(|made| made.symbol == who.role()).map(actions).unwrap()))
    });
    for (who, all) in given {
        for action in all {
            let is_spare = SPARE.iter().any(|(whose, spare, _)| *whose == who && *spare == action);
            let without = Some((who.role(), action.as_str()));
            let done = run(async { Granted::new(Departure { without, ..AS_GIVEN }).whole_life().await });
            assert_eq!(done, is_spare, "{who:?} without {action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn id_not_given_takes_the_permission_to_look_it_up() {
    for (setting, step, right) in granted::LOOKED_UP {
        let mut without = Granted::new(Departure { unset: Some(setting), ..AS_GIVEN });
        assert!(!without.whole_life().await, "{setting}");
        let record = without.simulation.record(&without.pairs[0]).await.unwrap();
        assert_eq!(record.step, *step, "{setting}: {}", without.simulation.shown().await);
        assert!(record.fault.is_some(), "{setting}: {}", without.simulation.shown().await);
        let mut with = Granted::new(Departure { unset: Some(setting), graph: Some(right), ..AS_GIVEN });
        assert!(with.whole_life().await, "{setting}: {}", with.simulation.shown().await);
        let written = with.simulation.asked().into_iter().filter(|a| a.service == Service::Graph && a.method != "GET");
        assert_eq!(written.count(), 0, "{setting} is looked up, and nothing is written");
    }
}

#[tokio::test(start_paused = true)]
async fn page_is_current() {
    let page = page::written().await;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/permissions.md");
    if std::env::var_os("PERMISSIONS").is_some_and(|wish| wish == "write") {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(there.lines()).find(|(now, then)| now != then);
    assert!(
        page == there,
        "infra/permissions.md is stale, first at {differs:?}; run: PERMISSIONS=write cargo test --test simulated permissions"
    );
}
