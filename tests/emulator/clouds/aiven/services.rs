//! Services of a project: list, get, the IP filter. What is secret is shown to who asks for it only.

use super::body;
use super::errors::error;
use super::json::time;
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::{Admitted, AivenService, Component, Project};
use serde_json::{Value, json};

pub(super) fn list(project: &Project, request: &Request) -> Reply {
    let all = project.services.iter().map(|s| service(s, secrets(request)));
    Reply::ok(json!({"services": all.collect::<Vec<_>>()}))
}

pub(super) fn get(project: &Project, request: &Request, name: &str) -> Answer {
    let found = project.services.iter().find(|s| s.name == name);
    let found = found.ok_or_else(|| error(404, "Service does not exist"))?;
    Ok(Reply::ok(json!({"service": service(found, secrets(request))})))
}

/// Replaces the IP filter, where one is sent, with all that is sent.
pub(super) fn update(project: &mut Project, request: &Request, name: &str) -> Answer {
    let found = project.services.iter_mut().find(|s| s.name == name);
    let found = found.ok_or_else(|| error(404, "Service does not exist"))?;
    if let Some(filter) = body(request)?["user_config"].get("ip_filter") {
        let entries = filter.as_array().and_then(|entries| entries.iter().map(entry).collect());
        found.ip_filter = entries.ok_or_else(|| error(400, "Invalid input: 'ip_filter' must be a list of networks"))?;
    }
    Ok(Reply::ok(json!({"service": service(found, secrets(request))})))
}

fn entry(value: &Value) -> Option<Admitted> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(network) = text(value) {
        return Some(Admitted::Network(network));
    }
    Some(Admitted::Described { network: text(&value["network"])?, description: text(&value["description"])? })
}

/// What can be set of a service of a kind: avn asks for it before it sends what was typed (aiven-client, `create_user_config`).
pub(super) fn kind(kind: &str) -> Reply {
    let filter =
        json!({"type": "array", "title": "IP filter", "items": {"type": ["string", "object"], "maxLength": 43}});
    Reply::ok(json!({
        "description": kind, "user_config_schema": {"type": "object", "properties": {"ip_filter": filter}}
    }))
}

/// `include_secrets`, a boolean (Aiven: OpenAPI); absent, no secret is shown.
fn secrets(request: &Request) -> bool {
    request.query("include_secrets").is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

fn service(service: &AivenService, secrets: bool) -> Value {
    let mut value = json!({
        "service_name": service.name, "service_type": service.kind, "state": service.state,
        "project_vpc_id": service.vpc, "cloud_name": "azure-westeurope", "plan": "startup-4", "node_count": 1,
        "create_time": time(service.created_at), "update_time": time(service.created_at),
        "components": service.components.iter().map(component).collect::<Vec<_>>(),
        "user_config": {"ip_filter": service.ip_filter.iter().map(admitted).collect::<Vec<_>>()},
        "users": [{"username": "avnadmin", "type": "primary"}], "connection_info": {}, "service_uri": null,
        "service_uri_params": {}, "termination_protection": false
    });
    if let Some(first) = service.components.first() {
        // The port is a string here, and a number in `components`.
        value["service_uri_params"] = json!({
            "host": first.host, "port": first.port.to_string(), "user": "avnadmin", "dbname": "defaultdb",
            "sslmode": "require"
        });
    }
    if let (true, Some(first)) = (secrets, service.components.first()) {
        let AivenService { kind, password, .. } = service;
        value["service_uri_params"]["password"] = json!(password);
        value["users"][0]["password"] = json!(password);
        value["service_uri"] = json!(format!("{kind}://avnadmin:{password}@{}:{}", first.host, first.port));
    }
    value
}

fn component(component: &Component) -> Value {
    json!({
        "component": component.component, "host": component.host, "port": component.port, "route": component.route,
        "usage": component.usage
    })
}

fn admitted(entry: &Admitted) -> Value {
    match entry {
        Admitted::Network(network) => json!(network),
        Admitted::Described { network, description } => json!({"network": network, "description": description}),
    }
}
