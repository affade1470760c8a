//! What the templates would make: predictions of Microsoft's compiler, kept in `infra/snapshots` and read as plain JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::Finding;

/// What one set of parameters would make.
#[derive(Debug)]
pub struct Snapshot {
    /// Template and variant, such as `main-secret`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// In the order of their ids.
    pub resources: Vec<Resource>,
    /// Its outputs.
    pub outputs: BTreeMap<String, Value>,
}

/// A predicted resource. What only a deployment knows is an expression in square brackets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Resource {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Full id; empty in the directory.
    #[serde(default)]
    pub id: String,
    /// Its name, with those of the resources that it is in; empty in the directory.
    #[serde(default)]
    pub name: String,
    /// Its `properties`.
    #[serde(default)]
    pub properties: Value,
}

#[derive(Deserialize)]
struct Kept {
    resources: Vec<Resource>,
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

impl Snapshot {
    /// Its resources of a type.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |one| one.kind == kind)
    }
}

impl Resource {
    /// The id of what an assignment of a role is on.
    pub fn scope(&self) -> &str {
        let on = self.id.strip_prefix("[extensionResourceId('").and_then(|rest| rest.split('\'').next());
        on.or_else(|| self.id.split("/providers/Microsoft.Authorization/").next()).unwrap_or_default()
    }
}

/// All that are kept in the folder, by name.
///
/// # Errors
/// There is none, or one is no snapshot.
pub fn read(folder: &Path) -> Result<Vec<Snapshot>, Finding> {
    let fix = "make it again: infra/checks/run write";
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Finding::io(folder))? {
        let path = entry.map_err(Finding::io(folder))?.path();
        let (Some(name), Some("json")) = (path.file_stem(), path.extension().and_then(|end| end.to_str())) else {
            continue;
        };
        let name = name.to_string_lossy().into_owned();
        let text = std::fs::read(&path).map_err(Finding::io(&path))?;
        let Kept { resources, outputs } =
            serde_json::from_slice(&text).map_err(|error| Finding::new(path.display(), error, fix))?;
        all.push(Snapshot { name, path, resources, outputs });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    if all.is_empty() { Err(Finding::new(folder.display(), "holds no snapshot", fix)) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_that_is_no_snapshot_and_a_folder_without_any_are_told() {
        let folder = Scratch::new("snapshots");
        assert!(read(&folder.0).unwrap_err().what.contains("holds no snapshot"));
        folder.with("main.json", "{\"resources\": 1}").with("main.bicepparam", "using");
        let finding = read(&folder.0).unwrap_err();
        assert!(finding.place.ends_with("main.json") && finding.fix.contains("infra/checks/run write"), "{finding}");
    }

    #[test]
    fn the_scope_of_an_assignment_is_known_whether_its_name_is_or_not() {
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
        for id in [
            format!("{account}/providers/Microsoft.Authorization/roleAssignments/n"),
            format!("[extensionResourceId('{account}', 'Microsoft.Authorization/roleAssignments', guid('x'))]"),
        ] {
            let one = Resource { kind: String::new(), id, name: String::new(), properties: Value::Null };
            assert_eq!(one.scope(), account);
        }
    }

    #[test]
    fn the_kept_files_are_what_the_compiler_predicts() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let done = Command::new("python3").arg(root.join("infra/checks/run")).arg("snapshots").output();
        let said = match &done {
            Ok(done) => String::from_utf8_lossy(&done.stdout).into_owned(),
            Err(error) => {
                format!("SKIPPED: python3 cannot be run ({error}), so the kept snapshots were not made again\n")
            }
        };
        assert!(done.is_ok_and(|done| done.status.success()) || said.starts_with("SKIPPED"), "{said}");
        if let Some(line) = said.lines().find(|line| line.starts_with("SKIPPED")) {
            // Past the harness, which keeps to itself what a test that passes prints.
            writeln!(std::io::stderr(), "{line}").unwrap();
        }
    }
}
