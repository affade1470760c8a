//! The runbook backwards: how a peering goes, one folder a step. Only what is recorded as `created` is removed; what was there before
//! stays, and so does what belongs to the installation: application, principals, federated credential, role definitions.

pub mod await_aiven_gone;
mod delete_aiven_peering;
mod delete_azure_peering;
mod leave_network;
mod revoke_access;

use crate::context::Context;
use crate::engine::{Runbook, step};
use crate::peering::{Half, Provenance, Record, Status};

/// The steps in their order. Aiven's half goes first: that is what the published runbooks do, and without it no traffic flows.
#[rustfmt::skip]
pub fn runbook(context: &Context) -> Runbook {
    use Status::Deleting;
    let c = || context.clone();
    Runbook {
        entries: vec![
            step(delete_aiven_peering::STEP,     "delete", Deleting, "delete Aiven's half",                            delete_aiven_peering::DeleteAivenPeering { context: c() }),
            step(await_aiven_gone::STEP,         "delete", Deleting, "wait until Aiven's half is gone",                await_aiven_gone::AwaitAivenGone { context: c() }),
            step(delete_azure_peering::STEP,     "delete", Deleting, "delete our half",                                delete_azure_peering::DeleteAzurePeering { context: c() }),
            step(leave_network::STEP,            "delete", Deleting, "leave the users of the VNet",                    leave_network::LeaveNetwork),
            step(revoke_access::STEP,            "delete", Deleting, "take back the roles that nobody uses any more",  revoke_access::RevokeAccess { context: c() }),
        ],
        end: Status::Deleted,
        retired: &[],
    }
}

/// Why a half stays; `None`: we made it, or meant to, so what is found of it goes.
fn stays(record: &mut Record, half: Half, name: &str) -> Option<String> {
    match record.provenance.of(half) {
        None => Some(format!("{name} is none of ours")),
        Some(Provenance::Adopted) => Some(format!("{name} stays: it was there before this peering was asked for")),
        Some(Provenance::Claimed | Provenance::Created) => None,
    }
}
