//! What both clouds say of one peering that is to be active, against what it should be. Pure.
//!
//! What looks like a person's doing is told apart from what a vendor broke: only the latter is ever repaired unasked.

use jiff::Timestamp;

use crate::cloud::aiven::{Connection, ConnectionState, Vpc, VpcState};
use crate::cloud::arm::{Peering, PeeringState, ProvisioningState, SyncLevel, Vnet};
use crate::create::connection::{delete_command, is_refused};
use crate::create::request_peering;
use crate::create::{inspect_network, peer_network};
use crate::peering::{Drift, Hand, Provenance, Record};

/// The steps that put things right.
const ALL: &str = inspect_network::STEP;
const BOTH_HALVES: &str = request_peering::STEP;
const OUR_HALF: &str = peer_network::STEP;

/// What is not as it should be. `vnet`: `None`, if it is certain that the VNet is gone.
pub fn judge(record: &Record, vpc: &Vpc, vnet: Option<&Vnet>, now: Timestamp) -> Vec<Drift> {
    let judge = Judge { record, now };
    if matches!(vpc.state, VpcState::Deleting | VpcState::Deleted) {
        return vec![judge.vpc_gone(vpc)];
    }
    let connection = vpc.live_connection_to(&record.vnet);
    let Some(vnet) = vnet else {
        return judge.connection_gone(connection).into_iter().chain([judge.vnet_gone()]).collect();
    };
    let Some(half) = half(record, vnet) else {
        // That Aiven gives up its own half follows from it.
        return judge.connection_gone(connection).into_iter().chain([judge.half_gone()]).collect();
    };
    // Without a connection our half is left over: that follows, too.
    let half = if connection.is_some() { judge.half(half) } else { Vec::new() };
    judge.connection(connection).into_iter().chain(half).collect()
}

/// Our half: by where it leads; by its name only where it is not known where Aiven's network is.
pub fn half<'a>(record: &Record, vnet: &'a Vnet) -> Option<&'a Peering> {
    let name = record.peering_name();
    match &record.facts.aiven_vnet {
        Some(remote) => vnet.peering_to(remote),
        None => vnet.peerings.iter().find(|peering| peering.name.eq_ignore_ascii_case(&name)),
    }
}

/// Whether a drift may be repaired unasked: a vendor broke it, what would be touched is what we created, and there is a way.
pub fn is_repairable(record: &Record, drift: &Drift) -> bool {
    let (aiven, azure) = (created(record.provenance.aiven), created(record.provenance.azure));
    drift.hand == Hand::Vendor
        && match drift.kind.as_str() {
            "not_in_sync" => azure,
            // Both halves are made again: a half that somebody else made is not ours to replace.
            kind => kind != "remote_not_in_sync" && aiven && azure,
        }
}

fn created(provenance: Option<Provenance>) -> bool {
    provenance == Some(Provenance::Created)
}

struct Judge<'a> {
    record: &'a Record,
    now: Timestamp,
}

