//! Rows and messages of an older program, work in flight included, run to the end with this one. See `README.md` beside this file.

#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and owns its time")]

mod newer;
mod points;
mod shape;

use std::collections::BTreeSet;
use std::time::Duration;

use functions::clock::Clock;
use functions::peering::{Record, Status};
use points::{Point, Reached, Stop, mend, points, reach};
use simulation::Simulation;
use simulation::compare::assert_as_before;
use simulation::fixture::{Fixture, folder, names};

/// What lingers at Aiven and in Azure after a delete is gone by then.
const AFTERMATH: Duration = Duration::from_secs(600);

/// Says which point it was if the test fails there.
struct At<'a>(&'a str);

impl Drop for At<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("at the point {:?}", self.0);
        }
    }
}

/// The clouds as they are at a point, and the old program's rows and messages.
async fn old_program_at((name, scene, stop): &Point) -> Reached {
    let mut reached = reach(*scene, *stop).await;
    let names = names(&reached.sim.world(), &reached.pairs);
    let now = reached.sim.clock.now();
    reached.sim.empty_storage();
    Fixture::read(name).with(&names, now).put_into(&reached.sim.storage, now).await;
    reached
}

#[test]
fn points_and_fixtures_match() {
    let files = std::fs::read_dir(folder(1)).unwrap().map(|file| file.unwrap().path());
    let found: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(found, points().into_iter().map(|(name, ..)| name).collect());
}

#[test]
fn schema_1_runs_to_the_end() {
    let points = points();
    simulation::run_each(0..points.len(), |n| runs_to_the_end(&points[n]));
}

async fn runs_to_the_end(point: &Point) {
    let _at = At(&point.0);
    let Reached { mut sim, pairs, before } = old_program_at(point).await;
    let rejected = sim.rows("rejected").await;
    if needs_a_person(point.2) {
        stays_as_it_was_told(&mut sim).await;
    }
    if matches!(point.2, Stop::Cause | Stop::CauseParked) {
        sim.run_for(AFTERMATH).await;
        assert!(sim.records().await.iter().all(|record| record.status != Status::Active), "{}", sim.shown().await);
    }
    mend(&mut sim.world(), point.2);
    if needs_a_person(point.2) {
        sim.request("retry", &pairs[0]).await;
    }
    until_all_are(&mut sim, Status::Active).await;
    simulation::assert_exactly(&sim.world(), &pairs);
    assert_eq!(sim.rows("rejected").await, rejected, "no message of the old program was rejected");
    sim.drain().await;
    assert_eq!(sim.next_visible(), None, "no message is left, poison queues included");
    for pair in &pairs {
        sim.request("delete", pair).await;
    }
    until_all_are(&mut sim, Status::Deleted).await;
    sim.run_for(AFTERMATH).await;
    let after = sim.world().snapshot();
    assert_as_before(&before, &after, &sim.shown().await);
}

fn needs_a_person(stop: Stop) -> bool {
    matches!(stop, Stop::Attention | Stop::AttentionParked | Stop::GivenUp)
}

/// What a person was told is still so, and still told.
async fn stays_as_it_was_told(sim: &mut Simulation) {
    let told = |records: Vec<Record>| {
        records
            .into_iter()
            .map(|record| (record.status, record.progress.step, record.progress.fault.map(|fault| fault.code)))
            .collect::<Vec<_>>()
    };
    let before = told(sim.records().await);
    assert!(before.iter().all(|(status, _, code)| *status == Status::NeedsAttention && code.is_some()), "{before:?}");
    sim.run_for(Duration::from_secs(3600)).await;
    assert_eq!(told(sim.records().await), before, "{}", sim.shown().await);
}

async fn until_all_are(sim: &mut Simulation, status: Status) {
    let are = async |sim: &Simulation| {
        let records = sim.records().await;
        !records.is_empty() && records.iter().all(|record| record.status == status && record.is_idle())
    };
    sim.run_until(&format!("all to be {status:?}"), are).await;
}

/// Not a test: writes the fixtures of the program as it is. See `README.md`.
#[test]
#[ignore = "writes fixtures"]
fn record() {
    let folder = folder(functions::peering::SCHEMA);
    std::fs::create_dir_all(&folder).unwrap();
    for (name, scene, stop) in points() {
        let fixture = simulation::run(async {
            let reached = reach(scene, stop).await;
            Fixture::of(&reached.sim, &reached.pairs).await
        });
        let text = serde_json::to_string_pretty(&fixture).unwrap() + "\n";
        std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
    }
}
