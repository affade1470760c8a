//! The handler: reads the settings, binds the port that the Functions host gives, serves, and ends with its host.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use functions::app::{App, Unprepared};
use functions::invocation::{end_with_host, router};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    // On stdout: the host takes every line of stderr for an error.
    let filter =
        EnvFilter::try_from_env("LOG").unwrap_or_else(|_| EnvFilter::new("info,azure_core=warn,azure_identity=warn"));
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The port first, as the host waits for it; the storage while it is asked for.
async fn serve() -> Result<(), String> {
    let app = App::from_settings(|name| std::env::var(name).ok())?;
    let port = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT").ok().and_then(|port| port.parse::<u16>().ok());
    let port = port
        .ok_or("FUNCTIONS_CUSTOMHANDLER_PORT is missing: the Functions host starts this program, and gives the port")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|e| format!("port {port} of 127.0.0.1 cannot be bound: {e}"))?;
    let (functions, clock) = (app.functions(), app.engine.clock.clone());
    tracing::info!(port, functions = functions.len(), "ready");
    tokio::select! {
        served = axum::serve(listener, router(functions)).into_future() => served.map_err(|e| e.to_string()),
        () = end_with_host(clock) => Ok(()),
        why = refuses(&app) => Err(why),
    }
}

/// Returns when the app must not run on its storage. What may pass is told; every function tries again.
async fn refuses(app: &App) -> String {
    match app.prepare().await {
        Ok(()) => {}
        Err(refused @ Unprepared::OtherInstallation { .. }) => return refused.to_string(),
        Err(passing) => tracing::warn!("{passing}"),
    }
    std::future::pending().await
}
