//! What a newer program wrote stays as it is, whoever meets it, and goes on where it was once its schema is known.

use std::time::Duration;

use emulator::clouds::Pair;
use functions::peering::{SCHEMA, Status};
use functions::storage::{Content, Entity};
use serde_json::{Value as Json, json};

use crate::points::{Reached, Scene, Stop, reach};
use crate::until_all_are;
use simulation::Simulation;

/// Longer than any lease, put-back and pace of a timer, and than what counts as overdue.
const LONG: Duration = Duration::from_secs(45 * 60);
const NEWER: i64 = SCHEMA as i64 + 1;

/// The rows of a table that carry a schema.
async fn rows_of(sim: &Simulation, table: &str) -> Vec<Entity> {
    sim.rows(table).await.into_iter().filter(|row| row.get("schema").is_some()).collect()
}

async fn change(sim: &Simulation, table: &str, row: &Entity, schema: i64) -> Entity {
    let changed = row.clone().with("schema", schema).with("future", "more than this version knows");
    sim.storage.tables.upsert(table, &changed).await.unwrap();
    sim.storage.tables.get(table, &row.partition, &row.row).await.unwrap().unwrap()
}

/// Nothing was rejected, and nothing failed so often that it was given up.
async fn assert_nothing_lost(sim: &Simulation, at: &str) {
    assert_eq!(sim.rows("rejected").await, [], "{at}");
    for entry in crate::points::STEPS.iter().chain(&["accept_request", "poll_vpc", "reconcile_vpc"]) {
        let queue = match *entry {
            "accept_request" => "peering-requests-poison".to_owned(),
            step => format!("{}-poison", functions::engine::queue_of(step)),
        };
        assert_eq!(sim.storage.queues.length(&queue).await.unwrap_or_default(), 0, "{at}: {queue}");
    }
}

/// Every row of a table is a newer program's, one at a time: nobody writes it, and when it is ours again all goes on.
async fn each_row_stays_as_it_is(stop: Stop, table: &str) {
    for n in 0.. {
        let Reached { mut sim, pairs, .. } = reach(Scene::One, stop).await;
        let rows = rows_of(&sim, table).await;
        let Some(row) = rows.get(n) else { return };
        let at = format!("{stop:?} {table} {}", row.row);
        let newer = change(&sim, table, row, NEWER).await;
        sim.run_for(LONG).await;
        let after = sim.storage.tables.get(table, &row.partition, &row.row).await.unwrap();
        assert_eq!(after, Some(newer.clone()), "{at}");
        assert_nothing_lost(&sim, &at).await;
        sim.app().prepare().await.unwrap();
        change(&sim, table, row, i64::from(SCHEMA)).await;
        until_all_are(&mut sim, Status::Active).await;
        simulation::assert_exactly(&sim.world(), &pairs);
        let after = sim.storage.tables.get(table, &row.partition, &row.row).await.unwrap().unwrap();
        assert_eq!(after.long("schema"), Some(SCHEMA.into()), "{at}");
    }
}

#[test]
fn shared_row_is_left_as_it_is() {
    let stops = [
        Stop::Asked,
        Stop::Message("inspect_network"),
        Stop::Message("register_application"),
        Stop::Message("authorize_application"),
        Stop::Act("authorize_aiven"),
        Stop::Message("request_peering"),
        Stop::Hint("await_pending_peer"),
        Stop::Parked("await_pending_peer"),
        Stop::Parked("await_active"),
        Stop::Cause,
    ];
    let all: Vec<_> =
        stops.iter().flat_map(|stop| ["shared", "vpcs", "peerings"].map(|table| (*stop, table))).collect();
    simulation::run_each(0..all.len(), |n| mended(all[n].0, all[n].1));
}

async fn mended(stop: Stop, table: &str) {
    if !matches!(stop, Stop::Cause) {
        return each_row_stays_as_it_is(stop, table).await;
    }
    // The cause is over while the row that says so is a newer program's.
    let Reached { mut sim, pairs, .. } = reach(Scene::One, stop).await;
    sim.world().restore_aiven_token();
    let installation = sim.rows("shared").await.into_iter().find(|row| row.partition == "installation").unwrap();
    let newer = change(&sim, "shared", &installation, NEWER).await;
    sim.run_for(LONG).await;
    let now = sim.storage.tables.get("shared", "installation", "installation").await.unwrap();
    assert_eq!(now, Some(newer));
    change(&sim, "shared", &installation, i64::from(SCHEMA)).await;
    until_all_are(&mut sim, Status::Active).await;
    simulation::assert_exactly(&sim.world(), &pairs);
}

