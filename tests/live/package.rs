//! Not in simulation: the package, unpacked into an empty folder and started by the Functions host, does what the source tree's app does.
//!
//! `PACKAGE=<zip>` names the package to run; without, the handler of this build is packed, which shows all but how it was linked.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emulator::environment::Setup;
use package::archive;

use crate::scene;

#[tokio::test(flavor = "multi_thread")]
async fn takes_a_peering_to_active() {
    let folder = Folder::new();
    let site = folder.0.join("site");
    archive::unpack(&package(&folder.0), &site).unwrap();
    assert_eq!(files(&site), wanted(), "nothing but what the host needs");
    assert_eq!(std::fs::metadata(site.join("handler")).unwrap().permissions().mode() & 0o777, 0o755);

    let mut pairs = Vec::new();
    let prepare = |clouds: &emulator::clouds::Clouds| pairs = clouds.world().standard(1, 1, false);
    // No handler but the package's own is named.
    let setup = Setup { app: Some(site.clone()), ..Setup::new(env!("CARGO_MANIFEST_DIR"), "", 60.0) };
    let environment = setup.start(prepare).await.unwrap();
    environment.request(&pairs[0]).await.unwrap();
    scene::all_are(&environment, 1, "Active", Duration::from_secs(120)).await;
    scene::assert_exactly(&environment, &pairs);
    environment.stop().await;
    assert_eq!(files(&site), wanted(), "the app writes nothing beside itself");
}

fn package(folder: &Path) -> PathBuf {
    if let Some(path) = std::env::var_os("PACKAGE") {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let staged = stager::stage(root, Path::new(env!("CARGO_BIN_EXE_handler")), &folder.join("app")).unwrap();
    archive::pack(&staged.root, &staged.handler, &folder.join("app.zip")).unwrap().path
}

/// What the host needs: `host.json`, the handler, and a folder for each function of the source tree.
fn wanted() -> BTreeSet<String> {
    let functions = stager::functions(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = functions.keys().map(|name| format!("{name}/function.json"));
    names.chain(["handler".to_owned(), "host.json".to_owned()]).collect()
}

fn files(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// A folder outside the source tree, gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("package-run-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
