#!/usr/bin/env bash
# azure_core 1.1.0: the code of a refusal becomes the number of its status as soon as the message has a line break or a quotation mark.
#
# A body of {"error": {"code", "message"}} is read into borrowed text, which JSON with an escape in it cannot be. error_code is then
# Some("409"), as it is for a body that is no such JSON at all, and the error's text is the status and the whole body. Both are fine without
# the escape, and where the service sends the header x-ms-error-code, as storage does.
#
# Output:
#   plain message: Some("AnotherOperationInProgress"), Another operation is in progress.
#   with a line break: Some("409"), 409: {"error":{"code":"AnotherOperationInProgress","message":"Another operation\r\nis in progress."}}
#   XML: Some("409"), 409: <Error><Code>QueueBeingDeleted</Code></Error>
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
azure_core = { version = "=1.1.0", default-features = false, features = ["reqwest", "tokio"] }
tokio = { version = "1", features = ["rt"] }

[profile.dev]
debug = false
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::io::{Read, Write};
use std::net::TcpListener;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, Context, Method, Pipeline, Request, RetryOptions};

/// A server on this machine that answers everything with 409 and a body.
fn server(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 409 Conflict\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        }
    });
    url
}

async fn refusal(body: &'static str) -> String {
    let options = ClientOptions { retry: RetryOptions::none(), ..ClientOptions::default() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    let mut request = Request::new(server(body).parse().unwrap(), Method::Get);
    let error = pipeline.send(&Context::new(), &mut request, None).await.unwrap_err();
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => format!("{error_code:?}, {error}"),
        other => format!("{other:?}"),
    }
}

fn main() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let plain = r#"{"error":{"code":"AnotherOperationInProgress","message":"Another operation is in progress."}}"#;
        let broken = r#"{"error":{"code":"AnotherOperationInProgress","message":"Another operation\r\nis in progress."}}"#;
        println!("plain message: {}", refusal(plain).await);
        println!("with a line break: {}", refusal(broken).await);
        println!("XML: {}", refusal("<Error><Code>QueueBeingDeleted</Code></Error>").await);
    });
}
RUST
CARGO_TARGET_DIR=$work/target cargo run --quiet --manifest-path "$work/Cargo.toml" | tee "$work/seen"

diff "$work/seen" - <<'EXPECTED' || { echo "CHANGED: see the differences above" >&2; exit 1; }
plain message: Some("AnotherOperationInProgress"), Another operation is in progress.
with a line break: Some("409"), 409: {"error":{"code":"AnotherOperationInProgress","message":"Another operation\r\nis in progress."}}
XML: Some("409"), 409: <Error><Code>QueueBeingDeleted</Code></Error>
EXPECTED
