//! Error bodies as Microsoft Graph writes them.

use crate::clouds::clock;
use crate::clouds::http::Reply;
use serde_json::{Value, json};

pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    detailed(status, code, message, &[])
}

pub(super) fn detailed(status: u16, code: &str, message: &str, details: &[Value]) -> Reply {
    let id = clock::uuid();
    let mut body = json!({"error": {
        "code": code, "message": message,
        "innerError": {"request-id": id, "client-request-id": id}
    }});
    if !details.is_empty() {
        body["error"]["details"] = details.into();
    }
    Reply::new(status, body)
}

pub(super) fn denied() -> Reply {
    error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

/// The documented refusal of `Application.ReadWrite.OwnedBy` for a foreign application (Graph: serviceprincipal-upsert).
pub(super) fn not_local() -> Reply {
    let text = "When using this permission, the backing application of the service principal being created must in the \
                local tenant";
    error(403, "Authorization_RequestDenied", text)
}

pub(super) fn not_found(what: &str) -> Reply {
    let text =
        format!("Resource '{what}' does not exist or one of its queried reference-property objects are not present.");
    error(404, "Request_ResourceNotFound", &text)
}

pub(super) fn bad(message: &str) -> Reply {
    error(400, "Request_BadRequest", message)
}

pub(super) fn no_backing_application(app_id: &str) -> Reply {
    let text = format!("The appId '{app_id}' of the service principal does not reference a valid application object.");
    let detail = json!({"code": "NoBackingApplicationObject", "target": "appId", "message": text});
    detailed(400, "Request_BadRequest", &text, &[detail])
}

/// Unlike other conflicts this one is a 400 (omadia: 916; msgraph-bicep-types: 137, 202).
pub(super) fn unique_name_taken() -> Reply {
    let text = "Another object with the same value for property uniqueName already exists.";
    let detail = json!({"code": "ObjectConflict", "target": "uniqueName", "message": text});
    detailed(400, "Request_BadRequest", text, &[detail])
}

pub(super) fn principal_in_use(app_id: &str) -> Reply {
    same_key(&format!(
        "The service principal cannot be created, updated, or restored because the service principal name {app_id} is \
         already in use."
    ))
}

pub(super) fn same_key(message: &str) -> Reply {
    let detail = json!({"code": "ObjectConflict", "message": message});
    detailed(409, "Request_MultipleObjectsWithSameKeyValue", message, &[detail])
}
