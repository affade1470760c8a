//! What Aiven's list of an owner's VPCs says of one that was asked for. Pure.

use std::time::Duration;

use ipnet::IpNet;
use uuid::Uuid;

use crate::cloud::aiven::{VpcState, VpcSummary};
use crate::engine::{Fix, Wait};
use crate::peering::{Provenance, VpcRequest};
use crate::state::VpcRequestRow;

/// How long a VPC just made may be missing from the list: what is new is not seen at once. Nominal.
const MAY_BE_MISSING: Duration = Duration::from_secs(120);
/// Between two looks at a VPC that comes or goes, and how long either may take: many times what is usual. Nominal seconds.
const LOOK: (u64, u64) = (30, 60 * 60);

/// What the list says.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It is there, and ready.
    Ready(Uuid),
    /// It is there, and being made.
    Building(Uuid, Wait),
    /// There is none, and none may be asked for yet.
    NotYet(Wait),
    /// There is none: it is to be made.
    Missing,
    /// The one that we made is gone.
    Gone(Fix),
}

/// Judges. `age` is how long ago Aiven was asked for it, if it was; nominal.
pub fn judge(row: &VpcRequestRow, request: &VpcRequest, list: &[VpcSummary], age: Option<Duration>) -> Seen {
    let twins = || list.iter().filter(|vpc| vpc.is(&request.cloud, IpNet::V4(request.cidr)));
    // Of several the one that was chosen before, or else one that is ready; or else always the same.
    let rank = |vpc: &&VpcSummary| (Some(vpc.id) != row.vpc, vpc.state != VpcState::Active, vpc.id);
    if let Some(vpc) = twins().filter(|vpc| !vpc.is_going()).min_by_key(rank) {
        return match vpc.state {
            VpcState::Active => Seen::Ready(vpc.id),
            ref state => Seen::Building(vpc.id, building(state.as_str())),
        };
    }
    let made = row.vpc.filter(|_| row.provenance == Some(Provenance::Created));
    match (made, age) {
        (_, Some(age)) if age < MAY_BE_MISSING && !twins().any(|vpc| Some(vpc.id) == row.vpc) => Seen::NotYet(unseen()),
        (Some(id), Some(_)) => Seen::Gone(gone(id)),
        _ if twins().any(|vpc| vpc.state == VpcState::Deleting) => Seen::NotYet(leaving()),
        _ => Seen::Missing,
    }
}

/// The wait for a VPC that Aiven makes.
pub fn building(state: &str) -> Wait {
    Wait::aiven("vpc_not_active", format!("the Aiven VPC is {state}, not ACTIVE"), LOOK.0, LOOK.1)
        .or("ask Aiven's support why the VPC does not become ACTIVE; it is looked at again by itself")
}

fn unseen() -> Wait {
    Wait::aiven("vpc_not_listed", "Aiven does not list the VPC that was just asked for", 10, LOOK.1)
}

fn leaving() -> Wait {
    Wait::aiven("vpc_deleting", "a VPC of the same cloud and range is being deleted", LOOK.0, LOOK.1)
        .or("see what keeps the old VPC: services in it have to be deleted first (`avn service list`)")
}

fn gone(id: Uuid) -> Fix {
    Fix {
        what: format!("VPC {id}, which was made for this request, is gone"),
        why: "somebody deleted it before its peerings were asked for".to_owned(),
        command: "find out who deletes it: `avn events`; then send the request again".to_owned(),
        code: "vpc_gone".to_owned(),
        correlation: None,
    }
}
