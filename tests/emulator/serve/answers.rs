//! The questions on standard input: a word, and for some an argument; each is answered by one JSON value.
//!
//! - `state`: both clouds                          - `calls N`: the requests from the Nth on, bodies included
//! - `peer`: make the network's half by hand       - `send TEXT`: put a message on the public queue
//! - `hold`, `release`: role assignments of the user's application do not count until released
//! - `records`, `journal`, `rejected`: the app's rows

use emulator::clouds::{Call, Clouds, Service, Stalled};
use emulator::environment::{Environment, SetupError};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::state;

/// What is served.
pub struct Served {
    /// The clouds.
    pub clouds: Clouds,
    /// The app in them, if it runs.
    pub environment: Option<Environment>,
}

/// Answers one line; `{"error"}` if it cannot.
pub async fn answer(served: &Served, scene: &Scene, line: &str) -> Value {
    let (word, argument) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    match word {
        "state" => state::state(&served.clouds, scene),
        "calls" => calls(&served.clouds, argument),
        "peer" => {
            scene.peer_network(&served.clouds);
            json!({})
        }
        "hold" => {
            served.clouds.world().stall_propagation(Stalled::OwnApplication);
            json!({})
        }
        "release" => {
            served.clouds.world().resume_propagation();
            json!({})
        }
        _ => match of_the_app(served, word, argument).await {
            Ok(value) => value,
            Err(why) => json!({"error": why}),
        },
    }
}

fn calls(clouds: &Clouds, from: &str) -> Value {
    let from: usize = from.parse().unwrap_or(0);
    clouds.calls().iter().skip(from).map(call).collect()
}

fn call(call: &Call) -> Value {
    let service = match call.service {
        Service::Aiven => "aiven",
        Service::Entra => "entra",
        Service::Graph => "graph",
        Service::Arm => "arm",
        Service::Identity => "identity",
        Service::KeyVault => "key_vault",
    };
    json!({"service": service, "method": call.method, "path": call.path, "status": call.status, "body": call.body})
}

async fn of_the_app(served: &Served, word: &str, argument: &str) -> Result<Value, String> {
    let environment =
        served.environment.as_ref().ok_or_else(|| format!("{word:?} needs the app: start with --handler"))?;
    let told = |error: SetupError| error.to_string();
    match word {
        "send" => Ok(json!({"message": environment.send(argument).await.map_err(told)?})),
        "records" => Ok(json!(environment.records().await.map_err(told)?)),
        "journal" => Ok(json!(environment.journal().await.map_err(told)?)),
        "rejected" => Ok(json!(environment.rows("rejected").await.map_err(told)?)),
        _ => Err(format!("nobody can answer {word:?}")),
    }
}
