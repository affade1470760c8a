//! Whatever lands on the public queue ends in table `rejected` with a reason, or is accepted normalised. Nothing is lost, nothing
//! reaches a cloud, and every queue is empty at the end.

use std::time::Duration;

use emulator::clouds::Clouds;

use crate::scene;

/// Nominal time runs this much faster than the wall clock: the sweep comes every three seconds.
const SCALE: f64 = 100.0;
const LIMIT: Duration = Duration::from_secs(60);

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

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_kept_with_the_reason_and_nothing_else_happens() {
    let environment = scene::setup(SCALE).start(|_: &Clouds| {}).await.unwrap();
    let cases = refused();
    for (text, _) in &cases {
        environment.send(text).await.unwrap();
    }
    // Not base64 at all: the host moves these to the poison queue unseen, and the sweep finds them there.
    let raw = ["{\"version\": 1}", "plain text, with blanks!", &"&".repeat(10), &"z!".repeat(32 * 1024)];
    for text in raw {
        environment.account.put_raw("peering-requests", text, Duration::ZERO, None).await.unwrap();
    }
    // Base64 of what is no text.
    environment.account.put_raw("peering-requests", "//79/A==", Duration::ZERO, None).await.unwrap();
    let rows = scene::rejected(&environment, cases.len() + raw.len() + 1, LIMIT).await;
    for (text, part) in &cases {
        let shown: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(1024).collect();
        let row =
            rows.iter().find(|row| scene::text(row, "text") == shown).unwrap_or_else(|| panic!("{shown} is not kept"));
        let reason = scene::text(row, "reason");
        assert!(reason.contains(part) && reason.lines().count() == 1, "{shown}: {reason}");
    }
    for text in raw {
        let row = rows
            .iter()
            .find(|row| text.starts_with(scene::text(row, "text")))
            .unwrap_or_else(|| panic!("{text} is not kept"));
        assert!(scene::text(row, "reason").contains("not base64"), "{row:?}");
    }
    let by_reference = rows.iter().filter(|row| scene::text(row, "reference") == "CHG-1").count();
    assert!(by_reference >= 10, "refusals can be found by the sender's reference: {by_reference}");
    assert!(environment.clouds.calls().is_empty(), "nothing reached a cloud: {:?}", environment.clouds.calls());
    assert!(environment.records().await.unwrap().is_empty(), "no record was opened");
    scene::queues_are_empty(&environment, LIMIT).await;
    assert_eq!(environment.supervisor.counts().crashes, 0, "nothing crashed the handler");
    environment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_right_messages_are_accepted_normalised_as_one_peering() {
    let mut pairs = Vec::new();
    let environment =
        scene::setup(SCALE).start(|clouds: &Clouds| pairs = clouds.world().standard(1, 1, false)).await.unwrap();
    let good = serde_json::json!({"version": 1, "action": "create", "vpc": pairs[0].vpc, "vnet": pairs[0].vnet, "reference": "CHG-2"}).to_string();
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
        environment.send(text).await.unwrap();
    }
    let records = scene::all_are(&environment, 1, "Active", LIMIT).await;
    let key = scene::text(&records[0], "RowKey");
    assert_eq!(key, key.to_lowercase());
    let again = environment
        .journal()
        .await
        .unwrap()
        .iter()
        .filter(|entry| scene::text(entry, "outcome") == "requested again")
        .count();
    assert_eq!(again, odd.len() - 1, "each further request is journalled");
    scene::assert_exactly(&environment, &pairs);
    let other = good.replace("\"CHG-2\"", "\"CHG-3\",\"peering_name\":\"other\"");
    environment.send(&other).await.unwrap();
    let row = scene::rejected(&environment, 1, LIMIT).await.remove(0);
    assert!(scene::text(&row, "reason").contains("another peering_name"), "{row:?}");
    assert_eq!(scene::text(&row, "reference"), "CHG-3");
    environment.stop().await;
}
