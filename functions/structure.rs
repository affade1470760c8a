//! The walls of the app, read from its imports: which folder uses which, and that no arrow points up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The floors, lowest first. What stands on one floor may use the floors below it, and nothing beside or above it.
const FLOORS: [&[&str]; 9] = [
    &["clock", "telemetry"],
    &["peering", "invocation"],
    &["settings", "storage"],
    &["cloud", "state"],
    &["context", "engine"],
    &["create"],
    &["accept_request", "delete"],
    &["create_vpc"],
    &["watch"],
];

/// Every pair of folders of which the first imports the second, with how many imports, tests aside.
fn arrows() -> BTreeMap<(String, String), usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
    let mut arrows = BTreeMap::new();
    for path in files(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let from = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = inside.iter().any(|part| part.to_str().is_some_and(|part| part.starts_with("tests")));
        if is_test || !floors().contains_key(from.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for to in uses(text.split("#[cfg(test)]\nmod ").next().unwrap()) {
            if to != from {
                *arrows.entry((from.clone(), to)).or_insert(0) += 1;
            }
        }
    }
    arrows
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The modules of this crate that a text names.
fn uses(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let named = |line: &str| {
        let after = line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>();
        after
            .into_iter()
            .map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>())
    };
    code.flat_map(|line| named(line).collect::<Vec<_>>()).filter(|name| floors().contains_key(name.as_str())).collect()
}

fn floors() -> BTreeMap<&'static str, usize> {
    FLOORS.iter().enumerate().flat_map(|(floor, names)| names.iter().map(move |name| (*name, floor))).collect()
}

#[test]
fn no_arrow_points_up_or_sideways() {
    let (arrows, floors) = (arrows(), floors());
    for ((from, to), imports) in &arrows {
        println!("{from} -> {to}: {imports}");
    }
    let wrong: Vec<_> = arrows.keys().filter(|(from, to)| floors[to.as_str()] >= floors[from.as_str()]).collect();
    assert!(wrong.is_empty(), "these point up or sideways: {wrong:?}");
    assert!(arrows.len() > 30, "the imports are not found any more: {arrows:?}");
}

#[test]
fn every_folder_stands_on_a_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let names: BTreeSet<String> = folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names.iter().filter(|name| !floors().contains_key(name.as_str())).collect::<Vec<_>>(), [""; 0]);
}
