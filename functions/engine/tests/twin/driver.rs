//! Plays the host: delivers messages to two workers, lets them go on moment by moment, kills them, sweeps.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures::task::noop_waker_ref;

use super::Choices;
use super::stepped::moment;
use super::world::{World, now};
use crate::accept_request::decide::{Move, decide};
use crate::clock::Clock;
use crate::engine::{Delivery, Engine, RunError};
use crate::peering::{Action as RequestAction, Record, Request, Status, Wanted};
use crate::state::{Lookup, Records};
use crate::storage::{Queues, ReceivedMessage};

/// What may happen besides the ordinary, and how often in one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    /// A worker's process dies.
    pub deaths: u32,
    /// The other worker goes on although this one could.
    pub switches: u32,
    /// A message is there twice.
    pub duplicates: u32,
    /// A lease ends before its worker does, so that the queue gives the message to the other, too.
    pub redeliveries: u32,
    /// A sweep comes too early.
    pub sweeps: u32,
    /// Somebody asks to delete a peering.
    pub deletes: u32,
    /// Somebody asks for a peering that is gone, or on its way.
    pub creates: u32,
    /// Somebody pauses a peering; it is resumed when nothing else is left to do.
    pub pauses: u32,
    /// The message of a request that was heard is delivered once more, whenever.
    pub echoes: u32,
}

/// A message on its way.
#[derive(Debug, Clone)]
struct Held {
    queue: String,
    message: ReceivedMessage,
}

/// A worker at work.
struct Worker {
    held: Held,
    work: Pin<Box<dyn Future<Output = Result<(), RunError>>>>,
}

/// What can be done next.
#[derive(Debug, Clone, Copy)]
enum Action {
    GoOn(usize),
    Deliver(usize),
    Die(usize),
    Duplicate,
    LeaseEnds,
    Sweep,
    Ask(usize, RequestAction),
    Echo(usize),
}

/// How long the host keeps a message for a worker that may be dead; thrice fits into a step's budget, as a worker never outlives that.
const LEASE: Duration = Duration::from_secs(20);
/// A run that takes longer goes round in circles.
const MOST_ACTIONS: usize = 1_500;

/// A run.
pub struct Driver<'a> {
    world: &'a World,
    records: Vec<Record>,
    workers: [Option<Worker>; 2],
    budget: Budget,
    /// Who went on last.
    last: usize,
    /// Whether anything happened after which a sweep may be needed.
    pub died: bool,
    /// Whether a sweep was needed.
    pub swept: bool,
    /// The requests so far: of which peering, what, and under which message.
    asked: Vec<(usize, RequestAction, String)>,
}

impl<'a> Driver<'a> {
    /// For the peerings of a world.
    pub fn new(world: &'a World, records: Vec<Record>, budget: Budget) -> Self {
        Self { world, records, workers: [None, None], budget, last: 0, died: false, swept: false, asked: Vec::new() }
    }

    /// Runs until nothing is left to do.
    pub fn run(&mut self, choices: &mut Choices) {
        for _ in 0..MOST_ACTIONS {
            let actions = self.actions();
            if actions.is_empty() {
                if !self.wake() {
                    return;
                }
                continue;
            }
            let action = actions[choices.choose(actions.len())];
            self.act(action);
        }
        panic!("it goes round in circles: {:?}", self.records.iter().map(|r| self.world.load(r)).collect::<Vec<_>>());
    }

    /// What can be done, the ordinary first.
    fn actions(&self) -> Vec<Action> {
        let busy = |i: usize| self.workers[i].is_some();
        let (one, other) = (self.last, 1 - self.last);
        let mut actions = Vec::new();
        let waiting = self.world.next_message().is_some_and(|at| at <= self.world.clock.now());
        let may_switch = !busy(one) || self.budget.switches > 0;
        if busy(one) {
            actions.push(Action::GoOn(one));
        }
        if busy(other) && may_switch {
            actions.push(Action::GoOn(other));
        }
        for i in [one, other] {
            if !busy(i) && waiting && (may_switch || i == one) {
                actions.push(Action::Deliver(i));
                break;
            }
        }
        if actions.is_empty() {
            return actions;
        }
        if self.budget.deaths > 0 && busy(one) {
            actions.push(Action::Die(one));
        }
        if self.budget.duplicates > 0 && waiting && !busy(one) {
            actions.push(Action::Duplicate);
        }
        if self.budget.redeliveries > 0 && busy(one) && !busy(other) {
            actions.push(Action::LeaseEnds);
        }
        if self.budget.sweeps > 0 && self.unfinished().next().is_some() && !busy(one) {
            actions.push(Action::Sweep);
        }
        self.requests(&mut actions);
        actions
    }

