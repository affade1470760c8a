//! A policy that makes Entra's error bodies readable to `azure_identity`.
//!
//! Version 1.0.0 parses `error_description` as a borrowed string, so any JSON escape in it (Entra's have `\r\n`) hides the
//! status and the AADSTS code behind "expected a borrowed string"; so does a body that is no JSON. Remove this when the
//! crate owns the string; the regression test beside it tells.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request};
use serde_json::{Value, json};

/// Rewrites error bodies as JSON without escapes.
#[derive(Debug)]
pub(super) struct ReadableErrors;

#[async_trait]
impl Policy for ReadableErrors {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let Some((first, rest)) = next.split_first() else {
            return Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Other, "no transport follows"));
        };
        let response = first.send(ctx, request, rest).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers, body) = response.try_into_raw_response().await?.deconstruct();
        let body = readable(body.as_ref());
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// The same body without escapes; what is no JSON object becomes the description of one.
fn readable(body: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    if !value.is_object() {
        value = json!({ "error_description": String::from_utf8_lossy(body) });
    }
    unescape(&mut value);
    // A null where the crate wants a string or a list would hide the rest as well.
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    value.to_string().into_bytes()
}

fn unescape(value: &mut Value) {
    match value {
        Value::String(text) => {
            *text = text.replace('"', "'").replace('\\', "/").replace(char::is_control, " ");
        }
        Value::Array(items) => items.iter_mut().for_each(unescape),
        Value::Object(fields) => fields.values_mut().for_each(unescape),
        _ => {}
    }
}
