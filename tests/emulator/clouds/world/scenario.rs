//! The standard scene: VPCs on one side, networks on the other, nothing overlapping.

use super::World;
use serde_json::{Value, json};

/// A VPC and a network that are to be peered.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The `vpc` member of a peering request: `{"organization", "id"}` or `{"project", "id"}`.
    pub vpc: Value,
    /// Id of the VPC.
    pub vpc_id: String,
    /// Resource id of the network, in mixed case as ARM gives it.
    pub vnet: String,
}

impl World {
    /// `vpcs` Aiven VPCs (of one organization or one project) and `vnets` networks over two subscriptions.
    ///
    /// Returns each VPC's pairs with the networks, taken in turn until every VPC and every network is in
    /// at least one: `max(vpcs, vnets)` pairs. More pairs: [`World::pairs`].
    pub fn standard(&mut self, vpcs: usize, vnets: usize, project: bool) -> Vec<Pair> {
        self.pairs(vpcs, vnets, vpcs.max(vnets), project)
    }

    /// The same scene with `count` different pairs (at most `vpcs × vnets`), spread evenly.
    pub fn pairs(&mut self, vpcs: usize, vnets: usize, count: usize, project: bool) -> Vec<Pair> {
        let vpcs = self.scene_vpcs(vpcs, project);
        let vnets = self.scene_vnets(vnets);
        let (a, b) = (vpcs.len().max(1), vnets.len().max(1));
        let mut pairs = Vec::new();
        for i in 0..count.min(vpcs.len() * vnets.len()) {
            // Each round over the networks shifts the VPC by one, so that no pair comes twice.
            let (n, round) = (i % b, i / b);
            let (id, vpc) = &vpcs[(n + round) % a];
            pairs.push(Pair { vpc: vpc.clone(), vpc_id: id.clone(), vnet: vnets[n].clone() });
        }
        pairs
    }

    fn scene_vpcs(&mut self, count: usize, project: bool) -> Vec<(String, Value)> {
        let organization = if project { String::new() } else { self.add_organization() };
        let mut vpcs = Vec::new();
        for _ in 0..count {
            let n = self.aiven_vpcs.len();
            let cidr = format!("10.{}.{}.0/24", 200 + n / 256, n % 256);
            vpcs.push(if project {
                let id = self.add_project_vpc("demo-project", "azure-westeurope", &cidr);
                (id.clone(), json!({"project": "demo-project", "id": id}))
            } else {
                let id = self.add_organization_vpc(&organization, "azure-westeurope", &cidr);
                (id.clone(), json!({"organization": organization, "id": id}))
            });
        }
        vpcs
    }

    fn scene_vnets(&mut self, count: usize) -> Vec<String> {
        let home = self.home_tenant.clone();
        let subscriptions = [self.add_subscription(&home), self.add_subscription(&home)];
        (0..count)
            .map(|i| {
                let n = self.vnets.len();
                let prefix = format!("10.{}.{}.0/24", n / 256, n % 256);
                let group = format!("Network-RG-{}", i % 3 + 1);
                self.add_vnet(&subscriptions[i % 2], &group, &format!("Vnet-{:02}", i + 1), &[&prefix])
            })
            .collect()
    }
}
