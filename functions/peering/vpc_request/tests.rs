//! What a VPC request may say.

use super::*;

const VNET: &str = "/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vn";

fn good() -> Value {
    json!({"version": 1, "cloud": "azure-westeurope", "cidr": "10.200.0.0/24", "organization": "Org1a2b3c4d5e6",
        "peerings": [{"vnet": VNET, "allow_forwarded_traffic": true}], "requested_by": "me", "reference": "CHG-1"})
}

fn changed(field: &str, value: Value) -> String {
    let mut request = good();
    request[field] = value;
    request.to_string()
}

#[test]
fn a_request_is_read_and_its_peerings_get_the_vpc_once_it_is_there() {
    let request = VpcRequest::parse(&good().to_string()).unwrap();
    assert_eq!(request.key(), "org:org1a2b3c4d5e6:azure-westeurope:10.200.0.0-24");
    let id = Uuid::from_u128(7);
    let peerings: Vec<Request> = request.peerings_with(id).collect();
    let sent = serde_json::to_value(&peerings[0]).unwrap();
    assert_eq!(
        sent,
        json!({"version": 1, "action": "create", "vpc": {"organization": "org1a2b3c4d5e6", "id": id}, "vnet": VNET,
            "allow_forwarded_traffic": true, "requested_by": "me", "reference": "CHG-1"})
    );
    assert_eq!(Request::parse(&sent.to_string()).unwrap(), peerings[0], "the door of peerings takes it");
}

#[test]
fn a_peering_may_have_a_reference_of_its_own() {
    let peering = json!({"vnet": VNET, "reference": "CHG-2", "version": 1, "action": "create"});
    let request = VpcRequest::parse(&changed("peerings", json!([peering]))).unwrap();
    assert_eq!(request.peerings[0].reference.as_deref(), Some("CHG-2"));
}

#[test]
fn a_brand_may_prefix_its_clouds() {
    let mut written = good();
    written.as_object_mut().unwrap().remove("organization");
    (written["project"], written["cloud"]) = (json!("My-Project"), json!("timescale-azure-westeurope"));
    let request = VpcRequest::parse(&written.to_string()).unwrap();
    assert_eq!(request.key(), "project:my-project:timescale-azure-westeurope:10.200.0.0-24");
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let both = changed("project", json!("p"));
    let none = good().to_string().replace("\"organization\":\"Org1a2b3c4d5e6\",", "");
    for (text, reason) in [
        (String::new(), "is empty"),
        ("[]".to_owned(), "cannot be read"),
        (changed("version", json!(2)), "version 2 is not known"),
        (changed("name", json!("x")), "unknown field `name`"),
        (both, "either \"organization\" or \"project\""),
        (none, "either \"organization\" or \"project\""),
        (changed("organization", json!("a/b")), "not the name of an Aiven organization"),
        (changed("cloud", json!("aws-eu-west-1")), "none of Azure's; `avn cloud list --project <project>`"),
        (changed("cloud", json!("azure-west/europe")), "none of Azure's"),
        (changed("cidr", json!("10.200.0.0")), "not an IPv4 range"),
        (changed("cidr", json!("fd00::/24")), "not an IPv4 range"),
        (changed("cidr", json!("10.200.0.0/25")), "takes /20 to /24"),
        (changed("cidr", json!("10.200.0.0/19")), "takes /20 to /24"),
        (changed("cidr", json!("10.200.0.7/24")), "the range is 10.200.0.0/24"),
        (changed("peerings", json!([{"vnet": VNET}, {}])), "peerings[1]: action \"create\" needs \"vnet\""),
        (changed("peerings", json!([{"vnet": VNET, "vpc": {}}])), "peerings[0]: it names a \"vpc\""),
        (changed("peerings", json!([{"vnet": VNET, "action": "delete"}])), "action \"delete\" makes no sense"),
        (changed("peerings", json!([{"vnet": VNET, "vlan": 1}])), "unknown field `vlan`"),
        (changed("peerings", json!([{"vnet": "x"}])), "is not the resource id"),
        (changed("reference", json!("x".repeat(300))), "longer than 256"),
    ] {
        let error = VpcRequest::parse(&text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}
