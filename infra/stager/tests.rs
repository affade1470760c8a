//! Tests of the stager, on source trees made for the purpose.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::stage;

const HOST: &str = r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;

struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("stager-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let tree = Self(root);
        tree.with("host.json", HOST).with("built", "#!/bin/sh\n");
        tree
    }

    fn with(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn queue(&self, folder: &str, queue: &str) -> &Self {
        let binding = format!(
            r#"{{"bindings":[{{"type":"queueTrigger","direction":"in","name":"message","queueName":"{queue}"}}]}}"#
        );
        self.with(&format!("functions/{folder}/function.json"), &binding)
    }

    fn stage(&self) -> Result<crate::Staged, crate::StageError> {
        stage(&self.0, &self.0.join("built"), &self.0.join("out/app"))
    }

    fn refusal(&self) -> String {
        self.stage().unwrap_err().to_string()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn nested_functions_are_laid_out_flat_with_an_executable_handler() {
    let tree = Tree::new("flat");
    tree.queue("accept_request", "peering-requests").queue("create/peer_network", "peer-network");
    let staged = tree.stage().unwrap();
    assert_eq!(staged.queues(), ["peering-requests", "peer-network"]);
    assert!(staged.root.join("peer_network/function.json").is_file());
    assert!(staged.root.join("host.json").is_file());
    assert_eq!(mode(&staged.handler), 0o755);
}

#[test]
fn staging_again_replaces_the_app_and_leaves_nothing_beside_it() {
    let tree = Tree::new("again");
    tree.queue("watch/poll_vpc", "poll-vpc").queue("watch/gone", "gone");
    tree.stage().unwrap();
    std::fs::remove_dir_all(tree.0.join("functions/watch/gone")).unwrap();
    let staged = tree.stage().unwrap();
    assert!(!staged.root.join("gone").exists());
    assert_eq!(std::fs::read_dir(tree.0.join("out")).unwrap().count(), 1);
}

#[test]
fn many_may_stage_to_one_place_at_once() {
    let tree = Tree::new("race");
    tree.queue("poll_vpc", "poll-vpc");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| tree.stage().unwrap());
        }
    });
    assert!(tree.0.join("out/app/poll_vpc/function.json").is_file());
}

#[test]
fn a_queue_not_named_after_its_function_is_refused_with_the_name_it_should_have() {
    let tree = Tree::new("queue");
    tree.queue("create/peer_network", "peer_network");
    assert!(tree.refusal().ends_with("queueName is peer_network; set \"queueName\": \"peer-network\""));
}

#[test]
fn two_functions_of_one_name_are_refused_whatever_their_case() {
    let tree = Tree::new("unique");
    tree.queue("create/poll_vpc", "poll-vpc").queue("watch/Poll_vpc", "Poll-vpc");
    assert!(tree.refusal().contains("a second function is called"));
}

#[test]
fn names_that_the_host_refuses_are_refused() {
    let tree = Tree::new("names");
    tree.queue("1st", "1st");
    assert!(tree.refusal().contains("refuses a function called \"1st\""));
    let tree = Tree::new("binding");
    tree.with(
        "functions/sweep/function.json",
        r#"{"bindings":[{"type":"timerTrigger","name":"my_timer","schedule":"0 * * * * *"}]}"#,
    );
    assert!(tree.refusal().contains("refuses a binding called \"my_timer\""));
}

#[test]
fn a_function_without_a_trigger_is_refused() {
    let tree = Tree::new("trigger");
    tree.with("functions/sweep/function.json", r#"{"bindings":[]}"#);
    assert!(tree.refusal().contains("0 triggers instead of one"));
}

#[test]
fn a_missing_handler_and_a_broken_host_json_name_the_fix() {
    let tree = Tree::new("missing");
    tree.queue("sweep", "sweep");
    std::fs::remove_file(tree.0.join("built")).unwrap();
    assert!(tree.refusal().ends_with("run `cargo build --bin handler`"));
    tree.with("host.json", "{");
    assert!(tree.refusal().contains("host.json: not JSON"));
}
