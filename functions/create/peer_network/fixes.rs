//! What a person does about our half.

use crate::cloud::arm::Peering;
use crate::cloud::{Failure, Service};
use crate::create::roles::assign_command;
use crate::engine::{Fix, Remedy};
use crate::peering::{Record, VnetId};

/// The way out where the application may not touch the VNet's peerings (any more).
pub fn lost_role(record: &Record, failure: &Failure) -> Option<Remedy> {
    let missing = failure.service == Service::Arm && failure.code == "AuthorizationFailed";
    let (principal, role) = (record.facts.principal?, record.facts.peering_role.as_deref()?);
    missing.then(|| Remedy {
        why: "the application's role assignment on the VNet has had no effect for longer than Azure takes, or is gone"
            .to_owned(),
        command: assign_command(&record.vnet, principal, role),
    })
}

/// An adopted half cannot take the name that was asked for.
pub fn named_otherwise(record: &Record, peering: &Peering, asked: &str) -> Fix {
    Fix {
        what: format!(
            "the VNet is peered to Aiven's network already as {}, and peering_name {asked} was asked for",
            peering.name
        ),
        why: "it was there before this peering was asked for, a network can be peered only once, and a peering's name cannot be changed".to_owned(),
        command: format!(
            "send action \"delete\", then ask again without \"peering_name\"; or, if nobody needs it as it is: {}",
            delete_command(&record.vnet, &peering.name)
        ),
        code: "peering_name_differs".to_owned(),
        correlation: None,
    }
}

fn delete_command(vnet: &VnetId, name: &str) -> String {
    format!(
        "az network vnet peering delete --name {name} --vnet-name {} --resource-group {} --subscription {}",
        vnet.name, vnet.resource_group, vnet.subscription
    )
}

/// An update would switch on again what somebody switched off.
pub fn closed(record: &Record, peering: &Peering) -> Fix {
    let vnet = &record.vnet;
    Fix {
        what: format!("somebody switched allowVirtualNetworkAccess of peering {} off", peering.name),
        why: "an update writes the peering, which would switch it on again".to_owned(),
        command: format!(
            "send action \"retry\", or: az network vnet peering update --name {} --vnet-name {} --resource-group {} --subscription {} --set allowVirtualNetworkAccess=true",
            peering.name, vnet.name, vnet.resource_group, vnet.subscription
        ),
        code: "access_off".to_owned(),
        correlation: None,
    }
}

/// An adopted half does not let in what was asked for.
pub fn no_forwarding(record: &Record, peering: &Peering) -> Fix {
    let vnet = &record.vnet;
    Fix {
        what: format!(
            "peering {} on the VNet has allowForwardedTraffic false, and allow_forwarded_traffic true was asked for",
            peering.name
        ),
        why: "it was there before this peering was asked for, so it is not ours to change".to_owned(),
        command: format!(
            "az network vnet peering update --name {} --vnet-name {} --resource-group {} --subscription {} --set allowForwardedTraffic=true; or send action \"update\" without the option",
            peering.name, vnet.name, vnet.resource_group, vnet.subscription
        ),
        code: "forwarding_differs".to_owned(),
        correlation: None,
    }
}

/// A half that is left over, and is not ours to remove, or was made again already.
pub fn disconnected(record: &Record, peering: &Peering) -> Fix {
    Fix {
        what: format!("peering {} on the VNet is Disconnected: the half at its other end was deleted", peering.name),
        why: "a disconnected half cannot be revived, only made anew".to_owned(),
        command: delete_command(&record.vnet, &peering.name),
        code: "half_disconnected".to_owned(),
        correlation: None,
    }
}