impl Judge<'_> {
    fn drift(&self, hand: Hand, kind: &str, step: &str, what: String, command: String) -> Drift {
        Drift { kind: kind.to_owned(), hand, what, command, step: step.to_owned(), since: self.now }
    }

    /// Broken, and not by a person as far as can be seen.
    fn broken(&self, kind: &str, step: &str, what: String, whose: Option<Provenance>, by_hand: String) -> Drift {
        let again = format!("to have it made again, send {}", order(self.record, "retry"));
        let command = if created(whose) {
            again
        } else {
            format!(
                "it was there before this peering was asked for, so it is left to whoever made it: {by_hand}; then, {again}"
            )
        };
        self.drift(Hand::Vendor, kind, step, what, command)
    }

    fn changed(&self, kind: &str, step: &str, what: String, command: &str) -> Drift {
        let Record { provenance, .. } = self.record;
        let undo = match provenance.azure {
            Some(Provenance::Adopted) => String::new(),
            _ => format!("; or, to have it put back, send {}", order(self.record, "retry")),
        };
        self.drift(Hand::Person, kind, step, what, format!("{command}{undo}"))
    }

    fn vpc_gone(&self, vpc: &Vpc) -> Drift {
        let what = format!("the Aiven VPC is {}", vpc.state);
        let command = format!("a VPC does not come back: send {}", order(self.record, "delete"));
        self.drift(Hand::Person, "vpc_gone", ALL, what, command)
    }

    fn vnet_gone(&self) -> Drift {
        let what = format!("VNet {} is gone", self.record.vnet);
        let (delete, retry) = (order(self.record, "delete"), order(self.record, "retry"));
        let command = format!("send {delete}; or create the VNet again, and send {retry}");
        self.drift(Hand::Person, "vnet_gone", ALL, what, command)
    }

    fn half_gone(&self) -> Drift {
        let what = format!("our half of the peering, {}, is gone from the VNet", self.record.peering_name());
        let (delete, retry) = (order(self.record, "delete"), order(self.record, "retry"));
        let command = format!("to have it made again, send {retry}; if the peering is to go, send {delete}");
        self.drift(Hand::Person, "half_gone", BOTH_HALVES, what, command)
    }

    fn connection_gone(&self, connection: Option<&Connection>) -> Option<Drift> {
        if connection.is_some() {
            return None;
        }
        let what = "the connection was deleted at Aiven".to_owned();
        let (whose, by_hand) = (self.record.provenance.aiven, "make it again at Aiven".to_owned());
        Some(self.broken("connection_gone", BOTH_HALVES, what, whose, by_hand))
    }

    fn connection(&self, connection: Option<&Connection>) -> Option<Drift> {
        use ConnectionState::{Approved, ApprovedPeerRequested, PendingPeer};
        let Some(connection) = connection else { return self.connection_gone(None) };
        if let Some(other) = self.other_application(connection) {
            return Some(other);
        }
        let state = &connection.state;
        let kind = match state {
            state if is_refused(state) => kind_of(state),
            Approved | ApprovedPeerRequested | PendingPeer => "connection_pending",
            // A state that is not known here is no proof of anything.
            _ => return None,
        };
        let message = connection.message.as_deref().filter(|_| is_refused(state));
        let message = message.map(|message| format!(": {message}")).unwrap_or_default();
        let what = format!("Aiven's connection is {state}, not ACTIVE{message}");
        let by_hand = delete_command(&self.record.key.vpc, connection);
        Some(self.broken(kind, BOTH_HALVES, what, self.record.provenance.aiven, by_hand))
    }

    /// Neither can be changed of a connection: somebody deleted ours and made another.
    fn other_application(&self, connection: &Connection) -> Option<Drift> {
        let (found, ours) = connection.app_id.zip(self.record.facts.application).filter(|(a, b)| a != b)?;
        let what = format!("Aiven's connection to the VNet names application {found}, ours is {ours}");
        let delete = delete_command(&self.record.key.vpc, connection);
        let command = format!("if nobody needs it: {delete}; then send {}", order(self.record, "retry"));
        Some(self.drift(Hand::Person, "connection_differs", BOTH_HALVES, what, command))
    }

    fn half(&self, half: &Peering) -> Vec<Drift> {
        if !matches!(half.provisioning_state, ProvisioningState::Succeeded | ProvisioningState::Failed) {
            // It is being changed at this moment.
            return Vec::new();
        }
        let kind = match half.state {
            PeeringState::Connected => return self.connected(half),
            PeeringState::Disconnected => "half_disconnected",
            PeeringState::Initiated => "half_initiated",
            PeeringState::Unknown(_) => return Vec::new(),
        };
        let what =
            format!("our half of the peering, {}, is {}: the half at its other end was deleted", half.name, half.state);
        let Record { provenance, .. } = self.record;
        // Both are made again.
        let whose = if created(provenance.aiven) { provenance.azure } else { provenance.aiven };
        vec![self.broken(kind, BOTH_HALVES, what, whose, self.az("delete", half, ""))]
    }

    fn connected(&self, half: &Peering) -> Vec<Drift> {
        let mut drifts = Vec::new();
        let ours = created(self.record.provenance.azure);
        if matches!(half.sync_level, SyncLevel::LocalNotInSync | SyncLevel::LocalAndRemoteNotInSync) {
            let what = format!(
                "our half of the peering, {}, does not know the newest address space of Aiven's network",
                half.name
            );
            let (whose, by_hand) = (self.record.provenance.azure, self.az("sync", half, ""));
            drifts.push(self.broken("not_in_sync", OUR_HALF, what, whose, by_hand));
        }
        if matches!(half.sync_level, SyncLevel::RemoteNotInSync | SyncLevel::LocalAndRemoteNotInSync) {
            drifts.push(self.remote_not_in_sync());
        }
        if !half.allow_vnet_access {
            let what =
                format!("our half of the peering, {}, allows no access to the VNet: no traffic flows", half.name);
            let command = self.az("update", half, " --set allowVirtualNetworkAccess=true");
            drifts.push(self.changed("access_off", OUR_HALF, what, &command));
        }
        let wanted = self.record.options.allow_forwarded_traffic;
        if ours && half.allow_forwarded_traffic != wanted {
            let lets = |yes: bool| if yes { "lets in" } else { "does not let in" };
            let what = format!(
                "our half of the peering, {}, {} forwarded traffic, though it was asked for that it {} any",
                half.name,
                lets(!wanted),
                lets(wanted)
            );
            let command = self.az("update", half, &format!(" --set allowForwardedTraffic={wanted}"));
            drifts.push(self.changed("forwarding_changed", OUR_HALF, what, &command));
        }
        drifts
    }

    /// Nobody documents that Aiven synchronises its half, and nothing of ours can.
    fn remote_not_in_sync(&self) -> Drift {
        let what = "Aiven's half of the peering does not know the newest address space of the VNet".to_owned();
        let Record { key, vnet, .. } = self.record;
        let command = format!(
            "ask Aiven's support to synchronise the peering of VPC {} with {vnet}; or, at the price of an outage, send {}, and a create after it",
            key.vpc.id(),
            order(self.record, "delete")
        );
        self.drift(Hand::Vendor, "remote_not_in_sync", OUR_HALF, what, command)
    }

    fn az(&self, verb: &str, half: &Peering, more: &str) -> String {
        let vnet = &self.record.vnet;
        format!(
            "az network vnet peering {verb} --name {} --vnet-name {} --resource-group {} --subscription {}{more}",
            half.name, vnet.name, vnet.resource_group, vnet.subscription
        )
    }
}

fn kind_of(state: &ConnectionState) -> &'static str {
    match state {
        ConnectionState::DeletedByPeer => "connection_deleted_by_peer",
        ConnectionState::RejectedByPeer => "connection_rejected",
        ConnectionState::InvalidSpecification => "connection_invalid",
        _ => "connection_error",
    }
}

/// The message that has something done with a peering, and where it goes.
pub fn order(record: &Record, action: &str) -> String {
    let message = serde_json::json!({"version": 1, "action": action, "vpc": record.key.vpc, "vnet": record.vnet});
    format!("{message} to queue peering-requests")
}

#[cfg(test)]
mod tests;
