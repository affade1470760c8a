//! Who is to be peered: VPCs and VNets in the emulated clouds, the asked pairs and some free ones.

use std::collections::BTreeSet;

use emulator::clouds::{Clouds, Pair, World};

use crate::arguments::Arguments;

/// Peerings that share a VPC, and that share a VNet, when there are many.
const PER_VPC: usize = 10;
const PER_VNET: usize = 2;

/// The pairs of the scene.
#[derive(Debug, Default)]
pub struct Stage {
    /// Those that the demo asks for.
    pub asked: Vec<Pair>,
    /// Those that are left to whoever sends a request: two of an organization, two of a project.
    pub free: Vec<Pair>,
}

impl Stage {
    /// Sets it up in the clouds.
    pub fn set(arguments: &Arguments, clouds: &Clouds) -> Self {
        let mut world = clouds.world();
        let count = usize::from(arguments.peerings);
        let mut stage = Self::default();
        if count > 0 {
            let (vpcs, vnets) = spread(count);
            stage.asked = world.pairs(vpcs, vnets, count, arguments.project);
            add_services(&mut world, &stage.asked);
        }
        if arguments.serve {
            stage.free = [world.pairs(1, 2, 2, false), world.pairs(1, 2, 2, true)].concat();
        }
        stage
    }
}

/// A service in each VPC, so that there is something to reach.
fn add_services(world: &mut World, pairs: &[Pair]) {
    let vpcs: BTreeSet<&str> = pairs.iter().map(|pair| pair.vpc_id.as_str()).collect();
    for (n, vpc) in vpcs.into_iter().enumerate() {
        world.add_service("demo-project", &format!("pg-{}", n + 1), Some(vpc));
    }
}

/// So many VPCs and VNets for that many pairs: 50 are spread over 5 and 25.
fn spread(count: usize) -> (usize, usize) {
    let vpcs = count.div_ceil(PER_VPC);
    // A single VPC has only as many pairs as there are VNets.
    (vpcs, count.div_ceil(PER_VNET.min(vpcs)))
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn fifty_peerings_are_spread_over_five_vpcs_and_twenty_five_networks() {
        assert_eq!(spread(50), (5, 25));
    }

    #[test]
    fn there_are_always_enough_different_pairs() {
        for count in 1..=500 {
            let (vpcs, vnets) = spread(count);
            assert!(vpcs * vnets >= count, "{count}: {vpcs} × {vnets}");
        }
    }
}
