//! One route a function, answers that the host takes, and the end when the host is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures::future::BoxFuture;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use super::Invocation;
use crate::clock::Clock;

/// A message of 64 KiB doubles when it is quoted twice, and its properties come once more as metadata.
const LARGEST_BODY: usize = 2 * 1024 * 1024;
/// How often the handler looks whether its host is still there, on the wall clock.
const HOST_CHECK: Duration = Duration::from_millis(500);

/// A function: it handles an invocation, or says why it could not.
pub type Function = Arc<dyn Fn(Invocation) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The functions by name.
pub type Functions = BTreeMap<&'static str, Function>;

/// `POST /<function>`, and a fast `GET /` for the host's readiness probe.
///
/// A success is always a JSON object: an empty body, or `null`, would hang the invocation until the host kills the handler
/// (azure-functions-host, DefaultHttpWorkerService). A failure is a status beyond 2xx: the host puts the message back. A panic is a failure.
pub fn router(functions: Functions) -> Router {
    Router::new()
        .route("/", get(async || Json(json!({"status": "ready"}))))
        .route("/{function}", post(invoke))
        .method_not_allowed_fallback(async || refusal(StatusCode::METHOD_NOT_ALLOWED, "functions are invoked by POST"))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "there is no function of that path here"))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::new())
        .with_state(Arc::new(functions))
}

async fn invoke(
    State(functions): State<Arc<Functions>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(function) = functions.get(name.as_str()) else {
        return refusal(StatusCode::NOT_FOUND, &format!("there is no function {name:?} here"));
    };
    let body = match body {
        Ok(body) => body,
        Err(rejected) => return refusal(rejected.status(), &rejected.body_text()),
    };
    let trace = headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let invocation = match Invocation::read(&body) {
        Ok(invocation) => Invocation { trace, ..invocation },
        Err(bad) => return refusal(StatusCode::BAD_REQUEST, &bad.to_string()),
    };
    match function(invocation).await {
        Ok(()) => Json(json!({"Outputs": {}, "Logs": []})).into_response(),
        Err(why) => {
            error!(function = name, "{why}");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, &why)
        }
    }
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}

/// Returns when the host is gone. A host that dies or stops leaves its handler running; it would hold its port and act on.
pub async fn end_with_host(clock: Arc<dyn Clock>) {
    let host = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == host {
        clock.sleep(clock.scale().nominal(HOST_CHECK)).await;
    }
}
