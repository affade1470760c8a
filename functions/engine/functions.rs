//! The one list of the app's functions: the router, the queues that are made at start, and the sweep of poison queues all read it.

use super::message::{POLL_VPC, queue_of};
use super::step::Runbooks;

/// The public queue of requests for peerings.
pub const REQUESTS: &str = "peering-requests";
/// The public queue of requests for VPCs.
pub const VPC_REQUESTS: &str = "vpc-requests";
/// The function that compares a VPC's peerings with what they should be.
pub const RECONCILE_VPC: &str = "reconcile_vpc";

/// A function of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Its name: of its folder, its route and its module.
    pub name: &'static str,
    /// What runs it.
    pub trigger: Trigger,
}

/// What runs a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A message of its queue.
    Queue(Message),
    /// The time.
    Timer(Timer),
}

/// The messages of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Requests for peerings, from outside.
    Request,
    /// Requests for VPCs, from outside.
    VpcRequest,
    /// Hints to run the step of a peering's record.
    PeeringStep,
    /// Hints to run the step of a VPC request's row.
    VpcStep,
    /// Hints of timer `poll_waiting`, which gives them again.
    PollVpc,
    /// Hints of timer `reconcile`, which gives them again.
    ReconcileVpc,
}

/// The timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Asks for a poll of every VPC with peerings that await one.
    PollWaiting,
    /// Asks for a comparison of every VPC.
    Reconcile,
    /// Sends again what is overdue.
    Sweep,
}

/// The functions that are no steps.
const OTHERS: [FunctionSpec; 7] = [
    FunctionSpec { name: "accept_request", trigger: Trigger::Queue(Message::Request) },
    FunctionSpec { name: "create_vpc", trigger: Trigger::Queue(Message::VpcRequest) },
    FunctionSpec { name: POLL_VPC, trigger: Trigger::Queue(Message::PollVpc) },
    FunctionSpec { name: RECONCILE_VPC, trigger: Trigger::Queue(Message::ReconcileVpc) },
    FunctionSpec { name: "poll_waiting", trigger: Trigger::Timer(Timer::PollWaiting) },
    FunctionSpec { name: "reconcile", trigger: Trigger::Timer(Timer::Reconcile) },
    FunctionSpec { name: "sweep", trigger: Trigger::Timer(Timer::Sweep) },
];

impl Runbooks {
    /// Every function of the app.
    pub fn functions(&self) -> Vec<FunctionSpec> {
        let step = |message| move |name| FunctionSpec { name, trigger: Trigger::Queue(message) };
        let peering = self.entries().map(|entry| entry.name).map(step(Message::PeeringStep));
        let vpc = self.vpc.entries.iter().map(|entry| entry.name).map(step(Message::VpcStep));
        peering.chain(vpc).chain(OTHERS).collect()
    }

    /// The queues that functions listen to, and what their messages are.
    pub fn queues(&self) -> impl Iterator<Item = (String, Message)> {
        let queue = |spec: FunctionSpec| match spec.trigger {
            Trigger::Queue(message) => Some((spec.queue(message), message)),
            Trigger::Timer(_) => None,
        };
        self.functions().into_iter().filter_map(queue)
    }
}

impl FunctionSpec {
    /// Its queue: the public ones have names of their own.
    pub fn queue(&self, message: Message) -> String {
        match message {
            Message::Request => REQUESTS.to_owned(),
            Message::VpcRequest => VPC_REQUESTS.to_owned(),
            Message::PeeringStep | Message::VpcStep | Message::PollVpc | Message::ReconcileVpc => queue_of(self.name),
        }
    }
}
