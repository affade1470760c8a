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
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Accounts `dev1` to this many beside it, with the same key: a test that has its own account shares
/// the process with others, not the queues.
const ACCOUNTS: usize = 200;

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
            .map_err(|error| AzuriteError::Install { problem: error.to_string(), fix: "run this again" })?
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
        let mut child = command(installed, folder).spawn().map_err(|error| failed(error.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| failed("it has no output".to_owned()))?;
        let endpoints = tokio::time::timeout(START, listening(stdout))
            .await
            .map_err(|_| failed("no answer within a minute".to_owned()))?
            .ok_or_else(|| failed("it ended at once".to_owned()))?;
        let azurite = Self { child, endpoints };
        azurite.account().list_queues("").await.map_err(|error| failed(error.to_string()))?;
        azurite.account().list_tables().await.map_err(|error| failed(error.to_string()))?;
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
        self.endpoints.connection_string(NAME)
    }

    /// The connection string of another account, `dev1` to `dev200`: the same process, nothing shared.
    #[must_use]
    pub fn connection_string_of(&self, number: usize) -> String {
        self.endpoints.connection_string(&format!("dev{number}"))
    }

    /// A client of its first account.
    #[must_use]
    pub fn account(&self) -> Account {
        self.endpoints.account(NAME)
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

impl Endpoints {
    fn connection_string(&self, name: &str) -> String {
        let Self { blob, queue, table } = self;
        format!(
            "DefaultEndpointsProtocol=http;AccountName={name};AccountKey={KEY};\
             BlobEndpoint={blob}/{name};QueueEndpoint={queue}/{name};TableEndpoint={table}/{name};"
        )
    }

    fn account(&self, name: &str) -> Account {
        let Self { blob, queue, table } = self;
        Account::new(name, KEY, &format!("{blob}/{name}"), &format!("{queue}/{name}"), &format!("{table}/{name}"))
    }
}

/// Azurite's own setting for accounts: `name:key;name:key`.
fn accounts() -> String {
    let names = (1..=ACCOUNTS).map(|number| format!("dev{number}"));
    std::iter::once(NAME.to_owned()).chain(names).map(|name| format!("{name}:{KEY};")).collect()
}

fn command(installed: &Installed, folder: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .args(["-e", WRAPPER, "--"])
        .arg(std::process::id().to_string())
        .arg(&installed.script)
        .args(FLAGS)
        .env("AZURITE_ACCOUNTS", accounts())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal is for whoever runs it, who then decides.
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
    Some(Endpoints { blob: blob?, queue: queue?, table: table? })
}
