//! The steps as the source tree shows them: one folder a step, which opens with its number in the published runbook.

use std::collections::BTreeMap;
use std::path::Path;

/// The steps of creating a peering.
#[derive(Debug)]
pub struct Runbook {
    numbers: BTreeMap<String, String>,
}

impl Runbook {
    /// Reads `functions/create`: every folder with a `function.json` is a step.
    ///
    /// # Errors
    /// The folder cannot be read, or holds no step.
    pub fn read(root: &Path) -> Result<Self, String> {
        let folder = root.join("functions/create");
        let failed =
            |why: &dyn std::fmt::Display| format!("{}: {why}; run the demo from its source tree", folder.display());
        let mut numbers = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&error))? {
            let step = entry.map_err(|error| failed(&error))?.path();
            let name = step.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if step.join("function.json").is_file() {
                let source = std::fs::read_to_string(step.join("mod.rs")).unwrap_or_default();
                numbers.insert(name, number(&source).unwrap_or_else(|| "-".to_owned()));
            }
        }
        if numbers.is_empty() { Err(failed(&"there is no step")) } else { Ok(Self { numbers }) }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// A step's number in the published runbook; empty if it has none.
    pub fn number(&self, step: &str) -> &str {
        self.numbers.get(step).map_or("", String::as_str)
    }
}

/// What a step is called while it is not done yet: its folder's name, as words.
pub fn title(step: &str) -> String {
    step.replace('_', " ")
}

/// `//! Runbook steps 5 and 10: …` is `5, 10`.
fn number(source: &str) -> Option<String> {
    let told = source.lines().next()?.strip_prefix("//! Runbook step")?.trim_start_matches('s').trim_start();
    Some(told.split_once(':')?.0.replace(" and ", ", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_tells_its_number_in_its_first_line() {
        assert_eq!(number("//! Runbook step 12: waits.\n").as_deref(), Some("12"));
        assert_eq!(number("//! Runbook steps 5 and 10: looks.\n").as_deref(), Some("5, 10"));
        assert_eq!(number("//! Something else.\n"), None);
    }

    #[test]
    fn every_step_of_the_source_tree_is_known_by_its_number() {
        let runbook = Runbook::read(&crate::guard::root()).unwrap();
        assert!(runbook.len() > 0);
        assert!(runbook.numbers.values().all(|number| number != "-"), "{runbook:?}");
    }
}
