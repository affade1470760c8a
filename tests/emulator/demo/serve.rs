//! Says how to send a request of one's own from another terminal, and where to look.

use std::path::PathBuf;

use emulator::clouds::Pair;
use emulator::environment::Environment;
use serde_json::{Value, json};

use crate::screen::{Look, Screen};
use crate::stage::Stage;

/// A client of queues and tables for Node.js, without any package.
const CLIENT: &str = include_str!("storage.mjs");

/// Explains it, with the values of this run.
///
/// # Errors
/// The client's file cannot be written.
pub fn explain(environment: &Environment, stage: &Stage, screen: &mut Screen) -> Result<(), String> {
    let client = write_client(environment)?;
    let Some(pair) = stage.free.first() else { return Ok(()) };
    let connection = environment.azurite.connection_string();
    screen.blank();
    head(screen, "Everything keeps running until Ctrl-C.");
    text(screen, "A request is a JSON text, base64-encoded, on queue peering-requests.");
    text(screen, "In another terminal, say first:");
    code(screen, &[format!("export CONNECTION='{connection}'"), format!("export REQUEST='{}'", request(pair))]);
    text(screen, "then send it with plain Node.js, Python, or the Azure CLI:");
    code(screen, &[format!("node {} send peering-requests \"$REQUEST\"", client.display())]);
    code(screen, &python());
    code(screen, &azure_cli());
    head(screen, "Where to look: tables peerings, vpcs, shared, rejected, with any client.");
    code(screen, &[format!("node {} rows peerings", client.display())]);
    head(screen, "VPCs and VNets that are not peered yet (\"vpc\" and \"vnet\" of a request):");
    for pair in &stage.free {
        code(screen, &[format!("{}\n    {}", pair.vpc, pair.vnet)]);
    }
    head(screen, "What is sent is shown here:");
    Ok(())
}

fn head(screen: &mut Screen, line: &str) {
    screen.line(Look::Strong, line);
}

fn text(screen: &mut Screen, line: &str) {
    screen.line(Look::Plain, line);
}

/// Indented, never broken: it is there to be copied.
fn code(screen: &mut Screen, lines: &[String]) {
    for line in lines {
        screen.line(Look::Plain, &format!("    {line}"));
    }
    screen.blank();
}

/// A request that asks for this pair.
fn request(pair: &Pair) -> Value {
    json!({"version": 1, "action": "create", "vpc": pair.vpc, "vnet": pair.vnet, "reference": "CHG-1234"})
}

fn write_client(environment: &Environment) -> Result<PathBuf, String> {
    let file = environment.folder().join("storage.mjs");
    std::fs::write(&file, CLIENT).map_err(|error| format!("{}: {error}; free some space", file.display()))?;
    Ok(file)
}

fn python() -> Vec<String> {
    let program = [
        "python3 -c 'import os; from azure.storage.queue import *",
        "QueueClient.from_connection_string(os.environ[\"CONNECTION\"], \"peering-requests\",",
        "    message_encode_policy=TextBase64EncodePolicy()",
        ").send_message(os.environ[\"REQUEST\"], time_to_live=-1)'  # pip install azure-storage-queue",
    ];
    program.map(str::to_owned).into()
}

fn azure_cli() -> Vec<String> {
    let command = [
        "az storage message put --queue-name peering-requests --time-to-live -1 \\",
        "    --connection-string \"$CONNECTION\" \\",
        "    --content \"$(printf %s \"$REQUEST\" | base64 | tr -d '\\n')\"",
    ];
    command.map(str::to_owned).into()
}
