//! Subscriptions and resource groups.

use super::{Caller, body, errors, method_not_allowed};
use crate::clouds::http::{Answer, Reply, Request};
use crate::clouds::world::{Subscription, World};
use serde_json::{Value, json};

pub(super) fn list(world: &World, request: &Request, caller: &Caller) -> Answer {
    if request.method != "GET" {
        return Err(method_not_allowed(request));
    }
    let seen = |s: &&Subscription| {
        s.tenant == caller.tenant && world.has_any_role(&caller.object_id, &format!("/subscriptions/{}", s.id))
    };
    let found: Vec<Value> = world.subscriptions.iter().filter(seen).map(json).collect();
    Ok(Reply::ok(json!({"count": {"type": "Total", "value": found.len()}, "value": found})))
}

pub(super) fn get(world: &World, request: &Request, caller: &Caller, id: &str) -> Answer {
    if request.method != "GET" {
        return Err(method_not_allowed(request));
    }
    Ok(Reply::ok(json(seen(world, caller, id)?)))
}

/// A subscription is not there for who has no role in it; any role does.
fn seen<'a>(world: &'a World, caller: &Caller, id: &str) -> Answer<&'a Subscription> {
    let scope = format!("/subscriptions/{id}");
    let any = world.has_any_role(&caller.object_id, &scope);
    world.checked(&caller.object_id, "Microsoft.Resources/subscriptions/read", &scope, any);
    world.subscription(id).filter(|_| any).ok_or_else(|| errors::subscription_not_found(id))
}

fn json(subscription: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", subscription.id), "authorizationSource": "RoleBased",
        "managedByTenants": [], "subscriptionId": subscription.id, "tenantId": subscription.tenant,
        "displayName": subscription.display_name, "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"
        }
    })
}

pub(super) fn groups(
    world: &mut World,
    request: &Request,
    caller: &Caller,
    subscription: &str,
    group: Option<&str>,
) -> Answer {
    let found = seen(world, caller, subscription)?;
    let scope = format!("/subscriptions/{subscription}");
    match (request.method.as_str(), group) {
        ("GET", None) => {
            caller.need(world, "Microsoft.Resources/subscriptions/resourceGroups/read", &scope)?;
            let all: Vec<Value> = found.resource_groups.iter().map(|g| group_json(subscription, g)).collect();
            Ok(Reply::ok(json!({"value": all})))
        }
        ("GET", Some(name)) => {
            let scope = format!("{scope}/resourceGroups/{name}");
            caller.need(world, "Microsoft.Resources/subscriptions/resourceGroups/read", &scope)?;
            let known = found.resource_groups.iter().find(|g| g.eq_ignore_ascii_case(name));
            known.map(|g| Reply::ok(group_json(subscription, g))).ok_or_else(|| errors::group_not_found(name))
        }
        ("PUT", Some(name)) => {
            let scope = format!("{scope}/resourceGroups/{name}");
            caller.need(world, "Microsoft.Resources/subscriptions/resourceGroups/write", &scope)?;
            body(request)?;
            let known = found.resource_groups.iter().any(|g| g.eq_ignore_ascii_case(name));
            let all = world.subscriptions.iter_mut().find(|s| s.id.eq_ignore_ascii_case(subscription));
            if let (Some(all), false) = (all, known) {
                all.resource_groups.insert(name.to_owned());
            }
            Ok(Reply::new(if known { 200 } else { 201 }, group_json(subscription, name)))
        }
        _ => Err(method_not_allowed(request)),
    }
}

fn group_json(subscription: &str, name: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{name}"), "name": name,
        "type": "Microsoft.Resources/resourceGroups", "location": "westeurope",
        "properties": {"provisioningState": "Succeeded"}
    })
}
