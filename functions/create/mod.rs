//! The runbook forwards: how a peering comes to be, one folder a step. Read the table first.

pub mod add_credential;
pub mod admit_aiven;
mod authorize_aiven;
pub mod authorize_application;
mod await_active;
pub mod await_pending_peer;
pub mod connection;
pub mod create_service_principal;
pub mod define_aiven_role;
pub mod inspect_network;
pub mod peer_network;
pub mod register_application;
pub mod request_peering;
pub mod roles;
pub mod verify_connectivity;

use crate::context::Context;
use crate::engine::{Runbook, step};
use crate::peering::Status;

/// The steps in their order, with their numbers in the published runbook.
#[rustfmt::skip]
pub fn runbook(context: &Context) -> Runbook {
    use Status::{Active, Authorizing, Peering, Requested, WaitingForActive, WaitingForAiven};
    let c = || context.clone();
    Runbook {
        entries: vec![
            step(inspect_network::STEP,          "5, 10", Requested,        "look at the VNet and the Aiven VPC",                 inspect_network::InspectNetwork::new(c())),
            step(register_application::STEP,     "2",     Authorizing,      "register our multi-tenant application",              register_application::RegisterApplication { context: c() }),
            step(create_service_principal::STEP, "3",     Authorizing,      "create its service principal",                       create_service_principal::CreateServicePrincipal { context: c() }),
            step(add_credential::STEP,           "4",     Authorizing,      "let the app's identity sign in as the application",  add_credential::AddCredential { context: c() }),
            step(authorize_application::STEP,    "6",     Authorizing,      "let the application peer the VNet",                  authorize_application::AuthorizeApplication { context: c() }),
            step(admit_aiven::STEP,              "7",     Authorizing,      "admit Aiven's application to the tenant",            admit_aiven::AdmitAiven { context: c() }),
            step(define_aiven_role::STEP,        "8",     Authorizing,      "define the role that may peer, and nothing else",    define_aiven_role::DefineAivenRole { context: c() }),
            step(authorize_aiven::STEP,          "9",     Authorizing,      "let Aiven peer to the VNet",                         authorize_aiven::AuthorizeAiven { context: c() }),
            step(request_peering::STEP,          "11",    WaitingForAiven,  "request the peering connection at Aiven",            request_peering::RequestPeering { context: c() }),
            step(await_pending_peer::STEP,       "12",    WaitingForAiven,  "wait until Aiven has built its half",                await_pending_peer::AwaitPendingPeer { context: c() }),
            step(peer_network::STEP,             "13",    Peering,          "peer the VNet to Aiven's network",                   peer_network::PeerNetwork { context: c() }),
            step(await_active::STEP,             "14",    WaitingForActive, "wait until Aiven has seen both halves",              await_active::AwaitActive { context: c() }),
            step(verify_connectivity::STEP,      "blog",  Active,           "see whether the services in the VPC can be reached", verify_connectivity::VerifyConnectivity::new(c())),
        ],
        end: Status::Active,
        retired: &[],
    }
}
