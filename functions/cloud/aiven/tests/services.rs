//! Services: where they listen, whom they let in, and that their secrets stay in the answer.

use super::*;

fn services() -> Value {
    json!({ "services": [
        { "service_name": "pg-1", "service_type": "pg", "state": "RUNNING", "project_vpc_id": ID,
          "service_uri": "postgres://avnadmin:canary-password@pg-1.test:12691/defaultdb",
          "service_uri_params": { "password": "canary-password", "port": "12691" },
          "users": [{ "username": "avnadmin", "password": "canary-password" }],
          "connection_info": { "pg": ["postgres://canary-password"] },
          "user_config": { "ip_filter": ["10.1.0.0/16", { "network": "192.0.2.7", "description": "office" }, 7, "odd"],
              "admin_password": "canary-password" },
          "components": [
            { "component": "pg", "host": "pg-1.test", "port": 12691, "route": "dynamic", "usage": "primary", "ssl": true },
            { "component": "pg", "host": "public-pg-1.test", "port": 12691, "route": "public", "usage": "primary" },
            { "component": "pg", "host": "replica-pg-1.test", "port": 12691, "route": "dynamic", "usage": "replica" },
            { "component": "pg", "host": "odd.test", "port": 1, "route": "wormhole", "usage": "primary" },
            { "component": "pg", "host": null, "port": 1, "route": "dynamic", "usage": "primary" } ] },
        { "service_name": "k", "service_type": "kafka", "state": "THAWING", "project_vpc_id": null, "components": null,
          "user_config": {} } ] })
}

async fn read() -> Vec<AivenService> {
    let script = Script::new().on(&format!("GET {PROJECT}/service"), 200, &services().to_string());
    let read = script.clouds().aiven.services("my-project").await.unwrap();
    script.seen();
    read
}

#[tokio::test(start_paused = true)]
async fn a_service_shows_where_it_listens_inside_its_vpc() {
    let services = read().await;
    let pg = &services[0];
    assert_eq!((pg.name.as_str(), pg.kind.as_str(), &pg.state), ("pg-1", "pg", &ServiceState::Running));
    assert_eq!(pg.vpc, Some(ID.parse().unwrap()));
    assert_eq!(pg.components.len(), 4, "what has no host cannot be connected to");
    let inside: Vec<(&str, u16)> = pg.private_addresses().map(|one| (one.host.as_str(), one.port)).collect();
    assert_eq!(inside, [("pg-1.test", 12691)]);
    assert_eq!((&services[1].state, services[1].vpc), (&ServiceState::Unknown("THAWING".into()), None));
}

#[tokio::test(start_paused = true)]
async fn a_services_filter_admits_what_one_of_its_ranges_holds() {
    let services = read().await;
    for (range, admitted) in
        [("10.1.2.0/24", true), ("192.0.2.7/32", true), ("10.0.0.0/8", false), ("10.2.0.0/16", false)]
    {
        assert_eq!(services[0].admits(&range.parse().unwrap()), admitted, "{range}");
        assert!(services[1].admits(&range.parse().unwrap()), "a filter that is not shown is everybody's");
    }
    let office = json!({ "network": "192.0.2.7", "description": "office" });
    assert_eq!(services[0].ip_filter_entries, [json!("10.1.0.0/16"), office, json!(7), json!("odd")]);
}

#[tokio::test(start_paused = true)]
async fn no_secret_of_a_service_is_kept_or_told() {
    assert!(!format!("{:?}", read().await).contains("canary"));
    let mut odd = services();
    odd["services"][0]["components"] = json!("postgres://canary-password");
    let script = Script::new().on(&format!("GET {PROJECT}/service"), 200, &odd.to_string());
    let failure = script.clouds().aiven.services("my-project").await.unwrap_err();
    assert_eq!(failure.code, crate::cloud::http::code::UNREADABLE);
    assert!(!format!("{failure} {failure:?}").contains("canary"), "{failure}");
    script.seen();
}

#[tokio::test(start_paused = true)]
async fn an_organizations_projects_are_named_by_either_word() {
    let body = json!({ "projects": [{ "project_id": "a" }, { "project_name": "b" }, {}], "total_project_count": 3 });
    let script = Script::new().on(&format!("GET {ORG}/projects"), 200, &body.to_string());
    assert_eq!(script.clouds().aiven.projects_of("org1a2b3c4d5e6").await.unwrap(), ["a", "b"]);
    script.seen();
}