#[tokio::test(start_paused = true)]
async fn request_for_a_newer_row_waits() {
    for action in ["create", "delete", "retry", "verify", "pause"] {
        for table in ["peerings", "vpcs"] {
            let Reached { mut sim, pairs, .. } = reach(Scene::One, Stop::Active).await;
            // At rest, and its VPC as well: who begins must open it.
            sim.run_for(LONG).await;
            let row = rows_of(&sim, table).await.remove(0);
            let newer = change(&sim, table, &row, NEWER).await;
            let before = sim.world().snapshot();
            sim.request(action, &pairs[0]).await;
            sim.run_for(LONG).await;
            let after = sim.storage.tables.get(table, &row.partition, &row.row).await.unwrap();
            assert_eq!(after, Some(newer), "{action} {table}");
            assert_nothing_lost(&sim, action).await;
            if table == "peerings" {
                assert_eq!(sim.world().snapshot(), before, "{action} {table}");
                assert_eq!(sim.storage.queues.length("peering-requests").await.unwrap(), 1, "{action}");
            }
        }
    }
}

/// Messages of a newer program, one for each queue of ours.
fn messages(pair: &Pair, key: &str) -> Vec<(String, Json)> {
    let vpc = key.split_once('/').unwrap().0;
    let steps = crate::points::STEPS.iter().chain(&["verify_connectivity", "delete_aiven_peering", "revoke_access"]);
    let step = |step: &&str| {
        let message = json!({"schema": NEWER, "peering": {"vpc": vpc, "vnet": pair.vnet}, "step": step, "seq": 7});
        (functions::engine::queue_of(step), message)
    };
    let hint = json!({"schema": NEWER, "vpc": [vpc], "why": "a new member"});
    let mut all: Vec<_> = steps.map(step).collect();
    all.extend(["poll-vpc", "reconcile-vpc", "await-vpc"].map(|queue| (queue.to_owned(), hint.clone())));
    all
}

#[tokio::test(start_paused = true)]
async fn message_is_put_back_even_from_poison() {
    for poison in ["", "-poison"] {
        let Reached { mut sim, pairs, .. } = reach(Scene::One, Stop::Active).await;
        let key = sim.record(&pairs[0]).await.unwrap().key.to_string();
        sim.run_for(LONG).await;
        let before = (sim.rows("peerings").await, sim.world().snapshot());
        for (queue, message) in messages(&pairs[0], &key) {
            sim.send_to(&format!("{queue}{poison}"), &message.to_string()).await;
        }
        sim.run_for(LONG).await;
        assert_eq!(sim.rows("rejected").await, [], "{poison}");
        assert_eq!((sim.rows("peerings").await, sim.world().snapshot()), before);
        for (queue, message) in messages(&pairs[0], &key) {
            // Whoever has it has put it back by then.
            tokio::time::advance(Duration::from_secs(700)).await;
            let queue = format!("{queue}{poison}");
            let left = sim.storage.queues.receive(&queue, 32, LONG).await.unwrap();
            let texts: Vec<_> = left.iter().map(|message| message.content()).collect();
            assert_eq!(texts, [Content::Text(message.to_string())], "{queue}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_poison_message_about_a_newer_record_stays() {
    let Reached { mut sim, .. } = reach(Scene::One, Stop::Poison("define_aiven_role")).await;
    let row = rows_of(&sim, "peerings").await.remove(0);
    let newer = change(&sim, "peerings", &row, NEWER).await;
    sim.run_for(LONG).await;
    assert_eq!(sim.storage.queues.length("define-aiven-role-poison").await.unwrap(), 1);
    assert_eq!(rows_of(&sim, "peerings").await, [newer]);
    change(&sim, "peerings", &row, i64::from(SCHEMA)).await;
    until_all_are(&mut sim, Status::Active).await;
}
