#!/usr/bin/env bash
# jiff 1.0.2: a Timestamp, which is always UTC, is printed by the RFC 2822 printer as if its zone were unknown: -0000, not +0000 or GMT.
#
# What wants GMT, as HTTP's dates do, needs timestamp_to_rfc9110_string. The parser of the same module reads both.
#
# Output:
#   rfc2822: Sun, 29 Nov 2026 10:00:00 -0000
#   rfc9110: Sun, 29 Nov 2026 10:00:00 GMT
#   both read back: true
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
jiff = { version = "=1.0.2", default-features = false, features = ["std"] }

[profile.dev]
debug = false
TOML
cat >"$work/src/main.rs" <<'RUST'
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

fn main() -> Result<(), jiff::Error> {
    let instant: Timestamp = "2026-11-29T10:00:00Z".parse()?;
    let printer = DateTimePrinter::new();
    let (mail, http) = (printer.timestamp_to_string(&instant)?, printer.timestamp_to_rfc9110_string(&instant)?);
    let parser = DateTimeParser::new();
    println!("rfc2822: {mail}\nrfc9110: {http}");
    println!("both read back: {}", parser.parse_timestamp(&mail)? == instant && parser.parse_timestamp(&http)? == instant);
    Ok(())
}
RUST
CARGO_TARGET_DIR=$work/target cargo run --quiet --manifest-path "$work/Cargo.toml" | tee "$work/seen"

diff "$work/seen" - <<EXPECTED || { echo "CHANGED: see the differences above" >&2; exit 1; }
rfc2822: Sun, 29 Nov 2026 10:00:00 -0000
rfc9110: Sun, 29 Nov 2026 10:00:00 GMT
both read back: true
EXPECTED
