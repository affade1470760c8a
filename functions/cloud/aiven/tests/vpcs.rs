//! Lists of VPCs, making one, and the ranges of a connection.

use super::*;

const CIDR: &str = "10.9.0.0/24";

fn organization() -> Owner {
    Owner::from(&org())
}

fn with_cidrs(cidrs: &[&str]) -> Connection {
    let mut wire = connection("ACTIVE", Value::Null);
    wire["user_peer_network_cidrs"] = json!(cidrs);
    serde_json::from_value::<wire::WireConnection>(wire).unwrap().into()
}

fn texts(cidrs: &[&str]) -> Vec<String> {
    cidrs.iter().map(|&cidr| cidr.to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_vpcs_of_either_owner_are_listed_without_connections() {
    let mut listed = org_vpc("ACTIVE", Value::Null);
    listed.as_object_mut().unwrap().remove("peering_connections");
    let flat = json!({ "project_vpc_id": ID, "cloud_name": "timescale-azure-westeurope", "network_cidr": CIDR, "state": "DELETING" });
    let script = Script::new()
        .on(&format!("GET {ORG}/vpcs"), 200, &json!({ "vpcs": [listed, { "state": "ACTIVE" }] }).to_string())
        .on(&format!("GET {PROJECT}/vpcs"), 200, &json!({ "vpcs": [flat] }).to_string());
    let aiven = script.clouds().aiven;
    let owned = aiven.vpcs(&organization()).await.unwrap();
    assert_eq!(owned.len(), 1, "what has no id cannot be used");
    assert_eq!(organization().vpc(owned[0].id), org());
    assert!(owned[0].is("azure-WestEurope", CIDR.parse().unwrap()) && !owned[0].is_going());
    assert!(!owned[0].is("azure-westeurope", "10.9.0.0/23".parse().unwrap()));
    let of_project = aiven.vpcs(&Owner::from(&project())).await.unwrap();
    assert_eq!((of_project[0].cloud.as_str(), of_project[0].is_going()), ("timescale-azure-westeurope", true));
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn a_vpc_is_made_in_the_words_of_its_owner() {
    let made = json!({ "organization_vpc_id": ID, "state": "APPROVED", "clouds": [{ "cloud_name": "azure-westeurope", "network_cidr": CIDR }],
        "peering_connections": [] });
    let script = Script::new().on(&format!("POST {ORG}/vpcs"), 200, &made.to_string()).on(
        &format!("POST {PROJECT}/vpcs"),
        204,
        "",
    );
    let aiven = script.clouds().aiven;
    let cidr = "10.9.0.7/24".parse().unwrap();
    let vpc = aiven.create_vpc(&organization(), "azure-westeurope", cidr).await.unwrap().unwrap();
    assert_eq!((vpc.state, vpc.id), (VpcState::Approved, ID.parse().unwrap()));
    assert_eq!(aiven.create_vpc(&Owner::from(&project()), "azure-westeurope", cidr).await.unwrap(), None);

    let seen = script.seen();
    let network = json!({ "cloud_name": "azure-westeurope", "network_cidr": CIDR });
    assert_eq!(seen[0].body, json!({ "clouds": [network], "peering_connections": [] }));
    assert_eq!(
        seen[1].body,
        json!({ "cloud_name": "azure-westeurope", "network_cidr": CIDR, "peering_connections": [] })
    );
}

#[tokio::test(start_paused = true)]
async fn making_a_vpc_is_never_sent_twice() {
    let script = Script::new().lost(&format!("POST {ORG}/vpcs"));
    let failure =
        script.clouds().aiven.create_vpc(&organization(), "azure-westeurope", CIDR.parse().unwrap()).await.unwrap_err();
    assert!(failure.status.is_none());
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn ranges_are_set_in_either_dialect() {
    let one = with_cidrs(&["10.1.0.0/24"]);
    let script = Script::new()
        .on(&format!("PUT {ORG}/vpc/{ID}/user-peer-network-cidrs"), 404, NO_ROUTE)
        .on(&format!("PUT {ORG}/vpcs/{ID}/peering-connections/{PC}/user-peer-network-cidrs"), 200, "{}")
        .on(&format!("PUT {PROJECT}/vpcs/{ID}/user-peer-network-cidrs"), 200, "{}");
    let aiven = script.clouds().aiven;
    for vpc in [org(), project()] {
        aiven.set_cidrs(&vpc, &one, &texts(&["10.2.0.0/24"]), &texts(&["10.1.0.0/24"])).await.unwrap();
    }
    let range = json!({ "cidr": "10.2.0.0/24", "peer_cloud_account": SUB, "peer_resource_group": "my-rg", "peer_vpc": "my-vnet" });
    for seen in script.seen() {
        assert_eq!(seen.body, json!({ "add": [range], "delete": ["10.1.0.0/24"] }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_of_another_connection_is_not_deleted_and_no_change_is_not_sent() {
    let one = with_cidrs(&["10.1.0.0/24"]);
    let script = Script::new();
    let aiven = script.clouds().aiven;
    aiven.set_cidrs(&org(), &one, &texts(&["10.1.0.0/24"]), &texts(&["10.3.0.0/24"])).await.unwrap();
    assert!(script.seen().is_empty());
}
