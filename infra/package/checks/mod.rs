//! What must agree before anything is deployed: each check says all that it finds.

use std::path::Path;

use crate::Finding;
use crate::snapshots;

mod host_json;
mod log_levels;
mod queues;
mod settings;

/// What was compared, for whoever reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Functions that the host would take.
    pub functions: usize,
    /// Queues that both a function and the templates name.
    pub queues: usize,
    /// Settings that the templates give.
    pub settings: usize,
}

/// Checks the sources at `root`: `host.json`, `functions/**/function.json`, `infra/snapshots/*.json`.
///
/// # Errors
/// Everything that does not agree.
pub fn all(root: &Path) -> Result<Compared, Vec<Finding>> {
    let mut findings = host_json::check(&root.join("host.json")).err().into_iter().collect::<Vec<_>>();
    let functions = stager::functions(root).map_err(|error| vec![error.into()])?;
    let snapshots = snapshots::read(&root.join("infra/snapshots")).map_err(|finding| vec![finding])?;
    let queues = queues::check(&functions, &snapshots).unwrap_or_else(|found| {
        findings.extend(found);
        0
    });
    let settings = settings::check(&snapshots).unwrap_or_else(|found| {
        findings.extend(found);
        0
    });
    if findings.is_empty() { Ok(Compared { functions: functions.len(), queues, settings }) } else { Err(findings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_templates_of_this_repository_agree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let compared = all(root).unwrap_or_else(|findings| panic!("{findings:#?}"));
        assert!(compared.functions > 0 && compared.queues > 0 && compared.settings > 0);
    }
}
