//! One running Azurite: three services on free loopback ports, nothing on disk, gone with its parent.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::{Account, AzuriteError, Installed, install};

/// Runs Azurite's script, and ends when the parent is gone however it ended: a parent killed by
/// SIGKILL can clean up nothing, so the child has to look.
const WRAPPER: &str = "\
const [parent, script] = process.argv.splice(1, 2);\
setInterval(() => { if (process.ppid !== Number(parent)) process.exit(1); }, 250).unref();\
process.argv.splice(1, 0, script);\
require(script);";

/// In memory only (`--location` beside it makes Azurite exit); nothing leaves the machine.
const FLAGS: [&str; 10] = [
    "--blobPort",
    "0",
    "--queuePort",
    "0",
    "--tablePort",
    "0",
    "--inMemoryPersistence",
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
];

const START: Duration = Duration::from_secs(60);

/// The only account that Azurite knows, and its public key (docs: "Use the Azurite emulator").
const NAME: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Base addresses of the three services, without the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Of the blob service.
    pub blob: String,
    /// Of the queue service.
    pub queue: String,
    /// Of the table service.
    pub table: String,
}

/// A running Azurite. Killed when dropped.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    endpoints: Endpoints,
}

impl Azurite {
    /// Installs Azurite into `cache` (usually `target/azurite`) unless it is there: half a minute
    /// the first time.
    ///
    /// # Errors
    /// When Node.js or npm is missing, or npm cannot fetch it.
    pub async fn ensure(cache: &Path) -> Result<Installed, AzuriteError> {
        let cache = cache.to_owned();
        tokio::task::spawn_blocking(move || install::ensure(&cache))
            .await
            .map_err(|error| AzuriteError::Install {
                problem: error.to_string(),
                fix: "run this again",
            })?
    }

    /// Starts one, and returns once all three services answer. `folder` becomes its working
    /// directory; it is made if missing and nothing should appear in it.
    ///
    /// # Errors
    /// When it ends, or does not answer within a minute.
    pub async fn start(installed: &Installed, folder: &Path) -> Result<Self, AzuriteError> {
        let failed = |problem: String| AzuriteError::Start {
            problem,
            command: format!("node {} {}", installed.script.display(), FLAGS.join(" ")),
        };
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let mut child = command(installed, folder)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| failed("it has no output".to_owned()))?;
        let endpoints = tokio::time::timeout(START, listening(stdout))
            .await
            .map_err(|_| failed("no answer within a minute".to_owned()))?
            .ok_or_else(|| failed("it ended at once".to_owned()))?;
        let azurite = Self { child, endpoints };
        azurite
            .account()
            .list_queues("")
            .await
            .map_err(|error| failed(error.to_string()))?;
        azurite
            .account()
            .list_tables()
            .await
            .map_err(|error| failed(error.to_string()))?;
        Ok(azurite)
    }

    /// Where its services are.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The connection string that every Azure SDK takes.
    #[must_use]
    pub fn connection_string(&self) -> String {
        let Endpoints { blob, queue, table } = &self.endpoints;
        format!(
            "DefaultEndpointsProtocol=http;AccountName={NAME};AccountKey={KEY};\
             BlobEndpoint={blob}/{NAME};QueueEndpoint={queue}/{NAME};TableEndpoint={table}/{NAME};"
        )
    }

    /// A client of its account.
    #[must_use]
    pub fn account(&self) -> Account {
        let Endpoints { blob, queue, table } = &self.endpoints;
        Account::new(
            NAME,
            KEY,
            &format!("{blob}/{NAME}"),
            &format!("{queue}/{NAME}"),
            &format!("{table}/{NAME}"),
        )
    }

    /// Process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it, as a storage outage would look to everybody else.
    pub async fn stop(mut self) {
        // It may have ended by itself, which is just as well.
        let _ = self.child.kill().await;
    }
}

fn command(installed: &Installed, folder: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .args(["-e", WRAPPER, "--"])
        .arg(std::process::id().to_string())
        .arg(&installed.script)
        .args(FLAGS)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Reads the addresses that Azurite prints; ports are its own choice, so no two can collide.
async fn listening(stdout: ChildStdout) -> Option<Endpoints> {
    let mut lines = BufReader::new(stdout).lines();
    let (mut blob, mut queue, mut table) = (None, None, None);
    while blob.is_none() || queue.is_none() || table.is_none() {
        let line = lines.next_line().await.ok()??;
        let Some((service, url)) = line.split_once(" service is successfully listening at ") else {
            continue;
        };
        match service {
            "Azurite Blob" => blob = Some(url.trim().to_owned()),
            "Azurite Queue" => queue = Some(url.trim().to_owned()),
            "Azurite Table" => table = Some(url.trim().to_owned()),
            _ => {}
        }
    }
    // Azurite must not block on a full pipe later.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(Endpoints {
        blob: blob?,
        queue: queue?,
        table: table?,
    })
}
