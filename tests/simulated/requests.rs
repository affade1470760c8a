//! Whatever a message on the public queue says, it ends in table `rejected` with a reason, or is accepted normalised. Nothing is lost,
//! nothing reaches a cloud, and every queue is empty at the end.

use functions::peering::Status;
use serde_json::json;
use simulation::{Simulation, assert_exactly, message, text};

const GOOD: &str = r#"{"version":1,"action":"create","vpc":{"organization":"org1a2b3c4d5e6","id":"66666666-6666-4666-8666-666666666666"},"vnet":"/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vn","reference":"CHG-1"}"#;

/// A message, and a part of the sentence that refuses it.
fn refused() -> Vec<(String, &'static str)> {
    let but = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replace(from, to)
    };
    let long = "x".repeat(47 * 1024);
    vec![
        ("hello".to_owned(), "cannot be read"),
        ("   ".to_owned(), "is empty"),
        ("null".to_owned(), "cannot be read"),
        ("[]".to_owned(), "cannot be read"),
        ("42".to_owned(), "cannot be read"),
        ("{}".to_owned(), "missing field `version`"),
        (GOOD[..GOOD.len() - 1].to_owned(), "cannot be read"),
        (format!("{GOOD}{GOOD}"), "cannot be read"),
        (but("\"version\":1", "\"version\":\"1\""), "cannot be read"),
        (but("\"version\":1", "\"version\":2"), "version 2 is not known"),
        (but("\"version\":1", "\"version\":-1"), "cannot be read"),
        (but("create", "destroy"), "unknown variant `destroy`"),
        (but("create", "delete"), "there is no peering of this VPC and VNet to delete"),
        (but("\"reference\"", "\"refrence\""), "unknown field `refrence`"),
        (but("\"reference\":\"CHG-1\"", "\"DequeueCount\":0"), "unknown field `DequeueCount`"),
        (but("\"reference\":\"CHG-1\"", "\"id\":\"x\",\"sys\":1"), "unknown field `id`"),
        (but("\"organization\":\"org1a2b3c4d5e6\",", ""), "needs either"),
        (but("\"organization\":\"org1a2b3c4d5e6\",", "\"organization\":\"org1\",\"project\":\"p\","), "needs either"),
        (but("org1a2b3c4d5e6", "or/g?"), "not the name of an Aiven organization"),
        (but("66666666-6666-4666-8666-666666666666", "my-vpc"), "vpc.id"),
        (but("33333333-3333-4333-8333-333333333333", "my-subscription"), "bad subscription id"),
        (but("virtualNetworks", "routeTables"), "names a Microsoft.Network/routeTables"),
        (but("/resourceGroups/g", ""), "is not the resource id"),
        (but("/vn\"", "/vn/subnets/default\""), "is not the resource id"),
        (but("/vn\"", "/v'n\\\"\""), "no virtual network can have"),
        (but("resourceGroups/g", "resourceGroups/g#1"), "resource group"),
        (but("CHG-1", "a\\u0000b"), "control character"),
        (but("CHG-1", &"y".repeat(300)), "longer than 256"),
        (but("\"reference\"", "\"peering_name\":\"-no\",\"reference\""), "peering_name"),
        (but("\"reference\"", "\"user_peer_network_cidrs\":[\"10.0.0.0/99\"],\"reference\""), "cannot be read"),
        (but("\"reference\":\"CHG-1\"", &format!("\"note\":\"{long}\"")), "unknown field `note`"),
    ]
}

#[tokio::test(start_paused = true)]
async fn bad_ones_are_kept_with_the_reason() {
    let (mut simulation, ()) = Simulation::new(|_| ());
    let cases = refused();
    for (bad, _) in &cases {
        simulation.send(bad).await;
    }
    simulation.drain().await;
    let rows = simulation.rows("rejected").await;
    assert_eq!(rows.len(), cases.len());
    for (bad, part) in &cases {
        let shown: String = bad.chars().filter(|c| !c.is_control() || *c == '\n').take(1024).collect();
        let row = rows.iter().find(|row| text(row, "text") == shown).unwrap_or_else(|| panic!("{shown} is not kept"));
        let reason = text(row, "reason");
        assert!(reason.contains(part) && reason.lines().count() == 1, "{shown}: {reason}");
    }
    let by_reference = rows.iter().filter(|row| text(row, "reference") == "CHG-1").count();
    assert!(by_reference >= 10, "refusals can be found by the sender's reference: {by_reference}");
    assert!(simulation.clouds.calls().is_empty(), "nothing reached a cloud: {:?}", simulation.clouds.calls());
    assert!(simulation.records().await.is_empty(), "no record was opened");
}

#[tokio::test(start_paused = true)]
async fn odd_ones_are_normalised_to_one_peering() {
    let (mut simulation, pairs) = Simulation::new(|world| world.standard(1, 1, false));
    let good = message("create", &pairs[0], &json!({"reference": "CHG-2"}));
    let id = pairs[0].vpc["id"].as_str().unwrap();
    let odd = [
        good.clone(),
        format!("\u{feff}{good}"),
        format!("\n\t {good} \n"),
        good.replace(&pairs[0].vnet, &pairs[0].vnet.to_uppercase()),
        good.replace(id, &id.to_uppercase()),
        good.replace("resourceGroups", "resourcegroups"),
    ];
    for text in &odd {
        simulation.send(text).await;
    }
    simulation.settle().await;
    let records = simulation.records().await;
    assert!(records.len() == 1 && records[0].status == Status::Active, "{}", simulation.shown().await);
    let rows = simulation.rows("peerings").await;
    assert!(rows.iter().all(|row| row.row == row.row.to_lowercase()));
    let again = rows.iter().filter(|row| text(row, "outcome") == "requested again").count();
    assert_eq!(again, odd.len() - 1, "each further request is journalled");
    assert_exactly(&simulation.world(), &pairs);
    simulation.send(&good.replace("\"CHG-2\"", "\"CHG-3\",\"peering_name\":\"other\"")).await;
    simulation.settle().await;
    let rejected = simulation.rows("rejected").await;
    assert!(rejected.len() == 1 && text(&rejected[0], "reason").contains("another peering_name"), "{rejected:?}");
    assert_eq!(text(&rejected[0], "reference"), "CHG-3");
}