    /// What may be asked for at this moment.
    fn requests(&self, actions: &mut Vec<Action>) {
        let Budget { deletes, creates, pauses, echoes, .. } = self.budget;
        if deletes + creates + pauses > 0 {
            for (i, record) in self.records.iter().enumerate() {
                let record = self.world.load(record);
                match record.wanted {
                    Wanted::Active if deletes > 0 => actions.push(Action::Ask(i, RequestAction::Delete)),
                    Wanted::Deleted if creates > 0 => actions.push(Action::Ask(i, RequestAction::Create)),
                    _ => {}
                }
                if pauses > 0 && !matches!(record.status, Status::Paused | Status::Deleted) {
                    actions.push(Action::Ask(i, RequestAction::Pause));
                }
            }
        }
        if echoes > 0 && !self.asked.is_empty() {
            actions.push(Action::Echo(0));
        }
    }

    /// A request under a new message: it is decided and committed at once, whoever is at work.
    fn ask(&mut self, i: usize, action: RequestAction) {
        let id = format!("request-{}", self.asked.len());
        self.hear(i, action, &id);
        self.asked.push((i, action, id));
    }

    /// What the door does with a request's message.
    fn hear(&self, i: usize, action: RequestAction, id: &str) {
        let Lookup::Found(mut stored) = now(Records::new(self.world.plain.clone()).load(&self.records[i].key)).unwrap()
        else {
            panic!("{i}")
        };
        if stored.value.has_heard(id) {
            return;
        }
        let engine = self.at_once();
        let entry = super::world::journal(&self.world.clock);
        let request = request(&stored.value, action);
        match decide(&mut stored.value, &request, &engine.runbooks, self.world.clock.now()) {
            Move::Begin(step) => now(engine.begin(*stored, &step, entry, id)).unwrap(),
            Move::Rest { status, paused_from } => now(engine.rest(*stored, status, paused_from, entry, id)).unwrap(),
            Move::Note(_) => {}
            Move::Refuse(reason) => panic!("{action}: {reason}"),
        }
    }

    /// The engine over storage that is not stepped through.
    fn at_once(&self) -> Engine {
        let Engine { clock, runbooks, .. } = self.world.engine.clone();
        Engine::new(self.world.plain.clone(), clock, runbooks)
    }

    fn act(&mut self, action: Action) {
        let switched = |driver: &mut Self, i: usize| {
            if i != driver.last && driver.workers[driver.last].is_some() {
                driver.budget.switches -= 1;
            }
            driver.last = i;
        };
        match action {
            Action::GoOn(i) => {
                switched(self, i);
                self.go_on(i);
            }
            Action::Deliver(i) => {
                switched(self, i);
                let held = self.receive();
                self.start(i, held);
            }
            Action::Die(i) => {
                self.workers[i] = None;
                self.budget.deaths -= 1;
                self.died = true;
            }
            Action::Duplicate => {
                let (queue, _) = self.world.queues.next_visible().unwrap();
                let raw = now(self.world.queues.peek(&queue, 1)).unwrap().remove(0).raw;
                now(self.world.queues.send_raw(&queue, &raw, Duration::ZERO)).unwrap();
                self.budget.duplicates -= 1;
            }
            Action::LeaseEnds => {
                self.budget.redeliveries -= 1;
                self.world.clock.forward(LEASE.as_secs());
                let held = self.receive();
                let other = 1 - self.last;
                self.start(other, held);
            }
            Action::Sweep => {
                self.budget.sweeps -= 1;
                self.sweep();
            }
            Action::Ask(i, action) => {
                let left = match action {
                    RequestAction::Delete => &mut self.budget.deletes,
                    RequestAction::Create => &mut self.budget.creates,
                    _ => &mut self.budget.pauses,
                };
                *left -= 1;
                self.ask(i, action);
            }
            Action::Echo(at) => {
                self.budget.echoes -= 1;
                let (i, action, id) = self.asked[at].clone();
                self.hear(i, action, &id);
            }
        }
    }

