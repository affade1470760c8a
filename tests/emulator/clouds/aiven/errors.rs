//! Error bodies as Aiven's API writes them.

use crate::clouds::http::{Reply, Request};
use serde_json::json;

/// Without `error_code`: the published list has none for VPCs and peerings.
pub(crate) fn error(status: u16, message: &str) -> Reply {
    Reply::new(status, json!({"errors": [{"message": message, "status": status}], "message": message}))
}

pub(crate) fn coded(status: u16, code: &str, message: &str) -> Reply {
    let error = json!({"error_code": code, "message": message, "status": status});
    Reply::new(status, json!({"errors": [error], "message": message}))
}

pub(super) fn no_route(request: &Request) -> Reply {
    coded(
        404,
        "not_found",
        &format!("Requested resource not found: no such route: {} {}", request.method, request.path()),
    )
}

pub(crate) fn too_many(limit: u32, wait: u64) -> Reply {
    let text = format!(
        "The user has sent too many requests in a given amount of time: Rate limit {limit} exceeded - try again in \
         {wait}s"
    );
    error(429, &text)
}
