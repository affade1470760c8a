//! The whole life of one peering, in chapters: made, broken by a vendor and repaired, changed by a person and reported, deleted.

use std::time::{Duration, Instant};

use emulator::clouds::{Pair, differences};
use emulator::environment::Environment;
use serde_json::{Value, json};

use crate::follow::Follower;
use crate::rows::Rows;
use crate::screen::{Look, Screen, WIDTH};
use crate::words::wrap;

/// Plays it. Whether all went as it should, as the clouds have it.
///
/// # Errors
/// Storage or the host did not answer.
pub async fn show(
    environment: &Environment,
    pair: &Pair,
    follower: &mut Follower<'_>,
    limit: Duration,
    screen: &mut Screen,
) -> Result<bool, String> {
    let (began, before) = (Instant::now(), environment.clouds.world().snapshot());
    let mut life = Life { environment, pair, follower, limit, screen };
    let well = life.made().await? && life.repaired().await? && life.reported().await? && life.deleted(&before).await?;
    let (look, text) = match well {
        true => (Look::Good, "made, repaired, reported and deleted, as the clouds have it"),
        false => (Look::Bad, "that is not how it should go: see above, and `cargo demo -- --lifecycle --verbose`"),
    };
    screen.line(look, &format!("{text} ({:.0} s)", began.elapsed().as_secs_f64()));
    Ok(well)
}

struct Life<'a, 'b> {
    environment: &'a Environment,
    pair: &'a Pair,
    follower: &'a mut Follower<'b>,
    limit: Duration,
    screen: &'a mut Screen,
}

impl Life<'_, '_> {
    async fn made(&mut self) -> Result<bool, String> {
        self.chapter(
            "1. You ask for a peering",
            "One message on a queue. The app does the rest, and says whom it waits for.",
        );
        self.send("create").await?;
        let active = self.until(|status| status == "Active").await?;
        Ok(active && self.is_peered())
    }

    async fn repaired(&mut self) -> Result<bool, String> {
        self.chapter(
            "2. Aiven's side loses the connection",
            "The half on your VNet turns Disconnected, and traffic stops. Every hour the app compares what is with what should be; \
             here it looks at once. We made this peering and a vendor's side broke it, so it is made again, both halves.",
        );
        self.environment.clouds.world().delete_connection_outside(&self.pair.vpc_id, &self.pair.vnet);
        self.reconcile().await?;
        let again = self.until_it_left_and_is("Active").await?;
        Ok(again && self.is_peered())
    }

    async fn reported(&mut self) -> Result<bool, String> {
        self.chapter(
            "3. A colleague closes the peering",
            "Somebody switches \"allow virtual network access\" off on your half. That looks like a person's decision: the app reports \
             it, and undoes nothing.",
        );
        let remote = self.remote();
        self.environment.clouds.world().allow_access(&self.pair.vnet, &remote, false);
        self.reconcile().await?;
        if !self.until(|status| status == "Drifted").await? || self.is_open() {
            return Ok(false);
        }
        self.say("It was a mistake, after all: action \"retry\" puts it back.");
        self.send("retry").await?;
        Ok(self.until_it_left_and_is("Active").await? && self.is_open())
    }

    async fn deleted(&mut self, before: &Value) -> Result<bool, String> {
        self.chapter(
            "4. You ask for its deletion",
            "The runbook backwards: what was made for it goes, what was there before stays.",
        );
        self.send("delete").await?;
        if !self.until(|status| status == "Deleted").await? {
            return Ok(false);
        }
        let after = self.environment.clouds.world().snapshot();
        let left = differences(before, &after);
        // What the next peering needs again: the application, its and Aiven's service principals, two roles.
        let (of_installation, other): (Vec<String>, Vec<String>) = left.into_iter().partition(|line| {
            ["directory: applications: + ", "directory: service_principals: + ", "roles: definitions: + "]
                .iter()
                .any(|kind| line.starts_with(kind))
        });
        for line in &other {
            self.screen.line(Look::Bad, line);
        }
        self.screen.blank();
        self.screen.fact("networks", "no peering on the VNet, none at Aiven, no role assignment: as before");
        let text = "the application, its and Aiven's service principals, two role definitions: they belong to the installation";
        self.screen.fact("what stays", text);
        self.screen.blank();
        Ok(other.is_empty() && of_installation.len() == 5)
    }

    fn chapter(&mut self, title: &str, text: &str) {
        self.screen.blank();
        self.screen.line(Look::Strong, title);
        self.say(text);
    }

    fn say(&mut self, text: &str) {
        for line in wrap(text, WIDTH - 3) {
            self.screen.line(Look::Plain, &format!("   {line}"));
        }
    }

    async fn send(&self, action: &str) -> Result<(), String> {
        let request = json!({"version": 1, "action": action, "vpc": self.pair.vpc, "vnet": self.pair.vnet});
        self.environment.send(&request.to_string()).await.map(drop).map_err(|error| error.to_string())
    }

    /// What the timer does every hour.
    async fn reconcile(&self) -> Result<(), String> {
        let host = self.environment.supervisor.host().ok_or("the Functions host is not running")?;
        host.trigger("reconcile", "").await.map(drop).ok_or_else(|| "there is no function reconcile".to_owned())
    }

    async fn until(&mut self, wish: impl Fn(&str) -> bool) -> Result<bool, String> {
        let wish =
            |rows: &Rows, _| rows.peerings.first().is_some_and(|peering| peering.resting && wish(&peering.status));
        self.follower.until(wish, self.limit, self.screen).await
    }

    async fn until_it_left_and_is(&mut self, status: &str) -> Result<bool, String> {
        let before = Rows::read(self.environment).await?.peerings.first().map(|peering| peering.status.clone());
        let mut left = before.is_some_and(|before| before != status);
        let wish = |rows: &Rows, _| {
            let Some(peering) = rows.peerings.first() else { return false };
            left |= peering.status != status;
            left && peering.resting && peering.status == status
        };
        self.follower.until(wish, self.limit, self.screen).await
    }

    /// Aiven's network.
    fn remote(&self) -> String {
        let world = self.environment.clouds.world();
        world.aiven_vpc(&self.pair.vpc_id).map(|vpc| vpc.azure_vnet.clone()).unwrap_or_default()
    }

    fn is_peered(&self) -> bool {
        let remote = self.remote();
        let world = self.environment.clouds.world();
        let connections = world.connections(&self.pair.vpc_id, &self.pair.vnet);
        let active = connections.iter().filter(|connection| connection.state == "ACTIVE").count() == 1;
        active && world.half(&self.pair.vnet, &remote).is_some_and(|half| half.state == "Connected")
    }

    fn is_open(&self) -> bool {
        let remote = self.remote();
        self.environment.clouds.world().half(&self.pair.vnet, &remote).is_some_and(|half| half.allow_access)
    }
}
