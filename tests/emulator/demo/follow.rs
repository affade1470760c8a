//! Follows the peerings live: every change a line, or for many peerings their number at each status.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use emulator::environment::Environment;
use emulator::host::{Event, StopReason};
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;

use crate::arguments::Arguments;
use crate::rows::{Entry, Peering, Rows};
use crate::runbook::{Runbook, title};
use crate::screen::{Look, Screen, WIDTH};
use crate::tally::tally;
use crate::words::{clock, seconds, wrap};

/// Between two looks at the tables, on the wall.
const PACE: Duration = Duration::from_millis(150);
/// A fault is looked at again after five minutes by the app itself; one that stands longer, nominal, is there to stay.
const PATIENCE: Duration = Duration::from_secs(7 * 60);
/// More peerings than that are told by their numbers only.
const FEW: usize = 5;
/// Where the text of a change begins.
const TEXT: usize = 34;
/// Where the numbers of many peerings begin.
const TALLY: usize = 19;
/// What stands in brackets and is longer is a cloud's answer, word for word.
const SHORT: usize = 50;

/// Follows the peerings of an environment.
pub struct Follower<'a> {
    environment: &'a Environment,
    runbook: &'a Runbook,
    scale: f64,
    verbose: bool,
    events: Receiver<Event>,
    began: Timestamp,
    seen: HashSet<(String, String)>,
    refused: usize,
    /// The last wait told of each peering: the same again is no news.
    waits: BTreeMap<(String, String), String>,
    faults: HashSet<String>,
    tally: String,
    headed: bool,
}

impl<'a> Follower<'a> {
    /// Time counts from here.
    pub fn new(environment: &'a Environment, runbook: &'a Runbook, arguments: &Arguments) -> Self {
        Self {
            environment,
            runbook,
            scale: arguments.time_scale,
            verbose: arguments.verbose,
            events: environment.supervisor.events().subscribe(),
            began: Timestamp::now(),
            seen: HashSet::new(),
            refused: 0,
            waits: BTreeMap::new(),
            faults: HashSet::new(),
            tally: String::new(),
            headed: false,
        }
    }

    /// When it began.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Follows until that many peerings are Active, or a person would have to act, or the time is up.
    ///
    /// # Errors
    /// Storage did not answer.
    pub async fn until_settled(&mut self, count: usize, limit: Duration, screen: &mut Screen) -> Result<(), String> {
        let patience = PATIENCE.div_f64(self.scale);
        let over = |peering: &Peering| (peering.status == "Active" && peering.resting) || peering.is_stuck(patience);
        let settled = |rows: &Rows, refused| {
            let refused = rows.peerings.is_empty() && refused >= count;
            refused || (rows.peerings.len() >= count && rows.peerings.iter().all(over))
        };
        self.until(settled, limit, screen).await.map(drop)
    }

    /// Follows until the peerings are as wished, given the number of refused requests, or the time is up. Whether they are.
    ///
    /// # Errors
    /// Storage did not answer.
    pub async fn until(
        &mut self,
        mut wish: impl FnMut(&Rows, usize) -> bool,
        limit: Duration,
        screen: &mut Screen,
    ) -> Result<bool, String> {
        let began = Instant::now();
        let granted = loop {
            let rows = self.look(screen).await?;
            if wish(&rows, self.refused) {
                break true;
            }
            if began.elapsed() > limit {
                screen.line(Look::Bad, &format!("the time is up after {} (--time-limit)", seconds(limit)));
                break false;
            }
            tokio::time::sleep(PACE).await;
        };
        screen.clear();
        Ok(granted)
    }

    /// Follows as long as it is awaited.
    ///
    /// # Errors
    /// Storage did not answer.
    pub async fn forever(&mut self, screen: &mut Screen) -> Result<(), String> {
        loop {
            self.look(screen).await?;
            tokio::time::sleep(PACE).await;
        }
    }

