//! Not in simulation: `cargo demo` as a process, its exit status, what it says, and that it leaves nothing behind however it ends.

use crate::demo_run::{Moment, Run, python};

#[test]
fn organization_vpc_exits_0() {
    let mut run = Run::start(&[]);
    assert_eq!(run.exit(), Some(0), "{}", run.said());
    let said = run.said();
    assert!(said.contains("1 of 1 peering ACTIVE at Aiven and Connected in Azure"), "{said}");
    assert!(said.contains("13/13"), "the last step is told: {said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "it fits a terminal: {said}");
    assert!(!said.contains('\x1b'), "no colours where no terminal is: {said}");
    run.left_nothing();
}

#[test]
fn project_vpc_exits_0() {
    let mut run = Run::start(&["--project", "--time-scale", "120"]);
    assert_eq!(run.exit(), Some(0), "{}", run.said());
    run.left_nothing();
}

#[test]
fn a_whole_life_is_shown() {
    let mut run = Run::start(&["--lifecycle"]);
    assert_eq!(run.exit(), Some(0), "{}", run.said());
    let said = run.said();
    for words in [
        "the connection was deleted at Aiven",
        "repaired",
        "allows no access to the VNet",
        "puts it back",
        "asked to delete",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "it fits a terminal: {said}");
    run.left_nothing();
}

#[test]
fn fault_for_a_person_exits_1_with_the_command() {
    let mut run = Run::start(&["--fault", "graph-right-missing", "--time-scale", "120"]);
    assert_eq!(run.exit(), Some(1), "{}", run.said());
    assert!(run.said().contains("az ad sp create --id 55f300d4-fc50-4c5e-9222-e90a6e2187fb"), "{}", run.said());
    run.left_nothing();
}

#[test]
fn unknown_fault_is_refused_with_the_known_ones() {
    let mut run = Run::start(&["--fault", "no-such-fault"]);
    assert_eq!(run.exit(), Some(2));
    assert!(run.said().contains("role-slow") && run.said().contains("handler-killed"), "{}", run.said());
}

#[test]
fn ctrl_c_at_any_time_exits_130_and_leaves_nothing() {
    for (signal, moment) in
        [("INT", Moment::Begun), ("TERM", Moment::Started), ("INT", Moment::Done(1)), ("INT", Moment::Done(4))]
    {
        let mut run = Run::start(&[]);
        run.reaches(moment);
        run.signal(signal);
        assert_eq!(run.exit(), Some(130), "SIG{signal} at {moment:?}: {}", run.said());
        run.left_nothing();
    }
}

#[test]
fn a_killed_demo_leaves_nothing_after_a_moment() {
    for moment in [Moment::Begun, Moment::Done(2)] {
        let mut run = Run::start(&[]);
        run.reaches(moment);
        run.signal("KILL");
        assert_eq!(run.exit(), None, "ended by the signal");
        run.leaves_nothing();
    }
}

#[test]
fn death_inside_is_reported_and_leaves_nothing() {
    let mut run = Run::start(&[]);
    run.wait_for("done: ");
    run.kill_worker();
    assert_eq!(run.exit(), Some(1), "{}", run.said());
    run.left_nothing();
}

#[test]
fn official_python_client_sends_and_reads() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: python3 with azure-storage-queue and azure-data-tables is not to be had here");
        return;
    };
    let mut run = Run::start(&["--serve", "--peerings", "0", "--time-scale", "120"]);
    run.wait_for("What is sent is shown here");
    let (connection, request) = (run.exported("CONNECTION"), run.exported("REQUEST"));
    let client = std::process::Command::new(python)
        .args(["-c", include_str!("demo_run/client.py")])
        .envs([("CONNECTION", connection), ("REQUEST", request)])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&client.stdout), String::from_utf8_lossy(&client.stderr));
    assert!(client.status.success(), "{out}{err}\nthe demo: {}", run.said());
    // What others ask for is shown, too; the client has seen it Active, and it is verified after that.
    run.wait_for("13/13");
    run.signal("INT");
    assert_eq!(run.exit(), Some(130));
    run.left_nothing();
}
