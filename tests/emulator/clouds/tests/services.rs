//! Aiven's services as its API shows them.

use super::Scene;
use crate::clouds::Admitted;
use serde_json::json;

#[tokio::test]
async fn a_service_shows_its_vpc_its_endpoints_and_its_filter_and_no_secret_unasked() {
    let scene = Scene::instant().await;
    let (organization, vpc) = {
        let mut world = scene.clouds.world();
        let organization = world.add_organization();
        let vpc = world.add_organization_vpc(&organization, "azure-westeurope", "10.77.0.0/24");
        world.add_project_in(&organization, "demo");
        let service = world.add_service("demo", "pg-1", Some(&vpc));
        service.add_component("pg", "public", "primary").add_component("pg", "dynamic", "replica");
        let description = "the office".to_owned();
        service.ip_filter =
            vec!["10.0.0.0/8".into(), Admitted::Described { network: "192.0.2.1/32".to_owned(), description }];
        world.add_service("demo", "open", None).state = "POWEROFF".to_owned();
        let elsewhere = world.add_organization();
        world.add_project_in(&elsewhere, "not-ours");
        (organization, vpc)
    };
    let projects = scene.aiven("GET", &format!("/organization/{organization}/projects"), None).await.body;
    assert_eq!(projects["projects"].as_array().unwrap().len(), 1);
    assert_eq!(projects["projects"][0]["project_name"], "demo");

    let services = scene.aiven("GET", "/project/demo/service", None).await.body["services"].clone();
    let (first, second) = (&services[0], &services[1]);
    assert_eq!(
        (&first["service_name"], &first["project_vpc_id"], &first["state"]),
        (&json!("pg-1"), &json!(vpc), &json!("RUNNING"))
    );
    assert_eq!((&second["project_vpc_id"], &second["state"]), (&json!(null), &json!("POWEROFF")));
    let filter = json!(["10.0.0.0/8", {"network": "192.0.2.1/32", "description": "the office"}]);
    assert_eq!(first["user_config"]["ip_filter"], filter);
    let component = |route: &str, usage: &str, host: &str, port: u16| json!({"component": "pg", "host": host, "port": port, "route": route, "usage": usage});
    assert_eq!(
        first["components"],
        json!([
            component("dynamic", "primary", "pg-1-demo.a.aivencloud.com", 20000),
            component("public", "primary", "public-pg-1-demo.a.aivencloud.com", 20001),
            component("dynamic", "replica", "replica.pg-1-demo.a.aivencloud.com", 20002),
        ])
    );

    let secret = scene.clouds.world().service("demo", "pg-1").unwrap().password.clone();
    let one = async |query: &str| scene.aiven("GET", &format!("/project/demo/service/pg-1{query}"), None).await.body;
    assert_eq!(one("").await["service"], *first);
    assert!(!services.to_string().contains(&secret) && first["service_uri"].is_null());
    assert!(!one("?include_secrets=false").await.to_string().contains(&secret));
    assert_eq!(one("?include_secrets=true").await["service"]["users"][0]["password"], secret);
    assert!(!format!("{:?}", scene.clouds.world().service("demo", "pg-1")).contains(&secret));
}

#[tokio::test]
async fn a_host_resolves_into_its_vpc_and_a_public_one_does_not() {
    let scene = Scene::instant().await;
    let mut world = scene.clouds.world();
    let vpc = world.add_project_vpc("demo", "azure-westeurope", "10.77.0.0/24");
    world.add_service("demo", "a", Some(&vpc)).add_component("pg", "public", "primary");
    world.add_service("demo", "b", Some(&vpc));
    let range = world.aiven_vpc(&vpc).unwrap().cidr;
    let of = |host: &str| world.resolve(host).map(|all| all[0]);
    let (a, b) = (of("a-demo.a.aivencloud.com").unwrap(), of("B-demo.a.aivencloud.com.").unwrap());
    assert!(range.contains(&a) && range.contains(&b) && a != b);
    assert!(!range.contains(&of("public-a-demo.a.aivencloud.com").unwrap()));
    assert_eq!(of("nobody.a.aivencloud.com"), None);
    let service = world.service_mut("demo", "a").unwrap();
    service.ip_filter = vec!["10.1.0.0/16".into(), "192.0.2.7".into()];
    assert!(service.admits("10.1.2.0/24".parse().unwrap()) && service.admits("192.0.2.7/32".parse().unwrap()));
    assert!(!service.admits("10.0.0.0/15".parse().unwrap()));
}
