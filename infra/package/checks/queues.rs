//! Every queue that triggers a function is declared in the templates, with its poison queue, and the other way round.
//!
//! The app would make a queue that is missing, but the poison queue would be made by the host at the worst moment, and the
//! templates' alerts would watch another one.

use std::collections::BTreeMap;

use stager::Function;

use crate::Finding;
use crate::bicep::{Templates, texts};

/// The variable that holds all of them.
const VARIABLE: &str = "queues";

/// How the poison queue of each is derived from it.
const POISON: &str = "${}-poison";

/// How many queues both sides name.
pub(super) fn check(functions: &BTreeMap<String, Function>, templates: &Templates) -> Result<usize, Vec<Finding>> {
    let (file, value) = templates.variable(VARIABLE).map_err(|finding| vec![finding])?;
    let place = file.path.display().to_string();
    let declared = texts(value).ok_or_else(|| {
        let fix = "write it as a list of plain names: other things are derived from it elsewhere";
        vec![Finding::new(&place, format!("`var {VARIABLE}` is not a list of names"), fix)]
    })?;
    let mut findings = Vec::new();
    let mut find = |place: &str, what: String, fix: String| findings.push(Finding::new(place, what, fix));
    for function in functions.values() {
        let Some(queue) = &function.queue else { continue };
        if !declared.contains(&queue.as_str()) {
            let source = function.source.display().to_string();
            find(
                &source,
                format!("the queue {queue} is not declared in {place}"),
                format!("add '{queue}' to `{VARIABLE}` there"),
            );
        }
    }
    for (index, queue) in declared.iter().enumerate() {
        let read = functions.values().any(|function| function.queue.as_deref() == Some(queue));
        if !read {
            find(
                &place,
                format!("no function reads the queue {queue}"),
                format!("remove it from `{VARIABLE}`, or give its function a function.json"),
            );
        }
        if declared[..index].contains(queue) {
            find(&place, format!("the queue {queue} is there twice"), "remove one".to_owned());
        }
        if let Some(rule) = broken_rule(queue) {
            find(&place, format!("the queue {queue:?} {rule}"), "rename it, and the function's folder".to_owned());
        }
    }
    if !templates.files_with(is_account).iter().any(|file| file.holds(|text| text == POISON)) {
        let fix = format!("declare them too: concat({VARIABLE}, map({VARIABLE}, queue => '${{queue}}-poison'))");
        find(&place, "the poison queues are not declared".to_owned(), fix);
    }
    if findings.is_empty() { Ok(declared.len()) } else { Err(findings) }
}

/// Whether a text is the type of the resource that holds them.
fn is_account(text: &str) -> bool {
    text.starts_with("Microsoft.Storage/storageAccounts@")
}

/// "Naming queues and metadata"; the poison queue's name is 7 characters longer, and it has no poison queue of its own.
fn broken_rule(queue: &str) -> Option<&'static str> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match queue {
        _ if !(3..=56).contains(&queue.len()) => Some("is not 3 to 56 characters long, which leaves room for -poison"),
        _ if queue.ends_with("-poison") => Some("is a poison queue, which is derived"),
        _ if !queue.chars().all(legal) => Some("holds other characters than lower-case letters, digits and hyphens"),
        _ if queue.starts_with('-') || queue.ends_with('-') || queue.contains("--") => Some("has a hyphen too many"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const ACCOUNT: &str = "resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n}\n";
    const POISONED: &str = "map(queues, q => '${q}-poison')";

    /// A source tree whose functions and templates agree.
    fn tree(name: &str) -> Scratch {
        let folder = Scratch::new(name);
        function(&folder, "peer_network").with(
            "infra/modules/storage.bicep",
            format!("var queues = [\n  'peer-network'\n]\n{ACCOUNT}var all = concat(queues, {POISONED})\n"),
        );
        folder
    }

    fn function<'a>(folder: &'a Scratch, name: &str) -> &'a Scratch {
        let queue = name.replace('_', "-");
        let json = format!(
            r#"{{"bindings":[{{"type":"queueTrigger","direction":"in","name":"message","queueName":"{queue}"}}]}}"#
        );
        folder.with(&format!("functions/create/{name}/function.json"), json)
    }

    fn verdict(folder: &Scratch) -> Result<usize, String> {
        let functions = stager::functions(&folder.0).unwrap();
        let templates = Templates::read(&folder.0.join("infra")).unwrap();
        check(&functions, &templates).map_err(|findings| findings.iter().map(|f| format!("{f}\n")).collect())
    }

    fn declare(folder: &Scratch, bicep: &str) -> String {
        folder.with("infra/modules/storage.bicep", bicep);
        verdict(folder).unwrap_err()
    }

    #[test]
    fn queues_that_agree_are_counted() {
        assert_eq!(verdict(&tree("agree")), Ok(1));
    }

    #[test]
    fn a_queue_of_a_function_that_no_template_declares_is_found() {
        let folder = tree("undeclared");
        function(&folder, "revoke_access");
        let found = verdict(&folder).unwrap_err();
        assert!(found.contains("revoke_access/function.json: the queue revoke-access is not declared in"), "{found}");
        assert!(found.contains("add 'revoke-access' to `queues`"), "{found}");
    }

    #[test]
    fn a_declared_queue_that_no_function_reads_is_found() {
        let bicep = format!("var queues = ['peer-network', 'gone']\n{ACCOUNT}var poison = {POISONED}\n");
        let found = declare(&tree("unread"), &bicep);
        assert!(found.contains("no function reads the queue gone"), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }

    #[test]
    fn poison_queues_that_are_not_derived_are_found() {
        let elsewhere = format!("var queues = ['peer-network']\nvar watched = {POISONED}\n");
        for bicep in [format!("var queues = ['peer-network']\n{ACCOUNT}"), elsewhere] {
            let found = declare(&tree("poison"), &bicep);
            assert!(found.contains("the poison queues are not declared"), "{found}");
        }
    }

    #[test]
    fn a_queue_that_storage_would_refuse_or_that_is_there_twice_is_found() {
        let long = "a".repeat(57);
        let bicep = format!("var queues = ['peer-network', 'peer-network', 'Big', 'a--b', '{long}', 'x-poison']\n");
        let found = declare(&tree("rules"), &bicep);
        for part in ["there twice", "lower-case", "hyphen too many", "leaves room for -poison", "is derived"] {
            assert!(found.contains(part), "{part} in {found}");
        }
    }

    #[test]
    fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let found = declare(&tree("computed"), "var queues = [for step in steps: step.queue]\n");
        assert!(found.contains("is not a list of names"), "{found}");
    }
}
