//! Aiven's commands for one connection: an organization's is named by its id, a project's by its network.

use crate::cloud::aiven::Connection;
use crate::peering::VpcRef;

/// The command that deletes a connection.
pub fn delete_command(vpc: &VpcRef, connection: &Connection) -> String {
    command(vpc, connection, "peering-connection delete", "peering-connection delete")
}

/// The command that has ranges routed, too.
pub fn add_command(vpc: &VpcRef, connection: &Connection, ranges: &[String]) -> String {
    let (organization, project) = ("peering-connection user-peer-network-cidrs add", "user-peer-network-cidr add");
    format!("{} {}", command(vpc, connection, organization, project), ranges.join(" "))
}

fn command(vpc: &VpcRef, connection: &Connection, organizations: &str, projects: &str) -> String {
    match vpc {
        VpcRef::Organization { organization, id } => format!(
            "avn organization vpc {organizations} --organization-id {organization} --organization-vpc-id {id} --peering-connection-id {}",
            connection.id.as_deref().unwrap_or("<peering_connection_id>")
        ),
        VpcRef::Project { project, id } => format!(
            "avn vpc {projects} --project {project} --project-vpc-id {id} --peer-cloud-account {} --peer-resource-group {} --peer-vpc {}",
            connection.subscription,
            connection.resource_group.as_deref().unwrap_or("<resource group>"),
            connection.vnet
        ),
    }
}
