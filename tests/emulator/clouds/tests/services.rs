//! Aiven's services as its API shows them.

use super::Scene;
use crate::clouds::Admitted;
use serde_json::json;
use std::net::Ipv4Addr;

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
async fn an_update_replaces_all_of_the_filter_or_is_refused() {
    let scene = Scene::instant().await;
    scene.clouds.world().add_service("demo", "pg-1", None);
    let put = async |filter: serde_json::Value| {
        let body = json!({"plan": "startup-4", "user_config": {"ip_filter": filter}});
        scene.aiven("PUT", "/project/demo/service/pg-1", Some(body)).await
    };
    let filter = json!(["10.0.0.0/8", {"network": "192.0.2.1/32", "description": "the office"}]);
    assert_eq!(put(filter.clone()).await.body["service"]["user_config"]["ip_filter"], filter);
    for bad in [json!("10.0.0.0/8"), json!([7]), json!([{"network": "10.0.0.0/8"}]), json!(null)] {
        assert_eq!(put(bad.clone()).await.status, 400, "{bad}");
    }
    let shown = scene.aiven("GET", "/project/demo/service/pg-1", None).await.body;
    assert_eq!(shown["service"]["user_config"]["ip_filter"], filter);
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

/// Asks the name server for the A records of a host; returns the response code and the addresses.
async fn look_up(scene: &Scene, host: &str) -> (u8, Vec<Ipv4Addr>) {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query, scene.clouds.name_server().unwrap()).await.unwrap();
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).await.unwrap();
    let records = buffer[query.len()..length].chunks(16);
    (buffer[3] & 15, records.map(|r| Ipv4Addr::new(r[12], r[13], r[14], r[15])).collect())
}

#[tokio::test]
async fn the_name_server_knows_the_services_and_nobody_else() {
    let scene = Scene::instant().await;
    let vpc = scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "10.77.0.0/24");
    scene.clouds.world().add_service("demo", "pg", Some(&vpc));
    assert_eq!(look_up(&scene, "pg-demo.a.aivencloud.com").await, (0, vec![Ipv4Addr::new(10, 77, 0, 4)]));
    assert_eq!(look_up(&scene, "PG-demo.A.aivencloud.com").await.1.len(), 1, "in any case");
    assert_eq!(look_up(&scene, "management.azure.com").await, (3, Vec::new()));
    scene.clouds.world().service_mut("demo", "pg").unwrap().components[0].address = Ipv4Addr::new(192, 0, 2, 1);
    assert_eq!(look_up(&scene, "pg-demo.a.aivencloud.com").await.1, [Ipv4Addr::new(192, 0, 2, 1)]);
    scene.clouds.world().delete_service("demo", "pg");
    assert_eq!(look_up(&scene, "pg-demo.a.aivencloud.com").await, (3, Vec::new()));
}

#[tokio::test]
async fn an_open_service_is_reached_at_the_address_and_port_that_are_told() {
    let scene = Scene::instant().await;
    let (host, other) = ("pg-demo.a.aivencloud.com", "far-demo.a.aivencloud.com");
    let vpc = scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "127.77.0.0/24");
    let far = scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "10.77.0.0/24");
    scene.clouds.world().add_service("demo", "pg", Some(&vpc));
    scene.clouds.world().add_service("demo", "far", Some(&far));
    let open = scene.clouds.open_service(host).await.unwrap();
    let service = scene.aiven("GET", "/project/demo/service/pg", None).await.body;
    let port = u16::try_from(service["service"]["components"][0]["port"].as_u64().unwrap()).unwrap();
    let address = look_up(&scene, host).await.1[0];
    assert!(scene.clouds.world().aiven_vpc(&vpc).unwrap().cidr.contains(&address));
    assert_eq!(open.address(), (address, port).into());
    tokio::net::TcpStream::connect((address, port)).await.unwrap();
    super::eventually("it was taken", async || open.accepted() == 1).await;
    drop(open);
    super::eventually("closed", async || tokio::net::TcpStream::connect((address, port)).await.is_err()).await;
    assert_eq!(scene.clouds.open_service(other).await.err().unwrap().kind(), std::io::ErrorKind::AddrNotAvailable);
    assert!(scene.clouds.open_service("nobody").await.is_err());
}

/// c-ares, by way of Node.js: a resolver that is not ours.
const RESOLVE: &str = "
const resolver = new (require('node:dns').promises.Resolver)();
resolver.setServers([process.argv[1]]);
const ask = (host) => resolver.resolve4(host).catch((error) => error.code);
const six = (host) => resolver.resolve6(host).catch((error) => error.code);
const pg = 'pg-demo.a.aivencloud.com';
Promise.all([ask(pg), six(pg), ask('nobody.a.aivencloud.com')]).then((all) => console.log(JSON.stringify(all)));
";

#[tokio::test(flavor = "multi_thread")]
async fn a_resolver_that_is_not_ours_understands_the_name_server() {
    let scene = Scene::instant().await;
    let vpc = scene.clouds.world().add_project_vpc("demo", "azure-westeurope", "10.77.0.0/24");
    scene.clouds.world().add_service("demo", "pg", Some(&vpc));
    let server = scene.clouds.name_server().unwrap().to_string();
    let asked = tokio::process::Command::new("node").args(["-e", RESOLVE, &server]).output().await.unwrap();
    let answers: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(answers, json!([["10.77.0.4"], "ENODATA", "ENOTFOUND"]));
}
