#!/usr/bin/env bash
# reqwest 0.13.5: which proxy is used, and for what, differs from what curl and Python make of the same variables.
#
# HTTP_PROXY wins over http_proxy, and NO_PROXY over no_proxy. NO_PROXY=* exempts names, and no host that is written as an IP address.
# An entry with a port exempts nothing.
#
# Output:
#   HTTP_PROXY=upper http_proxy=lower: upper
#   NO_PROXY=*, a name: direct
#   NO_PROXY=*, an address: upper
#   NO_PROXY=127.0.0.1, an address: direct
#   NO_PROXY=127.0.0.1:<port>, an address: upper
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
reqwest = { version = "=0.13.5", default-features = false }
tokio = { version = "1", features = ["rt"] }

[profile.dev]
debug = false
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::io::{Read, Write};
use std::net::TcpListener;

/// A server on this machine that answers everything with its name.
fn server(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{name}", name.len());
        }
    });
    address
}

/// Who answers, with these variables and no others. A name that cannot be resolved was not given to a proxy.
async fn who(variables: &[(&str, String)], url: &str) -> String {
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        // SAFETY: nothing else reads or writes the environment meanwhile.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in variables {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, value) };
    }
    match reqwest::Client::new().get(url).send().await {
        Ok(answer) => answer.text().await.unwrap(),
        Err(_) => "direct".to_owned(),
    }
}

fn main() {
    let (upper, lower, direct) = (server("upper"), server("lower"), server("direct"));
    let proxy = |address: &str| format!("http://{address}");
    let (address, name) = (format!("http://{direct}/"), "http://name.invalid/");
    let with = |exempt: &str| [("HTTP_PROXY", proxy(&upper)), ("NO_PROXY", exempt.to_owned())];
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let both = [("HTTP_PROXY", proxy(&upper)), ("http_proxy", proxy(&lower))];
        println!("HTTP_PROXY=upper http_proxy=lower: {}", who(&both, &address).await);
        println!("NO_PROXY=*, a name: {}", who(&with("*"), name).await);
        println!("NO_PROXY=*, an address: {}", who(&with("*"), &address).await);
        println!("NO_PROXY=127.0.0.1, an address: {}", who(&with("127.0.0.1"), &address).await);
        println!("NO_PROXY=127.0.0.1:<port>, an address: {}", who(&with(&direct), &address).await);
    });
}
RUST
CARGO_TARGET_DIR=$work/target cargo run --quiet --manifest-path "$work/Cargo.toml" | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
HTTP_PROXY=upper http_proxy=lower: upper
NO_PROXY=*, a name: direct
NO_PROXY=*, an address: upper
NO_PROXY=127.0.0.1, an address: direct
NO_PROXY=127.0.0.1:<port>, an address: upper
EXPECTED
