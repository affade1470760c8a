//! The VPCs of an organization or a project: which there are, and making one.

use azure_core::http::Method;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::routes::owned;
use super::wire::WireVpc;
use super::{Aiven, VpcState};
use crate::cloud::Failure;
use crate::peering::Owner;

impl Owner {
    fn path(&self) -> Vec<String> {
        match self {
            Self::Organization(organization) => owned(&["v1", "organization", organization, "vpcs"]),
            Self::Project(project) => owned(&["v1", "project", project, "vpcs"]),
        }
    }
}

/// A VPC as lists show it: without its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcSummary {
    /// Its id.
    pub id: Uuid,
    /// Whether it is ready.
    pub state: VpcState,
    /// The cloud and region, such as `azure-westeurope`.
    pub cloud: String,
    /// Address space.
    pub prefixes: Vec<IpNet>,
}

impl VpcSummary {
    /// Whether it is in this cloud with just this address space: what tells the VPCs of an owner apart before they have an id.
    pub fn is(&self, cloud: &str, cidr: IpNet) -> bool {
        self.cloud.eq_ignore_ascii_case(cloud) && self.prefixes == [cidr.trunc()]
    }

    /// Deleted, or being deleted.
    pub fn is_going(&self) -> bool {
        matches!(self.state, VpcState::Deleting | VpcState::Deleted)
    }
}

impl Aiven {
    /// All VPCs of an owner, in every cloud, those being deleted included.
    pub async fn vpcs(&self, owner: &Owner) -> Result<Vec<VpcSummary>, Failure> {
        #[derive(Deserialize)]
        struct Page {
            vpcs: Vec<WireVpc>,
        }
        let (call, reply) = self.simple(&owner.path(), Method::Get, None).await?;
        let page: Page = reply.json(&call)?;
        Ok(page.vpcs.into_iter().filter_map(WireVpc::summary).collect())
    }

    /// Starts to make a VPC. Aiven knows no key for it, so a second call makes a second one: look first.
    ///
    /// `None` where the answer shows no VPC.
    pub async fn create_vpc(&self, owner: &Owner, cloud: &str, cidr: IpNet) -> Result<Option<VpcSummary>, Failure> {
        let network = json!({ "cloud_name": cloud, "network_cidr": cidr.trunc() });
        // The list of connections must be there, be it empty.
        let body = match owner {
            Owner::Organization(_) => json!({ "clouds": [network], "peering_connections": [] }),
            Owner::Project(_) => with_connections(network),
        };
        let (_, reply) = self.simple(&owner.path(), Method::Post, Some(&body)).await?;
        Ok(serde_json::from_value::<WireVpc>(reply.value()).ok().and_then(WireVpc::summary))
    }
}

fn with_connections(mut network: Value) -> Value {
    network["peering_connections"] = json!([]);
    network
}