    /// Looks once, and shows what is new.
    async fn look(&mut self, screen: &mut Screen) -> Result<Rows, String> {
        self.tell_events(screen);
        let began = Instant::now();
        let rows = Rows::read(self.environment).await?;
        self.tell_refusals(screen).await?;
        let news: Vec<Entry> = rows.journal.iter().filter(|entry| self.is_new(entry)).cloned().collect();
        let many = rows.peerings.len() > FEW;
        for entry in &news {
            // Of many only what a person has to do, and the same thing once.
            let yours = entry.outcome == "fix" || entry.party == "you";
            if !many || (yours && self.faults.insert(gist(&entry.note).to_owned())) {
                self.tell(entry, &rows, screen);
            }
        }
        if many {
            self.tell_tally(&rows, screen);
        }
        screen.below(self.now(&rows));
        // Many rows take long to read: storage is there for the handler first.
        tokio::time::sleep(began.elapsed() * 3).await;
        Ok(rows)
    }

    fn is_new(&mut self, entry: &Entry) -> bool {
        self.seen.insert((entry.key.0.clone(), entry.row.clone()))
    }

    /// A change of a peering.
    fn tell(&mut self, entry: &Entry, rows: &Rows, screen: &mut Screen) {
        let Some(peering) = rows.of(entry) else { return };
        let (look, text) = match entry.outcome.as_str() {
            "wait" => (Look::Faint, format!("waiting for {}: {}", entry.party, gist(&entry.note))),
            "fix" => (Look::Bad, format!("you have to act: {}", short(&entry.note, peering))),
            "requested" => (Look::Plain, format!("accepted: {}", entry.note)),
            // What to do about it, the journal has.
            "drift" => (Look::Bad, entry.note.split(" Do: ").next().unwrap_or_default().to_owned()),
            _ => (Look::Plain, entry.note.clone()),
        };
        let known = self.waits.insert(entry.key.clone(), text.clone());
        if known.is_some_and(|known| known == text) {
            return;
        }
        let of = if self.runbook.number(&entry.step).is_empty() || peering.again {
            String::new()
        } else {
            format!("{}/{}", peering.before(&entry.step) + 1, self.runbook.len())
        };
        let text = if rows.peerings.len() > 1 { format!("{}: {text}", rows.label(peering)) } else { text };
        self.change(entry.at, look, &of, self.runbook.number(&entry.step), &text, screen);
    }

    fn change(&mut self, at: Timestamp, look: Look, of: &str, number: &str, text: &str, screen: &mut Screen) {
        if !self.headed {
            self.headed = true;
            screen.line(Look::Faint, &format!("{:>8}{:>9}  {:7}runbook", "time", "nominal", "step"));
        }
        let (wall, nominal) = self.times(at);
        for (index, line) in wrap(text, WIDTH - TEXT).iter().enumerate() {
            if index == 0 {
                screen.line(look, &format!("{wall:>8}{nominal:>9}  {of:7}{number:8}{line}"));
            } else {
                screen.line(look, &format!("{:TEXT$}{line}", ""));
            }
        }
    }

    /// How many peerings stand where, if that changed.
    fn tell_tally(&mut self, rows: &Rows, screen: &mut Screen) {
        let tally = tally(rows);
        if tally != self.tally {
            let (wall, nominal) = self.times(Timestamp::now());
            for (index, line) in wrap(&tally, WIDTH - TALLY).iter().enumerate() {
                let (wall, nominal) = if index == 0 { (wall.as_str(), nominal.as_str()) } else { ("", "") };
                screen.line(Look::Plain, &format!("{wall:>8}{nominal:>9}  {line}"));
            }
            self.tally = tally;
        }
    }

