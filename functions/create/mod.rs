//! The runbook forwards: how a peering comes to be, one folder a step. Read the table first.

pub mod add_credential;
pub mod admit_aiven;
mod authorize_aiven;
pub mod authorize_application;
mod await_active;
pub mod await_pending_peer;
pub mod create_service_principal;
pub mod define_aiven_role;
pub mod inspect_network;
pub mod peer_network;
pub mod register_application;
pub mod request_peering;
pub mod roles;
pub mod verify_connectivity;

use std::sync::Arc;

use crate::cloud::Clouds;
use crate::engine::{Entry, Runbook, Step};
use crate::peering::Status;
use crate::settings::Settings;

/// What every step may use: the clouds, and the settings.
#[derive(Clone)]
pub struct Tools {
    /// The clients.
    pub clouds: Clouds,
    /// The settings.
    pub settings: Arc<Settings>,
}

/// The steps in their order, with their numbers in the published runbook.
#[rustfmt::skip]
pub fn runbook(tools: &Tools) -> Runbook {
    use Status::{Active, Authorizing, Peering, Requested, WaitingForActive, WaitingForAiven};
    let t = || tools.clone();
    Runbook {
        entries: vec![
            row(inspect_network::STEP,          "5, 10", Requested,        "look at the VNet and the Aiven VPC",                 inspect_network::InspectNetwork::new(t())),
            row(register_application::STEP,     "2",     Authorizing,      "register our multi-tenant application",              register_application::RegisterApplication(t())),
            row(create_service_principal::STEP, "3",     Authorizing,      "create its service principal",                       create_service_principal::CreateServicePrincipal(t())),
            row(add_credential::STEP,           "4",     Authorizing,      "let the app's identity sign in as the application",  add_credential::AddCredential(t())),
            row(authorize_application::STEP,    "6",     Authorizing,      "let the application peer the VNet",                  authorize_application::AuthorizeApplication(t())),
            row(admit_aiven::STEP,              "7",     Authorizing,      "admit Aiven's application to the tenant",            admit_aiven::AdmitAiven(t())),
            row(define_aiven_role::STEP,        "8",     Authorizing,      "define the role that may peer, and nothing else",    define_aiven_role::DefineAivenRole(t())),
            row(authorize_aiven::STEP,          "9",     Authorizing,      "let Aiven peer to the VNet",                         authorize_aiven::AuthorizeAiven(t())),
            row(request_peering::STEP,          "11",    WaitingForAiven,  "request the peering connection at Aiven",            request_peering::RequestPeering(t())),
            row(await_pending_peer::STEP,       "12",    WaitingForAiven,  "wait until Aiven has built its half",                await_pending_peer::AwaitPendingPeer(t())),
            row(peer_network::STEP,             "13",    Peering,          "peer the VNet to Aiven's network",                   peer_network::PeerNetwork(t())),
            row(await_active::STEP,             "14",    WaitingForActive, "wait until Aiven has seen both halves",              await_active::AwaitActive(t())),
            row(verify_connectivity::STEP,      "blog",  Active,           "see whether the services in the VPC can be reached", verify_connectivity::VerifyConnectivity::new(t())),
        ],
        end: Status::Active,
        retired: &[],
    }
}

/// A row of a runbook.
pub fn row(
    name: &'static str,
    number: &'static str,
    status: Status,
    title: &'static str,
    step: impl Step + 'static,
) -> Entry {
    Entry { name, number, status, title, step: Arc::new(step) }
}