    fn receive(&self) -> Held {
        let (queue, _) = self.world.queues.next_visible().unwrap();
        let message = now(self.world.queues.receive(&queue, 1, LEASE)).unwrap().remove(0);
        Held { queue, message }
    }

    fn start(&mut self, i: usize, held: Held) {
        let engine = self.world.engine.clone();
        let text = String::from_utf8(BASE64_STANDARD.decode(&held.message.raw).unwrap()).unwrap();
        let redelivered = held.message.dequeue_count > 1;
        let delivery = Delivery { message_id: held.message.id.clone(), redelivered, trace: None };
        let queue = held.queue.clone();
        let work = Box::pin(async move {
            let done = engine.run::<Record>(&queue, &text, &delivery).await;
            // Between here and the removal of the message, too, the process may die.
            moment().await;
            done
        });
        self.workers[i] = Some(Worker { held, work });
    }

    /// To the next moment, or to the end: then the message is removed, or after an error left to its lease.
    fn go_on(&mut self, i: usize) {
        let Some(worker) = &mut self.workers[i] else { return };
        if let Poll::Ready(done) = worker.work.as_mut().poll(&mut Context::from_waker(noop_waker_ref())) {
            let held = worker.held.clone();
            self.workers[i] = None;
            match done {
                // It may have been received again meanwhile: then it stays.
                Ok(()) => drop(now(self.world.queues.delete(&held.queue, &held.message))),
                Err(_) => self.died = true,
            }
        }
    }

    /// Nobody can do anything now: time goes to the next message, or the sweep comes. `false`: all is done.
    fn wake(&mut self) -> bool {
        if let Some(at) = self.world.next_message() {
            self.world.clock.set(at);
            return true;
        }
        let paused: Vec<usize> =
            (0..self.records.len()).filter(|&i| self.world.load(&self.records[i]).status == Status::Paused).collect();
        if !paused.is_empty() {
            paused.into_iter().for_each(|i| self.ask(i, RequestAction::Resume));
            return true;
        }
        if self.unfinished().next().is_none() {
            return false;
        }
        assert!(self.died, "a message was lost though nobody died: {:?}", self.unfinished().next());
        self.swept = true;
        self.sweep();
        true
    }

    fn unfinished(&self) -> impl Iterator<Item = Record> {
        self.records.iter().map(|record| self.world.load(record)).filter(|record| !record.is_idle())
    }

    /// Sends again what is unfinished, as the timer does for what is overdue; it is not what dies here.
    fn sweep(&self) {
        for record in self.unfinished() {
            let Lookup::Found(stored) = now(Records::new(self.world.plain.clone()).load(&record.key)).unwrap() else {
                panic!("{record:?}")
            };
            now(self.at_once().send_again(*stored, "overdue")).unwrap();
        }
    }
}

impl Driver<'_> {
    /// Runs quietly until something is so.
    pub fn run_until(&mut self, is_so: impl Fn(&World) -> bool) {
        while !is_so(self.world) {
            self.step_or_wake();
        }
    }

    /// Runs quietly, but for a death at the n-th action.
    pub fn run_and_die_at(&mut self, n: usize) {
        for _ in 0..n {
            self.step_or_wake();
        }
        if self.workers[self.last].take().is_some() {
            self.died = true;
        }
        self.run(&mut Choices::default());
    }

    fn step_or_wake(&mut self) {
        match self.actions().first() {
            Some(action) => self.act(*action),
            None => drop(self.wake()),
        }
    }

    /// Runs quietly but for storage: its n-th operation fails. `false` if there were fewer.
    pub fn run_with_trouble(&mut self, n: usize, how: u8) -> bool {
        use std::sync::atomic::Ordering::Relaxed;
        self.world.trouble.how.store(how, Relaxed);
        self.world.trouble.after.store(n, Relaxed);
        self.run(&mut Choices::default());
        self.world.trouble.after.load(Relaxed) == 0
    }
}

/// A request for the pair of a record, with nothing else.
fn request(record: &Record, action: RequestAction) -> Request {
    let text = serde_json::json!({
        "version": 1, "action": action.to_string(), "vnet": record.vnet.to_string(),
        "vpc": {"organization": "org1a2b3c4d5e6", "id": record.key.vpc.id()},
    });
    Request::parse(&text.to_string()).unwrap()
}