    /// The lines that are drawn anew: where the unfinished peerings stand at this moment.
    fn now(&self, rows: &Rows) -> Vec<(Look, String)> {
        let open: Vec<&Peering> = rows.peerings.iter().filter(|peering| !peering.resting).collect();
        if open.is_empty() {
            return Vec::new();
        }
        let (wall, nominal) = self.times(Timestamp::now());
        let mut lines = vec![(Look::Plain, String::new())];
        lines.push((
            Look::Strong,
            format!(
                "{wall} on the wall, {nominal} nominal, {} of {} ACTIVE",
                rows.peerings.len() - open.len(),
                rows.peerings.len()
            ),
        ));
        for peering in open.iter().take(FEW) {
            let step = title(&peering.step);
            let n = peering.before(&peering.step) + 1;
            lines.push((Look::Plain, format!("{}: step {n} of {}: {step}", rows.label(peering), self.runbook.len())));
            if let Some((who, why)) = &peering.waiting {
                lines.push((Look::Faint, format!("  waiting for {who}: {}", gist(why))));
            }
        }
        if open.len() > FEW {
            lines.push((Look::Faint, format!("and {} more", open.len() - FEW)));
        }
        lines
    }

    /// Time since the beginning: on the wall, and nominal.
    fn times(&self, at: Timestamp) -> (String, String) {
        let wall = Duration::try_from(at.duration_since(self.began)).unwrap_or_default();
        (seconds(wall), clock(wall.mul_f64(self.scale)))
    }

    async fn tell_refusals(&mut self, screen: &mut Screen) -> Result<(), String> {
        let rejected = self.environment.rows("rejected").await.map_err(|error| error.to_string())?;
        for row in rejected.iter().skip(self.refused) {
            let reason = row.get("reason").and_then(serde_json::Value::as_str).unwrap_or("see table rejected");
            self.change(Timestamp::now(), Look::Bad, "", "", &format!("a request is refused: {reason}"), screen);
        }
        self.refused = rejected.len();
        Ok(())
    }

    /// What happened to the host and the handler; the handler's own lines if they are wanted.
    fn tell_events(&mut self, screen: &mut Screen) {
        loop {
            let event = match self.events.try_recv() {
                Ok(event) => event,
                Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => continue,
                Err(_) => return,
            };
            if let Some(text) = news(&event) {
                self.change(Timestamp::now(), Look::Faint, "", "", &text, screen);
            } else if let (Event::Line(_, line), true) = (&event, self.verbose) {
                screen.line(Look::Faint, line);
            }
        }
    }
}

/// What of an event a person wants to know.
fn news(event: &Event) -> Option<String> {
    Some(match event {
        Event::HandlerExited { status, crash: true, .. } => {
            format!("the handler ended ({status}); it is started again")
        }
        Event::HandlerFailed(why) => format!("the handler does not start: {why}"),
        Event::HostStopped(StopReason::Crashes) => {
            "the host stopped after the third crash; a new one starts".to_owned()
        }
        Event::HostStopped(StopReason::Killed) => "the host was killed; a new one starts".to_owned(),
        Event::HostStopped(StopReason::NeverReady) => "the host gave the handler up; a new one starts".to_owned(),
        Event::Poisoned { queue, reason, .. } => format!("a message of queue {queue} was given up: {reason}"),
        _ => return None,
    })
}

/// A reason without the cloud's own words, which follow in brackets and are long; the journal has them.
fn gist(reason: &str) -> &str {
    match reason.split_once(" (") {
        Some((gist, rest)) if rest.chars().count() > SHORT => gist,
        _ => reason,
    }
}

/// What happened, and what to do; the journal has the reason, too.
fn short(note: &str, peering: &Peering) -> String {
    match &peering.fault {
        Some(fault) => format!("{} DO: {}", gist(&fault.what), fault.command),
        None => note.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::gist;

    #[test]
    fn a_reason_is_shown_without_the_clouds_long_answer() {
        let answer = "Microsoft Graph answered 400 NoBackingApplicationObject to PATCH /v1.0/servicePrincipals";
        assert_eq!(gist(&format!("it is not visible yet ({answer})")), "it is not visible yet");
        assert_eq!(gist("Aiven builds its half (it is APPROVED)"), "Aiven builds its half (it is APPROVED)");
    }
}
