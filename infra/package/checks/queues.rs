//! Every queue that triggers a function is made by the templates, with its poison queue, and the other way round.
//!
//! The app would make a queue that is missing, but the poison queue would be made by the host at the worst moment.

use std::collections::{BTreeMap, BTreeSet};

use stager::Function;

use crate::Finding;
use crate::snapshots::Snapshot;

const QUEUE: &str = "Microsoft.Storage/storageAccounts/queueServices/queues";
const POISON: &str = "-poison";
/// Where they are declared.
const PLACE: &str = "infra/shared.bicep";

/// How many queues both sides name.
pub(super) fn check(functions: &BTreeMap<String, Function>, snapshots: &[Snapshot]) -> Result<usize, Vec<Finding>> {
    let with_queues = snapshots.iter().filter(|one| one.of_kind(QUEUE).next().is_some());
    let counts: Vec<_> = with_queues.map(|one| compare(functions, one)).collect::<Result<_, _>>()?;
    let none = || vec![Finding::new(PLACE, "no snapshot makes a queue", "declare them there")];
    counts.first().copied().ok_or_else(none)
}

fn compare(functions: &BTreeMap<String, Function>, snapshot: &Snapshot) -> Result<usize, Vec<Finding>> {
    let made: BTreeSet<&str> = snapshot.of_kind(QUEUE).filter_map(|one| one.name.rsplit('/').next()).collect();
    let read: BTreeSet<&str> = functions.values().filter_map(|function| function.queue.as_deref()).collect();
    let mut findings = Vec::new();
    let mut find = |what: String, fix: String| findings.push(Finding::new(PLACE, what, fix));
    for queue in read.difference(&made) {
        find(format!("the queue {queue} triggers a function and is not made"), format!("add '{queue}' to `queues`"));
    }
    for queue in &made {
        let work = queue.strip_suffix(POISON).unwrap_or(queue);
        if !read.contains(work) {
            find(
                format!("no function reads the queue {queue}"),
                "remove it, or give its function a function.json".to_owned(),
            );
        }
        if let Some(rule) = broken_rule(work) {
            find(format!("the queue {work:?} {rule}"), "rename it, and the function's folder".to_owned());
        }
        if !queue.ends_with(POISON) && !made.contains(format!("{queue}{POISON}").as_str()) {
            find(format!("the queue {queue}{POISON} is not made"), "make one for each queue".to_owned());
        }
    }
    if findings.is_empty() { Ok(read.len()) } else { Err(findings) }
}

/// "Naming queues and metadata"; the poison queue's name is 7 characters longer.
fn broken_rule(queue: &str) -> Option<&'static str> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match queue {
        _ if !(3..=56).contains(&queue.len()) => Some("is not 3 to 56 characters long, which leaves room for -poison"),
        _ if !queue.chars().all(legal) => Some("holds other characters than lower-case letters, digits and hyphens"),
        _ if queue.starts_with('-') || queue.ends_with('-') || queue.contains("--") => Some("has a hyphen too many"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::snapshots;

    /// What is found where one function reads `peer-network`, and these queues are made.
    fn verdict(name: &str, queues: &[&str]) -> Result<usize, String> {
        let folder = Scratch::new(name);
        let json =
            r#"{"bindings":[{"type":"queueTrigger","direction":"in","name":"message","queueName":"peer-network"}]}"#;
        let made: Vec<_> = queues
            .iter()
            .map(|queue| serde_json::json!({"type": QUEUE, "name": format!("st/default/{queue}")}))
            .collect();
        folder
            .with("functions/create/peer_network/function.json", json)
            .with("main.json", serde_json::json!({"resources": made}).to_string());
        let functions = stager::functions(&folder.0).unwrap();
        let snapshots = snapshots::read(&folder.0).unwrap();
        check(&functions, &snapshots).map_err(|findings| findings.iter().map(|f| format!("{f}\n")).collect())
    }

    #[test]
    fn queues_that_agree_are_counted() {
        assert_eq!(verdict("agree", &["peer-network", "peer-network-poison"]), Ok(1));
    }

    #[test]
    fn what_does_not_agree_is_found() {
        let pair = ["peer-network", "peer-network-poison"];
        let long = "a".repeat(57);
        for (name, queues, found) in [
            ("none", vec![], "no snapshot makes a queue"),
            ("missing", vec!["gone", "gone-poison"], "the queue peer-network triggers a function and is not made"),
            ("unread", vec![pair[0], pair[1], "gone", "gone-poison"], "no function reads the queue gone-poison"),
            ("poison", vec![pair[0]], "the queue peer-network-poison is not made"),
            ("long", vec![pair[0], pair[1], &long], "leaves room for -poison"),
            ("letters", vec![pair[0], pair[1], "Big"], "lower-case"),
            ("hyphens", vec![pair[0], pair[1], "a--b"], "hyphen too many"),
        ] {
            let said = verdict(name, &queues).unwrap_err();
            assert!(said.contains(found), "{found} in {said}");
        }
    }
}
