//! What is in the clouds when some pairs are peered: that, and nothing else.

use std::collections::BTreeSet;

use emulator::clouds::{AIVEN_APPLICATION, Pair, World};

/// Both clouds hold exactly what the pairs need, once, however often anything was tried.
pub fn assert_exactly(world: &World, pairs: &[Pair]) {
    let name = "aiven-azure-peering-default";
    let ours: Vec<_> = world.applications.iter().filter(|a| a.unique_name.as_deref() == Some(name)).collect();
    assert_eq!(ours.len(), 1, "one application");
    let home = &world.home_tenant;
    let principals = |app: &str| world.principals_of(app).iter().filter(|p| p.tenant == *home).count();
    assert_eq!(principals(&ours[0].app_id), 1, "one service principal of ours");
    assert_eq!(principals(AIVEN_APPLICATION), 1, "one service principal of Aiven's");
    assert_eq!(ours[0].federated_credentials.len(), 1, "one federated credential");
    let vnets: BTreeSet<&str> = pairs.iter().map(|pair| pair.vnet.as_str()).collect();
    let subscriptions: BTreeSet<&str> = vnets.iter().filter_map(|vnet| vnet.split('/').nth(2)).collect();
    for subscription in &subscriptions {
        assert_eq!(world.role_definitions_in(subscription).len(), 2, "two role definitions in {subscription}");
    }
    for vnet in &vnets {
        assert_eq!(world.assignments_at(vnet).len(), 2, "two role assignments at {vnet}");
    }
    for pair in pairs {
        let connections = world.connections(&pair.vpc_id, &pair.vnet);
        assert_eq!(
            connections.iter().map(|c| c.state.as_str()).collect::<Vec<_>>(),
            ["ACTIVE"],
            "one connection for {pair:?}"
        );
        let remote = &world.aiven_vpc(&pair.vpc_id).unwrap().azure_vnet;
        let halves = &world.vnet(&pair.vnet).unwrap().peerings;
        let ours: Vec<_> = halves.iter().filter(|half| half.remote.eq_ignore_ascii_case(remote)).collect();
        assert_eq!(
            ours.iter().map(|half| half.state.as_str()).collect::<Vec<_>>(),
            ["Connected"],
            "one half for {pair:?}"
        );
    }
    let halves: usize = vnets.iter().map(|vnet| world.vnet(vnet).unwrap().peerings.len()).sum();
    let connections: usize = world.aiven_vpcs.iter().map(|vpc| vpc.connections.len()).sum();
    assert_eq!((halves, connections), (pairs.len(), pairs.len()), "one peering a pair, nothing else");
}
